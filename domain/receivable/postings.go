package receivable

import (
	"holdfast/domain"
	"holdfast/domain/ledger"
)

// Aggregate registers debts with the log.
func Aggregate() domain.Aggregate {
	return domain.Aggregate{
		Category: Category,
		Events:   []domain.Event{Recorded{}, Reversed{}, Recovered{}, WrittenOff{}},
		Postings: func(_ domain.Stream, e domain.Event) (ledger.Transaction, bool) { return Postings(e) },
	}
}

// Postings is what an event does to the ledger (domain.md §2.3). It is pure. Recorded and
// Reversed post nothing: their cause does.
func Postings(e domain.Event) (tx ledger.Transaction, ok bool) {
	switch e := e.(type) {
	case Recovered:
		owed, available := accounts(e.Party, e.User)
		return ledger.Transaction{
			Mode: ledger.Post, Refused: ErrInsufficient,
			Lines: ledger.Lines(ledger.Dr(available, owed, e.Amount)),
		}, true
	case WrittenOff:
		owed, _ := accounts(e.Party, e.User)
		expense := ledger.BadDebt
		if e.Expense == ChainLoss {
			expense = ledger.ChainLoss
		}
		return ledger.Transaction{Mode: ledger.Post, Lines: ledger.Lines(ledger.Dr(expense, owed, e.Amount))}, true
	}
	return ledger.Transaction{}, false
}

func accounts(p Party, u domain.UserID) (owed, available ledger.Account) {
	if p == Buyer {
		return ledger.ReceivableBuyer(u), ledger.BuyerAvailable(u)
	}
	return ledger.ReceivableSeller(u), ledger.SellerAvailable(u)
}

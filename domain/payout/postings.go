package payout

import (
	"holdfast/domain"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/outgoing"
)

// Aggregate registers payouts with the log.
func Aggregate() domain.Aggregate {
	return domain.Aggregate{
		Category: Category,
		Events: []domain.Event{
			Requested{},
			ApprovalRecorded{},
			Approved{},
			Rejected{},
			DestinationChanged{},
			InstructionBuilt{},
			Signed{},
			Broadcast{},
			Replaced{},
			Confirmed{},
			Failed{},
			Cancelled{},
			Reorged{},
			Surfaced{},
		},
		Postings: func(_ domain.Stream, e domain.Event) (ledger.Transaction, bool) { return Postings(e) },
		Claims:   claims,
	}
}

// Postings is what an event does to the ledger (domain.md §2.3). It is pure.
func Postings(e domain.Event) (tx ledger.Transaction, ok bool) {
	switch e := e.(type) {
	case Requested:
		return ledger.Transaction{
			Mode: ledger.Post, Refused: ErrInsufficientAvailable,
			Lines: ledger.Lines(ledger.Dr(ledger.SellerAvailable(e.Seller), ledger.ClearingPayout(e.Payout), e.Amount)),
		}, true
	case Broadcast:
		return ledger.Transaction{
			Mode: ledger.Pend, Key: outgoing.PendingKey(Category, e.Payout, e.TxHash), Fact: true,
			Lines: ledger.Lines(ledger.Dr(ledger.ClearingPayout(e.Payout), e.Custody.Account(), e.Amount)),
		}, true
	case Confirmed:
		return outgoing.Confirmed(e.Pending, ledger.Dr(ledger.ClearingPayout(e.Payout), e.Custody.Account(), e.Amount)), true
	case Failed:
		return outgoing.Undone(e.Pending, back(e.Payout, e.Seller, e.Amount)), true
	case Rejected:
		return ledger.Transaction{Mode: ledger.Post, Lines: ledger.Lines(back(e.Payout, e.Seller, e.Amount))}, true
	case Cancelled:
		return ledger.Transaction{Mode: ledger.Post, Lines: ledger.Lines(back(e.Payout, e.Seller, e.Amount))}, true
	case Surfaced:
		rest := e.Amount
		rest.Units = rest.Units.Minus(e.Owed.Units)
		return ledger.Transaction{Mode: ledger.Post, Fact: true, Lines: ledger.Lines(
			ledger.Dr(ledger.SellerAvailable(e.Seller), e.Custody.Account(), rest),
			ledger.Dr(ledger.ReceivableSeller(e.Seller), e.Custody.Account(), e.Owed))}, true
	case Reorged:
		return ledger.Transaction{Mode: ledger.Post, Fact: true, Lines: ledger.Lines(
			ledger.Dr(e.Custody.Account(), ledger.ClearingPayout(e.Payout), e.Amount))}, true
	}
	return ledger.Transaction{}, false
}

// back is the money returning from clearing to the seller.
func back(p domain.PayoutID, seller domain.UserID, amount money.Amount) ledger.Line {
	return ledger.Dr(ledger.ClearingPayout(p), ledger.SellerAvailable(seller), amount)
}

// claims take the custody address's nonce from the instruction on. A nonce that the chain
// has used is never given back; one of an instruction that came to nothing is.
func claims(_ domain.Stream, e domain.Event) []domain.Claim {
	var dropped *outgoing.Transfer
	switch e := e.(type) {
	case InstructionBuilt:
		return []domain.Claim{outgoing.NonceClaim(e.Instruction)}
	case DestinationChanged:
		dropped = e.Dropped
	case Cancelled:
		dropped = e.Dropped
	case Failed:
		dropped = e.Dropped
	}
	if dropped == nil {
		return nil
	}
	return []domain.Claim{outgoing.Free(outgoing.NonceClaim(*dropped))}
}

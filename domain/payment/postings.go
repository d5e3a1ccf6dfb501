package payment

import (
	"holdfast/domain"
	"holdfast/domain/ledger"
)

// Postings is what a payment's events do to the ledger (domain.md §2.3). What the chain
// shows is a fact; giving the excess to the buyer is a decision.
func Postings(_ domain.Stream, e domain.Event) (ledger.Transaction, bool) {
	switch e := e.(type) {
	case Detected:
		return ledger.Transaction{
			Mode: ledger.Pend, Key: e.Pending, Fact: true,
			Lines: ledger.Lines(ledger.Dr(ledger.Derived(e.Destination), ledger.Held(e.Hold), e.Amount)),
		}, true
	case Confirmed:
		return ledger.Transaction{Mode: ledger.PostPending, Key: e.Pending, Fact: true}, true
	case Dropped:
		return ledger.Transaction{Mode: ledger.VoidPending, Key: e.Pending, Fact: true}, true
	case Overpaid:
		return ledger.Transaction{Mode: ledger.Post, Lines: ledger.Lines(ledger.Dr(ledger.Held(e.Hold), ledger.BuyerAvailable(e.Buyer), e.Excess))}, true
	case Reorged:
		lines := make([]ledger.Line, 0, len(e.Waterfall))
		for _, p := range e.Waterfall {
			lines = append(lines, ledger.Dr(p.Account, ledger.Derived(e.Destination), p.Amount))
		}
		return ledger.Transaction{Mode: ledger.Post, Fact: true, Lines: ledger.Lines(lines...)}, true
	}
	return ledger.Transaction{}, false
}

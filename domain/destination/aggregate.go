package destination

import (
	"fmt"
	"strings"

	"holdfast/domain"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
)

// Aggregate registers the destination with the log.
func Aggregate() domain.Aggregate {
	return domain.Aggregate{
		Category: Decider.Category,
		Events: []domain.Event{
			Derived{}, Assigned{}, Funded{}, Drained{}, SweepBroadcast{}, SweepConfirmed{}, SweepFailed{}, SweepReorged{}, SweepLost{}, Quarantined{}, Released{}, Retired{},
			Imported{}, OpeningMoved{},
		},
		Postings: Postings,
		Claims: func(_ domain.Stream, e domain.Event) []domain.Claim {
			switch d := e.(type) {
			case Derived:
				return []domain.Claim{{Name: fmt.Sprintf("derivation:%s/%d", d.Fingerprint, d.Index), Taken: ErrIndexUsed}}
			case Imported:
				if d.Fingerprint == "" { // below a key that nobody knows here
					return []domain.Claim{{Name: "derivation:" + strings.ToLower(d.Address), Taken: ErrIndexUsed}}
				}
				return []domain.Claim{{Name: fmt.Sprintf("derivation:%s/%d", d.Fingerprint, d.Index), Taken: ErrIndexUsed}}
			}
			return nil
		},
	}
}

// Postings is what sweeps do to the ledger (domain.md §2.3): all are facts.
func Postings(_ domain.Stream, e domain.Event) (ledger.Transaction, bool) {
	fact := func(dr, cr ledger.Account, a money.Amount) (ledger.Transaction, bool) {
		return ledger.Transaction{Mode: ledger.Post, Fact: true, Lines: []ledger.Line{ledger.Dr(dr, cr, a)}}, true
	}
	switch e := e.(type) {
	case SweepBroadcast:
		return fact(ledger.InTransit(e.Sweep), ledger.Derived(e.Destination), e.Amount)
	case SweepConfirmed:
		if e.Again {
			return fact(ledger.Treasury, ledger.Derived(e.Destination), e.Amount)
		}
		return fact(ledger.Treasury, ledger.InTransit(e.Sweep), e.Amount)
	case SweepFailed:
		return fact(ledger.Derived(e.Destination), ledger.InTransit(e.Sweep), e.Amount)
	case SweepReorged:
		return fact(ledger.Derived(e.Destination), ledger.Treasury, e.Amount)
	}
	return ledger.Transaction{}, false
}

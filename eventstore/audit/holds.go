package audit

import (
	"fmt"
	"maps"
	"slices"

	"holdfast/domain/escrow"
	"holdfast/domain/ledger"
	"holdfast/eventstore"
)

// Holds folds the holds of a log, to compare them with the ledger.
type Holds map[string]escrow.State

// Apply folds one decoded event; events of other streams are passed over.
func (h Holds) Apply(r eventstore.Recorded) {
	if e, ok := r.Event.(escrow.Event); ok {
		h[r.Stream.ID] = escrow.Evolve(h[r.Stream.ID], e)
	}
}

// Check lists what breaks the identity of a hold (domain.md §2.8): what came in stands in
// the three buckets or has left them, the ledger's sub-accounts say the same, and a closed
// hold is empty.
func (h Holds) Check(totals []eventstore.Totals) ([]string, error) {
	balances := map[ledger.Account]string{}
	for _, t := range totals {
		line, err := Balance(t)
		if err != nil {
			return nil, err
		}
		balances[t.Account] = line.Balance.String()
	}
	var problems []string
	for _, id := range slices.Sorted(maps.Keys(h)) {
		s := h[id]
		if out := s.Left().Plus(s.Released).Plus(s.Refunded); out != s.In() {
			problems = append(problems, fmt.Sprintf("hold %s: %s came in, %s is accounted for", id, s.In(), out))
		}
		if s.IsClosed && !s.Left().IsZero() {
			problems = append(problems, fmt.Sprintf("hold %s is closed with %s in it", id, s.Left()))
		}
		for account, want := range map[ledger.Account]string{
			ledger.Held(id): s.Held.String(), ledger.Releasable(id): s.Releasable.String(), ledger.Disputed(id): s.Disputed.String(),
		} {
			have, ok := balances[account]
			if !ok {
				have = "0"
			}
			if have != want {
				problems = append(problems, fmt.Sprintf("%s: the ledger has %s, the hold %s", account, have, want))
			}
		}
	}
	return problems, nil
}

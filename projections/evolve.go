package projections

import (
	"fmt"

	"holdfast/domain"
	"holdfast/eventstore"
)

// Evolve folds an event into an aggregate's state as the aggregate itself does, so that a read
// model never has its own idea of an order's state.
func Evolve[S any, E domain.Event](d domain.Decider[S, E], s S, r eventstore.Recorded) (S, error) {
	e, ok := r.Event.(E)
	if !ok {
		return s, fmt.Errorf("%T is no event of %s", r.Event, d.Category)
	}
	return d.Evolve(s, e), nil
}

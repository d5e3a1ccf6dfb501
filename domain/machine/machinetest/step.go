package machinetest

import (
	"reflect"
	"slices"

	"holdfast/domain"
	"holdfast/domain/machine"
)

// failer is what a test and a rapid property have in common.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// Step decides a command on a state and folds its events, as the executor does. It fails when
// the new phase is one that no row of the command in the old phase leads to: the diagram is
// made of the rows, and must not lie. A refusal gives the state back as it was.
func Step[S any, E domain.Event](t failer, table machine.Table[S, E], d domain.Decider[S, E], s S, c domain.Command) (S, []E, error) {
	t.Helper()
	events, err := d.Decide(s, c)
	if err != nil || len(events) == 0 {
		return s, nil, err
	}
	before, name := table.Phase(s), reflect.TypeOf(c).Name()
	for _, e := range events {
		s = d.Evolve(s, e)
	}
	after := table.Phase(s)
	if !slices.ContainsFunc(table.Rows, func(r machine.Row[S, E]) bool {
		return r.Command == name && slices.Contains(r.From, before) && slices.Contains(r.To, after)
	}) {
		t.Fatalf("%s: %s leads from %q to %q, which no row names", table.Name, name, before, after)
	}
	return s, events, nil
}

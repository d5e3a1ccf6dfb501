// Package machinetest checks that an aggregate's table is complete.
package machinetest

import (
	"slices"
	"testing"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/machine"
)

// CheckComplete is the exhaustive test of a table: for every state of states (one sample
// state a phase, all phases must be given) and every command of the table, either a row
// lists the pair, or Decide refuses with a coded Conflict or other refusal and no events.
func CheckComplete[S any, E domain.Event](t *testing.T, table machine.Table[S, E], states map[string]S) {
	t.Helper()
	for _, phase := range table.Phases {
		s, ok := states[phase]
		if !ok {
			t.Errorf("%s: no sample state for phase %q", table.Name, phase)
			continue
		}
		if got := table.Phase(s); got != phase {
			t.Errorf("%s: the sample for %q is in phase %q", table.Name, phase, got)
			continue
		}
		for _, r := range table.Rows {
			listed := slices.ContainsFunc(table.Rows, func(o machine.Row[S, E]) bool {
				return o.Command == r.Command && slices.Contains(o.From, phase)
			})
			if listed {
				continue
			}
			events, err := table.Decide(s, r.Zero())
			if f, ok := fault.From(err); !ok || f.Kind == fault.Internal || len(events) > 0 {
				t.Errorf("%s: %s in %q must be refused with a code, got %v, %v", table.Name, r.Command, phase, events, err)
			}
		}
	}
	for _, r := range table.Rows {
		for _, p := range append(slices.Clone(r.From), r.To...) {
			if !slices.Contains(table.Phases, p) {
				t.Errorf("%s: row %s names the unknown phase %q", table.Name, r.Command, p)
			}
		}
	}
}

package legacyentry_test

import (
	"testing"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/legacyentry"
	"holdfast/domain/machine/machinetest"
)

var (
	bridge   = domain.Issue{By: domain.Machine(domain.Import, "legacy"), At: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}
	imported = legacyentry.Imported{
		Legacy: domain.Legacy{ObjectID: "65a000000000000000000001", Hash: "aa"}, Payment: "p1",
		Body: `{"entryType":"hold"}`, Text: domain.About("B1", `{"note":"by hand"}`),
	}
)

func TestTableIsComplete(t *testing.T) {
	t.Parallel()
	states := map[string]legacyentry.State{legacyentry.None: {}, legacyentry.Known: machinetest.Fold(legacyentry.Decider, legacyentry.Event(imported))}
	for _, s := range states {
		machinetest.CheckSnapshot(t, s)
	}
	machinetest.CheckComplete(t, legacyentry.Table(), states)
}

func TestStoredForm(t *testing.T) {
	t.Parallel()
	machinetest.CheckGolden(t, legacyentry.Aggregate(), imported)
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	take := func(e legacyentry.Imported) legacyentry.Import { return legacyentry.Import{Issue: bridge, Fact: e} }
	other := imported
	other.Hash = "ab"
	type events = []legacyentry.Event
	machinetest.Run(t, legacyentry.Decider, []machinetest.Case[legacyentry.Event]{
		{Name: "a document is taken", When: take(imported), Then: events{imported}},
		{Name: "the same again is no news", Given: events{imported}, When: take(imported)},
		{Name: "another state of it replaces the first", Given: events{imported}, When: take(other), Then: events{other}},
		{Name: "only the bridge imports", When: legacyentry.Import{Fact: imported}, Err: fault.ErrForbidden},
	})
}

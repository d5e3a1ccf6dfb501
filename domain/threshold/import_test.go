package threshold_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/machine/machinetest"
	"holdfast/domain/payment"
	"holdfast/domain/threshold"
)

var (
	bridge   = domain.Machine(domain.Import, "legacy")
	imported = threshold.Imported{
		Legacy: domain.Legacy{ObjectID: "65a000000000000000000001", Hash: "aa"}, Chain: 56, Rule: threshold.Rule{Kind: threshold.Finalized, Min: 30}, By: "A1", Reason: "deeper", At: at,
	}
)

func TestImport(t *testing.T) {
	t.Parallel()
	take := func(e threshold.Imported) threshold.Import {
		return threshold.Import{Issue: by(bridge), Fact: e, Default: chain}
	}
	shallow, deeper := imported, imported
	shallow.Hash, shallow.Rule.Min = "ab", 5
	deeper.Hash, deeper.Rule.Min = "ac", 40
	cutBack := cut
	cutBack.From = imported.Rule
	machinetest.Run(t, threshold.Decider, []machinetest.Case[threshold.Event]{
		{Name: "a document is taken", When: take(imported), Then: events{imported}},
		{Name: "the same again is no news", Given: events{imported}, When: take(imported)},
		{Name: "another state of it replaces the first", Given: events{imported}, When: take(deeper), Then: events{deeper}},
		{Name: "never below the floor", When: take(shallow), Err: payment.ErrBelowFloor},
		{Name: "what was changed here stays", Given: events{imported, cut}, When: take(deeper), Err: domain.ErrLegacyConflict},
		{Name: "and what was said here first", Given: events{raised, reset}, When: take(imported), Err: domain.ErrLegacyConflict},
		{Name: "only the bridge imports", When: threshold.Import{Issue: by(admin), Fact: imported, Default: chain}, Err: fault.ErrForbidden},
		{
			Name: "asking for less than an imported rule takes two", Given: events{imported},
			When: threshold.Change{Issue: by(admin), Chain: 56, Rule: less, Default: chain, Reason: "x"}, Err: threshold.ErrApprovalRequired,
		},
	})
	s := machinetest.Fold(threshold.Decider, threshold.Event(imported))
	machinetest.CheckSnapshot(t, s)
	assert.Equal(t, imported.Rule, s.InForce(chain, ""))
}

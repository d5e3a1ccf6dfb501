package destination_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"holdfast/domain"
	"holdfast/domain/destination"
	"holdfast/domain/fault"
	"holdfast/domain/machine/machinetest"
	"holdfast/domain/money"
)

var (
	bridge   = domain.Machine(domain.Import, "legacy")
	imported = destination.Imported{
		Legacy:      domain.Legacy{ObjectID: "65a000000000000000000001", Hash: "aa"},
		Destination: "d1", Fingerprint: "xpub", Chain: 8453, Index: 7, Path: "0/7", Address: "0xD1", Payment: "p1", Status: "funded",
		Balances: []destination.ImportedBalance{{Currency: "USDC", Token: "0xUsdc", Units: money.FromUint64(100)}}, At: t0,
	}
	stands = destination.OpeningMoved{Amount: amount(100), In: true}
)

func TestImport(t *testing.T) {
	t.Parallel()
	take := func(e destination.Imported) destination.Import { return destination.Import{Issue: by(bridge), Fact: e} }
	move := func(in bool) destination.MoveOpening {
		return destination.MoveOpening{Issue: by(bridge), Amount: amount(100), In: in}
	}
	swept := imported
	swept.Hash, swept.Status = "ab", "swept"
	swept.Sweeps = []destination.ImportedSweep{{Sweep: "w0", Amount: amount(100), Tx: "0x1", Status: "confirmed", At: t0}}
	elsewhere, others, flying := swept, swept, swept
	elsewhere.Address, others.Payment = "0xD2", "p2"
	flying.Sweeps = []destination.ImportedSweep{{Sweep: "w0", Status: "broadcast"}}
	machinetest.Run(t, destination.Decider, []machinetest.Case[destination.Event]{
		{Name: "a document is taken", When: take(imported), Then: events{imported}},
		{Name: "the same again is no news", Given: events{imported}, When: take(imported)},
		{Name: "another state of it replaces the first", Given: events{imported, stands}, When: take(swept), Then: events{swept}},
		{Name: "an address stays", Given: events{imported}, When: take(elsewhere), Err: destination.ErrIndexUsed},
		{Name: "and its payment", Given: events{imported}, When: take(others), Err: destination.ErrAssigned},
		{Name: "a sweep under way is waited for", Given: events{imported}, When: take(flying), Err: fault.ErrValidation},
		{Name: "what was changed here stays", Given: events{imported, funded}, When: take(swept), Err: domain.ErrLegacyConflict},
		{Name: "only the bridge imports", When: destination.Import{Issue: by(admin), Fact: imported}, Err: fault.ErrForbidden},
		{Name: "an opening balance stands on it", Given: events{imported}, When: move(true), Then: events{stands}},
		{Name: "and is taken back", Given: events{imported, stands}, When: move(false), Then: events{destination.OpeningMoved{Amount: amount(100)}}},
		{Name: "when it is there", Given: events{imported}, When: move(false), Err: destination.ErrNothing},
		{
			Name: "it is swept like others", Given: events{imported, stands}, When: destination.Broadcast{Issue: by(policy), Sweep: "w1", Amount: amount(100), Tx: "0xs1", Nonce: 3, Raw: "0x02"},
			Then: events{sent},
		},
	})
	s := machinetest.Fold(destination.Decider, events{imported, stands}...)
	machinetest.CheckSnapshot(t, s)
	assert.Equal(t, destination.FundedPhase, s.Phase())
	assert.Equal(t, destination.SweptPhase, machinetest.Fold(destination.Decider, destination.Event(swept)).Phase())
	assert.Equal(t, destination.QuarantinedPhase, machinetest.Fold(destination.Decider, destination.Event(destination.Imported{Destination: "d1", Quarantine: "aml"})).Phase())
	assert.False(t, s.Legacy.Ours, "an opening is no change of ours")
	assert.Equal(t, "derivation:xpub/7", destination.Aggregate().Claims(domain.Stream{}, imported)[0].Name)
}

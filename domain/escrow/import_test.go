package escrow_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/fault"
	"holdfast/domain/ledger"
	"holdfast/domain/machine/machinetest"
	"holdfast/domain/money"
)

var (
	bridge   = domain.Machine(domain.Import, "legacy")
	document = domain.Legacy{ObjectID: "65a000000000000000000001", Hash: "aa"}
	standing = escrow.Opening{Custody: ledger.Treasury, Liability: ledger.Held("h1"), Amount: units(100)}
	argued   = escrow.Opening{Custody: ledger.Treasury, Liability: ledger.Disputed("h1"), Amount: units(100)}
	imported = escrow.Imported{
		Legacy: document, Hold: "h1", Payment: "p1", Request: "q1", Offer: "o1", Buyer: "B1", Seller: "S1", Due: amount(100), Terms: terms,
		Credited: units(100), Held: units(100), IsFunded: true, InspectionTo: t0, ReleaseAt: t0.Add(time.Hour), EscrowState: "funded", FundedAt: &t0,
		Openings: []escrow.Opening{standing}, Times: 1, At: t0,
	}
	stop = escrow.ReleaseHoldImported{
		Document: domain.Legacy{ObjectID: "65a000000000000000000002", Hash: "ba"}, ID: "s1", Kind: escrow.DisputeHold, Word: "dispute", Reason: "an argument", Active: true, PlacedBy: admin, PlacedAt: t0,
	}
	dispute = escrow.DisputeImported{Dispute: "d1", Open: true, Openings: []escrow.Opening{argued}, Times: 2}
)

func TestImport(t *testing.T) {
	t.Parallel()
	take := func(e escrow.Imported) escrow.Import { return escrow.Import{Issue: by(bridge), Fact: e} }
	stopped := func(e escrow.ReleaseHoldImported) escrow.ImportReleaseHold {
		return escrow.ImportReleaseHold{Issue: by(bridge), Fact: e}
	}
	freeze := func(e escrow.DisputeImported) escrow.ImportDispute {
		return escrow.ImportDispute{Issue: by(bridge), Fact: e}
	}
	free := imported
	free.Hash, free.Held, free.Releasable, free.EscrowState, free.Times = "ab", units(0), units(100), "releasable", 2
	lifted := stop
	lifted.Document.Hash, lifted.Active, lifted.LiftedBy, lifted.LiftedAt, lifted.LiftedReason = "bb", false, &admin, &t0, "settled"
	over := escrow.DisputeImported{Dispute: "d1", Openings: []escrow.Opening{standing}, Times: 3}
	second := dispute
	second.Dispute = "d2"
	gone := escrow.ReleaseHoldLifted{ID: "s1", By: admin, Reason: "no dispute"}
	machinetest.Run(t, escrow.Decider, []machinetest.Case[escrow.Event]{
		{Name: "a document is taken", When: take(imported), Then: events{imported}},
		{Name: "the same again is no news", Given: events{imported}, When: take(imported)},
		{Name: "another state of it replaces the first", Given: events{imported}, When: take(free), Then: events{free}},
		{Name: "release holds and disputes are other documents", Given: events{imported, stop, dispute}, When: take(free), Then: events{free}},
		{Name: "what was changed here stays", Given: events{imported, freed}, When: take(free), Err: domain.ErrLegacyConflict},
		{Name: "what began here is nobody else's", Given: path(escrow.FundedPhase), When: take(imported), Err: domain.ErrLegacyConflict},
		{Name: "only the bridge imports", When: escrow.Import{Issue: by(admin), Fact: imported}, Err: fault.ErrForbidden},

		{Name: "a stop is taken", Given: events{imported}, When: stopped(stop), Then: events{stop}},
		{Name: "once", Given: events{imported, stop}, When: stopped(stop)},
		{Name: "and lifted by its document", Given: events{imported, stop}, When: stopped(lifted), Then: events{lifted}},
		{Name: "unless it was lifted here", Given: events{imported, stop, gone}, When: stopped(lifted), Err: domain.ErrLegacyConflict},
		{Name: "it stops the release", Given: events{free, stop}, When: escrow.Release{Issue: by(buyer)}, Err: escrow.ErrReleaseHold},
		{Name: "a lifted one does not", Given: events{free, stop, lifted}, When: escrow.Release{Issue: by(buyer)}, Then: events{released(100, 5)}},
		{Name: "an admin lifts one that no dispute is behind", Given: events{imported, stop}, When: escrow.LiftReleaseHold{Issue: by(admin), ID: "s1", Reason: "no dispute"}, Then: events{gone}},
		{Name: "but not one of an open dispute", Given: events{imported, stop, dispute}, When: escrow.LiftReleaseHold{Issue: by(admin), ID: "s1", Reason: "x"}, Err: escrow.ErrHoldOwner},

		{Name: "a dispute freezes it", Given: events{imported}, When: freeze(dispute), Then: events{dispute}},
		{Name: "once", Given: events{imported, dispute}, When: freeze(dispute)},
		{Name: "one at a time", Given: events{imported, dispute}, When: freeze(second), Err: escrow.ErrDisputeOpen},
		{Name: "it ends", Given: events{imported, dispute}, When: freeze(over), Then: events{over}},
		{Name: "one that never began does not", Given: events{imported}, When: freeze(over)},
		{Name: "a hold of ours is frozen by our disputes", Given: path(escrow.FundedPhase), When: freeze(dispute), Err: domain.ErrLegacyConflict},
		{Name: "a frozen one is not released", Given: events{free, dispute}, When: escrow.Release{Issue: by(buyer)}, Err: escrow.ErrDisputed},
	})
}

func TestWhatIsImportedGoesOnHere(t *testing.T) {
	t.Parallel()
	fold := func(e ...escrow.Event) escrow.State {
		s := machinetest.Fold(escrow.Decider, e...)
		machinetest.CheckSnapshot(t, s)
		assert.Equal(t, s.In(), s.Left().Plus(s.Released).Plus(s.Refunded), "what came in is accounted for")
		return s
	}
	part := imported
	part.Held, part.Releasable, part.Released, part.EscrowState = units(0), units(60), units(40), "partial"
	assert.Equal(t, escrow.PartlyReleased, fold(part).Phase())
	assert.Equal(t, units(3), fold(part).FeeFor(units(60)), "the old backend has taken its own fee of the rest")

	s := fold(imported, stop, dispute)
	assert.Equal(t, escrow.DisputedPhase, s.Phase())
	assert.Equal(t, units(100), s.Disputed)
	assert.Len(t, s.ReleaseHolds, 1)
	assert.True(t, s.Untouched(), "other documents are no change of ours")
	again := imported
	again.Hash, again.Contested = "ab", &escrow.Contested{Dispute: "d1", FromHeld: units(100)}
	assert.Equal(t, escrow.DisputedPhase, fold(imported, stop, dispute, again).Phase(), "a new state of the document leaves the dispute open")
	assert.Len(t, fold(imported, stop, dispute, again).ReleaseHolds, 1)
	assert.False(t, fold(imported, freed).Untouched())

	for name, c := range map[string]struct {
		change func(*escrow.Imported)
		phase  string
	}{
		"waits": {func(e *escrow.Imported) { e.Credited, e.Held, e.IsFunded = money.Zero, money.Zero, false }, escrow.AwaitingFunds},
		"cancelled": {func(e *escrow.Imported) {
			e.Credited, e.Held, e.IsFunded, e.IsCancelled = money.Zero, money.Zero, false, true
		}, escrow.CancelledPhase},
		"a part":   {func(e *escrow.Imported) { e.Credited, e.Held, e.IsFunded = units(40), units(40), false }, escrow.AwaitingFunds},
		"released": {func(e *escrow.Imported) { e.Held, e.Released, e.IsClosed = money.Zero, units(100), true }, escrow.ClosedPhase},
		"refunded": {func(e *escrow.Imported) { e.Held, e.Refunded, e.IsClosed = money.Zero, units(100), true }, escrow.ClosedPhase},
	} {
		e := imported
		c.change(&e)
		assert.Equal(t, c.phase, fold(e).Phase(), name)
	}
	assert.Equal(t, imported.ReleaseAt, escrow.Deadlines(domain.Stream{}, imported)[0].Due, "its inspection ends here")
	part.ReleaseAt = time.Time{}
	assert.True(t, escrow.Deadlines(domain.Stream{}, part)[0].Cancel)
}

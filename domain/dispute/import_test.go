package dispute_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"holdfast/domain"
	"holdfast/domain/dispute"
	"holdfast/domain/fault"
	"holdfast/domain/machine/machinetest"
)

var (
	bridge   = domain.Machine(domain.Import, "legacy")
	disputed = amount(90)
	imported = dispute.Imported{
		Legacy:  domain.Legacy{ObjectID: "65a000000000000000000001", Hash: "aa"},
		Dispute: "D", Hold: "h1", Request: "q1", Buyer: "B1", Seller: "S1", Opener: "B1", Resolver: "R1", Category: "not_as_described", Priority: "high",
		Reason: said("B1", "it is broken"), DesiredOutcome: "refund", Said: &disputed, FromHeld: amount(60), FromReleasable: amount(30), Terms: terms,
		Phase: dispute.PhaseUnderReview, Status: "in_progress", DueAt: t0.Add(5 * day), MaxAgeAt: t0.Add(45 * day),
		Evidence: []dispute.ImportedEvidence{{Evidence: photo, By: "B1", At: t0}}, At: t0,
		Decision: &dispute.ImportedDecision{Word: "compensation", Action: dispute.Split, SellerBPS: 6000, Reason: said("B1", "both are right"), By: "R1", At: t0},
	}
)

func in(phase, hash string) dispute.Imported {
	e := imported
	e.Phase, e.Hash = phase, hash
	switch phase {
	case dispute.PhaseAwaitingResponse:
		e.DueAt = t0.Add(3 * day)
	case dispute.PhaseUnderReview:
	default:
		e.DueAt, e.MaxAgeAt = time.Time{}, time.Time{}
	}
	return e
}

func TestImport(t *testing.T) {
	t.Parallel()
	take := func(e dispute.Imported) dispute.Import { return dispute.Import{Issue: by(bridge), Fact: e} }
	waits := in(dispute.PhaseAwaitingResponse, "ab")
	done := imported
	done.Phase, done.Hash = dispute.PhaseResolved, "ac"
	endless := imported
	endless.Terms.MaxAge = 0
	machinetest.Run(t, dispute.Decider, []machinetest.Case[dispute.Event]{
		{Name: "a document is taken, and its windows begin", When: take(imported), Then: events{imported}},
		{Name: "one that waits for an answer", When: take(waits), Then: events{waits}},
		{Name: "the same again is no news", Given: events{imported}, When: take(imported)},
		{Name: "another state of it replaces the first", Given: events{imported}, When: take(done), Then: events{done}},
		{Name: "what was changed here stays", Given: events{imported, escalated}, When: take(done), Err: domain.ErrLegacyConflict},
		{Name: "and what began here", Given: events{opened}, When: take(imported), Err: domain.ErrLegacyConflict},
		{Name: "nothing waits for ever", When: take(endless), Err: fault.ErrValidation},
		{Name: "only the bridge imports", When: dispute.Import{Issue: by(admin), Fact: imported}, Err: fault.ErrForbidden},
		{
			Name: "its resolver decides it", Given: events{imported},
			When: dispute.Decide{Issue: by(resolver), Action: dispute.Split, SellerBPS: bps(6000), FeePayer: dispute.SellerPays, Reason: decided.Reason}, Then: events{decided},
		},
		{Name: "another one does not", Given: events{imported}, When: dispute.Decide{Issue: by(second), Action: dispute.Release}, Err: dispute.ErrNotAssigned},
		{Name: "the other party answers", Given: events{waits}, When: dispute.Respond{Issue: by(seller), Text: responded.Text}, Then: events{responded}},
		{Name: "it grows too old", Given: events{imported}, When: dispute.Default{Issue: after(timer, 45*day)}, Then: events{tooOld}},
	})
}

func TestWhatAnImportSetsGoing(t *testing.T) {
	t.Parallel()
	keys := func(e dispute.Imported) (live []string) {
		for _, d := range dispute.Aggregate().Deadlines(domain.Stream{}, e) {
			if !d.Cancel {
				live = append(live, d.Key)
			}
		}
		return live
	}
	assert.Equal(t, []string{"review", "max_age"}, keys(imported))
	assert.Equal(t, []string{"respond", "max_age"}, keys(in(dispute.PhaseAwaitingResponse, "ab")))
	assert.Empty(t, keys(in(dispute.PhaseResolved, "ab")), "what is over sets nothing going")

	free := func(e dispute.Imported) bool { return dispute.Aggregate().Claims(domain.Stream{}, e)[0].Free }
	assert.False(t, free(imported))
	assert.True(t, free(in(dispute.PhaseClosed, "ab")))

	s := machinetest.Fold(dispute.Decider, dispute.Event(imported))
	machinetest.CheckSnapshot(t, s)
	assert.Equal(t, 1, s.BuyerCount)
	assert.Nil(t, s.Outcome, "what was thought before it was over is no outcome")
	assert.NotNil(t, machinetest.Fold(dispute.Decider, dispute.Event(in(dispute.PhaseResolved, "ab"))).Outcome)
	_, posts := dispute.Postings(imported)
	assert.False(t, posts)
}

package offer_test

import (
	"testing"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/machine/machinetest"
	"holdfast/domain/offer"
)

var (
	importer   = domain.Machine(domain.Import, "legacy")
	fromBefore = offer.Imported{
		Legacy: domain.Legacy{ObjectID: "65a000000000000000000001", Hash: "aa", CreatedAt: t0.Add(-time.Hour), UpdatedAt: t0},
		Offer:  "o1", Request: "q1", Buyer: "B1", Seller: "S1", Phase: offer.SubmittedPhase, Terms: terms(100), Reason: domain.About("B1", "none"),
	}
)

func TestImport(t *testing.T) {
	t.Parallel()
	with := func(edit func(*offer.Imported)) offer.Imported {
		e := fromBefore
		edit(&e)
		return e
	}
	take := func(e offer.Imported) offer.Import { return offer.Import{Issue: by(importer), Fact: e} }
	changed := with(func(e *offer.Imported) { e.Hash, e.Phase = "bb", offer.WithdrawnPhase })
	chosen := with(func(e *offer.Imported) { e.Phase, e.Hold = offer.AcceptedPhase, "h1" })
	machinetest.Run(t, offer.Decider, []machinetest.Case[offer.Event]{
		{Name: "an offer", When: take(fromBefore), Then: events{fromBefore}},
		{Name: "once", Given: events{fromBefore}, When: take(fromBefore)},
		{Name: "a changed document replaces it", Given: events{fromBefore}, When: take(changed), Then: events{changed}},
		{Name: "not once we have changed it", Given: events{fromBefore, accepted}, When: take(changed), Err: domain.ErrLegacyConflict},
		{Name: "never over one that was made here", Given: events{submitted}, When: take(fromBefore), Err: domain.ErrLegacyConflict},
		{Name: "nobody else imports", When: offer.Import{Issue: by(seller), Fact: fromBefore}, Err: fault.ErrForbidden},
		{Name: "not on one's own request", When: take(with(func(e *offer.Imported) { e.Buyer = "S1" })), Err: offer.ErrOwnRequest},
		{Name: "not for nothing", When: take(with(func(e *offer.Imported) { e.Terms.Price = price(0) })), Err: fault.ErrValidation},
		{Name: "it can be accepted", Given: events{fromBefore}, When: offer.Accept{Issue: by(buyer), Revision: 1, RequestRevision: 1, Hold: "h1"}, Then: events{accepted}},
		{Name: "it expires", Given: events{fromBefore}, When: offer.Expire{Issue: at(timer, 24*time.Hour)}, Then: events{expired}},
		{Name: "an order about it is fulfilled", Given: events{chosen}, When: offer.Fulfil{Issue: by(policy)}, Then: events{offer.Fulfilled{}}},
	})
	for phase, free := range map[string]bool{offer.SubmittedPhase: false, offer.AcceptedPhase: false, offer.RejectedPhase: true, offer.FulfilledPhase: true} {
		got := offer.Claims(domain.Stream{}, with(func(e *offer.Imported) { e.Phase = phase }))
		if len(got) != 1 || got[0].Free != free {
			t.Errorf("%s: %+v", phase, got)
		}
	}
	endless := with(func(e *offer.Imported) { e.Terms.ValidUntil = time.Time{} })
	if got := offer.Deadlines(domain.Stream{}, endless); len(got) != 1 || !got[0].Cancel {
		t.Errorf("an offer without an end: %+v", got)
	}
	if got := offer.Deadlines(domain.Stream{}, fromBefore); len(got) != 1 || got[0].Due != fromBefore.Terms.ValidUntil {
		t.Errorf("an offer with an end: %+v", got)
	}
}

package offer_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/machine/machinetest"
	"holdfast/domain/money"
	"holdfast/domain/offer"
)

const usdc money.Asset = "USDC@8453"

var (
	t0     = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	buyer  = domain.User("B1", domain.Buyer)
	seller = domain.User("S1", domain.Seller)
	timer  = domain.Machine(domain.Timer, "timers")
	policy = domain.Machine(domain.Process, "orders")
)

type events = []offer.Event

func by(a domain.Actor) domain.Issue { return domain.Issue{By: a, At: t0} }
func at(a domain.Actor, d time.Duration) domain.Issue {
	return domain.Issue{By: a, At: t0.Add(d)}
}

func price(n uint64) offer.Price {
	return offer.Price{Amount: money.Of(usdc, money.FromUint64(n)), Currency: "USDC", Display: "97.5"}
}

func terms(n uint64) offer.Terms {
	return offer.Terms{
		Title: "a lamp", Description: domain.About("S1", "a good lamp"), Price: price(n), DeliveryTime: "3 days",
		ValidUntil: t0.Add(24 * time.Hour), Notes: domain.About("S1", "none"), RequestRevision: 1,
	}
}

var (
	lower     = price(90)
	submitted = offer.Submitted{Offer: "o1", Request: "q1", Buyer: "B1", Seller: "S1", Terms: terms(100), At: t0}
	revised   = offer.Revised{Revision: 2, Terms: terms(110)}
	countered = offer.Countered{Counter: "c1", Price: &lower, Message: domain.About("B1", "too much"), ExpiresAt: t0.Add(time.Hour)}
	agreed    = offer.CounterAccepted{Counter: "c1", Revision: 2, Terms: terms(90)}
	accepted  = offer.Accepted{Revision: 1, Hold: "h1"}
	rejected  = offer.Rejected{Request: "q1", Seller: "S1", Reason: domain.About("B1", "no")}
	withdrawn = offer.Withdrawn{Request: "q1", Seller: "S1", Reason: domain.About("S1", "sold")}
	expired   = offer.Expired{Request: "q1", Seller: "S1", At: t0.Add(24 * time.Hour)}
)

func path(phase string, more ...offer.Event) events {
	all := map[string]events{
		"":                    nil,
		offer.SubmittedPhase:  {submitted},
		offer.CounteredPhase:  {submitted, countered},
		offer.AcceptedPhase:   {submitted, accepted},
		offer.RejectedPhase:   {submitted, rejected},
		offer.SupersededPhase: {submitted, offer.Superseded{By: "o2"}},
		offer.WithdrawnPhase:  {submitted, withdrawn},
		offer.ExpiredPhase:    {submitted, expired},
		offer.FulfilledPhase:  {submitted, accepted, offer.Fulfilled{}},
		offer.VoidedPhase:     {submitted, accepted, offer.Voided{Reason: "refunded"}},
	}[phase]
	return append(all[:len(all):len(all)], more...)
}

func TestTableIsComplete(t *testing.T) {
	t.Parallel()
	states := map[string]offer.State{}
	for _, p := range offer.Table().Phases {
		states[p] = machinetest.Fold(offer.Decider, path(p)...)
		machinetest.CheckSnapshot(t, states[p])
	}
	machinetest.CheckComplete(t, offer.Table(), states)
}

func TestStoredForm(t *testing.T) {
	t.Parallel()
	machinetest.CheckGolden(t, offer.Aggregate(), offer.Quoted{Quote: "u1"}, submitted, revised, countered, agreed, offer.CounterDeclined{Counter: "c1"}, offer.CounterLapsed{Counter: "c1"},
		accepted, offer.AcceptanceReverted{Reason: "expired"}, rejected, offer.Superseded{By: "o2"}, offer.Revived{Reason: "reorg"}, withdrawn, expired,
		offer.Fulfilled{}, offer.Voided{Reason: "refunded"}, fromBefore)
}

func TestOffering(t *testing.T) {
	t.Parallel()
	submit := offer.Submit{Issue: by(seller), Offer: "o1", Request: "q1", Buyer: "B1", Seller: "S1", Terms: terms(100)}
	own, stranger, free, untitled, over, wordy := submit, submit, submit, submit, submit, submit
	own.Buyer = "S1"
	stranger.Issue = by(domain.User("S2", domain.Seller))
	free.Terms.Price = price(0)
	untitled.Terms.Title = ""
	over.Terms.ValidUntil = t0
	wordy.Terms.Description = domain.About("S1", strings.Repeat("ü", 1001))
	withdraw := offer.Withdraw{Issue: by(seller), Reason: withdrawn.Reason}
	machinetest.Run(t, offer.Decider, []machinetest.Case[offer.Event]{
		{Name: "submitted", When: submit, Then: events{submitted}},
		{Name: "not to oneself", When: own, Err: offer.ErrOwnRequest},
		{Name: "not in another's name", When: stranger, Err: fault.ErrForbidden},
		{Name: "nothing is free", When: free, Err: fault.ErrValidation},
		{Name: "a title", When: untitled, Err: fault.ErrValidation},
		{Name: "an end later than now", When: over, Err: fault.ErrValidation},
		{Name: "not a novel", When: wordy, Err: fault.ErrValidation},
		{Name: "revised", Given: path(offer.SubmittedPhase), When: offer.Revise{Issue: by(seller), Terms: terms(110)}, Then: events{revised}},
		{Name: "not once it is accepted", Given: path(offer.AcceptedPhase), When: offer.Revise{Issue: by(seller), Terms: terms(110)}, Err: offer.ErrLocked},
		{Name: "not by the buyer", Given: path(offer.SubmittedPhase), When: offer.Revise{Issue: by(buyer), Terms: terms(1)}, Err: fault.ErrForbidden},
		{Name: "not while a counter-offer is open", Given: path(offer.CounteredPhase), When: offer.Revise{Issue: by(seller), Terms: terms(110)}, Err: offer.ErrCounterOpen},
		{Name: "not after its end", Given: path(offer.SubmittedPhase), When: offer.Revise{Issue: at(seller, 24*time.Hour), Terms: terms(110)}, Err: offer.ErrExpired},
		{Name: "withdrawn", Given: path(offer.CounteredPhase), When: withdraw, Then: events{withdrawn}},
		{Name: "not once it is accepted either", Given: path(offer.AcceptedPhase), When: withdraw, Err: offer.ErrLocked},
		{Name: "rejected", Given: path(offer.SubmittedPhase), When: offer.Reject{Issue: by(buyer), Reason: rejected.Reason}, Then: events{rejected}},
		{Name: "the seller rejects nothing", Given: path(offer.SubmittedPhase), When: offer.Reject{Issue: by(seller)}, Err: fault.ErrForbidden},
		{Name: "expired", Given: path(offer.SubmittedPhase), When: offer.Expire{Issue: at(timer, 24*time.Hour)}, Then: events{expired}},
		{Name: "not before its end", Given: path(offer.SubmittedPhase), When: offer.Expire{Issue: at(timer, 24*time.Hour-1)}, Err: fault.ErrInvalidState},
	})
}

func TestNegotiation(t *testing.T) {
	t.Parallel()
	propose := offer.Counter{Issue: by(buyer), Counter: "c1", Price: &lower, Message: countered.Message, ExpiresAt: countered.ExpiresAt}
	empty, foreign, over := propose, propose, propose
	empty.Price = nil
	foreign.Price = &offer.Price{Amount: money.Of("X", money.FromUint64(1))}
	over.ExpiresAt = t0
	days := offer.Countered{Counter: "c1", DeliveryTime: "1 day", Message: countered.Message, ExpiresAt: countered.ExpiresAt}
	sooner := terms(100)
	sooner.DeliveryTime = "1 day"
	machinetest.Run(t, offer.Decider, []machinetest.Case[offer.Event]{
		{Name: "countered", Given: path(offer.SubmittedPhase), When: propose, Then: events{countered}},
		{Name: "one at a time", Given: path(offer.CounteredPhase), When: propose, Err: offer.ErrCounterOpen},
		{Name: "not by the seller", Given: path(offer.SubmittedPhase), When: offer.Counter{Issue: by(seller)}, Err: fault.ErrForbidden},
		{Name: "it proposes something", Given: path(offer.SubmittedPhase), When: empty, Err: fault.ErrValidation},
		{Name: "in the same asset", Given: path(offer.SubmittedPhase), When: foreign, Err: fault.ErrValidation},
		{Name: "that ends later than now", Given: path(offer.SubmittedPhase), When: over, Err: fault.ErrValidation},
		{Name: "agreed, a revision of its own", Given: path(offer.CounteredPhase), When: offer.AcceptCounter{Issue: by(seller)}, Then: events{agreed}},
		{
			Name: "only what was proposed changes", Given: path(offer.SubmittedPhase, days), When: offer.AcceptCounter{Issue: by(seller)},
			Then: events{offer.CounterAccepted{Counter: "c1", Revision: 2, Terms: sooner}},
		},
		{Name: "not by the buyer himself", Given: path(offer.CounteredPhase), When: offer.AcceptCounter{Issue: by(buyer)}, Err: fault.ErrForbidden},
		{Name: "not after its end", Given: path(offer.CounteredPhase), When: offer.AcceptCounter{Issue: at(seller, time.Hour)}, Err: offer.ErrCounterOver},
		{Name: "declined", Given: path(offer.CounteredPhase), When: offer.DeclineCounter{Issue: by(seller)}, Then: events{offer.CounterDeclined{Counter: "c1"}}},
		{Name: "lapsed", Given: path(offer.CounteredPhase), When: offer.LapseCounter{Issue: at(timer, time.Hour)}, Then: events{offer.CounterLapsed{Counter: "c1"}}},
		{Name: "not before its end", Given: path(offer.CounteredPhase), When: offer.LapseCounter{Issue: by(timer)}, Err: fault.ErrInvalidState},
	})
}

func TestAcceptance(t *testing.T) {
	t.Parallel()
	take := offer.Accept{Issue: by(buyer), Revision: 1, RequestRevision: 1, Hold: "h1"}
	late, changed := take, take
	late.Issue = at(buyer, 24*time.Hour)
	changed.RequestRevision = 2
	machinetest.Run(t, offer.Decider, []machinetest.Case[offer.Event]{
		{Name: "accepted", Given: path(offer.SubmittedPhase), When: take, Then: events{accepted}},
		{Name: "the seller does not accept his own", Given: path(offer.SubmittedPhase), When: offer.Accept{Issue: by(seller), Revision: 1, RequestRevision: 1}, Err: fault.ErrForbidden},
		{Name: "the price has changed meanwhile", Given: path(offer.SubmittedPhase, revised), When: take, Err: offer.ErrStale},
		{Name: "the wish has changed meanwhile", Given: path(offer.SubmittedPhase), When: changed, Err: offer.ErrStale},
		{Name: "its time is over, timer or not", Given: path(offer.SubmittedPhase), When: late, Err: offer.ErrExpired},
		{Name: "a counter-offer is open", Given: path(offer.CounteredPhase), When: take, Err: offer.ErrCounterOpen},
		{Name: "withdrawn", Given: path(offer.WithdrawnPhase), When: take, Err: offer.ErrNotSelectable},
		{Name: "twice", Given: path(offer.AcceptedPhase), When: take, Err: offer.ErrNotSelectable},
		{Name: "superseded", Given: path(offer.CounteredPhase), When: offer.Supersede{Issue: by(policy), Winner: "o2"}, Then: events{offer.Superseded{By: "o2"}}},
		{Name: "revived", Given: path(offer.SupersededPhase), When: offer.Revive{Issue: by(policy), Reason: "reorg"}, Then: events{offer.Revived{Reason: "reorg"}}},
		{Name: "unless its time is over", Given: path(offer.SupersededPhase), When: offer.Revive{Issue: at(policy, 24*time.Hour)}},
		{Name: "reverted", Given: path(offer.AcceptedPhase), When: offer.RevertAcceptance{Issue: by(policy), Reason: "expired"}, Then: events{offer.AcceptanceReverted{Reason: "expired"}}},
		{Name: "fulfilled", Given: path(offer.AcceptedPhase), When: offer.Fulfil{Issue: by(policy)}, Then: events{offer.Fulfilled{}}},
		{Name: "voided", Given: path(offer.AcceptedPhase), When: offer.Void{Issue: by(policy), Reason: "refunded"}, Then: events{offer.Voided{Reason: "refunded"}}},
	})
}

func TestOneLiveOfferARequestAndSeller(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		event offer.Event
		free  bool
	}{{submitted, false}, {rejected, true}, {withdrawn, true}, {expired, true}} {
		got := offer.Claims(domain.Stream{}, c.event)
		if len(got) != 1 || got[0].Name != "offer:q1/S1" || got[0].Free != c.free {
			t.Errorf("%s: %+v", c.event.EventType(), got)
		}
	}
	if got := offer.Claims(domain.Stream{}, offer.Superseded{}); len(got) != 0 {
		t.Errorf("a superseded offer keeps its place: %+v", got)
	}
}

// arrows are those drawn in domain.md §2.5.
var arrows = map[string][]string{
	"":                    {offer.SubmittedPhase},
	offer.SubmittedPhase:  {offer.SubmittedPhase, offer.CounteredPhase, offer.AcceptedPhase, offer.RejectedPhase, offer.SupersededPhase, offer.WithdrawnPhase, offer.ExpiredPhase},
	offer.CounteredPhase:  {offer.SubmittedPhase, offer.SupersededPhase, offer.WithdrawnPhase, offer.ExpiredPhase},
	offer.AcceptedPhase:   {offer.SubmittedPhase, offer.FulfilledPhase, offer.VoidedPhase},
	offer.SupersededPhase: {offer.SubmittedPhase, offer.ExpiredPhase},
}

func TestOnlyTheDrawnArrows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := offer.State{}
		for range rapid.IntRange(5, 40).Draw(t, "steps") {
			now := rapid.SampledFrom([]time.Duration{0, time.Hour, 24 * time.Hour}).Draw(t, "now")
			revision := rapid.IntRange(1, 4).Draw(t, "revision")
			c := rapid.SampledFrom([]domain.Command{
				offer.Submit{Issue: at(seller, now), Offer: "o1", Request: "q1", Buyer: "B1", Seller: "S1", Terms: terms(100)},
				offer.Revise{Issue: at(seller, now), Terms: terms(110)},
				offer.Counter{Issue: at(buyer, now), Counter: "c1", Price: &lower, ExpiresAt: t0.Add(now + time.Hour)},
				offer.AcceptCounter{Issue: at(seller, now)},
				offer.DeclineCounter{Issue: at(seller, now)},
				offer.LapseCounter{Issue: at(timer, now)},
				offer.Accept{Issue: at(buyer, now), Revision: revision, RequestRevision: 1, Hold: "h1"},
				offer.RevertAcceptance{Issue: at(policy, now)},
				offer.Reject{Issue: at(buyer, now)},
				offer.Withdraw{Issue: at(seller, now)},
				offer.Expire{Issue: at(timer, now)},
				offer.Supersede{Issue: at(policy, now), Winner: "o2"},
				offer.Revive{Issue: at(policy, now)},
				offer.Fulfil{Issue: at(policy, now)},
				offer.Void{Issue: at(policy, now)},
			}).Draw(t, "command")
			next, events, err := machinetest.Step(t, offer.Table(), offer.Decider, s, c)
			if err != nil || len(events) == 0 {
				continue
			}
			if !slices.Contains(arrows[s.Phase], next.Phase) {
				t.Fatalf("%T leads from %q to %q", c, s.Phase, next.Phase)
			}
			if _, takes := c.(offer.Accept); takes && (revision != s.Revision || now >= 24*time.Hour) {
				t.Fatalf("revision %d was taken, %d stands; %s later", revision, s.Revision, now)
			}
			if next.Revision < s.Revision || (s.Phase == offer.AcceptedPhase && next.Terms.Price != s.Terms.Price) {
				t.Fatalf("%T: revision %d → %d, price %v → %v", c, s.Revision, next.Revision, s.Terms.Price, next.Terms.Price)
			}
			if (next.Phase == offer.CounteredPhase) != (next.Counter != nil) {
				t.Fatalf("%T: %q with the counter-offer %+v", c, next.Phase, next.Counter)
			}
			s = next
		}
	})
}

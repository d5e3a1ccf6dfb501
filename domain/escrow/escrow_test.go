package escrow_test

import (
	"testing"
	"time"

	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/fault"
	"holdfast/domain/ledger"
	"holdfast/domain/machine/machinetest"
	"holdfast/domain/money"
)

const usdc money.Asset = "USDC@8453"

var (
	t0     = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	buyer  = domain.User("B1", domain.Buyer)
	seller = domain.User("S1", domain.Seller)
	admin  = domain.User("A1", domain.Admin)
	admin2 = domain.User("A2", domain.Admin)
	guard  = domain.User("G1", domain.Guard)
	chain  = domain.Machine(domain.Chain, "8453")
	timer  = domain.Machine(domain.Timer, "timers")
	policy = domain.Machine(domain.Process, "orders")

	terms = escrow.Terms{FeeBPS: 500, Inspection: 48 * time.Hour, AutoRelease: 24 * time.Hour, DisputeWindow: time.Hour}
)

type events = []escrow.Event

func units(n uint64) money.Units     { return money.FromUint64(n) }
func amount(n uint64) money.Amount   { return money.Of(usdc, units(n)) }
func by(a domain.Actor) domain.Issue { return domain.Issue{By: a, At: t0} }

var (
	opened   = escrow.Opened{Hold: "h1", Request: "q1", Offer: "o1", Buyer: "B1", Seller: "S1", Due: amount(100), Terms: terms, At: t0}
	credited = escrow.Credited{Payment: "p1", Amount: amount(100), Overpaid: amount(0)}
	funded   = escrow.Funded{At: t0}
	freed    = escrow.MadeReleasable{Hold: "h1", Amount: amount(100), Cause: "code"}
	frozen   = escrow.Frozen{Dispute: "d1", FromHeld: amount(100), FromReleasable: amount(0)}
	taken    = escrow.RefundTaken{Refund: "r1", From: escrow.Held, Amount: amount(40)}
	placed   = escrow.ReleaseHoldPlaced{ID: "x", Kind: escrow.AMLHold, Reason: "a hit", PlacedBy: admin}
	closed   = escrow.Closed{At: t0}
)

func released(gross, fee uint64) escrow.Released {
	return escrow.Released{Hold: "h1", Seller: "S1", Gross: amount(gross), Fee: amount(fee), Net: amount(gross - fee), Reserve: amount(0), By: buyer}
}

// path gives the events that lead to a phase.
func path(phase string) events {
	paid := events{opened, credited, funded}
	free := append(append(events{}, paid...), freed)
	return map[string]events{
		"":                    nil,
		escrow.AwaitingFunds:  {opened},
		escrow.FundedPhase:    paid,
		escrow.ReleasableNow:  free,
		escrow.PartlyReleased: append(append(events{}, free...), released(30, 1)),
		escrow.DisputedPhase:  append(append(events{}, paid...), frozen),
		escrow.Settling:       append(append(events{}, free...), released(100, 5)),
		escrow.ClosedPhase:    append(append(events{}, free...), released(100, 5), closed),
		escrow.CancelledPhase: {opened, escrow.Cancelled{Reason: "expired", By: policy}},
		escrow.ReopenedPhase:  append(append(events{}, free...), released(100, 5), closed, escrow.Reopened{Reason: "clawback"}),
	}[phase]
}

func after(phase string, more ...escrow.Event) events {
	return append(append(events{}, path(phase)...), more...)
}

func TestTableIsComplete(t *testing.T) {
	t.Parallel()
	states := map[string]escrow.State{}
	for _, p := range escrow.Table().Phases {
		states[p] = machinetest.Fold(escrow.Decider, path(p)...)
		machinetest.CheckSnapshot(t, states[p])
	}
	machinetest.CheckSnapshot(t, machinetest.Fold(escrow.Decider, after(escrow.FundedPhase, placed, taken,
		escrow.ReleaseApprovalRecorded{By: admin, Amount: amount(60)})...))
	machinetest.CheckComplete(t, escrow.Table(), states)
}

func TestStoredForm(t *testing.T) {
	t.Parallel()
	machinetest.CheckGolden(t, escrow.Aggregate(), imported, stop, dispute, backed, fixed, opened, credited, funded, freed, frozen, taken, placed, closed, released(100, 5),
		escrow.Debited{Payment: "p1", Amount: amount(100), FromHeld: units(40), FromReleasable: units(30), FromDisputed: units(20), Elsewhere: units(10)},
		escrow.Unfunded{Reason: "reorganisation"}, escrow.FeeAbsorbed{Hold: "h1", Amount: amount(1), By: admin},
		escrow.DiscountFunded{Hold: "h1", Amount: amount(5), Redemption: "m1"}, escrow.ReleaseHoldLifted{ID: "x", By: admin2, Reason: "clean"},
		escrow.InspectionStarted{EndsAt: t0, ReleaseAt: t0.Add(time.Hour)}, escrow.InspectionExtended{EndsAt: t0, ReleaseAt: t0.Add(time.Hour), By: admin},
		escrow.ReleaseRevoked{Hold: "h1", Amount: amount(100), Reason: "revision"}, escrow.ReleaseApprovalRecorded{By: admin, Amount: amount(60)},
		escrow.RefundReturned{Refund: "r1", To: escrow.Held, Amount: amount(40)}, escrow.RefundSettled{Refund: "r1"}, escrow.RefundUnsettled{Refund: "r1"},
		escrow.ClawedBack{Refund: "r2", Amount: amount(10)}, escrow.ClawbackReturned{Refund: "r2", Amount: amount(10)},
		escrow.Unfrozen{Dispute: "d1", ToHeld: amount(60), ToReleasable: amount(40)},
		escrow.DisputeSettled{Dispute: "d1", Refund: "r3", Buyer: amount(50), PlatformFee: amount(2), DisputeFee: amount(3), Seller: amount(45), ToHeld: amount(0), ToReleasable: amount(0)},
		escrow.Cancelled{Reason: "expired", By: policy}, escrow.Reopened{Reason: "clawback"})
}

func TestFunding(t *testing.T) {
	t.Parallel()
	open := escrow.Open{Issue: by(buyer), Hold: "h1", Request: "q1", Offer: "o1", Buyer: "B1", Seller: "S1", Due: amount(100), Terms: terms}
	self, nothing, stranger, greedy := open, open, open, open
	self.Seller = "B1"
	nothing.Due = amount(0)
	stranger.Issue = by(domain.User("X", domain.Buyer))
	greedy.Terms.FeeBPS = money.All + 1
	pay := func(n, over uint64) escrow.Credit {
		return escrow.Credit{Issue: by(chain), Payment: "p1", Amount: amount(n), Overpaid: amount(over)}
	}
	part := escrow.Credited{Payment: "p1", Amount: amount(60), Overpaid: amount(0)}
	machinetest.Run(t, escrow.Decider, []machinetest.Case[escrow.Event]{
		{Name: "opened", When: open, Then: events{opened}},
		{Name: "nobody buys from himself", When: self, Err: escrow.ErrOwnRequest},
		{Name: "something is due", When: nothing, Err: fault.ErrValidation},
		{Name: "not in another's name", When: stranger, Err: fault.ErrForbidden},
		{Name: "a fee is a share", When: greedy, Err: fault.ErrValidation},
		{Name: "a part does not fund it", Given: events{opened}, When: pay(60, 0), Then: events{part}},
		{
			Name: "the rest does", Given: events{opened, part}, When: pay(40, 0),
			Then: events{escrow.Credited{Payment: "p1", Amount: amount(40), Overpaid: amount(0)}, funded},
		},
		{
			Name: "what was overpaid is not held", Given: events{opened}, When: pay(120, 20),
			Then: events{escrow.Credited{Payment: "p1", Amount: amount(120), Overpaid: amount(20)}, funded},
		},
		{Name: "another asset", Given: events{opened}, When: escrow.Credit{Issue: by(chain), Amount: money.Of("X", units(1))}, Err: money.ErrAssetMismatch},
		{Name: "a person credits nothing", Given: events{opened}, When: escrow.Credit{Issue: by(admin), Amount: amount(1)}, Err: fault.ErrForbidden},
		{Name: "money for a cancelled hold is kept, and funds nothing", Given: path(escrow.CancelledPhase), When: pay(100, 0), Then: events{credited}},
		{
			Name: "money wakes a closed hold", Given: path(escrow.ClosedPhase), When: pay(5, 5),
			Then: events{escrow.Reopened{Reason: "payment"}, escrow.Credited{Payment: "p1", Amount: amount(5), Overpaid: amount(5)}},
		},
		{
			Name: "what was refunded before it was funded is due again", Given: events{opened, part, escrow.RefundTaken{Refund: "r1", From: escrow.Held, Amount: amount(60)}},
			When: pay(40, 0), Then: events{escrow.Credited{Payment: "p1", Amount: amount(40), Overpaid: amount(0)}},
		},
		{
			Name: "unless the refund was cancelled", Given: events{opened, part, escrow.RefundTaken{Refund: "r1", From: escrow.Held, Amount: amount(60)}, escrow.RefundReturned{Refund: "r1", To: escrow.Held, Amount: amount(60)}},
			When: pay(40, 0), Then: events{escrow.Credited{Payment: "p1", Amount: amount(40), Overpaid: amount(0)}, funded},
		},
		{
			Name: "a provider's fee is absorbed", Given: events{opened, escrow.Credited{Amount: amount(99)}}, When: escrow.AbsorbFee{Issue: by(admin), Amount: amount(1)},
			Then: events{escrow.FeeAbsorbed{Hold: "h1", Amount: amount(1), By: admin}, funded},
		},
		{Name: "not more than is missing", Given: events{opened, escrow.Credited{Amount: amount(99)}}, When: escrow.AbsorbFee{Issue: by(admin), Amount: amount(2)}, Err: escrow.ErrAmountExceedsDue},
		{
			Name: "a discount", Given: events{opened}, When: escrow.FundDiscount{Issue: by(policy), Amount: amount(5), Redemption: "m1"},
			Then: events{escrow.DiscountFunded{Hold: "h1", Amount: amount(5), Redemption: "m1"}},
		},
		{
			Name: "a reorganisation unfunds it", Given: path(escrow.FundedPhase), When: escrow.Debit{Issue: by(chain), Payment: "p1", Amount: amount(30)},
			Then: events{escrow.Debited{Payment: "p1", Amount: amount(30), FromHeld: units(30)}, escrow.Unfunded{Reason: "reorganisation"}},
		},
		{
			Name: "and takes the disputed part last", Given: path(escrow.DisputedPhase), When: escrow.Debit{Issue: by(chain), Payment: "p1", Amount: amount(130)},
			Then: events{escrow.Debited{Payment: "p1", Amount: amount(130), FromDisputed: units(100), Elsewhere: units(30)}, escrow.Unfunded{Reason: "reorganisation"}},
		},
	})
}

func TestRelease(t *testing.T) {
	t.Parallel()
	free := path(escrow.ReleasableNow)
	rel := func(a domain.Actor, n uint64) escrow.Release { return escrow.Release{Issue: by(a), Amount: units(n)} }
	half := released(50, 2)
	limited := opened
	limited.Terms.ApprovalLimit = units(60)
	large := events{limited, credited, funded, freed}
	agreed := escrow.ReleaseApprovalRecorded{By: admin, Amount: amount(80)}
	by2 := escrow.Released{Hold: "h1", Seller: "S1", Gross: amount(80), Fee: amount(4), Net: amount(76), Reserve: amount(0), By: admin2}
	machinetest.Run(t, escrow.Decider, []machinetest.Case[escrow.Event]{
		{Name: "all of it becomes releasable", Given: path(escrow.FundedPhase), When: escrow.MarkReleasable{Issue: by(policy), Cause: "code"}, Then: events{freed}},
		{Name: "not more than is held", Given: path(escrow.FundedPhase), When: escrow.MarkReleasable{Issue: by(policy), Amount: units(101)}, Err: escrow.ErrInsufficientHeld},
		{Name: "the second time changes nothing", Given: free, When: escrow.MarkReleasable{Issue: by(policy)}},
		{Name: "the seller does not free it", Given: path(escrow.FundedPhase), When: escrow.MarkReleasable{Issue: by(seller)}, Err: fault.ErrForbidden},
		{Name: "not before it is funded", Given: path(escrow.AwaitingFunds), When: escrow.MarkReleasable{Issue: by(policy)}, Err: escrow.ErrNotFunded},
		{Name: "not during a dispute", Given: path(escrow.DisputedPhase), When: escrow.MarkReleasable{Issue: by(policy)}, Err: escrow.ErrDisputed},
		{Name: "the buyer releases a part", Given: free, When: rel(buyer, 50), Then: events{half}},
		{Name: "and the rest, with the rest of the fee", Given: append(append(events{}, free...), half), When: rel(buyer, 0), Then: events{released(50, 3)}},
		{Name: "not more than is releasable", Given: free, When: rel(buyer, 101), Err: escrow.ErrInsufficientHeld},
		{Name: "the seller does not release", Given: free, When: rel(seller, 0), Err: fault.ErrForbidden},
		{Name: "not what is only held", Given: path(escrow.FundedPhase), When: rel(buyer, 0), Err: escrow.ErrNotReleasable},
		{Name: "not during a dispute either", Given: path(escrow.DisputedPhase), When: rel(buyer, 0), Err: escrow.ErrDisputed},
		{Name: "not twice", Given: path(escrow.Settling), When: rel(buyer, 0), Err: escrow.ErrNotReleasable},
		{Name: "a release hold stops it", Given: append(append(events{}, free...), placed), When: rel(admin, 0), Err: escrow.ErrReleaseHold},
		{Name: "above the limit the first person agrees", Given: large, When: rel(admin, 80), Then: events{agreed}},
		{Name: "and cannot be the second", Given: append(append(events{}, large...), agreed), When: rel(admin, 80), Err: escrow.ErrApprovalRequired},
		{Name: "a second person releases", Given: append(append(events{}, large...), agreed), When: rel(admin2, 80), Then: events{by2}},
		{
			Name: "more than was agreed to needs an agreement of its own", Given: append(append(events{}, large...), agreed), When: rel(admin2, 100),
			Then: events{escrow.ReleaseApprovalRecorded{By: admin2, Amount: amount(100)}},
		},
		{Name: "a timer is no person", Given: large, When: rel(timer, 80), Err: escrow.ErrApprovalRequired},
		{
			Name: "an agreement counts once", Given: append(append(events{}, large...), escrow.ReleaseApprovalRecorded{By: admin, Amount: amount(61)}, escrow.Released{Gross: amount(20), Fee: amount(1), Net: amount(19)}),
			When: rel(admin2, 61), Then: events{escrow.ReleaseApprovalRecorded{By: admin2, Amount: amount(61)}},
		},
		{Name: "revoked", Given: free, When: escrow.RevokeRelease{Issue: by(policy), Reason: "revision"}, Then: events{escrow.ReleaseRevoked{Hold: "h1", Amount: amount(100), Reason: "revision"}}},
	})
}

func TestInspection(t *testing.T) {
	t.Parallel()
	started := escrow.InspectionStarted{EndsAt: t0.Add(48 * time.Hour), ReleaseAt: t0.Add(72 * time.Hour)}
	free := after(escrow.ReleasableNow, started)
	machinetest.Run(t, escrow.Decider, []machinetest.Case[escrow.Event]{
		{Name: "started", Given: path(escrow.ReleasableNow), When: escrow.StartInspection{Issue: by(policy)}, Then: events{started}},
		{Name: "once", Given: free, When: escrow.StartInspection{Issue: by(policy)}},
		{
			Name: "again after the release was revoked", Given: append(append(events{}, free...), escrow.ReleaseRevoked{Hold: "h1", Amount: amount(100)}, freed),
			When: escrow.StartInspection{Issue: by(policy)}, Then: events{started},
		},
		{
			Name: "extended", Given: free, When: escrow.ExtendInspection{Issue: by(admin), EndsAt: t0.Add(50 * time.Hour)},
			Then: events{escrow.InspectionExtended{EndsAt: t0.Add(50 * time.Hour), ReleaseAt: t0.Add(74 * time.Hour), By: admin}},
		},
		{Name: "never shortened", Given: free, When: escrow.ExtendInspection{Issue: by(admin), EndsAt: t0.Add(47 * time.Hour)}, Err: fault.ErrValidation},
		{Name: "not before it began", Given: path(escrow.FundedPhase), When: escrow.ExtendInspection{Issue: by(admin), EndsAt: t0.Add(time.Hour)}, Err: fault.ErrValidation},
	})
	for _, c := range []struct {
		event  escrow.Event
		cancel bool
	}{{started, false}, {escrow.ReleaseRevoked{}, true}, {closed, true}} {
		if d := escrow.Deadlines(domain.Stream{}, c.event); len(d) != 1 || d[0].Cancel != c.cancel || d[0].Key != "auto-release" {
			t.Errorf("%s: %+v", c.event.EventType(), d)
		}
	}
}

func TestReleaseHolds(t *testing.T) {
	t.Parallel()
	place := escrow.PlaceReleaseHold{Issue: by(admin), ID: "x", Kind: escrow.AMLHold, Reason: "a hit"}
	on := func(kind escrow.HoldKind) events {
		return after(escrow.FundedPhase, escrow.ReleaseHoldPlaced{ID: "x", Kind: kind, Reason: "r", PlacedBy: admin})
	}
	lift := func(a domain.Actor) escrow.LiftReleaseHold {
		return escrow.LiftReleaseHold{Issue: by(a), ID: "x", Reason: "clean"}
	}
	both := domain.User(guard.User(), domain.Guard, domain.Resolver)
	lifted := func(a domain.Actor) events { return events{escrow.ReleaseHoldLifted{ID: "x", By: a, Reason: "clean"}} }
	machinetest.Run(t, escrow.Decider, []machinetest.Case[escrow.Event]{
		{Name: "placed", Given: path(escrow.FundedPhase), When: place, Then: events{placed}},
		{Name: "the same id is a repeat", Given: after(escrow.FundedPhase, placed), When: place},
		{Name: "a kind that is not known", Given: path(escrow.FundedPhase), When: escrow.PlaceReleaseHold{Issue: by(admin), ID: "y", Kind: "x", Reason: "r"}, Err: fault.ErrValidation},
		{Name: "the buyer places none", Given: path(escrow.FundedPhase), When: escrow.PlaceReleaseHold{Issue: by(buyer), ID: "y", Kind: escrow.AdminHold, Reason: "r"}, Err: fault.ErrForbidden},
		{Name: "an aml hold is not lifted by its placer", Given: on(escrow.AMLHold), When: lift(admin), Err: escrow.ErrHoldOwner},
		{Name: "but by another", Given: on(escrow.AMLHold), When: lift(admin2), Then: lifted(admin2)},
		{Name: "a dispute's is lifted by the dispute", Given: on(escrow.DisputeHold), When: lift(admin2), Err: escrow.ErrHoldOwner},
		{Name: "that is a process", Given: on(escrow.DisputeHold), When: lift(policy), Then: lifted(policy)},
		{Name: "a guard lifts a guard's only", Given: on(escrow.AdminHold), When: lift(guard), Err: escrow.ErrHoldOwner},
		{Name: "who is a resolver too lifts as one", Given: on(escrow.AdminHold), When: lift(both), Then: lifted(both)},
		{Name: "that one", Given: on(escrow.GuardHold), When: lift(guard), Then: lifted(guard)},
		{Name: "none", Given: path(escrow.FundedPhase), When: lift(admin), Err: escrow.ErrHoldNotFound},
	})
}

func TestRefundsAndDisputes(t *testing.T) {
	t.Parallel()
	take := escrow.TakeForRefund{Issue: by(admin), Refund: "r1", From: escrow.Held, Amount: amount(40)}
	much, nowhere := take, take
	much.Amount = amount(101)
	nowhere.From = escrow.Disputed
	settle := escrow.Resolve{Issue: by(policy), Dispute: "d1", Refund: "r3", Buyer: units(50), PlatformFee: units(2), DisputeFee: units(3), Seller: units(45)}
	short, other, loose := settle, settle, settle
	short.Seller = units(44)
	other.Dispute = "d2"
	loose.Refund = ""
	outcome := escrow.DisputeSettled{Dispute: "d1", Refund: "r3", Buyer: amount(50), PlatformFee: amount(2), DisputeFee: amount(3), Seller: amount(45), ToHeld: amount(0), ToReleasable: amount(0), Withholds: true}
	machinetest.Run(t, escrow.Decider, []machinetest.Case[escrow.Event]{
		{Name: "taken", Given: path(escrow.FundedPhase), When: take, Then: events{taken}},
		{Name: "a refund takes once", Given: after(escrow.FundedPhase, taken), When: take},
		{Name: "not more than is there", Given: path(escrow.FundedPhase), When: much, Err: escrow.ErrRefundExceeds},
		{Name: "not out of what is disputed", Given: path(escrow.FundedPhase), When: nowhere, Err: fault.ErrValidation},
		{Name: "not during a dispute", Given: path(escrow.DisputedPhase), When: take, Err: escrow.ErrDisputed},
		{Name: "not after the release", Given: path(escrow.Settling), When: take, Err: escrow.ErrAlreadyRefunded},
		{
			Name: "returned", Given: after(escrow.FundedPhase, taken), When: escrow.ReturnFromRefund{Issue: by(admin), Refund: "r1", To: escrow.Held, Amount: amount(40)},
			Then: events{escrow.RefundReturned{Refund: "r1", To: escrow.Held, Amount: amount(40)}},
		},
		{Name: "returned once", Given: path(escrow.FundedPhase), When: escrow.ReturnFromRefund{Issue: by(admin), Refund: "r1", To: escrow.Held, Amount: amount(40)}},
		{Name: "settled once", Given: path(escrow.FundedPhase), When: escrow.SettleRefund{Issue: by(chain), Refund: "r1"}},
		{
			Name: "an undone refund wakes the hold", Given: path(escrow.ClosedPhase), When: escrow.UnsettleRefund{Issue: by(chain), Refund: "r1"},
			Then: events{escrow.Reopened{Reason: "refund reorganised"}, escrow.RefundUnsettled{Refund: "r1"}},
		},
		{
			Name: "clawed back", Given: path(escrow.ClosedPhase), When: escrow.ClawBack{Issue: by(admin), Refund: "r2", Amount: amount(10)},
			Then: events{escrow.Reopened{Reason: "clawback"}, escrow.ClawedBack{Refund: "r2", Amount: amount(10)}},
		},
		{Name: "not more than was released", Given: path(escrow.ClosedPhase), When: escrow.ClawBack{Issue: by(admin), Refund: "r2", Amount: amount(101)}, Err: escrow.ErrRefundExceeds},
		{
			Name: "frozen, held first", Given: events{opened, credited, funded, escrow.MadeReleasable{Amount: amount(30)}}, When: escrow.Freeze{Issue: by(buyer), Dispute: "d1", Amount: units(80)},
			Then: events{escrow.Frozen{Dispute: "d1", FromHeld: amount(70), FromReleasable: amount(10)}},
		},
		{Name: "nothing to dispute", Given: path(escrow.Settling), When: escrow.Freeze{Issue: by(buyer), Dispute: "d1"}, Err: escrow.ErrNothingToDispute},
		{Name: "one dispute at a time", Given: path(escrow.DisputedPhase), When: escrow.Freeze{Issue: by(seller), Dispute: "d2"}, Err: escrow.ErrDisputeOpen},
		{
			Name: "withdrawn", Given: path(escrow.DisputedPhase), When: escrow.Unfreeze{Issue: by(buyer), Dispute: "d1"},
			Then: events{escrow.Unfrozen{Dispute: "d1", ToHeld: amount(100), ToReleasable: amount(0)}},
		},
		{Name: "only by its own dispute", Given: path(escrow.DisputedPhase), When: escrow.Unfreeze{Issue: by(buyer), Dispute: "d2"}, Err: fault.ErrInvalidState},
		{Name: "settled", Given: path(escrow.DisputedPhase), When: settle, Then: events{outcome}},
		{Name: "the parts are the whole", Given: path(escrow.DisputedPhase), When: short, Err: escrow.ErrInvalidSplit},
		{Name: "by its own dispute too", Given: path(escrow.DisputedPhase), When: other, Err: fault.ErrInvalidState},
		{Name: "the buyer's part is a refund", Given: path(escrow.DisputedPhase), When: loose, Err: escrow.ErrInvalidSplit},
		{Name: "closed", Given: path(escrow.Settling), When: escrow.Close{Issue: by(policy)}, Then: events{closed}},
		{Name: "not while a refund is under way", Given: after(escrow.DisputedPhase, outcome), When: escrow.Close{Issue: by(policy)}, Err: escrow.ErrNotEmpty},
		{Name: "not while something is left", Given: events{opened, escrow.Cancelled{}, credited}, When: escrow.Close{Issue: by(policy)}, Err: escrow.ErrNotEmpty},
	})
}

func TestEveryPostingIsValid(t *testing.T) {
	t.Parallel()
	moves := events{freed, released(100, 5), escrow.ReleaseRevoked{Hold: "h1", Amount: amount(1)}, escrow.FeeAbsorbed{Hold: "h1", Amount: amount(1)}, escrow.DiscountFunded{Hold: "h1", Amount: amount(1)}}
	for _, e := range moves {
		p, ok := escrow.Postings(domain.Stream{}, e)
		if err := p.Validate(); !ok || err != nil {
			t.Errorf("%s: %t, %v", e.EventType(), ok, err)
		}
	}
	for _, e := range (events{credited, escrow.Debited{}, taken, frozen, escrow.DisputeSettled{}, escrow.ClawedBack{}}) {
		if _, ok := escrow.Postings(domain.Stream{}, e); ok {
			t.Errorf("%s is posted by its companion, not by the hold", e.EventType())
		}
	}
	p, _ := escrow.Postings(domain.Stream{}, released(100, 5))
	want := []ledger.Line{
		{Debit: "escrow:h1:releasable", Credit: "seller:S1:available", Amount: amount(95)},
		{Debit: "escrow:h1:releasable", Credit: "income:platform_fee", Amount: amount(5)},
	}
	if len(p.Lines) != 2 || p.Lines[0] != want[0] || p.Lines[1] != want[1] {
		t.Errorf("%v", p.Lines)
	}
}

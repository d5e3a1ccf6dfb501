package payment_test

import (
	"testing"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/machine/machinetest"
	"holdfast/domain/money"
	"holdfast/domain/payment"
)

const usdc money.Asset = "USDC@8453"

var (
	t0     = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	buyer  = domain.User("B1", domain.Buyer)
	admin  = domain.User("A1", domain.Admin)
	admin2 = domain.User("A2", domain.Admin)
	chain  = domain.Machine(domain.Chain, "8453")
	timer  = domain.Machine(domain.Timer, "timers")
	policy = domain.Machine(domain.Process, "orders")
)

type events = []payment.Event

func units(n uint64) money.Units     { return money.FromUint64(n) }
func amount(n uint64) money.Amount   { return money.Of(usdc, units(n)) }
func by(a domain.Actor) domain.Issue { return domain.Issue{By: a, At: t0} }
func late(a domain.Actor) domain.Issue {
	return domain.Issue{By: a, At: t0.Add(2 * time.Hour)}
}

// ev is the transfer of a transaction in a block.
func ev(tx string, block uint64) payment.Evidence {
	return payment.Evidence{Chain: 8453, Tx: tx, Log: 2, Block: block, BlockHash: "0xb"}
}

func seen(tx string, n uint64) payment.Detected {
	e := ev(tx, 100)
	return payment.Detected{Payment: "p1", Hold: "h1", Destination: "d1", Evidence: e, Amount: amount(n), From: "0xbuyer", Pending: e.PendingKey()}
}

func deep(tx string, n uint64) payment.Confirmed {
	e := ev(tx, 100)
	return payment.Confirmed{Payment: "p1", Hold: "h1", Evidence: e, Amount: amount(n), Pending: e.PendingKey(), Depth: 12, At: t0}
}

func dropped(tx string, n uint64, why string) payment.Dropped {
	e := ev(tx, 100)
	return payment.Dropped{Evidence: e, Amount: amount(n), Pending: e.PendingKey(), Reason: why}
}

var (
	initiated = payment.Initiated{
		Payment: "p1", Request: "q1", Offer: "o1", Hold: "h1", Buyer: "B1", Seller: "S1", Due: amount(100),
		Threshold: payment.Threshold{Need: 12, Floor: 10}, ExpiresAt: t0.Add(time.Hour), At: t0,
	}
	assigned = payment.DestinationAssigned{Destination: "d1", Address: "0xDest", Path: "m/0/1", Token: "0xUSDC", Chain: 8453}
	intent   = payment.IntentRegistered{Provider: "request", RequestID: "x1", Reference: "0x00112233445566aa", Topic: "0xt", Proxy: "0xp"}
	held     = payment.HeldForReview{Kind: "aml", Score: 80}
	cleared  = payment.ReviewCleared{By: admin, With: "A2"}
	refused  = payment.ReviewRejected{By: admin, With: "A2"}
	paid     = payment.Paid{At: t0}
	part     = payment.PartiallyPaid{Paid: amount(60), Due: amount(100)}
	over     = payment.Overpaid{Hold: "h1", Buyer: "B1", Excess: amount(20)}
	expired  = payment.Expired{Hold: "h1", At: t0}
	undone   = payment.Reorged{
		Payment: "p1", Destination: "d1", Evidence: ev("0xf1", 100), Amount: amount(100),
		Waterfall: []payment.Part{{Account: "escrow:h1:held", Amount: amount(100)}},
	}
	cancelled = payment.Cancelled{Hold: "h1", By: buyer, Reason: "thought again"}
)

func path(phase string, more ...payment.Event) events {
	open := events{initiated, assigned}
	all := map[string]events{
		"":                      nil,
		payment.CreatedPhase:    {initiated},
		payment.AwaitingPayment: open,
		payment.Confirming:      append(open[:2:2], seen("0xf1", 100)),
		payment.PartlyPaid:      append(open[:2:2], seen("0xf1", 60), deep("0xf1", 60), part),
		payment.UnderReview:     append(open[:2:2], seen("0xf1", 100), held),
		payment.PaidPhase:       append(open[:2:2], seen("0xf1", 100), deep("0xf1", 100), paid),
		payment.ExpiredPhase:    append(open[:2:2], expired),
		payment.CancelledPhase:  append(open[:2:2], cancelled),
		payment.RejectedPhase:   append(open[:2:2], seen("0xf1", 100), held, refused, dropped("0xf1", 100, "rejected by review")),
		payment.ReversedPhase:   append(open[:2:2], seen("0xf1", 100), deep("0xf1", 100), paid, undone),
	}[phase]
	return append(all[:len(all):len(all)], more...)
}

func TestTableIsComplete(t *testing.T) {
	t.Parallel()
	states := map[string]payment.State{}
	for _, p := range payment.Table().Phases {
		states[p] = machinetest.Fold(payment.Decider, path(p)...)
		if len(states[p].Transfers) == 0 {
			states[p] = reread(states[p])
		}
		machinetest.CheckSnapshot(t, states[p])
	}
	machinetest.CheckComplete(t, payment.Table(), states)
}

// reread gives a state whose empty map is the nil that a snapshot makes of it.
func reread(s payment.State) payment.State {
	s.Transfers = nil
	return s
}

func TestStoredForm(t *testing.T) {
	t.Parallel()
	machinetest.CheckGolden(t, payment.Aggregate(), imported, initiated, assigned, intent, payment.TransactionReported{Tx: "0xf1", By: buyer}, seen("0xf1", 100),
		dropped("0xf1", 100, "gone"), held, payment.ReviewCleared{By: admin}, payment.ReviewRejected{By: admin}, doubted, deep("0xf1", 100), part, paid, over, expired, payment.LateAccepted{Evidence: ev("0xf1", 100)}, cancelled, undone,
		payment.Failed{Code: "insufficient_funds", Reason: "Insufficient fiat liquidity"})
}

func TestOpening(t *testing.T) {
	t.Parallel()
	start := payment.Initiate{
		Issue: by(buyer), Payment: "p1", Request: "q1", Offer: "o1", Hold: "h1", Buyer: "B1", Seller: "S1", Due: amount(100),
		Threshold: payment.Threshold{Need: 12, Floor: 10}, ExpiresAt: t0.Add(time.Hour),
	}
	nothing, shallow, over, stranger := start, start, start, start
	nothing.Due = amount(0)
	shallow.Threshold.Need = 9
	over.ExpiresAt = t0
	stranger.Issue = by(domain.User("X", domain.Buyer))
	dest := payment.AssignDestination{Issue: by(policy), Destination: "d1", Address: "0xDest", Path: "m/0/1", Token: "0xUSDC", Chain: 8453}
	same, other := dest, dest
	same.Address = "0xdest"
	other.Destination = "d2"
	answer := payment.RegisterIntent{
		Issue: by(policy), Provider: "request", RequestID: "x1", Reference: "0x00112233445566aa", Topic: "0xt", Proxy: "0xp",
		Destination: "0xdest", Token: "0xusdc", Amount: amount(100),
	}
	failure := payment.ReportFailure{Issue: by(domain.Machine(domain.Provider, "request-network")), Code: "insufficient_funds"}
	elsewhere, token, less, second := answer, answer, answer, answer
	elsewhere.Destination = "0xthief"
	token.Token = "0xfake"
	less.Amount = amount(99)
	second.RequestID = "x2"
	machinetest.Run(t, payment.Decider, []machinetest.Case[payment.Event]{
		{Name: "initiated", When: start, Then: events{initiated}},
		{Name: "something is due", When: nothing, Err: fault.ErrValidation},
		{Name: "never below the floor", When: shallow, Err: payment.ErrBelowFloor},
		{Name: "it ends later than now", When: over, Err: fault.ErrValidation},
		{Name: "not in another's name", When: stranger, Err: fault.ErrForbidden},
		{Name: "a destination", Given: path(payment.CreatedPhase), When: dest, Then: events{assigned}},
		{Name: "the same again", Given: path(payment.AwaitingPayment), When: same},
		{Name: "another", Given: path(payment.AwaitingPayment), When: other, Err: payment.ErrAssigned},
		{Name: "not once money came", Given: path(payment.PaidPhase), When: other, Err: payment.ErrClosed},
		{Name: "an intent", Given: path(payment.AwaitingPayment), When: answer, Then: events{intent}},
		{Name: "the same intent again", Given: path(payment.AwaitingPayment, intent), When: answer},
		{Name: "a second intent", Given: path(payment.AwaitingPayment, intent), When: second, Err: payment.ErrMismatch},
		{Name: "an intent that pays another", Given: path(payment.AwaitingPayment), When: elsewhere, Err: payment.ErrMismatch},
		{Name: "an intent of another token", Given: path(payment.AwaitingPayment), When: token, Err: payment.ErrMismatch},
		{Name: "an intent of another amount", Given: path(payment.AwaitingPayment), When: less, Err: payment.ErrMismatch},
		{
			Name: "a claim changes nothing", Given: path(payment.AwaitingPayment), When: payment.ReportTransaction{Issue: by(buyer), Tx: "0xf9"},
			Then: events{payment.TransactionReported{Tx: "0xf9", By: buyer}},
		},
		{Name: "the seller claims nothing", Given: path(payment.AwaitingPayment), When: payment.ReportTransaction{Issue: by(domain.User("S1", domain.Seller))}, Err: fault.ErrForbidden},
		{Name: "the provider tells a failure", Given: path(payment.AwaitingPayment), When: failure, Then: events{payment.Failed{Code: "insufficient_funds"}}},
		{Name: "the same failure again", Given: path(payment.PaidPhase, payment.Failed{Code: "insufficient_funds"}), When: failure},
		{Name: "nobody else tells one", Given: path(payment.AwaitingPayment), When: payment.ReportFailure{Issue: by(admin), Code: "x"}, Err: fault.ErrForbidden},
		{Name: "cancelled", Given: path(payment.AwaitingPayment), When: payment.Cancel{Issue: by(buyer), Reason: "thought again"}, Then: events{cancelled}},
		{Name: "not while money is on its way", Given: path(payment.Confirming), When: payment.Cancel{Issue: by(buyer)}, Err: payment.ErrInProgress},
		{Name: "not when it is paid", Given: path(payment.PaidPhase), When: payment.Cancel{Issue: by(buyer)}, Err: payment.ErrInProgress},
		{Name: "expired", Given: path(payment.AwaitingPayment), When: payment.Expire{Issue: by(policy)}, Then: events{expired}},
		{Name: "a part stays", Given: path(payment.PartlyPaid), When: payment.Expire{Issue: by(policy)}, Then: events{payment.Expired{Hold: "h1", Partial: true, At: t0}}},
		{Name: "no timer fires early", Given: path(payment.AwaitingPayment), When: payment.Expire{Issue: by(timer)}, Err: fault.ErrInvalidState},
		{Name: "not while money is on its way either", Given: path(payment.Confirming), When: payment.Expire{Issue: late(timer)}, Err: fault.ErrInvalidState},
	})
}

func TestMoney(t *testing.T) {
	t.Parallel()
	see := func(tx string, block, n uint64) payment.Detect {
		return payment.Detect{Issue: by(chain), Evidence: ev(tx, block), Amount: amount(n), From: "0xbuyer"}
	}
	sure := func(tx string, depth uint64) payment.Confirm {
		return payment.Confirm{Issue: by(chain), Evidence: ev(tx, 100), Depth: depth}
	}
	tolerated, wanted := see("0xf1", 100, 100), units(70)
	tolerated.Late = true
	less := sure("0xf1", 12)
	less.Wanted = &wanted
	moved := seen("0xf1", 100)
	moved.Evidence.Block, moved.Pending = 101, ev("0xf1", 101).PendingKey()
	back := seen("0xf1", 100)
	back.Pending += "#2"
	lateDrop := dropped("0xf1", 100, "gone")
	lateDrop.LapsesAt = t0.Add(3 * time.Hour)
	machinetest.Run(t, payment.Decider, []machinetest.Case[payment.Event]{
		{Name: "seen", Given: path(payment.AwaitingPayment), When: see("0xf1", 100, 100), Then: events{seen("0xf1", 100)}},
		{Name: "seen twice is once", Given: path(payment.Confirming), When: see("0xF1", 100, 100)},
		{Name: "seen in another block", Given: path(payment.Confirming), When: see("0xf1", 101, 100), Then: events{dropped("0xf1", 100, "mined again in another block"), moved}},
		{Name: "seen again after it counted", Given: path(payment.PaidPhase), When: see("0xf1", 101, 100)},
		{Name: "another asset", Given: path(payment.AwaitingPayment), When: payment.Detect{Issue: by(chain), Evidence: ev("0xf1", 100), Amount: money.Of("X", units(1))}, Err: money.ErrAssetMismatch},
		{Name: "a person sees nothing", Given: path(payment.AwaitingPayment), When: payment.Detect{Issue: by(admin)}, Err: fault.ErrForbidden},
		{Name: "too late", Given: path(payment.ExpiredPhase), When: see("0xf1", 100, 100), Err: payment.ErrClosed},
		{Name: "late and still wanted", Given: path(payment.CancelledPhase), When: tolerated, Then: events{payment.LateAccepted{Evidence: ev("0xf1", 100)}, seen("0xf1", 100)}},
		{Name: "confirmed and paid", Given: path(payment.Confirming), When: sure("0xf1", 12), Then: events{deep("0xf1", 100), paid}},
		{Name: "confirmed twice is once", Given: path(payment.PaidPhase), When: sure("0xF1", 13)},
		{Name: "not deep enough", Given: path(payment.Confirming), When: sure("0xf1", 11), Err: payment.ErrNotConfirmed},
		{Name: "unknown", Given: path(payment.Confirming), When: sure("0xee", 12), Err: payment.ErrTransfer},
		{Name: "not under review", Given: path(payment.UnderReview), When: sure("0xf1", 12), Err: payment.ErrUnderReview},
		{Name: "a part", Given: path(payment.AwaitingPayment, seen("0xf1", 60)), When: sure("0xf1", 12), Then: events{deep("0xf1", 60), part}},
		{Name: "the rest", Given: path(payment.PartlyPaid, seen("0xf2", 40)), When: sure("0xf2", 12), Then: events{deep("0xf2", 40), paid}},
		{Name: "more than the rest", Given: path(payment.PartlyPaid, seen("0xf2", 60)), When: sure("0xf2", 12), Then: events{deep("0xf2", 60), over, paid}},
		{Name: "after it is paid all is too much", Given: path(payment.PaidPhase, seen("0xf2", 20)), When: sure("0xf2", 12), Then: events{deep("0xf2", 20), over}},
		{
			Name: "the order lacks less than the payment", Given: path(payment.Confirming), When: less,
			Then: events{deep("0xf1", 100), payment.Overpaid{Hold: "h1", Buyer: "B1", Excess: amount(30)}, paid},
		},
		{Name: "gone before it counted", Given: path(payment.Confirming), When: payment.Drop{Issue: by(chain), Evidence: ev("0xf1", 100), Reason: "gone"}, Then: events{dropped("0xf1", 100, "gone")}},
		{Name: "gone after the expiry waits an hour", Given: path(payment.Confirming), When: payment.Drop{Issue: late(chain), Evidence: ev("0xf1", 100), Reason: "gone"}, Then: events{lateDrop}},
		{Name: "what counted is not dropped", Given: path(payment.PaidPhase), When: payment.Drop{Issue: by(chain), Evidence: ev("0xf1", 100)}},
		{Name: "undone", Given: path(payment.PaidPhase), When: payment.Reorg{Issue: by(chain), Evidence: ev("0xf1", 100), Waterfall: undone.Waterfall}, Then: events{undone}},
		{Name: "undone once", Given: path(payment.ReversedPhase), When: payment.Reorg{Issue: by(chain), Evidence: ev("0xf1", 100)}},
		{Name: "back at the same height has a ledger key of its own", Given: path(payment.ReversedPhase), When: see("0xf1", 100, 100), Then: events{back}},
		{Name: "review", Given: path(payment.Confirming), When: payment.HoldForReview{Issue: by(policy), Kind: "aml", Score: 80}, Then: events{held}},
		{Name: "cleared", Given: path(payment.UnderReview), When: payment.ClearReview{Issue: by(admin), Approver: admin2}, Then: events{cleared}},
		{Name: "rejected", Given: path(payment.UnderReview), When: payment.RejectReview{Issue: by(admin), Approver: admin2}, Then: events{refused}},
		{Name: "nobody clears alone", Given: path(payment.UnderReview), When: payment.ClearReview{Issue: by(admin)}, Err: payment.ErrSelfApproval},
		{Name: "nor as two with one name", Given: path(payment.UnderReview), When: payment.ClearReview{Issue: by(admin), Approver: admin}, Err: payment.ErrSelfApproval},
		{Name: "nor with a machine", Given: path(payment.UnderReview), When: payment.RejectReview{Issue: by(admin), Approver: policy}, Err: payment.ErrSelfApproval},
		{Name: "no process clears a review", Given: path(payment.UnderReview), When: payment.ClearReview{Issue: by(policy), Approver: admin}, Err: fault.ErrForbidden},
	})
}

func TestThreshold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule      payment.Threshold
		depth     uint64
		finalized bool
		met       bool
	}{
		{payment.Threshold{Need: 12, Floor: 10}, 12, false, true},
		{payment.Threshold{Need: 12, Floor: 10}, 11, false, false},
		{payment.Threshold{Need: 5, Floor: 10}, 9, false, false}, // the floor outweighs a lower wish
		{payment.Threshold{Need: 5, Floor: 10}, 10, false, true},
		{payment.Threshold{}, 0, false, false}, // a transfer that stands in no block is none
		{payment.Threshold{Need: 12, Floor: 10}, 1, true, false},
		{payment.Threshold{Need: 12, Floor: 10, Finalized: true}, 1, true, true},
	} {
		if got := c.rule.Met(c.depth, c.finalized); got != c.met {
			t.Errorf("%+v at depth %d, finalized %t: %t", c.rule, c.depth, c.finalized, got)
		}
	}
}

func TestClaimsAndDeadlines(t *testing.T) {
	t.Parallel()
	const order, transfer = "payment:h1", "evidence:8453:0xf1:2"
	for _, c := range []struct {
		event payment.Event
		name  string
		free  bool
	}{
		{initiated, order, false},
		{expired, order, true},
		{cancelled, order, true},
		{seen("0xF1", 100), transfer, false},
		{dropped("0xf1", 100, ""), transfer, true},
		{undone, transfer, true},
	} {
		got := payment.Claims(domain.Stream{}, c.event)
		if len(got) != 1 || got[0].Name != c.name || got[0].Free != c.free {
			t.Errorf("%s: %+v", c.event.EventType(), got)
		}
	}
	again := dropped("0xf1", 100, "")
	if d := payment.Deadlines(domain.Stream{}, again); len(d) != 0 {
		t.Errorf("before the expiry its own timer is armed still: %+v", d)
	}
	again.LapsesAt = t0
	if d := payment.Deadlines(domain.Stream{}, again); len(d) != 1 || d[0].Due != t0 || d[0].Command != "funding.expire_payment" {
		t.Errorf("%+v", d)
	}
	if d := payment.Deadlines(domain.Stream{}, paid); len(d) != 1 || !d[0].Cancel {
		t.Errorf("%+v", d)
	}
}

func TestEveryPostingIsValid(t *testing.T) {
	t.Parallel()
	for _, e := range (events{seen("0xf1", 100), deep("0xf1", 100), dropped("0xf1", 100, ""), over, undone}) {
		p, ok := payment.Postings(domain.Stream{}, e)
		if err := p.Validate(); !ok || err != nil {
			t.Errorf("%s: %t, %v", e.EventType(), ok, err)
		}
		if _, decided := e.(payment.Overpaid); p.Fact == decided {
			t.Errorf("%s: what the chain shows is a fact, what we give is a decision", e.EventType())
		}
	}
}

package suspense_test

import (
	"testing"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/ledger"
	"holdfast/domain/machine/machinetest"
	"holdfast/domain/money"
	"holdfast/domain/payment"
	"holdfast/domain/suspense"
)

const usdc money.Asset = "USDC@8453"

var (
	t0       = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	admin    = domain.User("A1", domain.Admin)
	admin2   = domain.User("A2", domain.Admin)
	chain    = domain.Machine(domain.Chain, "8453")
	evidence = payment.Evidence{Chain: 8453, Tx: "0xf1", Log: 2, Block: 100, BlockHash: "0xb"}
	later    = payment.Evidence{Chain: 8453, Tx: "0xf1", Log: 2, Block: 101, BlockHash: "0xc"}

	recorded = suspense.Recorded{Evidence: evidence, Custody: ledger.Treasury, Amount: amount(100), From: "0xx", Reason: suspense.Unknown}
	given    = suspense.Assigned{To: "buyer", Buyer: "B1", Amount: amount(100), By: []string{"A1", "A2"}}
	taken    = suspense.Taken{Refund: "r1", Amount: amount(60)}
	back     = suspense.Returned{Refund: "r1", Amount: amount(60)}
	gone     = suspense.Undone{Evidence: evidence, Custody: ledger.Treasury, Left: amount(100), Lost: amount(0), Reason: "reorg"}
	lost     = suspense.Undone{Evidence: evidence, Custody: ledger.Treasury, Left: amount(40), Lost: amount(60), Reason: "reorg"}
	again    = suspense.Recorded{Evidence: later, Custody: ledger.Treasury, Amount: amount(100), From: "0xx", Reason: suspense.Unknown}
	healed   = suspense.Recorded{Evidence: later, Custody: ledger.Treasury, Amount: amount(100), From: "0xx", Reason: suspense.Unknown, Restores: amount(60)}
)

type events = []suspense.Event

func amount(n uint64) money.Amount   { return money.Of(usdc, money.FromUint64(n)) }
func by(a domain.Actor) domain.Issue { return domain.Issue{By: a, At: t0} }

func TestTableIsComplete(t *testing.T) {
	t.Parallel()
	states := map[string]suspense.State{
		"": {}, suspense.Unmatched: machinetest.Fold(suspense.Decider, events{recorded, taken}...), suspense.Matched: machinetest.Fold(suspense.Decider, events{recorded, given}...),
		suspense.Gone: machinetest.Fold(suspense.Decider, events{recorded, taken, lost}...),
	}
	for _, s := range states {
		machinetest.CheckSnapshot(t, s)
	}
	machinetest.CheckComplete(t, suspense.Table(), states)
}

func TestStoredForm(t *testing.T) {
	t.Parallel()
	machinetest.CheckGolden(t, suspense.Aggregate(), recorded, given, taken, back, lost)
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	record := suspense.Record{Issue: by(chain), Evidence: evidence, Custody: ledger.Treasury, Amount: amount(100), From: "0xx", Reason: suspense.Unknown}
	give := suspense.Assign{Issue: by(admin), Approver: admin2, Buyer: "B1", Firm: true}
	early := give
	early.Firm = false
	alone, layman, both, neither, hold := give, give, give, give, give
	alone.Approver = admin
	layman.Approver = domain.User("B1", domain.Buyer)
	both.Hold = "h1"
	neither.Buyer = ""
	hold.Buyer, hold.Hold = "", "h1"
	rest := given
	rest.Amount = amount(40)
	toHold := suspense.Assigned{To: "escrow", Hold: "h1", Amount: amount(100), By: []string{"A1", "A2"}}
	take := suspense.Take{Issue: by(admin), Refund: "r1", Amount: amount(60)}
	undo := suspense.Undo{Issue: by(chain), Evidence: evidence, Reason: "reorg"}
	record2 := record
	record2.Evidence = later
	all := take
	all.Amount = amount(100)
	much, foreign := take, take
	much.Amount = amount(101)
	foreign.Amount = money.Of("X", money.FromUint64(1))
	machinetest.Run(t, suspense.Decider, []machinetest.Case[suspense.Event]{
		{Name: "recorded", When: record, Then: events{recorded}},
		{Name: "once", Given: events{recorded}, When: record},
		{Name: "once, even when it has an owner", Given: events{recorded, given}, When: record},
		{Name: "a person records nothing", When: suspense.Record{Issue: by(admin)}, Err: fault.ErrForbidden},
		{Name: "while the chain may undo it", Given: events{recorded}, When: early, Err: suspense.ErrNotFinal},
		{Name: "a buyer's", Given: events{recorded}, When: give, Then: events{given}},
		{Name: "an order's", Given: events{recorded}, When: hold, Then: events{toHold}},
		{Name: "what a refund left", Given: events{recorded, taken}, When: give, Then: events{rest}},
		{Name: "two people", Given: events{recorded}, When: alone, Err: suspense.ErrSelfApproval},
		{Name: "of whom the second is an admin", Given: events{recorded}, When: layman, Err: suspense.ErrSelfApproval},
		{Name: "not to two", Given: events{recorded}, When: both, Err: fault.ErrValidation},
		{Name: "nor to nobody", Given: events{recorded}, When: neither, Err: fault.ErrValidation},
		{Name: "twice", Given: events{recorded, given}, When: give, Err: suspense.ErrAlreadyAssigned},
		{Name: "nothing is left", Given: events{recorded, suspense.Taken{Refund: "r1", Amount: amount(100)}}, When: give, Err: suspense.ErrAlreadyAssigned},
		{Name: "taken", Given: events{recorded}, When: take, Then: events{taken}},
		{Name: "not more than is left", Given: events{recorded, taken}, When: take, Err: suspense.ErrExceeds},
		{Name: "not more than came", Given: events{recorded}, When: much, Err: suspense.ErrExceeds},
		{Name: "in its own asset", Given: events{recorded}, When: foreign, Err: suspense.ErrExceeds},
		{Name: "undone", Given: events{recorded}, When: undo, Then: events{gone}},
		{Name: "undone after a part was given away", Given: events{recorded, taken}, When: undo, Then: events{lost}},
		{Name: "undone once", Given: events{recorded, gone}, When: undo},
		{Name: "another block is not this one's end", Given: events{recorded, gone, again}, When: undo},
		{Name: "a person undoes nothing", Given: events{recorded}, When: suspense.Undo{Issue: by(admin), Evidence: evidence}, Err: fault.ErrForbidden},
		{Name: "seen again", Given: events{recorded, gone}, When: record2, Then: events{again}},
		{Name: "seen again, the loss is healed", Given: events{recorded, taken, lost}, When: record2, Then: events{healed}},
		{Name: "nothing is left of it meanwhile", Given: events{recorded, gone}, When: take, Err: fault.ErrInvalidState},
		{Name: "what a refund gives back of it waits", Given: events{recorded, taken, lost}, When: suspense.Return{Issue: by(admin), Refund: "r1", Amount: amount(60)}, Then: events{back}},
		{Name: "and is whole again when it is seen again", Given: events{recorded, taken, lost, back, healed}, When: all, Then: events{suspense.Taken{Refund: "r1", Amount: amount(100)}}},
		{Name: "returned", Given: events{recorded, taken}, When: suspense.Return{Issue: by(admin), Refund: "r1", Amount: amount(60)}, Then: events{back}},
	})
}

func TestPostingsAndClaim(t *testing.T) {
	t.Parallel()
	for _, e := range (events{recorded, given, gone, lost, healed}) {
		p, ok := suspense.Postings(domain.Stream{}, e)
		if err := p.Validate(); !ok || err != nil {
			t.Errorf("%s: %t, %v", e.EventType(), ok, err)
		}
	}
	claims := suspense.Aggregate().Claims(domain.Stream{}, recorded)
	if len(claims) != 1 || claims[0].Name != payment.EvidenceClaim(evidence) {
		t.Errorf("a deposit and a payment claim a transfer by the same name: %+v", claims)
	}
}

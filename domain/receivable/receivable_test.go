package receivable_test

import (
	"testing"

	"holdfast/domain"
	"holdfast/domain/machine/machinetest"
	"holdfast/domain/money"
	"holdfast/domain/receivable"
)

func amount(n uint64) money.Amount { return money.Of("USDC@8453", money.FromUint64(n)) }

var (
	policy   = domain.Machine(domain.Process, "netting")
	admin    = domain.User("A1", domain.Admin)
	recorded = receivable.Recorded{Party: receivable.Seller, User: "S1", Amount: amount(40), Cause: "r1"}
	cleared  = receivable.Recovered{Party: receivable.Seller, User: "S1", Amount: amount(40)}
	given    = receivable.WrittenOff{Party: receivable.Seller, User: "S1", Amount: amount(10), Expense: receivable.BadDebt, By: []domain.UserID{"A1", "A2"}, Reason: "gone"}
)

type events = []receivable.Event

func TestTableIsComplete(t *testing.T) {
	t.Parallel()
	states := map[string]receivable.State{
		"":                      {},
		receivable.PhaseOwing:   machinetest.Fold(receivable.Decider, events{recorded}...),
		receivable.PhaseSettled: machinetest.Fold(receivable.Decider, events{recorded, cleared}...),
	}
	for _, s := range states {
		machinetest.CheckSnapshot(t, s)
	}
	machinetest.CheckComplete(t, receivable.Table(), states)
}

func TestStoredForm(t *testing.T) {
	t.Parallel()
	machinetest.CheckGolden(t, receivable.Aggregate(), recorded, cleared, given,
		receivable.Reversed{Party: receivable.Seller, User: "S1", Amount: amount(8), Cause: "r1"})
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	own := domain.Issue{By: policy}
	machinetest.Run(t, receivable.Decider, []machinetest.Case[receivable.Event]{
		{Name: "recorded", When: receivable.Record{Issue: own, Party: receivable.Seller, User: "S1", Amount: amount(40), Cause: "r1"}, Then: events{recorded}},
		{Name: "a cause counts once", Given: events{recorded}, When: receivable.Record{Issue: own, Party: receivable.Seller, User: "S1", Amount: amount(40), Cause: "r1"}},
		{Name: "recovered", Given: events{recorded}, When: receivable.Recover{Issue: own, Amount: amount(40)}, Then: events{cleared}},
		{Name: "not more than is owed", Given: events{recorded}, When: receivable.Recover{Issue: own, Amount: amount(41)}, Err: receivable.ErrExceeded},
		{Name: "nothing is owed", Given: events{recorded, cleared}, When: receivable.Recover{Issue: own, Amount: amount(1)}, Err: receivable.ErrNothingOwed},
		{
			Name: "two people give it up", Given: events{recorded},
			When: receivable.WriteOff{Issue: domain.Issue{By: admin}, Amount: amount(10), Expense: receivable.BadDebt, SecondApprover: "A2", Reason: "gone"}, Then: events{given},
		},
		{
			Name: "one person does not", Given: events{recorded},
			When: receivable.WriteOff{Issue: domain.Issue{By: admin}, Amount: amount(10), Expense: receivable.BadDebt, SecondApprover: "A1"}, Err: receivable.ErrSelfApproval,
		},
	})
}

func TestPostingsAreValid(t *testing.T) {
	t.Parallel()
	for _, e := range (events{cleared, given}) {
		p, ok := receivable.Postings(e)
		if !ok || p.Validate() != nil {
			t.Errorf("%s: %v", e.EventType(), p)
		}
	}
	if _, ok := receivable.Postings(recorded); ok {
		t.Error("the clawback posts, not the record of it")
	}
}

package reconciliation_test

import (
	"testing"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/ledger"
	"holdfast/domain/machine/machinetest"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/reconciliation"
)

const usdc money.Asset = "USDC@8453"

var (
	t0     = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	admin  = domain.User("A1", domain.Admin)
	admin2 = domain.User("A2", domain.Admin)
	guard  = domain.User("G1", domain.Guard)
	night  = domain.Machine(domain.Process, "reconciliation")

	short = reconciliation.Finding{
		Kind: reconciliation.CustodyShort, Subject: reconciliation.Subject{Type: "treasury", ID: "8453"}, Evidence: string(usdc),
		Ledger: "100", Chain: "93", Amount: money.Of(usdc, money.FromUint64(7)), Account: ledger.Treasury,
		At: reconciliation.Moment{Position: 9, Chain: 8453, Block: 77},
	}
	unbooked = reconciliation.Finding{
		Kind: reconciliation.MissingInLedger, Subject: reconciliation.Subject{Type: "payment", ID: "p1"}, Evidence: "8453:0xf1:2", Chain: "7", Over: true,
		Amount: money.Of(usdc, money.FromUint64(7)), Deposit: &network.Deposit{Chain: 8453, Tx: "0xf1", Log: 2, Asset: usdc, Amount: money.FromUint64(7)},
	}

	found    = reconciliation.BreakFound{Run: "r1", Finding: short}
	explains = reconciliation.BreakResolved{Way: reconciliation.Explain, Reason: "being booked", By: guard, Round: 1}
	losing   = reconciliation.BreakResolved{Way: reconciliation.WriteOff, Reason: "stolen", By: admin, Approver: admin2, Round: 1}
	closed   = reconciliation.BreakClosed{Run: "r2"}
)

func by(a domain.Actor) domain.Issue { return domain.Issue{By: a, At: t0} }

func phantom(at ledger.Account) reconciliation.Finding {
	f := short
	f.Kind, f.Account = reconciliation.MissingOnChain, at
	return f
}

func worse() reconciliation.Finding {
	f := short
	f.Chain, f.Amount = "90", money.Of(usdc, money.FromUint64(10))
	return f
}

func TestTablesAreComplete(t *testing.T) {
	t.Parallel()
	machinetest.CheckComplete(t, reconciliation.Table(), map[string]reconciliation.State{
		"": {}, reconciliation.Open: {Phase: reconciliation.Open, Finding: short}, reconciliation.Explained: {Phase: reconciliation.Explained},
		reconciliation.Settled: {Phase: reconciliation.Settled}, reconciliation.Closed: {Phase: reconciliation.Closed},
	})
	machinetest.CheckComplete(t, reconciliation.RunTable(), map[string]reconciliation.RunState{
		"": {}, reconciliation.Running: {Phase: reconciliation.Running}, reconciliation.Done: {Phase: reconciliation.Done},
	})
	machinetest.CheckSnapshot(t, machinetest.Fold(reconciliation.Decider, []reconciliation.BreakEvent{found, losing}...))
}

func TestStoredForm(t *testing.T) {
	t.Parallel()
	machinetest.CheckGolden(t, reconciliation.Aggregate(), reconciliation.BreakFound{Run: "r1", Finding: unbooked, Again: true},
		reconciliation.BreakChanged{Run: "r1", Finding: short}, losing, closed)
	machinetest.CheckGolden(t, reconciliation.RunAggregate(), reconciliation.RunStarted{By: admin, Position: 5, At: t0}, reconciliation.RunCompleted{
		Counts: reconciliation.Counts{Payments: 2, Addresses: 3, Transfers: 4, Reports: 1, Assets: 1, Breaks: 1, Open: 1, Closed: 1},
		Breaks: []string{"b1"}, Heads: map[string]uint64{"8453": 77}, Unread: map[string]string{"56": "CHAIN_UNAVAILABLE"}, From: 5, To: 9, At: t0,
	})
}

func TestDecisionsAboutABreak(t *testing.T) {
	t.Parallel()
	type events = []reconciliation.BreakEvent
	find := func(f reconciliation.Finding) reconciliation.Find {
		return reconciliation.Find{Issue: by(night), Run: "r2", Finding: f}
	}
	resolve := func(a, second domain.Actor, w reconciliation.Way, why string) reconciliation.Resolve {
		return reconciliation.Resolve{Issue: by(a), Approver: second, Way: w, Reason: why}
	}
	none := domain.Actor{}
	machinetest.Run(t, reconciliation.Decider, []machinetest.Case[reconciliation.BreakEvent]{
		{Name: "found", When: find(short), Then: events{reconciliation.BreakFound{Run: "r2", Finding: short}}},
		{Name: "found again is once", Given: events{found}, When: find(short)},
		{Name: "open, and more is missing", Given: events{found}, When: find(worse()), Then: events{reconciliation.BreakChanged{Run: "r2", Finding: worse()}}},
		{Name: "what was explained stays so", Given: events{found, explains}, When: find(short)},
		{Name: "unless it is another amount", Given: events{found, explains}, When: find(worse()), Then: events{reconciliation.BreakFound{Run: "r2", Finding: worse(), Again: true}}},
		{Name: "what was booked and is still there is open again", Given: events{found, losing}, When: find(short), Then: events{reconciliation.BreakFound{Run: "r2", Finding: short, Again: true}}},
		{Name: "a booked-off transfer stays settled", Given: events{reconciliation.BreakFound{Finding: phantom("custody:derived:d1")}, losing}, When: find(phantom(""))},
		{Name: "until its address differs again", Given: events{reconciliation.BreakFound{Finding: phantom("custody:derived:d1")}, losing}, When: find(phantom("custody:derived:d1")), Then: events{reconciliation.BreakFound{Run: "r2", Finding: phantom("custody:derived:d1"), Again: true}}},
		{Name: "what was gone comes back", Given: events{found, closed}, When: find(short), Then: events{reconciliation.BreakFound{Run: "r2", Finding: short, Again: true}}},
		{Name: "gone", Given: events{found}, When: reconciliation.Close{Issue: by(night), Run: "r2"}, Then: events{closed}},
		{Name: "gone twice is once", Given: events{found, closed}, When: reconciliation.Close{Issue: by(night), Run: "r3"}},
		{Name: "a person does not close a break", Given: events{found}, When: reconciliation.Close{Issue: by(admin), Run: "r2"}, Err: fault.ErrForbidden},
		{Name: "a person does not find one", When: reconciliation.Find{Issue: by(admin), Finding: short}, Err: fault.ErrForbidden},
		{Name: "a guard explains", Given: events{found}, When: resolve(guard, none, reconciliation.Explain, "being booked"), Then: events{explains}},
		{Name: "not without a reason", Given: events{found}, When: resolve(guard, none, reconciliation.Explain, ""), Err: reconciliation.ErrReason},
		{Name: "two admins write off", Given: events{found}, When: resolve(admin, admin2, reconciliation.WriteOff, "stolen"), Then: events{losing}},
		{Name: "one does not", Given: events{found}, When: resolve(admin, none, reconciliation.WriteOff, "stolen"), Err: reconciliation.ErrSelfApproval},
		{Name: "nor the same twice", Given: events{found}, When: resolve(admin, admin, reconciliation.WriteOff, "stolen"), Err: reconciliation.ErrSelfApproval},
		{Name: "nor with a guard", Given: events{found}, When: resolve(admin, guard, reconciliation.WriteOff, "stolen"), Err: reconciliation.ErrSelfApproval},
		{Name: "a guard books nothing", Given: events{found}, When: resolve(guard, admin, reconciliation.WriteOff, "stolen"), Err: fault.ErrForbidden},
		{Name: "what is short is not found money", Given: events{found}, When: resolve(admin, admin2, reconciliation.BookFound, "x"), Err: reconciliation.ErrWay},
		{Name: "there is no transfer to look for", Given: events{found}, When: resolve(admin, none, reconciliation.Rescan, "x"), Err: reconciliation.ErrWay},
		{Name: "resolved twice", Given: events{found, losing}, When: resolve(admin, admin2, reconciliation.WriteOff, "stolen"), Err: reconciliation.ErrResolved},
		{Name: "nothing was found", When: resolve(admin, none, reconciliation.Explain, "x"), Err: fault.ErrNotFound},
	})
	machinetest.Run(t, reconciliation.RunDecider, []machinetest.Case[reconciliation.RunEvent]{
		{Name: "a guard starts", When: reconciliation.Start{Issue: by(guard), Position: 5}, Then: []reconciliation.RunEvent{reconciliation.RunStarted{By: guard, Position: 5, At: t0}}},
		{Name: "a buyer does not", When: reconciliation.Start{Issue: by(domain.User("B1", domain.Buyer))}, Err: fault.ErrForbidden},
		{Name: "what has not begun does not end", When: reconciliation.Complete{Issue: by(night)}, Err: fault.ErrInvalidState},
		{Name: "it ends once", Given: []reconciliation.RunEvent{reconciliation.RunStarted{}, reconciliation.RunCompleted{}}, When: reconciliation.Complete{Issue: by(night)}},
	})
}

// TestEveryKindHasAdvice: an operator at three in the morning gets an answer for each.
func TestEveryKindHasAdvice(t *testing.T) {
	t.Parallel()
	if n := len(reconciliation.Kinds()); n != 12 {
		t.Errorf("%d kinds", n)
	}
	for _, k := range reconciliation.Kinds() {
		a := reconciliation.AdviceOn(k)
		if a.Severity == "" || len(a.Probably) < 20 || len(a.Do) < 20 || len(a.Ways) == 0 && k != reconciliation.Insolvent {
			t.Errorf("%s: %+v", k, a)
		}
	}
}

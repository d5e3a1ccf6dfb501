package http_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/domain"
	"holdfast/domain/breaker"
	"holdfast/domain/fault"
	"holdfast/domain/funding"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/reconciliation"
	"holdfast/eventstore"
	apihttp "holdfast/http"
)

// comparer answers for the runner: tests of it are in reactors.
type comparer struct {
	run   string
	shown *network.Deposit
}

func (c *comparer) Start(context.Context, domain.Actor) (string, error) {
	if c.run != "" {
		return "", fault.New(fault.Conflict, "RECONCILIATION_RUNNING", "one at a time").With("run", c.run)
	}
	c.run = uuid.NewString()
	return c.run, nil
}

func (c *comparer) Payment(context.Context, domain.PaymentID) (json.RawMessage, error) {
	return json.RawMessage(`{}`), nil
}

func (c *comparer) Shown(context.Context, network.Deposit) (*network.Deposit, error) {
	return c.shown, nil
}

const bscUSDT money.Asset = "eip155:56/erc20:0x55d398326f99059ff775485246999027b3197955"

// found puts a break into the log, as a run does.
func (w *world) found(f reconciliation.Finding) string {
	w.t.Helper()
	w.flow(funding.RecordBreak{Issue: domain.Issue{By: domain.Machine(domain.Process, "reconciliation")}, ID: "r1", Finding: f})
	return f.ID()
}

func (w *world) flow(f interface {
	Run(*domain.Unit) (any, error)
},
) {
	w.t.Helper()
	_, err := w.exec.Execute(w.t.Context(), eventstore.Metadata{Source: "test"}, nil, f.Run)
	require.NoError(w.t, err)
}

func shortBy(n uint64) reconciliation.Finding {
	return reconciliation.Finding{
		Kind: reconciliation.CustodyShort, Subject: reconciliation.Subject{Type: "treasury", ID: "56"}, Evidence: string(bscUSDT), Ledger: "100", Chain: "93",
		Amount: money.Of(bscUSDT, money.FromUint64(n)), Account: ledger.Treasury, At: reconciliation.Moment{Position: 1, Chain: 56, Block: 7},
	}
}

func reconciling(c *comparer) option {
	return func(w *world) {
		onPostgres(w)
		w.deps.Reconciler, w.deps.Approvals = c, approvals{}
	}
}

func TestBreaksAreListedExplainedAndBooked(t *testing.T) {
	t.Parallel()
	w := setup(t, reconciling(&comparer{}))
	one, two, watch := w.as(w.users.named("admin")), w.as(w.users.named("admin2")), w.as(w.users.named("guard"))
	id := w.found(shortBy(7))
	other := shortBy(3)
	other.Subject.ID = "57"
	second := w.found(other)
	path := "/api/admin/reconciliation/breaks"
	require.Eventually(t, func() bool { return one.get(path+"/"+second).status == 200 }, 30*time.Second, 5*time.Millisecond)

	list := one.get(path + "?limit=1")
	require.Equal(t, 200, list.status, string(list.raw))
	require.Len(t, list.body["data"], 1)
	next, _ := list.body["meta"].(map[string]any)["next_cursor"].(string)
	require.NotEmpty(t, next)
	rest := one.get(path + "?limit=1&cursor=" + next)
	require.Len(t, rest.body["data"], 1)
	for query, status := range map[string]int{
		"?state=Open": 200, "?severity=critical&kind=custody_short&subject=57": 200, "?asset=USDT@56": 200, "?cursor=x": 400, "?state=Lost": 400, "?asset=DOGE@1": 400, "?limit=0": 400,
	} {
		assert.Equal(t, status, one.get(path+query).status, query)
	}
	got := watch.get(path + "/" + id)
	require.Equal(t, 200, got.status)
	assert.Equal(t, "Open", got.text("state"))
	assert.NotEmpty(t, got.text("probably"))
	assert.NotEmpty(t, got.text("do"))

	resolve := func(c *client, id, way, reason string) answer {
		return c.post(path+"/"+id+"/resolve", map[string]string{"way": way, "reason": reason})
	}
	for name, c := range map[string]struct {
		got    answer
		status int
		code   string
	}{
		"nothing there":             {resolve(one, uuid.NewString(), "explain", "because"), 404, "NOT_FOUND"},
		"no id":                     {resolve(one, "x", "explain", "because"), 400, "INVALID_ID"},
		"a way nobody knows":        {resolve(one, id, "forget", "because"), 400, "VALIDATION_FAILED"},
		"not this break's way":      {resolve(one, id, "book_found", "because"), 422, "RESOLUTION_NOT_ALLOWED"},
		"no transfer to look for":   {resolve(one, id, "rescan", "because"), 422, "RESOLUTION_NOT_ALLOWED"},
		"without a reason":          {resolve(one, id, "write_off", ""), 422, "REASON_REQUIRED"},
		"a guard books nothing":     {resolve(watch, id, "write_off", "because"), 403, "FORBIDDEN"},
		"a seller sees nothing":     {w.as(w.users.named("seller")).get(path), 403, "FORBIDDEN"},
		"a run that does not exist": {one.get("/api/admin/reconciliation/runs/" + uuid.NewString()), 404, "NOT_FOUND"},
	} {
		assert.Equal(t, c.status, c.got.status, "%s: %s", name, c.got.raw)
		assert.Equal(t, c.code, c.got.code, name)
	}
	w.untouched(func() {
		assert.Equal(t, 202, resolve(one, id, "write_off", "stolen").status)
		assert.Equal(t, 202, resolve(one, id, "write_off", "stolen").status, "the same person twice is one")
	})
	done := resolve(two, id, "write_off", "stolen")
	require.Equal(t, 200, done.status, string(done.raw))
	assert.Equal(t, "Settled", done.text("state"))
	assert.Equal(t, 409, resolve(two, id, "write_off", "stolen").status)
	loss, err := w.store.Balance(t.Context(), ledger.ChainLoss, bscUSDT)
	require.NoError(t, err)
	assert.Equal(t, money.FromUint64(7), loss.DebitsPosted, "booked once")
	assert.Equal(t, 200, resolve(watch, second, "explain", "the bridge is late").status)
	require.Eventually(t, func() bool { return one.get(path+"/"+second).text("state") == "Explained" }, 30*time.Second, 5*time.Millisecond)
}

func TestOneRunAtATime(t *testing.T) {
	t.Parallel()
	w := setup(t, reconciling(&comparer{}))
	watch := w.as(w.users.named("guard"))
	first := watch.post("/api/admin/reconciliation/runs", nil)
	require.Equal(t, 202, first.status, string(first.raw))
	again := watch.post("/api/admin/reconciliation/runs", nil)
	assert.Equal(t, 409, again.status)
	assert.Equal(t, "RECONCILIATION_RUNNING", again.code)
	id := first.text("id")
	by := domain.Issue{By: domain.User(watch.id, domain.Guard)}
	w.flow(funding.StartReconciliation{Issue: by, ID: id, Position: 3})
	w.flow(funding.CompleteReconciliation{
		Issue: domain.Issue{By: domain.Machine(domain.Process, "reconciliation")}, ID: id,
		Result: reconciliation.RunCompleted{Counts: reconciliation.Counts{Payments: 4, Breaks: 1, Open: 1}, Heads: map[string]uint64{"56": 9}, From: 3, To: 5},
	})
	path := "/api/admin/reconciliation/runs/" + id
	require.Eventually(t, func() bool { return watch.get(path).text("state") == "Completed" }, 30*time.Second, 5*time.Millisecond)
	run := watch.get(path)
	assert.Equal(t, "false", run.text("ok"), "one difference is unexplained")
	assert.Equal(t, "9", run.text("result.heads.56"))
	assert.Len(t, watch.get("/api/admin/reconciliation/runs").body["data"], 1)
}

func TestSolvencyShowsTheBreaker(t *testing.T) {
	t.Parallel()
	w := setup(t)
	guard := w.as(w.users.named("guard"))
	machine := domain.Issue{By: domain.Machine(domain.Process, "solvency")}
	entry := func(ref string) funding.Entry {
		return funding.Entry{Issue: machine, Ref: ref, Amount: money.Of(bscUSDT, money.FromUint64(5)), Reason: "test"}
	}
	w.flow(funding.RecordCustodyVariance{Entry: entry("lost"), Custody: ledger.Treasury, Loss: true})
	w.flow(funding.RecordSolvency{Issue: machine, Asset: bscUSDT, Custody: "-5", Liabilities: "0"})
	state := func() (string, any) {
		a := guard.get("/api/ledger/solvency")
		require.Equal(t, 200, a.status, string(a.raw))
		row := a.body["data"].([]any)[0].(map[string]any)
		return row["breaker"].(string), row["solvent"]
	}
	phase, solvent := state()
	assert.Equal(t, breaker.Breached, phase)
	assert.Equal(t, false, solvent, "a pocket below nothing, although nothing is owed (X7)")
	w.flow(funding.ContributeCapital{Entry: entry("mended"), Custody: ledger.Treasury})
	w.flow(funding.RecordSolvency{Issue: machine, Asset: bscUSDT, Custody: "0", Liabilities: "0", Solvent: true})
	phase, solvent = state()
	assert.Equal(t, breaker.Running, phase)
	assert.Equal(t, true, solvent)
}

var _ apihttp.Reconciler = (*comparer)(nil)

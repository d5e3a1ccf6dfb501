package wire

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/cmd/internal/apiclient"
	"holdfast/domain"
	"holdfast/domain/funding"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
	"holdfast/domain/sweepplan"
	"holdfast/eventstore"
)

const (
	get  = apiclient.GET
	post = apiclient.POST
	put  = apiclient.PUT
)

func units(n uint64) money.Units { return money.FromUint64(n) }

func ids(t *testing.T, a apiclient.Answer) (all []string) {
	t.Helper()
	var rows []struct {
		ID string `json:"id"`
	}
	require.NoError(t, a.Into(&rows))
	for _, r := range rows {
		all = append(all, r.ID)
	}
	return all
}

func TestAnAddressIsPlannedSignedOutsideAndSwept(t *testing.T) {
	t.Parallel()
	w := withSweeps(t, "build-only")
	admin := w.as("admin")
	b := w.funded(1000)
	one := destinations + "/" + string(b.destination.ID)
	p := w.plan(admin, b)
	require.Len(t, p.TopUps, 1, "the address has no gas")
	body := func(raws ...string) map[string]any { return map[string]any{"planId": p.ID, "signedTxs": raws} }
	path, right := evm.DestinationPath(p.Sweeps[0].Index), p.Sweeps[0].Instruction

	// Whoever signs something else than the plan's is refused, in either of the two transactions.
	call := func(x outgoing.Transfer) func(*network.Unsigned) {
		return func(u *network.Unsigned) { u.To, u.Value, u.Data = evm.CallOf(x) }
	}
	with := func(change func(*outgoing.Transfer)) func(*network.Unsigned) {
		x := right.Transfer
		change(&x)
		return call(x)
	}
	for name, change := range map[string]func(*network.Unsigned){
		"chain":  func(u *network.Unsigned) { u.Chain = 1 },
		"to":     with(func(x *outgoing.Transfer) { x.To = devchain.Payer(3) }),
		"amount": with(func(x *outgoing.Transfer) { x.Amount.Units = units(999) }),
		"more":   with(func(x *outgoing.Transfer) { x.Amount.Units = units(1001) }),
		"token":  with(func(x *outgoing.Transfer) { x.Token = devchain.FakeUSDC }),
		"nonce":  func(u *network.Unsigned) { u.Nonce++ },
		"gas":    func(u *network.Unsigned) { u.Gas++ },
		"fee":    func(u *network.Unsigned) { u.MaxFee = u.MaxFee.Plus(units(1)) },
		"tip":    func(u *network.Unsigned) { u.Tip = u.Tip.Plus(units(1)); u.MaxFee = u.MaxFee.Plus(units(1)) },
	} {
		wrong := []string{w.signed(p)[0], w.sign(path, right, change)}
		assert.Equal(t, "422 INSTRUCTION_MISMATCH", w.refused(admin, post, destinations+"/sweep", body(wrong...)), name)
		assert.Equal(t, "422 INSTRUCTION_MISMATCH", w.refused(admin, post, one+"/sweep", body(wrong...)), name)
	}
	gas := p.TopUps[0].Instruction
	for name, change := range map[string]func(*network.Unsigned){
		"to":    func(u *network.Unsigned) { u.To = devchain.Payer(3) },
		"value": func(u *network.Unsigned) { u.Value = u.Value.Plus(units(1)) },
		"nonce": func(u *network.Unsigned) { u.Nonce++ },
		"fee":   func(u *network.Unsigned) { u.MaxFee = u.MaxFee.Plus(units(1)) },
	} {
		assert.Equal(t, "422 INSTRUCTION_MISMATCH", w.refused(admin, post, destinations+"/sweep", body(w.sign(evm.TreasuryPath, gas, change), w.signed(p)[1])), "gas: "+name)
	}
	assert.Equal(t, "422 INSTRUCTION_MISMATCH", w.refused(admin, post, destinations+"/sweep", body(w.sign("0'/0/1", right, func(u *network.Unsigned) { u.From = devchain.Payer(1) }))), "signed by somebody else")
	assert.Equal(t, "400 TX_NOT_A_TRANSFER", w.refused(admin, post, destinations+"/sweep", body("0x02")))
	assert.Equal(t, "409 SWEEP_NOT_ALLOWED", w.refused(admin, post, destinations+"/sweep", body(w.signed(p)[1])), "nobody pays for its gas")
	assert.Equal(t, "404 NOT_FOUND", w.refused(admin, post, destinations+"/"+uuid.NewString()+"/sweep", body(w.signed(p)...)), "another address")

	// The right ones are recorded, sent, and the same call again says the same.
	key := apiclient.WithKey(uuid.NewString())
	first := w.ask(admin, post, one+"/sweep", body(w.signed(p)...), key)
	assert.Equal(t, "Used", first.Get("state"), string(first.Data))
	at := w.head()
	again := w.ask(admin, post, one+"/sweep", body(w.signed(p)...), key)
	assert.JSONEq(t, string(first.Data), string(again.Data))
	assert.True(t, again.Replayed)
	w.ask(admin, post, destinations+"/sweep", body(w.signed(p)...)) // a new key: nothing new
	assert.Equal(t, at, w.head())
	assert.Equal(t, 1, w.count("destination.sweep_broadcast"))
	sweep := p.Sweeps[0].ID
	assert.Equal(t, "409 NOT_FINAL", w.refused(admin, post, destinations+"/sweep/"+sweep+"/confirm", map[string]any{}))
	assert.Equal(t, "409 SWEEP_IN_FLIGHT", w.refused(admin, post, destinations+"/sweep/plan", map[string]any{"destinations": []string{string(b.destination.ID)}, "asset": "USDC@1337"}))
	assert.Equal(t, "Sweeping", w.ask(admin, get, one, nil).Get("state"))
	under := w.ask(admin, get, destinations+"/sweeps?status=broadcast", nil)
	assert.Equal(t, []string{sweep}, ids(t, under))

	w.mined("the sweep and its gas end", func() bool {
		return w.count("destination.sweep_confirmed") == 1 && w.count("sweep_plan.top_up_ended") == 1
	})
	assert.Equal(t, units(1000), w.booked(ledger.Treasury, usdc))
	w.agrees(b)
	settled := w.head()
	w.ask(admin, post, destinations+"/sweep/"+sweep+"/confirm", map[string]any{})
	assert.Equal(t, settled, w.head(), "confirmed is confirmed")
	detail := w.ask(admin, get, one, nil)
	assert.Equal(t, "Swept", detail.Get("state"))
	assert.Contains(t, string(detail.Data), sweep)
	assert.Equal(t, "422 NOTHING_TO_SWEEP", w.refused(admin, post, destinations+"/sweep/plan", map[string]any{"destinations": []string{string(b.destination.ID)}, "asset": "USDC@1337"}))
	var looked []struct {
		Ledger struct{ Asset, Units string }
		Agree  *bool
	}
	require.NoError(t, w.ask(admin, post, one+"/refresh-balance", nil).Into(&looked))
	require.Len(t, looked, 2, "the token, and the gas that was left")
	for _, l := range looked {
		assert.True(t, l.Agree != nil && *l.Agree, "%+v", l)
	}
	w.ask(admin, post, one+"/retire", nil)
	assert.Equal(t, "Retired", w.ask(admin, get, one, nil).Get("state"))
}

func TestDestinationsAreListedStoppedAndLetGo(t *testing.T) {
	t.Parallel()
	w := withSweeps(t, "build-only")
	admin, guard := w.as("admin"), w.as("guard")
	empty := w.ask(admin, get, destinations+"/health/config", nil)
	assert.Equal(t, "", empty.Get("lastIndex"))
	assert.Equal(t, "0", empty.Get("given"))
	waiting, rich, poor := w.order(300), w.funded(1000), w.funded(200)
	list := func(query string) []string { return ids(t, w.ask(admin, get, destinations+query, nil)) }
	id := func(b bill) string { return string(b.destination.ID) }
	assert.Equal(t, []string{id(poor), id(rich), id(waiting)}, list(""))
	assert.Equal(t, []string{id(waiting)}, list("?status=Assigned"))
	assert.Equal(t, []string{id(poor), id(rich)}, list("?asset=USDC@1337"))
	assert.Equal(t, []string{id(poor), id(rich)}, list("?status=Funded&chain=1337"))
	assert.Empty(t, list("?chain=1"))
	page := w.ask(admin, get, destinations+"?limit=2", nil)
	assert.Equal(t, []string{id(poor), id(rich)}, ids(t, page))
	cursor, _ := page.Meta["next_cursor"].(string)
	require.NotEmpty(t, cursor, page.Meta)
	assert.Equal(t, []string{id(waiting)}, list("?limit=2&cursor="+cursor))
	assert.Equal(t, "400 VALIDATION_FAILED", w.refused(admin, get, destinations+"?asset=DOGE@1", nil))
	assert.Equal(t, "400 VALIDATION_FAILED", w.refused(admin, get, destinations+"?status=Lost", nil))

	for _, path := range []string{"/health/config", "/config/health"} {
		h := w.ask(admin, get, destinations+path, nil)
		assert.Equal(t, "build-only", h.Get("signer"))
		assert.Equal(t, "true", h.Get("addressesMatch"))
		assert.Equal(t, "2", h.Get("lastIndex"))
		assert.Equal(t, "3", h.Get("given"))
		assert.Equal(t, "0", h.Get("holes"))
		assert.NotContains(t, string(h.Data), devchain.DestinationXPub)
	}

	// A guard stops money and cannot let it go.
	one := destinations + "/" + id(rich)
	why := map[string]any{"reason": "looks tainted"}
	stopped := w.ask(guard, post, one+"/quarantine", why)
	assert.Equal(t, "Quarantined", stopped.Get("state"))
	assert.Equal(t, "looks tainted", w.ask(admin, get, one, nil).Get("quarantineReason"))
	wish := func(b ...bill) map[string]any {
		all := []string{}
		for _, x := range b {
			all = append(all, id(x))
		}
		return map[string]any{"destinations": all, "asset": "USDC@1337"}
	}
	assert.Equal(t, "409 SWEEP_NOT_ALLOWED", w.refused(admin, post, destinations+"/sweep/plan", wish(rich)))
	both := w.ask(admin, post, destinations+"/sweep/plan", map[string]any{"all": true, "asset": "USDC@1337", "dryRun": true})
	assert.Contains(t, string(both.Data), `"code":"SWEEP_NOT_ALLOWED"`, "what is left out is told")
	assert.Equal(t, "403 FORBIDDEN", w.refused(guard, post, one+"/release", why))
	assert.Equal(t, "Funded", w.ask(admin, post, one+"/release", why).Get("state"))
	assert.Equal(t, "Quarantined", w.ask(admin, post, one+"/quarantine", why).Get("state"))
	assert.Equal(t, "Funded", w.ask(admin, post, one+"/release", why).Get("state"))
	assert.True(t, strings.HasPrefix(w.refused(admin, post, one+"/retire", nil), "409 "), "it holds money")
	assert.True(t, strings.HasPrefix(w.refused(admin, post, one+"/release", why), "409 "), "it is free")
	w.ask(admin, post, destinations+"/"+id(waiting)+"/retire", nil)

	// What may not be planned.
	plan := func(body map[string]any) string { return w.refused(admin, post, destinations+"/sweep/plan", body) }
	assert.Equal(t, "422 NOTHING_TO_SWEEP", plan(wish(waiting)))
	more := wish(poor)
	more["minAmount"] = map[string]any{"amount": "201"}
	assert.Equal(t, "422 NOTHING_TO_SWEEP", plan(more))
	assert.Equal(t, "400 VALIDATION_FAILED", plan(wish(poor, poor)))
	assert.Equal(t, "400 VALIDATION_FAILED", plan(map[string]any{"asset": "USDC@1337"}))
	assert.Equal(t, "422 ASSET_NOT_SUPPORTED", plan(map[string]any{"all": true, "asset": "DOGE@1"}))
	fresh := w.order(500)
	w.pay(fresh, 500)
	assert.Equal(t, "409 NOT_FINAL", plan(wish(fresh)))
	w.ask(admin, put, destinations+"/cron", map[string]any{"maxGasPrice": "1"})
	assert.Equal(t, "422 GAS_TOO_HIGH", plan(wish(poor)))
	w.ask(admin, put, destinations+"/cron", map[string]any{"maxGasPrice": "200000000000", "dailyGas": "1"})
	assert.Equal(t, "422 GAS_TOO_HIGH", plan(wish(poor)))
	w.ask(admin, put, destinations+"/cron", map[string]any{"dailyGas": "1000000000000000000"})
	w.mined("the money is confirmed", func() bool { return w.count("destination.funded") == 3 })
	w.agrees(rich)
}

func TestTheScheduleIsReadChangedAndRun(t *testing.T) {
	t.Parallel()
	w := withSweeps(t, "build-only")
	admin := w.as("admin")
	w.funded(1000)
	cron := destinations + "/cron"
	assert.Equal(t, "false", w.ask(admin, get, cron, nil).Get("enabled"))
	for _, bad := range []map[string]any{
		{"interval": "often"}, {"interval": "1s"}, {"minAmount": "-1"}, {"maxGasPrice": "0"}, {"dailyGas": "1.5"}, {"maxSweeps": 0}, {"maxSweeps": 201},
	} {
		assert.True(t, strings.HasPrefix(w.refused(admin, put, cron, bad), "4"), bad)
	}
	set := w.ask(admin, put, cron, map[string]any{"interval": "30m", "maxSweeps": 7})
	assert.Equal(t, "30m0s", set.Get("interval"))
	assert.Equal(t, "7", w.ask(admin, get, cron, nil).Get("maxSweeps"))
	assert.Equal(t, "0", w.ask(admin, get, cron, nil).Get("minAmount"), "what is left out stays")

	before := w.head()
	dry := w.ask(admin, post, cron+"/run", map[string]any{"dryRun": true})
	assert.Contains(t, string(dry.Data), `"amount":"1000"`)
	assert.Equal(t, before, w.head(), "a dry run keeps nothing")
	ran := w.ask(admin, post, cron+"/run", map[string]any{})
	var report struct {
		Plans []struct {
			PlanID string `json:"planId"`
			Sweeps int    `json:"sweeps"`
			Code   string `json:"code"`
		} `json:"plans"`
	}
	require.NoError(t, ran.Into(&report))
	require.Len(t, report.Plans, 1, string(ran.Data))
	assert.Equal(t, 1, report.Plans[0].Sweeps)
	plan := w.ask(admin, get, destinations+"/sweep/plans/"+report.Plans[0].PlanID, nil)
	assert.Equal(t, "Open", plan.Get("state"))
	assert.Contains(t, string(w.ask(admin, get, destinations+"/sweep/plans?state=Open", nil).Data), report.Plans[0].PlanID)
	require.NoError(t, w.Runner.WaitFor(t.Context(), "sweep_plans", w.head()))
	require.NoError(t, w.ask(admin, post, cron+"/run", map[string]any{}).Into(&report))
	assert.Equal(t, "NOTHING_TO_SWEEP", report.Plans[0].Code, "it waits in a plan already")
	var now struct {
		Runs []json.RawMessage `json:"runs"`
	}
	require.NoError(t, w.ask(admin, get, cron, nil).Into(&now))
	assert.Len(t, now.Runs, 3)
}

func TestSweepsAreAnAdminsBusiness(t *testing.T) {
	t.Parallel()
	w := withSweeps(t, "build-only")
	nobody := "/" + uuid.NewString()
	plan := map[string]any{"planId": uuid.NewString(), "signedTxs": []string{"0x02"}}
	calls := []struct {
		method, path string
		body         any
		unknown      string // what an admin hears
	}{
		{get, "", nil, ""},
		{get, nobody, nil, "404 NOT_FOUND"},
		{get, "/health/config", nil, ""},
		{post, nobody + "/refresh-balance", nil, "404 NOT_FOUND"},
		{post, "/sweep/plan", map[string]any{"destinations": []string{uuid.NewString()}, "asset": "USDC@1337"}, "404 NOT_FOUND"},
		{post, "/sweep", plan, "404 NOT_FOUND"},
		{post, nobody + "/sweep", plan, "404 NOT_FOUND"},
		{post, "/sweep" + nobody + "/confirm", map[string]any{}, "404 NOT_FOUND"},
		{post, "/sweep" + nobody + "/confirm", map[string]any{"planId": uuid.NewString(), "txHash": "0x" + strings.Repeat("a", 64)}, "404 NOT_FOUND"},
		{get, "/sweeps", nil, ""},
		{get, "/sweep/plans", nil, ""},
		{get, "/sweep/plans" + nobody, nil, "404 NOT_FOUND"},
		{get, "/cron", nil, ""},
		{put, "/cron", map[string]any{"enabled": false}, ""},
		{post, "/cron/run", map[string]any{"dryRun": true}, ""},
		{post, nobody + "/quarantine", map[string]any{"reason": "because"}, "404 NOT_FOUND"},
		{post, nobody + "/release", map[string]any{"reason": "because"}, "404 NOT_FOUND"},
		{post, nobody + "/retire", nil, "404 NOT_FOUND"},
	}
	for _, who := range []string{"buyer", "seller", "resolver", "guard"} {
		c := w.as(who)
		for _, call := range calls {
			if who == "guard" && strings.HasSuffix(call.path, "/quarantine") {
				continue // that is what guards are for
			}
			assert.Equal(t, "403 FORBIDDEN", w.refused(c, call.method, destinations+call.path, call.body), "%s: %s %s", who, call.method, call.path)
		}
	}
	admin := w.as("admin")
	for _, call := range calls {
		if call.unknown != "" {
			assert.Equal(t, call.unknown, w.refused(admin, call.method, destinations+call.path, call.body), "%s %s", call.method, call.path)
		} else {
			w.ask(admin, call.method, destinations+call.path, call.body)
		}
	}
	assert.True(t, strings.HasPrefix(w.refused(apiclient.New(w.front), get, destinations, nil), "401 "))
}

// A chain that is added while the service runs is swept like the others.
func TestAChainThatIsAddedLaterIsSweptToo(t *testing.T) {
	t.Parallel()
	var late *evm.Client
	w := withSweeps(t, "build-only", func(w *sweepWorld) { late = w.Chains.clients[devchain.ChainID] })
	admin := w.as("admin")
	b := w.funded(1000)
	w.Chains.mu.Lock()
	delete(w.Chains.clients, devchain.ChainID)
	w.Chains.mu.Unlock()
	wish := map[string]any{"destinations": []string{string(b.destination.ID)}, "asset": "USDC@1337", "dryRun": true}
	compare := w.NewReconciler(w.Chains, w.Runner, nil)
	_, err := compare.Payment(t.Context(), b.payment)
	assert.ErrorIs(t, err, errNoChain, "nobody can read it yet")
	assert.Equal(t, "422 UNKNOWN_ASSET", w.refused(admin, post, destinations+"/sweep/plan", wish))
	assert.NotContains(t, string(w.ask(admin, post, destinations+"/cron/run", map[string]any{"dryRun": true}).Data), "1337")
	w.Chains.add(devchain.ChainID, late)
	picture, err := compare.Payment(t.Context(), b.payment)
	require.NoError(t, err)
	assert.Equal(t, "1000", picture.Chain.Balances[usdc])
	assert.Contains(t, string(w.ask(admin, post, destinations+"/sweep/plan", wish).Data), string(b.destination.ID))
	assert.Contains(t, string(w.ask(admin, post, destinations+"/cron/run", map[string]any{"dryRun": true}).Data), `"chainId":1337`)
}

// A plan that nobody signed in time is refused when it comes back, and one run of the schedule keeps
// the second out, in whatever process.
func TestAnOldPlanAndASecondRunAreRefused(t *testing.T) {
	t.Parallel()
	w := withSweeps(t, "build-only")
	admin := w.as("admin")
	b := w.funded(1000)
	plan, _, err := w.sweeps.Prepare(t.Context(), sweepplan.Wish{Destinations: []domain.DestinationID{b.destination.ID}, Asset: usdc})
	require.NoError(t, err)
	plan = plan.Named(sweepplan.ID(uuid.NewString()))
	now, err := w.Store.Now(t.Context())
	require.NoError(t, err)
	plan.ExpiresAt = now.Add(-time.Second)
	i := domain.Issue{By: domain.User("00000000-0000-4000-8000-00000000a001", domain.Admin), At: now}
	_, err = w.Executor.Execute(t.Context(), eventstore.Metadata{Source: "test"}, nil, funding.PlanSweeps{Issue: i, Plan: plan}.Run)
	require.NoError(t, err)
	var raws []string
	for _, t := range plan.TopUps {
		raws = append(raws, w.sign(evm.TreasuryPath, t.Instruction))
	}
	raws = append(raws, w.sign(evm.DestinationPath(plan.Sweeps[0].Index), plan.Sweeps[0].Instruction))
	assert.Equal(t, "409 PLAN_EXPIRED", w.refused(admin, post, destinations+"/sweep", map[string]any{"planId": plan.Plan, "signedTxs": raws}))

	running, end := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		_, err := w.Records.Sweeps.Run(context.WithoutCancel(t.Context()), "another process", true, func(time.Time) bool { return true }, func(context.Context, string) (any, error) {
			close(running)
			<-end
			return nil, nil
		})
		done <- err
	}()
	<-running
	assert.Equal(t, "409 RUN_IN_PROGRESS", w.refused(admin, post, destinations+"/cron/run", map[string]any{"dryRun": true}))
	close(end)
	require.NoError(t, <-done)
	w.ask(admin, post, destinations+"/cron/run", map[string]any{"dryRun": true})
}

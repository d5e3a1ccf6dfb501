package reactors

import (
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/domain"
	"holdfast/domain/destination"
	"holdfast/domain/funding"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
	"holdfast/domain/payment"
	"holdfast/domain/sweepplan"
	"holdfast/domain/sweepschedule"
	"holdfast/eventstore"
	"holdfast/projections"
	"holdfast/projections/sweepview"
)

func (w *world) planner() *SweepPlanner {
	w.t.Helper()
	registry, err := network.New(devchain.Network())
	require.NoError(w.t, err)
	return NewSweepPlanner(PlannerOptions{
		Chain: func(id uint64) (PlanChain, bool) { return w.client, id == devchain.ChainID }, Token: registry.Token, Executor: w.x, Watch: w.watch, Sweeps: sweepview.New(w.pool),
		Custodian: BuildOnly{}, Treasury: devchain.Treasury, Gas: devchain.Treasury,
	})
}

func (w *world) topUps() *TopUps {
	return NewTopUps(TopUpOptions{
		Network: devchain.Network(), Chain: w.client, Decode: evm.Decode, Raw: w.rows.Transactions.Raw, Executor: w.x, Sweeps: sweepview.New(w.pool),
	})
}

func wishOf(asset money.Asset) sweepplan.Wish { return sweepplan.Wish{Asset: asset} }

// plan keeps a plan of everything.
func (w *world) plan(p *SweepPlanner) sweepplan.Planned { return w.planIn(p, usdc) }

func (w *world) planIn(p *SweepPlanner, asset money.Asset) sweepplan.Planned {
	w.t.Helper()
	w.caughtUp()
	plan, _, err := p.Prepare(w.t.Context(), wishOf(asset))
	require.NoError(w.t, err)
	plan = plan.Named(sweepplan.ID(uuid.NewString()))
	w.do(funding.PlanSweeps{Issue: domain.Issue{By: asAdmin, At: w.now()}, Plan: plan})
	return plan
}

// signPlan does what signers outside do: it signs what the plan says, with keys the service has not.
func (w *world) signPlan(plan sweepplan.Planned) (txs []outgoing.Signed) {
	w.t.Helper()
	sign := func(path string, i outgoing.Signable) {
		u, err := w.client.Build(w.t.Context(), i.Transfer)
		require.NoError(w.t, err)
		u.Nonce, u.Gas, u.MaxFee, u.Tip = i.Nonce, i.Gas.Limit, i.Gas.MaxFee, i.Gas.Tip
		raw, err := w.signer.Sign(path, u)
		require.NoError(w.t, err)
		tx, err := evm.DecodeSigned(raw)
		require.NoError(w.t, err)
		require.Equal(w.t, i.SigningHash, tx.SigningHash)
		require.NoError(w.t, w.rows.Transactions.Keep(w.t.Context(), tx.Chain, tx.Hash, raw))
		txs = append(txs, tx)
	}
	for _, t := range plan.TopUps {
		sign(evm.TreasuryPath, t.Instruction)
	}
	for _, s := range plan.Sweeps {
		sign(evm.DestinationPath(s.Index), s.Instruction)
	}
	return txs
}

func (w *world) planState(id sweepplan.ID) sweepplan.State {
	w.t.Helper()
	s, _, err := eventstore.State(w.t.Context(), eventstore.NewExecutor(w.store), sweepplan.Decider, string(id))
	require.NoError(w.t, err)
	return s
}

func (w *world) try(f flow) error {
	_, err := w.x.Execute(w.t.Context(), eventstore.Metadata{Source: "test"}, nil, f.Run)
	return err
}

// quiet lets the loops and the chain work until nothing is under way.
func (w *world) quiet(rounds int) {
	w.t.Helper()
	f, g := w.follower(nil), w.topUps()
	for range rounds {
		w.caughtUp()
		w.passes(g.loop)
		w.passes(f.loop)
		w.chain.Mine(3)
	}
	w.caughtUp()
	w.passes(g.loop)
	w.passes(f.loop)
}

func TestASweepIsPlannedSignedOutsideAndConfirmed(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	b := w.paid(1000)
	p := w.planner()
	plan := w.plan(p)
	require.Len(t, plan.Sweeps, 1)
	require.Len(t, plan.TopUps, 1, "the address has no gas")
	txs := w.signPlan(plan)
	i := domain.Issue{By: asAdmin, At: w.now()}

	// Without its gas the sweep is not taken; with anything changed it is not this plan's.
	assert.Equal(t, "SWEEP_NOT_ALLOWED", code(p.Ready(t.Context(), w.planState(plan.Plan), txs[1:])))
	require.NoError(t, p.Ready(t.Context(), w.planState(plan.Plan), txs))
	wrong := txs[1]
	wrong.To = devchain.Payer(1)
	assert.Equal(t, "INSTRUCTION_MISMATCH", code(w.try(funding.RecordSweeps{Issue: i, Plan: plan.Plan, Txs: []outgoing.Signed{wrong}})))

	record := funding.RecordSweeps{Issue: i, Plan: plan.Plan, Txs: txs}
	var all sync.WaitGroup
	for range 4 { // at once: one of them counts, the others say the same
		all.Go(func() { assert.NoError(t, w.try(record)) })
	}
	all.Wait()
	assert.Equal(t, 1, w.count("destination.sweep_broadcast", ""))
	assert.Equal(t, 1, w.count("sweep_plan.top_up_signed", ""))
	// The process dies here: nothing was sent. The loops send it, gas first.
	w.quiet(5)
	assert.Equal(t, 1, w.count("destination.sweep_confirmed", ""))
	assert.Equal(t, 1, w.count("sweep_plan.top_up_ended", ""))
	assert.Equal(t, 1, w.count("treasury.gas_topped_up", ""))
	assert.Equal(t, 2, w.count("treasury.network_fee_incurred", ""))
	assert.Equal(t, units(1000), w.balance(ledger.Treasury, usdc))
	// Books and chain agree at the end, the gas that was left included.
	d := ledger.Derived(w.payment(b.payment).Destination)
	for _, asset := range []money.Asset{usdc, network.NativeAsset(devchain.ChainID)} {
		found, err := w.client.Balance(t.Context(), asset, b.address)
		require.NoError(t, err)
		assert.Equal(t, found, w.balance(d, asset), asset)
	}
	_, _, err := p.Prepare(t.Context(), sweepplan.Wish{Asset: usdc})
	assert.ErrorIs(t, err, destination.ErrNothing)

	// The block is undone and the transaction mined again: booked back, and once more.
	state, _, err := eventstore.State(t.Context(), eventstore.NewExecutor(w.store), destination.Decider, string(plan.Sweeps[0].Destination))
	require.NoError(t, err)
	require.Equal(t, "confirmed", state.Sweeps[plan.Sweeps[0].ID].Status)
	require.NoError(t, w.chain.Reorg(8, false))
	w.quiet(4)
	assert.Equal(t, w.count("destination.sweep_reorged", "")+1, w.count("destination.sweep_confirmed", ""))
	assert.Equal(t, units(1000), w.balance(ledger.Treasury, usdc))
}

func TestWhatMayNotBeSweptIsNotPlanned(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	b := w.paid(1000)
	w.caughtUp()
	p, d := w.planner(), w.payment(b.payment).Destination
	i := domain.Issue{By: asAdmin, At: w.now()}
	wish := sweepplan.Wish{Asset: usdc, Destinations: []domain.DestinationID{d}}
	prepare := func(x sweepplan.Wish) string {
		_, _, err := p.Prepare(t.Context(), x)
		return code(err)
	}
	settings := sweepschedule.Standard()
	limit := func(change func(*sweepschedule.Settings)) {
		s := settings
		change(&s)
		w.do(funding.ChangeSweepSchedule{Issue: i, Settings: s})
	}
	assert.Equal(t, "", prepare(wish))
	small := wish
	small.Min = units(1001)
	assert.Equal(t, "NOTHING_TO_SWEEP", prepare(small))
	// A spike of the price, and a day's gas that is used up.
	limit(func(s *sweepschedule.Settings) { s.MaxGasPrice = units(1) })
	assert.Equal(t, "GAS_TOO_HIGH", prepare(wish))
	limit(func(s *sweepschedule.Settings) { s.DailyGas = units(1) })
	assert.Equal(t, "GAS_TOO_HIGH", prepare(wish))
	limit(func(*sweepschedule.Settings) {})
	// Money that the chain can still undo.
	other := w.order(500)
	w.pay(other, 500)
	w.passes(w.follower(nil).loop)
	assert.Equal(t, "NOT_FINAL", prepare(sweepplan.Wish{Asset: usdc, Destinations: []domain.DestinationID{w.payment(other.payment).Destination}}))
	// A quarantine stops a plan, and a sweep that was planned before it.
	plan := w.plan(p)
	txs := w.signPlan(plan)
	w.do(funding.QuarantineDestination{Issue: i, Destination: d, Reason: "tainted"})
	assert.Equal(t, "SWEEP_NOT_ALLOWED", prepare(wish))
	assert.Equal(t, "SWEEP_NOT_ALLOWED", code(w.try(funding.RecordSweeps{Issue: i, Plan: plan.Plan, Txs: txs})))
	w.do(funding.ReleaseDestination{Issue: i, Destination: d, Reason: "clean"})
	// Two plans for the same money: one sweep.
	second := w.plan(p)
	w.do(funding.RecordSweeps{Issue: i, Plan: plan.Plan, Txs: txs})
	assert.Equal(t, "SWEEP_IN_FLIGHT", code(w.try(funding.RecordSweeps{Issue: i, Plan: second.Plan, Txs: w.signPlan(second)})))
	assert.Equal(t, "SWEEP_IN_FLIGHT", prepare(wish))
	late := funding.RecordSweeps{Issue: domain.Issue{By: asAdmin, At: w.now().Add(time.Hour)}, Plan: second.Plan, Txs: w.signPlan(second)}
	assert.Equal(t, "PLAN_EXPIRED", code(w.try(late)))
	// A nonce that the chain has used since.
	w.quiet(4)
	assert.Equal(t, "SWEEP_NOT_ALLOWED", code(p.Ready(t.Context(), w.planState(second.Plan), late.Txs)))
	assert.Equal(t, 1, w.count("destination.sweep_broadcast", ""))
	assert.Equal(t, units(1000), w.balance(ledger.Treasury, usdc))
}

func (w *world) cron() *SweepCron {
	w.t.Helper()
	registry, err := network.New(devchain.Network())
	require.NoError(w.t, err)
	return NewSweepCron(SweepCronOptions{
		Planner: w.planner(), Runs: w.rows.Sweeps, Executor: w.x, Watch: w.watch, Plans: sweepview.NewPlans(w.pool, w.codec), Chains: func() []uint64 { return []uint64{devchain.ChainID} }, Token: registry.Token,
	})
}

// However many newer plans there are, what waits in an old one is not planned again; and a plan that
// nobody signed in time is over.
func TestWhatWaitsInAnOldPlanIsNotPlannedAgain(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	b := w.paid(1000)
	old := w.plan(w.planner())
	for range 105 {
		newer := old.Named(sweepplan.ID(uuid.NewString()))
		newer.ExpiresAt = w.now().Add(-time.Second)
		w.do(funding.PlanSweeps{Issue: w.by(asAdmin), Plan: newer})
	}
	w.caughtUp()
	c := w.cron()
	mine := string(old.Sweeps[0].Destination) + string(usdc)
	require.Equal(t, old.Sweeps[0].Destination, w.payment(b.payment).Destination)
	waiting, err := c.waiting(t.Context())
	require.NoError(t, err)
	assert.Equal(t, map[string]bool{mine: true}, waiting)

	w.passes(NewTimers(w.pool, w.x, nil).loop)
	assert.Equal(t, 105, w.count("sweep_plan.expired", ""))
	assert.Equal(t, sweepplan.Open, w.planState(old.Plan).Phase(), "its time is not over")
	w.caughtUp()
	page, err := sweepview.NewPlans(w.pool, w.codec).List(t.Context(), sweepplan.Open, projections.Page{Limit: 100})
	require.NoError(t, err)
	assert.Len(t, page.Rows, 1)
}

// Where a chain's own word for "safe" is enough for buyers' money, it is for sweeps and gas.
func TestTheSafeTagIsEnoughForSweepsAndGas(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	w.paid(1000)
	p := w.planner()
	plan := w.plan(p)
	txs := w.recorded(plan)
	for _, tx := range txs {
		_, err := w.client.Send(t.Context(), tx.Raw)
		require.NoError(t, err)
		w.chain.Mine(6)
	}
	never := devchain.Network()
	never.Confirmations = network.Confirmations{Need: 100_000, Floor: 2}
	safe := never
	safe.Confirmations.Tag = network.Safe
	gas := func(n network.Chain) int {
		w.caughtUp()
		g := w.topUps()
		o := g.o
		o.Network = n
		w.passes(NewTopUps(o).loop)
		return w.count("sweep_plan.top_up_ended", "")
	}
	sweep := func(n network.Chain) int {
		w.caughtUp()
		o := w.follower(nil).o
		o.Network = n
		w.passes(NewChainFollower(o).loop)
		return w.count("destination.sweep_confirmed", "")
	}
	assert.Zero(t, gas(never))
	assert.Zero(t, sweep(never))
	w.caughtUp()
	one, err := sweepview.New(w.pool).Get(t.Context(), plan.Sweeps[0].ID)
	require.NoError(t, err)
	_, err = p.Settled(t.Context(), one, txs[1].Raw, evm.Decode, payment.Threshold{Need: 100_000, Floor: 2})
	assert.Equal(t, "NOT_FINAL", code(err))
	_, err = p.Settled(t.Context(), one, txs[1].Raw, evm.Decode, payment.Threshold{Need: 100_000, Floor: 2, Safe: true})
	require.NoError(t, err)
	assert.Equal(t, 1, gas(safe))
	assert.Equal(t, 1, sweep(safe))
}

// One run of the schedule at a time, and what waits in a plan is not planned again.
func TestTheScheduleRunsOnce(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	w.paid(1000)
	w.caughtUp()
	cron := w.cron
	w.passes(cron().loop)
	assert.Zero(t, w.count("sweep_plan.planned", ""), "it is switched off")
	dry, err := cron().RunNow(t.Context(), asAdmin, true, 0)
	require.NoError(t, err)
	require.Len(t, dry.Plans, 1)
	assert.Equal(t, units(1000), dry.Plans[0].Total.Units)
	assert.Zero(t, w.count("sweep_plan.planned", ""), "a dry run keeps nothing")

	on := sweepschedule.Standard()
	on.Enabled = true
	w.do(funding.ChangeSweepSchedule{Issue: domain.Issue{By: asAdmin, At: w.now()}, Settings: on})
	var all sync.WaitGroup
	for range 4 {
		c := cron()
		all.Go(func() {
			_, err := c.pass(t.Context())
			assert.NoError(t, err)
		})
	}
	all.Wait()
	assert.Equal(t, 1, w.count("sweep_plan.planned", ""))
	w.caughtUp()
	again, err := cron().RunNow(t.Context(), asAdmin, false, 0)
	require.NoError(t, err)
	assert.Equal(t, "NOTHING_TO_SWEEP", again.Plans[0].Code)
	assert.Equal(t, 1, w.count("sweep_plan.planned", ""))
}

package reactors

import (
	"testing"

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
	"holdfast/eventstore"
	"holdfast/projections/sweepview"
)

var coin = network.NativeAsset(devchain.ChainID)

// asOnChain demands that books and chain say the same of an address and of the treasury, as far as
// sweeps brought it, and that the auditor finds nothing.
func (w *world) asOnChain(b bill, treasuryHad money.Units) {
	w.t.Helper()
	d := ledger.Derived(w.payment(b.payment).Destination)
	for _, asset := range []money.Asset{usdc, coin} {
		found, err := w.client.Balance(w.t.Context(), asset, b.address)
		require.NoError(w.t, err)
		assert.Equal(w.t, found, w.balance(d, asset), asset)
	}
	assert.Equal(w.t, w.got(devchain.Treasury), treasuryHad.Plus(w.balance(ledger.Treasury, usdc)), "treasury")
	w.verified()
}

// planned is a world in which 1000 units wait at an address, and a plan to sweep them; had is what
// the treasury has on the chain before.
func planned(t *testing.T) (w *world, b bill, p *SweepPlanner, plan sweepplan.Planned, had money.Units) {
	t.Helper()
	w = withChain(t)
	b = w.paid(1000)
	p = w.planner()
	return w, b, p, w.plan(p), w.got(devchain.Treasury)
}

// recorded takes a plan's signed transactions into the log and sends nothing.
func (w *world) recorded(plan sweepplan.Planned) []outgoing.Signed {
	w.t.Helper()
	txs := w.signPlan(plan)
	w.do(funding.RecordSweeps{Issue: w.by(asAdmin), Plan: plan.Plan, Txs: txs})
	return txs
}

func (w *world) destinationOf(b bill) destination.State {
	w.t.Helper()
	s, _, err := eventstore.State(w.t.Context(), eventstore.NewExecutor(w.store), destination.Decider, string(w.payment(b.payment).Destination))
	require.NoError(w.t, err)
	return s
}

// burnt lets the address itself send coin to itself: another transaction has its nonce then. The
// books do not know what it cost, so the same is given back.
func (w *world) burnt(index uint32, address string, nonce uint64) {
	w.t.Helper()
	before := w.coinOf(address)
	raw, err := w.signer.Sign(evm.DestinationPath(index), network.Unsigned{
		Chain: devchain.ChainID, From: address, To: address, Nonce: nonce, Gas: 21_000, MaxFee: units(5e9), Tip: units(1e9), Data: "0x",
	})
	require.NoError(w.t, err)
	_, err = w.client.Send(w.t.Context(), raw)
	require.NoError(w.t, err)
	w.chain.Mine(1)
	gone := before.Minus(w.coinOf(address))
	require.False(w.t, gone.IsZero(), "nothing was sent")
	_, err = w.chain.Transfer(w.t.Context(), 2, "", address, gone)
	require.NoError(w.t, err)
}

func (w *world) coinOf(address string) money.Units {
	w.t.Helper()
	c, err := w.client.Balance(w.t.Context(), coin, address)
	require.NoError(w.t, err)
	return c
}

// sweptAgain plans what is there now, and sees it into the treasury.
func (w *world) sweptAgain(p *SweepPlanner, n uint64) {
	w.t.Helper()
	before := w.count("destination.sweep_confirmed", "")
	plan := w.plan(p)
	require.Len(w.t, plan.Sweeps, 1)
	w.recorded(plan)
	w.quiet(5)
	require.Equal(w.t, before+1, w.count("destination.sweep_confirmed", ""))
	assert.Equal(w.t, units(n), w.balance(ledger.Treasury, usdc))
}

// gasFirst brings a plan's gas to its address, so that what comes next is the sweep alone.
func (w *world) gasFirst(plan sweepplan.Planned, txs []outgoing.Signed) {
	w.t.Helper()
	_, err := w.client.Send(w.t.Context(), txs[0].Raw)
	require.NoError(w.t, err)
	w.chain.Mine(5)
	w.caughtUp()
	w.passes(w.topUps().loop)
	require.Equal(w.t, sweepplan.Arrived, w.planState(plan.Plan).Ended[plan.TopUps[0].Destination])
}

// The address has used its nonce for something else: the sweep of the plan can never be mined. Its
// money is back where the chain says it is, and is swept by another plan.
func TestAPlannedSweepThatWasReplacedIsBookedBack(t *testing.T) {
	t.Parallel()
	w, b, p, plan, had := planned(t)
	txs := w.recorded(plan)
	w.gasFirst(plan, txs)
	w.burnt(plan.Sweeps[0].Index, b.address, txs[1].Nonce)
	f := w.follower(nil)
	w.follow(f, 5, 3)
	assert.Equal(t, 1, w.count("destination.sweep_failed", ""))
	assert.Zero(t, w.count("destination.sweep_confirmed", ""))
	assert.Equal(t, "failed", w.destinationOf(b).Sweeps[plan.Sweeps[0].ID].Status)
	assert.True(t, w.balance(ledger.InTransit(plan.Sweeps[0].ID), usdc).IsZero())
	w.asOnChain(b, had)
	// The same bytes again do nothing: not in the log, not on the chain.
	before := w.position()
	w.do(funding.RecordSweeps{Issue: w.by(asAdmin), Plan: plan.Plan, Txs: txs})
	assert.Equal(t, before, w.position())
	assert.Equal(t, "failed", w.destinationOf(b).Sweeps[plan.Sweeps[0].ID].Status)
	w.sweptAgain(p, 1000)
	w.asOnChain(b, had)
}

// The sweep is mined and reverts, since the token does not move: its gas is spent and booked, the
// money stands where it stood.
func TestAPlannedSweepThatRevertsIsBookedBack(t *testing.T) {
	t.Parallel()
	w, b, p, plan, had := planned(t)
	plan.Sweeps[0].Instruction.Gas.Limit = 30_000 // too little for a transfer: it runs out of gas
	u, err := w.client.Build(t.Context(), plan.Sweeps[0].Instruction.Transfer)
	require.NoError(t, err)
	u.Gas = 30_000
	u.Nonce, u.MaxFee, u.Tip = plan.Sweeps[0].Instruction.Nonce, plan.Sweeps[0].Instruction.Gas.MaxFee, plan.Sweeps[0].Instruction.Gas.Tip
	raw, err := w.signer.Sign(evm.DestinationPath(plan.Sweeps[0].Index), u)
	require.NoError(t, err)
	low, err := evm.DecodeSigned(raw)
	require.NoError(t, err)
	plan.Sweeps[0].Instruction.SigningHash = low.SigningHash
	plan = plan.Named(sweepplan.ID(domain.DeriveID(string(plan.Plan), "low on gas")))
	w.do(funding.PlanSweeps{Issue: w.by(asAdmin), Plan: plan})
	txs := w.recorded(plan)
	w.gasFirst(plan, txs)
	w.follow(w.follower(nil), 5, 3)
	assert.Equal(t, 1, w.count("destination.sweep_failed", ""))
	assert.Equal(t, 2, w.count("treasury.network_fee_incurred", ""), "of the top-up, and of the sweep that reverted")
	w.asOnChain(b, had)
	w.sweptAgain(p, 1000)
	w.asOnChain(b, had)
}

// A confirmed sweep is undone by the chain, and before it is mined again the address uses its nonce
// for something else: it is lost. The money stands on the address and is swept by another plan.
func TestASweepThatIsUndoneAndReplacedIsLost(t *testing.T) {
	t.Parallel()
	w, b, p, plan, had := planned(t)
	txs := w.recorded(plan)
	w.gasFirst(plan, txs)
	w.follow(w.follower(nil), 4, 3)
	id := plan.Sweeps[0].ID
	require.Equal(t, "confirmed", w.destinationOf(b).Sweeps[id].Status)
	spent := w.coinOf(b.address)
	var block uint64
	require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT block FROM views.sweeps WHERE sweep = $1`, string(id)).Scan(&block))
	require.NoError(t, w.chain.ReplaceSince(block, true))
	back := w.coinOf(b.address)
	require.Equal(t, units(1000), w.got(b.address), "the chain took the sweep back")
	w.burnt(plan.Sweeps[0].Index, b.address, txs[1].Nonce)
	f := w.follower(nil)
	w.follow(f, 6, 3)
	assert.Equal(t, 1, w.count("destination.sweep_reorged", ""))
	assert.Equal(t, 1, w.count("destination.sweep_lost", ""))
	assert.Equal(t, "failed", w.destinationOf(b).Sweeps[id].Status)
	assert.True(t, w.balance(ledger.Treasury, usdc).IsZero())
	// The gas of the sweep that was undone is back on the chain, and in the books.
	require.True(t, spent.Less(back))
	assert.Equal(t, 1, w.count("treasury.network_fee_reversed", ""))
	w.asOnChain(b, had)
	w.sweptAgain(p, 1000)
	assert.Equal(t, w.got(devchain.Treasury), had.Plus(units(1000)))
	assert.True(t, w.got(b.address).IsZero())
	w.verified()
}

// Gas that never arrives: the treasury's nonce went to another transaction. The next plan sends gas
// again, and only then.
func TestATopUpThatWasReplacedIsPlannedAgain(t *testing.T) {
	t.Parallel()
	w, b, p, plan, had := planned(t)
	txs := w.signPlan(plan)
	w.do(funding.RecordSweeps{Issue: w.by(asAdmin), Plan: plan.Plan, Txs: txs[:1]})
	w.caughtUp()
	_, _, err := p.Prepare(t.Context(), sweepplan.Wish{Asset: usdc, Destinations: []domain.DestinationID{plan.Sweeps[0].Destination}})
	assert.Equal(t, "SWEEP_IN_FLIGHT", code(err), "gas is under way")
	raw, err := w.signer.Sign(evm.TreasuryPath, network.Unsigned{
		Chain: devchain.ChainID, From: devchain.Treasury, To: devchain.Treasury, Nonce: txs[0].Nonce, Gas: 21_000, MaxFee: units(5e9), Tip: units(1e9), Data: "0x",
	})
	require.NoError(t, err)
	_, err = w.client.Send(t.Context(), raw)
	require.NoError(t, err)
	g := w.topUps()
	for range 4 {
		w.chain.Mine(3)
		w.caughtUp()
		w.passes(g.loop)
	}
	assert.Equal(t, sweepplan.Replaced, w.planState(plan.Plan).Ended[plan.TopUps[0].Destination])
	assert.Zero(t, w.count("treasury.gas_topped_up", ""))
	w.asOnChain(b, had)
	w.sweptAgain(p, 1000)
	w.asOnChain(b, had)
}

// Somebody asks for the end of a sweep that was final before, undone, and mined again: it is booked
// once more, its fee is not.
func TestASweepThatIsMinedAgainIsConfirmedByHandWithoutASecondFee(t *testing.T) {
	t.Parallel()
	w, b, p, plan, had := planned(t)
	txs := w.recorded(plan)
	w.gasFirst(plan, txs)
	w.follow(w.follower(nil), 4, 3)
	id := plan.Sweeps[0].ID
	one, err := sweepview.New(w.pool).Get(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, "confirmed", one.Status)
	fees := w.count("treasury.network_fee_incurred", "")
	settled := func() error {
		f, err := p.Settled(t.Context(), one, txs[1].Raw, evm.Decode, payment.Threshold{Need: 3, Floor: 1})
		if err != nil {
			return err
		}
		require.NotNil(t, f.Fee)
		return w.try(f.WitnessedBy(domain.Issue{By: domain.Machine(domain.Chain, "api"), At: w.now()}))
	}
	require.NoError(t, settled(), "it is final already")
	require.NoError(t, w.chain.ReplaceSince(one.Block, false))
	w.caughtUp()
	w.do(funding.ReorgSweep{Issue: domain.Issue{By: domain.Machine(domain.Chain, "1337"), At: w.now()}, Destination: one.Destination, Sweep: id})
	assert.True(t, w.balance(ledger.Treasury, usdc).IsZero())
	w.chain.Mine(4)
	require.NoError(t, settled())
	require.NoError(t, settled(), "twice")
	assert.Equal(t, 2, w.count("destination.sweep_confirmed", ""))
	assert.Equal(t, fees, w.count("treasury.network_fee_incurred", ""))
	w.asOnChain(b, had)
}

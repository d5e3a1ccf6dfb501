package reactors

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/payment"
	"holdfast/domain/reconciliation"
)

// inCoin is withChain for orders that are priced in the native coin.
func inCoin(t *testing.T) *world {
	t.Helper()
	w := withChain(t)
	w.token = ""
	return w
}

// gives sends coin straight to an address, and gives the mined transaction.
func (w *world) gives(payer int, to string, amount uint64) devchain.Sent {
	w.t.Helper()
	sent, err := w.chain.Transfer(w.t.Context(), payer, "", to, units(amount))
	require.NoError(w.t, err)
	require.False(w.t, sent.Failed)
	return sent
}

// inside lets a contract send coin on: no log of ours, and no transaction with this value to us.
func (w *world) inside(to string, amount uint64) {
	w.t.Helper()
	_, err := w.chain.Pay(w.t.Context(), devchain.Payment{Payer: 1, To: to, Amount: units(amount), Reference: "0xde0cd794099a5e03"})
	require.NoError(w.t, err)
}

func TestCoinArrivesInEveryWay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		pays func(*world, bill)
		want books
	}{
		"through the payment contract": {func(w *world, b bill) { w.pay(b, 1000) }, books{payment.PaidPhase, payment.NoException, 1000, 0, 0, 1000}},
		"plainly":                      {func(w *world, b bill) { w.gives(2, b.address, 1000) }, books{payment.PaidPhase, payment.NoException, 1000, 0, 0, 1000}},
		"in two parts, one each way": {func(w *world, b bill) {
			w.pay(b, 400)
			w.gives(2, b.address, 600)
		}, books{payment.PaidPhase, payment.NoException, 1000, 0, 0, 1000}},
		"too much":                     {func(w *world, b bill) { w.gives(2, b.address, 1300) }, books{payment.PaidPhase, payment.Over, 1000, 300, 0, 1300}},
		"too little":                   {func(w *world, b bill) { w.gives(2, b.address, 1) }, books{payment.PartlyPaid, payment.Partial, 1, 0, 0, 1}},
		"to somebody else":             {func(w *world, b bill) { w.gives(2, devchain.Payer(3), 1000) }, books{payment.AwaitingPayment, payment.NoException, 0, 0, 0, 0}},
		"from inside another contract": {func(w *world, b bill) { w.inside(b.address, 1000) }, books{payment.AwaitingPayment, payment.NoException, 0, 0, 0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := inCoin(t)
			f, b := w.follower(nil), w.order(1000)
			c.pays(w, b)
			w.settled(f)
			w.assertBooks(b, c.want, coin)
			w.verified()
			before := w.position()
			w.settled(f)
			assert.Equal(t, before, w.position(), "nothing is booked twice")
		})
	}
}

// A plain transfer has no log. Its name is chain and transaction, whatever block it stands in.
func TestAReorganisationOfAPlainTransfer(t *testing.T) {
	t.Parallel()
	for name, stage := range map[string]struct {
		depth int
		drop  bool
		want  map[string]int
	}{
		"seen, then gone":               {0, true, map[string]int{"payment.detected": 1, "payment.dropped": 1, "payment.reorged": 0}},
		"seen, then in another block":   {0, false, map[string]int{"payment.detected": 2, "payment.dropped": 1, "payment.reorged": 0}},
		"confirmed, then gone":          {3, true, map[string]int{"payment.detected": 1, "payment.dropped": 0, "payment.reorged": 1}},
		"confirmed, and then once more": {3, false, map[string]int{"payment.detected": 2, "payment.dropped": 0, "payment.reorged": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := inCoin(t)
			f, b := w.follower(nil), w.order(1000)
			w.chain.Mine(5)
			w.passes(f.loop)
			sent := w.gives(2, b.address, 1000)
			w.passes(f.loop)
			w.chain.Mine(stage.depth)
			w.passes(f.loop)
			require.NoError(t, w.chain.Reorg(int(w.chain.Head()-sent.Block)+1, stage.drop))
			w.settled(f)
			w.settled(f)
			for kind, n := range stage.want {
				assert.Equal(t, n, w.count(kind, string(b.payment)), kind)
			}
			assert.Equal(t, !stage.drop, w.payment(b.payment).Phase == payment.PaidPhase)
			w.verified()
		})
	}
}

// Gas that we send is no money of a buyer, whoever names the transaction.
func TestGasOfOursIsNobodysPayment(t *testing.T) {
	t.Parallel()
	w := inCoin(t)
	b, f := w.order(1000), w.follower(nil)
	u, err := w.sweeper().build(t.Context(), devchain.Treasury, b.address, money.Of(coin, units(1000)))
	require.NoError(t, err)
	raw, err := w.signer.Sign(evm.TreasuryPath, u)
	require.NoError(t, err)
	hash, err := w.client.Send(t.Context(), raw)
	require.NoError(t, err)
	w.chain.Mine(1)
	v, err := w.client.VerifyPayment(t.Context(), hash, network.Expected{Asset: coin, To: b.address})
	require.NoError(t, err)
	assert.Equal(t, network.Mined, v.State)
	assert.Empty(t, v.Deposits)
	w.settled(f)
	w.assertBooks(b, books{payment.AwaitingPayment, payment.NoException, 0, 0, 0, 0}, coin)
}

// A buyer names the transaction of a plain transfer, and the scan finds it too: it counts once.
func TestAPlainTransferIsClaimedAndFoundOnce(t *testing.T) {
	t.Parallel()
	w := inCoin(t)
	b, f := w.order(1000), w.follower(nil)
	sent := w.gives(2, b.address, 1000)
	w.caughtUp()
	p, ok, err := w.watch.Payment(t.Context(), b.payment)
	require.NoError(t, err)
	require.True(t, ok)
	for range 2 {
		found, err := f.deposits.look(t.Context(), w.client, p, sent.Tx, "claim", "test")
		require.NoError(t, err)
		assert.Equal(t, lookedFound, found)
	}
	w.settled(f)
	assert.Equal(t, 1, w.count("payment.detected", string(b.payment)))
	w.assertBooks(b, books{payment.PaidPhase, payment.NoException, 1000, 0, 0, 1000}, coin)
}

// What a contract sends on is seen in the balance alone. It becomes a break, not a payment, and two
// people book it.
func TestCoinFromInsideAContractIsReported(t *testing.T) {
	t.Parallel()
	w := withBooks(t)
	w.token = ""
	b, f, r := w.order(1000), w.follower(nil), w.reconciler()
	c := NewCoins(CoinsOptions{Reconciler: r, Watch: w.watch, Need: func(uint64) uint64 { return 3 }})
	w.gives(2, b.address, 400)
	w.settled(f)
	w.passes(c.loop)
	w.passes(c.loop)
	assert.Zero(t, w.count("reconciliation.break_found", ""), "what the follower booked is no difference")

	w.inside(b.address, 600)
	w.passes(c.loop)
	w.passes(c.loop)
	assert.Zero(t, w.count("reconciliation.break_found", ""), "the chain may still undo it")
	w.chain.Mine(4)
	w.passes(f.loop)
	w.passes(c.loop)
	assert.Zero(t, w.count("reconciliation.break_found", ""), "one look alone says nothing")
	for range 3 {
		w.passes(c.loop)
	}
	assert.Equal(t, 1, w.count("reconciliation.break_found", ""))
	_, rows := w.reconcile(r)
	require.Equal(t, []string{"custody_over 600 Open"}, kinds(rows))
	w.assertBooks(b, books{payment.PartlyPaid, payment.Partial, 400, 0, 0, 400}, coin)

	require.NoError(t, w.resolve(rows[0].ID, reconciliation.BookFound, nil))
	w.assertBooks(b, books{payment.PartlyPaid, payment.Partial, 400, 0, 600, 1000}, coin)
	w.passes(c.loop)
	w.passes(c.loop)
	_, rows = w.reconcile(r)
	assert.Empty(t, rows)
	w.verified()
}

const tenth = 100_000_000_000_000_000 // of an ether

// A sweep of coin leaves what it may cost at the address; what it did cost is booked there.
func TestCoinIsSweptLessItsGas(t *testing.T) {
	t.Parallel()
	for name, sweep := range map[string]func(w *world){
		"with keys at hand": func(w *world) {
			for range 5 {
				w.caughtUp()
				w.passes(w.sweeper().loop)
				w.chain.Mine(3)
				w.passes(w.follower(nil).loop)
			}
		},
		"signed outside": func(w *world) {
			plan := w.planIn(w.planner(), coin)
			require.Empty(w.t, plan.TopUps, "it pays for itself")
			require.Len(w.t, plan.Sweeps, 1)
			txs := w.recorded(plan)
			require.NoError(w.t, w.planner().Ready(w.t.Context(), w.planState(plan.Plan), txs))
			w.quiet(5)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := inCoin(t)
			b := w.paid(tenth)
			d := ledger.Derived(w.payment(b.payment).Destination)
			for n := range 2 {
				had := w.coinOf(devchain.Treasury)
				sweep(w)
				require.Equal(t, n+1, w.count("destination.sweep_confirmed", ""))
				left := w.coinOf(b.address)
				assert.Equal(t, left, w.balance(d, coin), "books and chain agree")
				assert.True(t, left.Less(units(tenth/100)), "what stays is less than a hundredth: %s", left)
				assert.True(t, had.Less(w.coinOf(devchain.Treasury)))
				w.verified()
				w.gives(2, b.address, tenth) // late, and swept again
				w.settled(w.follower(nil))
			}
		})
	}
}

// Coin that is worth less than its own gas stays where it is.
func TestDustOfCoinIsNotSwept(t *testing.T) {
	t.Parallel()
	w := inCoin(t)
	w.paid(1000)
	w.caughtUp()
	w.passes(w.sweeper().loop)
	assert.Zero(t, w.count("destination.sweep_broadcast", ""))
	_, _, err := w.planner().Prepare(t.Context(), wishOf(coin))
	assert.Equal(t, "NOTHING_TO_SWEEP", code(err))
}

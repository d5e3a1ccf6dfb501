package reactors

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/payment"
	"holdfast/eventstore/audit"
)

// verified has the auditor recompute log, ledger, holds and invariants from the events.
func (w *world) verified() {
	w.t.Helper()
	head, err := w.store.Head(w.t.Context())
	require.NoError(w.t, err)
	balances, err := w.store.Balances(w.t.Context(), "", 0)
	require.NoError(w.t, err)
	report, err := audit.Verify(w.t.Context(), w.codec, audit.Subject{Read: w.store.ReadRaw, Head: head, Balances: balances})
	require.NoError(w.t, err)
	assert.True(w.t, report.OK, "%v %v", report.Problems, report.Differences)
}

// settled mines and lets the follower work until everything that is there is final by our rule.
func (w *world) settled(f *ChainFollower) {
	w.t.Helper()
	w.passes(f.loop)
	w.chain.Mine(4)
	for range 3 {
		w.caughtUp()
		w.passes(f.loop)
	}
}

// books is what an acceptance case expects of one order.
type books struct {
	phase     string
	exception payment.Exception
	held      uint64
	credit    uint64 // the buyer's, beyond what was due
	suspense  uint64 // of the case's asset
	custody   uint64 // at the payment's address
}

func (w *world) assertBooks(b bill, want books, aside money.Asset) {
	w.t.Helper()
	s := w.payment(b.payment)
	assert.Equal(w.t, want.phase, s.Phase)
	assert.Equal(w.t, want.exception, s.Exception)
	assert.Equal(w.t, units(want.held), w.balance(ledger.Held(b.hold), w.asset()), "held")
	assert.Equal(w.t, units(want.held), w.hold(b.hold).Held, "held, by the hold itself")
	assert.Equal(w.t, units(want.credit), w.balance(ledger.BuyerAvailable(buyer), w.asset()), "credit")
	assert.Equal(w.t, units(want.suspense), w.balance(ledger.Suspense, aside), "suspense")
	assert.Equal(w.t, units(want.custody), w.balance(ledger.Derived(s.Destination), w.asset()), "custody")
	if want.held+want.custody+want.suspense+want.credit == 0 {
		assert.Zero(w.t, w.count("payment.confirmed", string(b.payment)))
	}
}

// onChain must be what the books say of the address, whatever was booked to whom.
func (w *world) assertOnChain(b bill, token string) {
	w.t.Helper()
	onChain, err := w.chain.Balance(w.t.Context(), token, b.address)
	require.NoError(w.t, err)
	assert.Equal(w.t, onChain, w.balance(ledger.Derived(w.payment(b.payment).Destination), network.TokenAsset(devchain.ChainID, token)), "the chain and the books agree")
}

// Every way a payment arrives, over real JSON-RPC: the balances are those that domain.md
// implies, the books agree with the chain, and the auditor finds nothing.
func TestPaymentsArriveInEveryWay(t *testing.T) {
	t.Parallel()
	direct := func(token string, n uint64) func(*world, bill) {
		return func(w *world, b bill) {
			_, err := w.chain.Transfer(w.t.Context(), 2, token, b.address, units(n))
			require.NoError(w.t, err)
		}
	}
	pay := func(parts ...uint64) func(*world, bill) {
		return func(w *world, b bill) {
			for _, n := range parts {
				w.pay(b, n)
			}
		}
	}
	by := func(p devchain.Payment) func(*world, bill) {
		return func(w *world, b bill) {
			p.Payer, p.To, p.Reference = 1, b.address, b.reference
			_, err := w.chain.Pay(w.t.Context(), p)
			require.NoError(w.t, err)
		}
	}
	for name, c := range map[string]struct {
		token string // of the order; USDC when empty
		paid  string // the token that is really used
		pays  func(*world, bill)
		want  books
	}{
		"exact":                         {pays: pay(1000), want: books{payment.PaidPhase, payment.NoException, 1000, 0, 0, 1000}},
		"directly to the address":       {pays: direct(devchain.USDC, 1000), want: books{payment.PaidPhase, payment.NoException, 1000, 0, 0, 1000}},
		"partial":                       {pays: pay(400), want: books{payment.PartlyPaid, payment.Partial, 400, 0, 0, 400}},
		"partial, then the rest":        {pays: pay(400, 600), want: books{payment.PaidPhase, payment.NoException, 1000, 0, 0, 1000}},
		"dust":                          {pays: pay(1), want: books{payment.PartlyPaid, payment.Partial, 1, 0, 0, 1}},
		"over":                          {pays: pay(1300), want: books{payment.PaidPhase, payment.Over, 1000, 300, 0, 1300}},
		"twice":                         {pays: pay(1000, 1000), want: books{payment.PaidPhase, payment.Over, 1000, 1000, 0, 2000}},
		"another token":                 {paid: devchain.USDT, pays: direct(devchain.USDT, 1000), want: books{payment.AwaitingPayment, payment.NoException, 0, 0, 1000, 0}},
		"a token of the same name":      {pays: by(devchain.Payment{Token: devchain.FakeUSDC, Amount: units(1000)}), want: books{payment.AwaitingPayment, payment.NoException, 0, 0, 0, 0}},
		"a token that keeps a tenth":    {token: devchain.FeeToken, pays: pay(1000), want: books{payment.PartlyPaid, payment.Partial, 900, 0, 0, 900}},
		"a token that returns nothing":  {token: devchain.NoReturn, pays: pay(1000), want: books{payment.PaidPhase, payment.NoException, 1000, 0, 0, 1000}},
		"forged by a look-alike":        {pays: by(devchain.Payment{Proxy: devchain.LookAlike, Token: devchain.FakeUSDC, Amount: units(1000)}), want: books{payment.AwaitingPayment, payment.NoException, 0, 0, 0, 0}},
		"real money by a look-alike":    {pays: by(devchain.Payment{Proxy: devchain.LookAlike, Token: devchain.USDC, Amount: units(1000)}), want: books{payment.PaidPhase, payment.NoException, 1000, 0, 0, 1000}},
		"more than the payer has":       {pays: by(devchain.Payment{Token: devchain.USDC, Amount: units(9_000_000_000_000)}), want: books{payment.AwaitingPayment, payment.NoException, 0, 0, 0, 0}},
		"two parts in one transaction":  {pays: parts(400, 600), want: books{payment.PaidPhase, payment.NoException, 1000, 0, 0, 1000}},
		"equal parts in one, and again": {pays: parts(500, 500, 500), want: books{payment.PaidPhase, payment.Over, 1000, 500, 0, 1500}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := withChain(t)
			if c.token != "" {
				w.token = c.token
			}
			paid := c.paid
			if paid == "" {
				paid = w.token
			}
			f := w.follower(nil)
			b := w.order(1000)
			c.pays(w, b)
			w.settled(f)
			w.assertBooks(b, c.want, network.TokenAsset(devchain.ChainID, paid))
			w.assertOnChain(b, paid)
			w.verified()
		})
	}
}

// parts pays several amounts to one order in one transaction.
func parts(amounts ...uint64) func(*world, bill) {
	return func(w *world, b bill) {
		var all []devchain.Payment
		for _, n := range amounts {
			all = append(all, devchain.Payment{Payer: 1, Token: w.token, To: b.address, Amount: units(n), Reference: b.reference})
		}
		sent, err := w.chain.PayMany(w.t.Context(), all...)
		require.NoError(w.t, err)
		require.False(w.t, sent.Failed)
	}
}

func TestOneTransactionPaysTwoOrders(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	f := w.follower(nil)
	one, two := w.order(1000), w.order(700)
	_, err := w.chain.PayMany(t.Context(),
		devchain.Payment{Payer: 1, Token: devchain.USDC, To: one.address, Amount: units(1000), Reference: one.reference},
		devchain.Payment{To: two.address, Amount: units(700), Reference: two.reference})
	require.NoError(t, err)
	w.settled(f)
	w.assertBooks(one, books{payment.PaidPhase, payment.NoException, 1000, 0, 0, 1000}, usdc)
	w.assertBooks(two, books{payment.PaidPhase, payment.NoException, 700, 0, 0, 700}, usdc)
	w.verified()
}

// Late money is nobody's while the order has gone on without it; when a reorganisation takes
// it, it leaves the books, and comes back with another block.
func TestLateMoneyAndItsReorganisation(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		drop bool
		want uint64
	}{"gone": {true, 0}, "in another block": {false, 1000}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := withChain(t)
			b := w.orderAt(1000, w.now().Add(-2*time.Hour), 30*time.Minute)
			w.passes(NewTimers(w.pool, w.x, nil).loop)
			w.chain.Mine(3)
			f := w.follower(nil)
			w.passes(f.loop)
			sent := w.pay(b, 1000)
			w.settled(f)
			w.assertBooks(b, books{payment.ExpiredPhase, payment.NoException, 0, 0, 1000, 1000}, usdc)
			require.NoError(t, w.chain.ReplaceSince(sent.Block, c.drop))
			w.settled(f)
			w.assertBooks(b, books{payment.ExpiredPhase, payment.NoException, 0, 0, c.want, c.want}, usdc)
			w.assertOnChain(b, devchain.USDC)
			w.verified()
		})
	}
}

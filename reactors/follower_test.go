package reactors

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/domain/escrow"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/payment"
	"holdfast/domain/suspense"
	"holdfast/projections/paymentview"
)

func TestEveryWebhookLostAndThePaymentIsFoundAndConfirmed(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	f := w.follower(nil)
	byProxy, direct := w.order(1000), w.order(500)
	w.pay(byProxy, 1000)
	_, err := w.chain.Transfer(t.Context(), 2, devchain.USDC, direct.address, money.FromUint64(500))
	require.NoError(t, err)

	w.passes(f.loop)
	assert.Equal(t, payment.Confirming, w.payment(byProxy.payment).Phase)
	assert.Equal(t, payment.Confirming, w.payment(direct.payment).Phase)
	w.passes(f.loop)
	depths, err := w.rows.Chains.Confirmations(t.Context(), byProxy.payment)
	require.NoError(t, err)
	require.Len(t, depths, 1)
	assert.EqualValues(t, 3, depths[0].Need)
	assert.Less(t, depths[0].Have, uint64(3))
	shown, err := paymentview.New(w.pool, w.codec).Confirmations(t.Context(), byProxy.payment)
	require.NoError(t, err)
	require.Len(t, shown, 1, "what the follower sees is what people are shown")
	assert.Equal(t, depths[0].Have, shown[0].Have)

	w.chain.Mine(3)
	w.passes(f.loop)
	for _, b := range []bill{byProxy, direct} {
		assert.Equal(t, payment.PaidPhase, w.payment(b.payment).Phase)
		assert.Equal(t, escrow.FundedPhase, w.hold(b.hold).Phase())
		assert.Equal(t, 1, w.count("payment.detected", string(b.payment)))
	}
	before := w.position()
	for range 3 {
		w.passes(f.loop)
	}
	assert.Equal(t, before, w.position(), "a follower with nothing to do writes nothing")
}

func TestWhatIsNotThePaymentsMoneyDoesNotPayIt(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	f := w.follower(nil)
	b := w.order(1000)
	stranger := "0x00000000000000000000000000000000000A11cE"
	_, err := w.chain.Pay(t.Context(), devchain.Payment{Payer: 1, Token: devchain.USDC, To: stranger, Amount: money.FromUint64(1000), Reference: b.reference})
	require.NoError(t, err)
	_, err = w.chain.Pay(t.Context(), devchain.Payment{Payer: 1, Token: devchain.FakeUSDC, To: b.address, Amount: money.FromUint64(1000), Reference: b.reference})
	require.NoError(t, err)
	_, err = w.chain.Transfer(t.Context(), 1, devchain.USDT, b.address, money.FromUint64(1000))
	require.NoError(t, err)
	for range 2 {
		w.chain.Mine(3)
		w.passes(f.loop)
	}
	assert.Equal(t, payment.AwaitingPayment, w.payment(b.payment).Phase)
	// The other listed token did arrive, so it is booked, as nobody's.
	assert.Equal(t, 1, w.count("suspense.recorded", ""))
	balance, err := w.store.Balance(t.Context(), ledger.Suspense, network.TokenAsset(devchain.ChainID, devchain.USDT))
	require.NoError(t, err)
	assert.Equal(t, money.FromUint64(1000), balance.CreditsPosted)
}

func TestAReorganisationAtEachStageOfAPayment(t *testing.T) {
	t.Parallel()
	for name, stage := range map[string]struct {
		depth int // blocks above the payment's when the chain reorganises
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
			w := withChain(t)
			f := w.follower(nil)
			b := w.order(1000)
			w.chain.Mine(5)
			w.passes(f.loop)
			sent := w.pay(b, 1000)
			w.passes(f.loop)
			w.chain.Mine(stage.depth)
			w.passes(f.loop)
			wasPaid := stage.depth > 0
			assert.Equal(t, wasPaid, w.payment(b.payment).Phase == payment.PaidPhase)

			require.NoError(t, w.chain.ReplaceSince(sent.Block, stage.drop))
			for range 3 {
				w.passes(f.loop)
			}
			w.chain.Mine(4)
			w.passes(f.loop)
			for kind, n := range stage.want {
				assert.Equal(t, n, w.count(kind, string(b.payment)), kind)
			}
			s, h := w.payment(b.payment), w.hold(b.hold)
			if stage.drop {
				assert.True(t, h.Held.IsZero(), "held %s", h.Held)
				assert.NotEqual(t, payment.PaidPhase, s.Phase)
			} else {
				assert.Equal(t, payment.PaidPhase, s.Phase)
				assert.Equal(t, money.FromUint64(1000), h.Held)
			}
		})
	}
}

func TestMoneyAfterTheExpiryIsFound(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	at := w.now().Add(-2 * 3600e9)
	b := w.orderAt(1000, at, 1800e9)
	w.passes(NewTimers(w.pool, w.x, nil).loop)
	assert.Equal(t, payment.ExpiredPhase, w.payment(b.payment).Phase)
	w.pay(b, 1000)
	f := w.follower(nil)
	w.passes(f.loop)
	assert.Equal(t, 1, w.count("suspense.recorded", ""))
	all, err := w.store.LoadStream(t.Context(), streamOf(w, "suspense.recorded"), 0)
	require.NoError(t, err)
	assert.Equal(t, suspense.Late, all[0].Event.(suspense.Recorded).Reason)
}

// fused is a chain that stops answering after so many calls, as if the process had died there.
type fused struct {
	Chain
	left atomic.Int64
	dead context.CancelFunc
}

var errKilled = errors.New("killed")

func (c *fused) burn() error {
	if c.left.Add(-1) < 0 {
		c.dead()
		return errKilled
	}
	return nil
}

func (c *fused) Head(ctx context.Context) (network.Head, error) {
	if err := c.burn(); err != nil {
		return network.Head{}, err
	}
	return c.Chain.Head(ctx)
}

func (c *fused) Standings(ctx context.Context, blocks []network.Mark) (map[network.Mark]network.Standing, error) {
	if err := c.burn(); err != nil {
		return nil, err
	}
	return c.Chain.Standings(ctx, blocks)
}

func (c *fused) Scan(ctx context.Context, from, to uint64, watch network.Watch) (network.Scanned, error) {
	if err := c.burn(); err != nil {
		return network.Scanned{}, err
	}
	s, err := c.Chain.Scan(ctx, from, to, watch)
	if err == nil {
		err = c.burn() // found, but nobody heard of it
	}
	return s, err
}

// fusedNotes die before or after a note is written.
type fusedNotes struct {
	Notes
	c *fused
}

func (n fusedNotes) Reach(ctx context.Context, chain uint64, b Block) error {
	if err := n.c.burn(); err != nil {
		return err
	}
	if err := n.Notes.Reach(ctx, chain, b); err != nil {
		return err
	}
	return n.c.burn()
}

func (n fusedNotes) Deep(ctx context.Context, all []Depth) error {
	if err := n.c.burn(); err != nil {
		return err
	}
	return n.Notes.Deep(ctx, all)
}

func TestAFollowerThatDiesAnywhereBooksNothingTwice(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	b := w.order(1000)
	w.pay(b, 400)
	w.pay(b, 600)
	// Each life lasts one step longer than the one before, and then begins from nothing.
	for steps := range 12 {
		ctx, die := context.WithCancel(t.Context())
		c := &fused{Chain: w.client, dead: die}
		c.left.Store(int64(steps))
		f := w.follower(c)
		f.o.Notes = fusedNotes{f.o.Notes, c}
		for range 3 {
			if _, err := f.pass(ctx); err != nil {
				break
			}
		}
		die()
		if steps == 6 {
			w.chain.Mine(4)
		}
	}
	f := w.follower(nil)
	for range 3 {
		w.passes(f.loop)
	}
	assert.Equal(t, 2, w.count("payment.detected", string(b.payment)))
	assert.Equal(t, 2, w.count("payment.confirmed", string(b.payment)))
	assert.Equal(t, money.FromUint64(1000), w.hold(b.hold).Held)
	balance, err := w.store.Balance(t.Context(), ledger.Held(b.hold), usdc)
	require.NoError(t, err)
	assert.Equal(t, money.FromUint64(1000), balance.CreditsPosted)
}

// TestRangesReadAheadAreBookedOnceWhereverTheFollowerDies: a small range, so that one pass reads
// many, and a life that lasts one step longer each time. Money comes to several payments in
// most of the ranges, to some of them in one transaction.
func TestRangesReadAheadAreBookedOnceWhereverTheFollowerDies(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	bills := []bill{w.order(1000), w.order(1000), w.order(1000)}
	var first uint64
	for n := range 10 {
		var all []devchain.Payment
		for k := range 1 + n%3 {
			b := bills[(n+k)%len(bills)]
			all = append(all, devchain.Payment{Payer: 1, Token: devchain.USDC, To: b.address, Amount: money.FromUint64(10), Reference: b.reference})
		}
		sent, err := w.chain.PayMany(t.Context(), all...)
		require.NoError(t, err)
		require.False(t, sent.Failed)
		if first == 0 {
			first = sent.Block
		}
		w.chain.Mine(2)
	}
	paid := 0
	for n := range 10 {
		paid += 1 + n%3
	}
	for steps := range 40 {
		ctx, die := context.WithCancel(t.Context())
		c := &fused{Chain: w.client, dead: die}
		c.left.Store(int64(steps))
		f := w.follower(c)
		f.o.Notes, f.o.Range, f.span = fusedNotes{f.o.Notes, c}, 3, 3
		if _, err := f.pass(ctx); err == nil {
			assert.Equal(t, w.chain.Head(), scannedTo(t, w), "a pass goes on to the head")
		}
		die()
		// What is noted as scanned was booked before.
		to, booked := scannedTo(t, w), 0
		require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT count(*) FROM events WHERE type = 'payment.detected' AND (data->'evidence'->>'block')::bigint <= $1`, int64(to)).Scan(&booked))
		if to >= first {
			assert.Equal(t, paidUpTo(first, to), booked, "up to block %d", to)
		}
	}
	f := w.follower(nil)
	for range 3 {
		w.passes(f.loop)
	}
	assert.Equal(t, paid, w.count("payment.detected", ""))
	assert.Equal(t, paid, w.count("payment.confirmed", ""))
	assert.Zero(t, w.count("payment.dropped", ""))
}

// paidUpTo counts the payments of the test above: one to three in every third block.
func paidUpTo(first, to uint64) (n int) {
	for i := range uint64(10) {
		if first+3*i <= to {
			n += 1 + int(i%3)
		}
	}
	return n
}

func scannedTo(t *testing.T, w *world) uint64 {
	t.Helper()
	ends, err := w.rows.Chains.Scanned(t.Context(), devchain.ChainID)
	require.NoError(t, err)
	if len(ends) == 0 {
		return 0
	}
	return ends[0].Number
}

// forking is a chain that reorganises itself after its first scan, as if that had happened while the
// next one was begun.
type forking struct {
	Chain
	once sync.Once
	fork func()
}

func (c *forking) Scan(ctx context.Context, from, to uint64, watch network.Watch) (network.Scanned, error) {
	s, err := c.Chain.Scan(ctx, from, to, watch)
	c.once.Do(c.fork)
	return s, err
}

// apart says of every range that it follows on a block that nobody else has.
type apart struct{ Chain }

func (a apart) Scan(ctx context.Context, from, to uint64, w network.Watch) (network.Scanned, error) {
	s, err := a.Chain.Scan(ctx, from, to, w)
	s.Parent = "0x" + strings.Repeat("ee", 32)
	return s, err
}

// One pass that does not follow on is a reorganisation; when it happens again at the same block it is
// a trouble that operators must see.
func TestANodeThatStandsApartIsATrouble(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	w.passes(w.follower(nil).loop)
	to := scannedTo(t, w)
	w.chain.Mine(3)
	f := w.follower(apart{w.client})
	_, err := f.pass(t.Context())
	require.NoError(t, err)
	_, err = f.pass(t.Context())
	require.ErrorContains(t, err, "stands apart")
	assert.Equal(t, to, scannedTo(t, w), "nothing is taken for scanned")
	w.passes(w.follower(nil).loop)
	assert.Equal(t, w.chain.Head(), scannedTo(t, w))
}

// A payment stands in the last of several ranges. After the first of them was read a reorganisation
// puts it into one of its blocks; the later ranges do not have it any more.
func TestAReorganisationBetweenTwoRangesHidesNoPayment(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	b := w.order(1000)
	w.passes(w.follower(nil).loop)
	end := w.chain.Head()
	w.chain.Mine(6)
	w.pay(b, 1000)
	depth := int(w.chain.Head() - end)
	f := w.follower(&forking{Chain: w.client, fork: func() { assert.NoError(t, w.chain.Reorg(depth, false)) }})
	f.o.Range, f.span = 3, 3
	for range 3 {
		w.passes(f.loop)
	}
	assert.Equal(t, payment.PaidPhase, w.payment(b.payment).Phase)
	assert.Equal(t, 1, w.count("payment.detected", string(b.payment)))
	assert.Equal(t, w.chain.Head(), scannedTo(t, w))
}

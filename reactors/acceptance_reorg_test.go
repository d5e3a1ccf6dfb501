package reactors

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/funding"
	"holdfast/domain/ledger"
	"holdfast/domain/payment"
)

// advances bring a paid order further before the chain reorganises.
var advances = map[string]func(*world, bill){
	"waiting": func(*world, bill) {},
	"swept":   func(w *world, _ bill) { w.swept() },
	"released": func(w *world, b bill) {
		w.do(funding.ReleaseEscrow{Issue: domain.Issue{By: asBuyer, At: w.now()}, Hold: b.hold, Early: true})
	},
	"swept and released": func(w *world, b bill) {
		w.swept()
		w.do(funding.ReleaseEscrow{Issue: domain.Issue{By: asBuyer, At: w.now()}, Hold: b.hold, Early: true})
	},
}

// swept lets the sweeper and the follower work until the money is in the treasury.
func (w *world) swept() {
	w.t.Helper()
	f := w.follower(nil)
	for range 8 {
		if w.count("destination.sweep_confirmed", "") > 0 {
			break
		}
		w.caughtUp()
		w.passes(w.sweeper().loop)
		w.chain.Mine(3)
		w.passes(f.loop)
	}
	require.Equal(w.t, 1, w.count("destination.sweep_confirmed", ""))
}

// A reorganisation takes the block of a payment when it stands 1, threshold−1, threshold or
// threshold+5 deep. Before the confirmation the transfer is dropped; after it the money is
// taken back wherever it is. Mined again, it is there once.
func TestReorganisationsAtEveryDepth(t *testing.T) {
	t.Parallel()
	const need = 3 // setup_test.go
	for _, depth := range []int{1, need - 1, need, need + 5} {
		for name, act := range advances {
			if depth < need && name != "waiting" {
				continue // nothing can be done with money that is not confirmed
			}
			for _, drop := range []bool{true, false} {
				t.Run(fmt.Sprintf("depth %d, %s, drop %t", depth, name, drop), func(t *testing.T) {
					t.Parallel()
					w := withChain(t)
					f := w.follower(nil)
					b := w.order(1000)
					w.chain.Mine(3)
					w.passes(f.loop)
					sent := w.pay(b, 1000)
					w.passes(f.loop)
					w.chain.Mine(depth - 1)
					w.caughtUp()
					w.passes(f.loop)
					require.Equal(t, depth >= need, w.hold(b.hold).Phase() == escrow.FundedPhase)
					act(w, b)
					w.caughtUp()

					require.NoError(t, w.chain.ReplaceSince(sent.Block, drop))
					for range 3 {
						w.settled(f)
					}
					w.assertReorged(b, depth >= need, drop, name)
					w.verified()
				})
			}
		}
	}
}

func (w *world) assertReorged(b bill, confirmed, drop bool, stage string) {
	w.t.Helper()
	dropped, reorged := 1, 0
	if confirmed {
		dropped, reorged = 0, 1
	}
	assert.Equal(w.t, dropped, w.count("payment.dropped", string(b.payment)))
	assert.Equal(w.t, reorged, w.count("payment.reorged", string(b.payment)))
	held := w.balance(ledger.Held(b.hold), usdc)
	if drop {
		assert.NotEqual(w.t, payment.PaidPhase, w.payment(b.payment).Phase)
		assert.True(w.t, held.IsZero(), "held %s", held)
		assert.True(w.t, w.balance(ledger.SellerAvailable(seller), usdc).IsZero(), "what the seller had is taken back")
		assert.True(w.t, w.balance(ledger.PlatformFee, usdc).IsZero())
		assert.True(w.t, w.balance(ledger.Treasury, usdc).IsZero(), "no sweep of money that never was")
		onChain, err := w.chain.Balance(w.t.Context(), devchain.USDC, b.address)
		require.NoError(w.t, err)
		assert.True(w.t, onChain.IsZero())
		return
	}
	assert.Equal(w.t, payment.PaidPhase, w.payment(b.payment).Phase)
	assert.Equal(w.t, 2, w.count("payment.detected", string(b.payment)))
	if stage == "waiting" || stage == "swept" {
		assert.Equal(w.t, units(1000), held)
	}
}

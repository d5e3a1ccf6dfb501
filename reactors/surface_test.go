package reactors

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/domain"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
	"holdfast/domain/payout"
	"holdfast/domain/settlement"
)

// givenUp is a payout whose nonce went to another transaction, which stood as firmly as we ask for.
// It gives the payout's own signed transaction, and the block of the other.
func (w *world) givenUp(f *ChainFollower, n uint64) (id domain.PayoutID, tx outgoing.Tx, raw string, block uint64) {
	w.t.Helper()
	id, transfer := w.instructed(n)
	tx, raw = w.sign(transfer)
	w.do(settlement.SignPayout{Issue: w.by(asAdmin), Payout: id, Tx: tx})
	nothing := transfer
	nothing.To, nothing.Amount = devchain.Treasury, money.Of(usdc, units(1))
	_, other := w.outbid(nothing, tx)
	_, err := w.client.Send(w.t.Context(), other)
	require.NoError(w.t, err)
	w.chain.Mine(1)
	block = w.chain.Head()
	w.follow(f, 4, 2)
	require.Equal(w.t, payout.PhaseFailed, w.payout(id).Phase)
	return id, tx, raw, block
}

// A reorganisation deeper than we wait for drops the transaction that had taken the nonce, and the
// payout is mined after all. The seller had his money back by then.
func TestAPayoutThatFailedIsMinedAfterAll(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spent uint64 // what he has asked to be paid out meanwhile
		left  uint64
		owed  uint64
	}{
		"and he still has it":        {0, 75, 0},
		"and he has asked for it":    {900, 0, 825},
		"and he has asked for some ": {100, 0, 25},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := withChain(t)
			w.released(1000)
			f := w.follower(nil)
			id, tx, raw, block := w.givenUp(f, 900)
			require.Equal(t, units(975), w.balance(ledger.SellerAvailable(seller), usdc))
			if c.spent > 0 {
				w.do(settlement.RequestPayout{
					Issue: w.by(asSeller), Payout: domain.PayoutID(uuid.NewString()), Seller: seller, Amount: money.Of(usdc, units(c.spent)), Wallet: shop, Available: units(975),
				})
			}
			require.NoError(t, w.chain.Reorg(int(w.chain.Head()-block)+1, true))
			_, err := w.client.Send(t.Context(), raw)
			require.NoError(t, err)
			w.chain.Mine(1)
			w.follow(f, 6, 2)

			assert.Equal(t, units(900), w.got(shop))
			assert.Equal(t, payout.PhaseConfirmed, w.payout(id).Phase)
			assert.Equal(t, 1, w.count("payout.surfaced", string(id)))
			assert.Equal(t, units(c.left), w.balance(ledger.SellerAvailable(seller), usdc))
			assert.Equal(t, units(c.owed), w.balance(ledger.ReceivableSeller(seller), usdc))
			assert.True(t, w.balance(ledger.ClearingPayout(id), usdc).IsZero())
			out, err := w.client.Outcome(t.Context(), tx)
			require.NoError(t, err)
			assert.Equal(t, out.Fee, w.balance(ledger.NetworkFee, coin))
			w.booked()
			before := w.position()
			w.follow(f, 4, 2)
			assert.Equal(t, before, w.position(), "it is told once")

			// And that block goes too: the payout waits for the chain again.
			require.NoError(t, w.chain.Reorg(int(w.chain.Head()-out.Block)+1, false))
			w.follow(f, 6, 2)
			assert.Equal(t, 1, w.count("payout.reorged", string(id)))
			assert.Equal(t, payout.PhaseConfirmed, w.payout(id).Phase)
			assert.Equal(t, units(900), w.got(shop))
			w.booked()
		})
	}
}

// counted is a chain that counts how often it is asked what became of a transaction.
type counted struct {
	Chain
	outcomes atomic.Int64
}

func (c *counted) Outcome(ctx context.Context, tx outgoing.Tx) (network.Outcome, error) {
	c.outcomes.Add(1)
	return c.Chain.Outcome(ctx, tx)
}

// What failed is looked for once in as many blocks as make a transaction firm, and not at every look at
// the chain: there may be two weeks of it.
func TestWhatFailedIsLookedForNowAndThen(t *testing.T) {
	t.Parallel()
	w := withChain(t)
	w.released(1000)
	chain := &counted{Chain: w.client}
	f := w.follower(chain)
	w.givenUp(f, 900)
	firm := int(max(f.rule.Need, f.rule.Floor))
	require.Greater(t, firm, 1)
	looks := func(passes int) (n int64) {
		before := chain.outcomes.Load()
		for range passes {
			_, err := f.pass(t.Context())
			require.NoError(t, err)
		}
		return chain.outcomes.Load() - before
	}
	w.chain.Mine(firm)
	assert.EqualValues(t, 1, looks(1), "it is looked for")
	assert.Zero(t, looks(5), "not again at the same head")
	w.chain.Mine(firm - 1)
	assert.Zero(t, looks(5), "nor before there are enough blocks")
	w.chain.Mine(1)
	assert.EqualValues(t, 1, looks(5), "then once")
}

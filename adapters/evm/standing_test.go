package evm_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/domain/network"
)

func TestDepthGrowsAndFinalityComes(t *testing.T) {
	t.Parallel()
	chain, client := setup(t)
	sent, err := chain.Transfer(t.Context(), 1, devchain.USDC, shop, n(5))
	require.NoError(t, err)
	hash, err := client.BlockHash(t.Context(), sent.Block)
	require.NoError(t, err)
	standing := func() network.Standing {
		s, err := client.Standing(t.Context(), sent.Block, hash)
		require.NoError(t, err)
		return s
	}
	s := standing()
	assert.Equal(t, network.Standing{Head: sent.Block, Depth: 1, Canonical: true, Safe: true}, s)
	chain.Mine(34)
	s = standing()
	assert.True(t, s.Finalized)
	assert.EqualValues(t, 35, s.Depth)
	h, err := client.Head(t.Context())
	require.NoError(t, err)
	assert.Equal(t, chain.Head(), h.Number)
	assert.Equal(t, chain.Head(), h.Safe)
	assert.EqualValues(t, h.Number/32*32, h.Finalized)
	none, err := client.BlockHash(t.Context(), chain.Head()+1000)
	require.NoError(t, err)
	assert.Empty(t, none)
	_, err = client.Standing(t.Context(), chain.Head()+1000, hash)
	assert.ErrorIs(t, err, evm.ErrUnavailable, "a chain shorter than the evidence proves nothing yet")
}

// The evidence of a transfer that a reorganisation mined again must be told from the old
// one by its block, and be the same by its key: chain, transaction, log.
func TestAReorgIsSeenByTheBlocksHash(t *testing.T) {
	t.Parallel()
	for name, drop := range map[string]bool{"mined again": false, "gone": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, depth := range []int{1, 3, 40} {
				chain, client := setup(t)
				want := network.Expected{Asset: usdc, To: shop, Reference: reference}
				_, err := chain.Transfer(t.Context(), 2, devchain.USDC, elsewhere, n(1)) // an earlier log in the block's neighbourhood
				require.NoError(t, err)
				sent, err := chain.Pay(t.Context(), devchain.Payment{Payer: 1, Token: devchain.USDC, To: shop, Amount: n(5), Reference: reference})
				require.NoError(t, err)
				before, err := client.VerifyPayment(t.Context(), sent.Tx, want)
				require.NoError(t, err)
				require.Len(t, before.Deposits, 1)
				d := before.Deposits[0]
				chain.Mine(depth - 1)

				require.NoError(t, chain.Reorg(depth, drop))
				s, err := client.Standing(t.Context(), d.Block, d.BlockHash)
				require.NoError(t, err)
				assert.False(t, s.Canonical)
				assert.Zero(t, s.Depth)

				after, err := client.VerifyPayment(t.Context(), sent.Tx, want)
				require.NoError(t, err)
				if drop {
					assert.Equal(t, network.Unknown, after.State)
					continue
				}
				for tries := 0; after.State != network.Mined && tries < 100; tries++ {
					chain.Mine(1)
					after, err = client.VerifyPayment(t.Context(), sent.Tx, want)
					require.NoError(t, err)
				}
				require.Len(t, after.Deposits, 1)
				assert.NotEqual(t, d.BlockHash, after.Deposits[0].BlockHash)
				assert.Equal(t, d.Log, after.Deposits[0].Log)
			}
		})
	}
}

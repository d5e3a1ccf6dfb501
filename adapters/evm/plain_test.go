package evm_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/domain/network"
)

func TestPlainTransfersOfCoinAreFoundInWholeBlocks(t *testing.T) {
	t.Parallel()
	chain, c := setup(t)
	from := chain.Head() + 1
	sent, err := chain.Transfer(t.Context(), 1, "", shop, n(70))
	require.NoError(t, err)
	for _, other := range []struct {
		token, to string
		amount    uint64
	}{{"", elsewhere, 70}, {"", shop, 0}, {devchain.USDC, elsewhere, 70}} {
		_, err := chain.Transfer(t.Context(), 2, other.token, other.to, n(other.amount))
		require.NoError(t, err)
	}
	chain.Mine(60)
	watch := network.Watch{Coins: []string{shop}}
	// The second client takes only short answers, so that blocks are asked for in smaller parts.
	short, err := evm.New(evm.Options{Chain: devchain.Network(), URLs: []string{chain.URL()}, MaxAnswer: 8_000, Timeout: 5 * time.Second})
	require.NoError(t, err)
	t.Cleanup(short.Close)
	for name, c := range map[string]*evm.Client{"many blocks at once": c, "a few": short} {
		found, err := c.Scan(t.Context(), from, chain.Head(), watch)
		require.NoError(t, err, name)
		require.Len(t, found.Deposits, 1, name)
		d := found.Deposits[0]
		assert.Equal(t, network.Deposit{
			Chain: devchain.ChainID, Tx: sent.Tx, Log: network.PlainLog, Block: sent.Block, BlockHash: d.BlockHash,
			Asset: coin, From: devchain.Payer(1), To: d.To, Amount: n(70), Stated: n(70),
		}, d)
		all, err := c.Attest(t.Context(), sent.Tx)
		require.NoError(t, err)
		assert.Equal(t, found.Deposits, all, "every other look says the same")
		looked, err := c.Look(t.Context(), []string{sent.Tx})
		require.NoError(t, err)
		assert.Equal(t, all, looked[sent.Tx].Deposits)
	}
	none, err := c.Scan(t.Context(), from, chain.Head(), network.Watch{Destinations: []string{shop}})
	require.NoError(t, err)
	assert.Empty(t, none.Deposits, "nobody waits for coin, so no block is read")
}

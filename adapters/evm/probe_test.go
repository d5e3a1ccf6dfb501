package evm_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/domain/network"
)

func TestProbeFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	chain, client := setup(t)
	said := devchain.Network()
	said.Tokens = said.Tokens[:2]
	p, err := client.Probe(t.Context(), said)
	require.NoError(t, err)
	require.NoError(t, p.Check())
	assert.EqualValues(t, devchain.ChainID, p.Nodes[0].ChainIDReported)
	assert.Equal(t, chain.Head(), p.Nodes[0].Head)
	for _, x := range p.Proxies {
		assert.True(t, x.OK, x.Problem)
		assert.Len(t, x.CodeHash, 66)
	}
	for _, x := range p.Tokens {
		assert.True(t, x.OK, x.Problem)
	}

	said.Tokens[1].Decimals = 6
	said.Proxies[0].Address = shop
	p, err = client.Probe(t.Context(), said)
	require.NoError(t, err)
	assert.ErrorIs(t, p.Check(), network.ErrDecimalsMismatch)
	assert.EqualValues(t, 18, *p.Tokens[1].OnChain)
	assert.False(t, p.Proxies[0].OK, "there is no contract")

	d, err := client.Decimals(t.Context(), devchain.USDT)
	require.NoError(t, err)
	assert.EqualValues(t, 18, d)
	_, err = client.Decimals(t.Context(), shop)
	assert.Error(t, err)
}

func TestProbeOfANodeOfAnotherChain(t *testing.T) {
	t.Parallel()
	chain, _ := setup(t)
	liar := liar(t, chain.URL(), func(w http.ResponseWriter, c rpcCall) bool { return c.Method == "eth_chainId" && answer(w, c, `"0x1"`) })
	said := devchain.Network()
	_, err := client(t, liar).Probe(t.Context(), said)
	assert.ErrorIs(t, err, network.ErrChainMismatch)
	both, err := client(t, liar, chain.URL()).Probe(t.Context(), said)
	require.NoError(t, err, "the other node answers")
	assert.ErrorIs(t, both.Check(), network.ErrChainMismatch)
	dead, err := evm.New(evm.Options{Chain: said, URLs: []string{"http://127.0.0.1:1"}, Timeout: time.Second})
	require.NoError(t, err)
	defer dead.Close()
	_, err = dead.Probe(t.Context(), said)
	assert.ErrorIs(t, err, evm.ErrUnavailable)
}

// A token that is registered while the client runs is found from the next scan on.
func TestANewerRegistryTakesEffectAtOnce(t *testing.T) {
	t.Parallel()
	chain, _ := setup(t)
	said := devchain.Network()
	said.Tokens = said.Tokens[:1]
	c, err := evm.New(evm.Options{Chain: said, URLs: []string{chain.URL()}})
	require.NoError(t, err)
	defer c.Close()
	begin := chain.Head() + 1
	_, err = chain.Transfer(t.Context(), 1, devchain.USDT, shop, n(5))
	require.NoError(t, err)
	watch := network.Watch{Destinations: []string{shop}}
	found, err := c.Scan(t.Context(), begin, chain.Head(), watch)
	require.NoError(t, err)
	assert.Empty(t, found.Deposits)
	c.Describe(devchain.Network())
	found, err = c.Scan(t.Context(), begin, chain.Head(), watch)
	require.NoError(t, err)
	assert.Len(t, found.Deposits, 1)
	assert.Equal(t, usdt, found.Deposits[0].Asset)
}

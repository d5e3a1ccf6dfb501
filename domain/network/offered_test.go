package network_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/domain/network"
)

func five(change func(*network.Chain)) network.Chain {
	c := network.Chain{
		ID: 5, Name: "five", Native: network.Native{Symbol: "V", Decimals: 18}, Confirmations: network.Confirmations{Need: 2, Floor: 1},
		Tokens: []network.Token{{Address: usdcBase, Symbol: "USDC", Decimals: 6}},
	}
	change(&c)
	return c
}

func TestWhatIsOffered(t *testing.T) {
	t.Parallel()
	asset := network.TokenAsset(5, usdcBase)
	for name, c := range map[string]struct {
		change func(*network.Chain)
		want   error
	}{
		"enabled":            {func(*network.Chain) {}, nil},
		"the token is off":   {func(c *network.Chain) { c.Tokens[0].Disabled = true }, network.ErrNotOffered},
		"the chain is off":   {func(c *network.Chain) { c.Disabled = true }, network.ErrNotOffered},
		"there is no such":   {func(c *network.Chain) { c.Tokens = nil }, network.ErrUnknownAsset},
		"less arrives of it": {func(c *network.Chain) { c.Tokens[0].Kind = network.FeeOnTransfer }, nil},
	} {
		r, err := network.New(five(c.change))
		require.NoError(t, err, name)
		if c.want == nil {
			assert.NoError(t, r.Offered(asset), name)
			continue
		}
		assert.ErrorIs(t, r.Offered(asset), c.want, name)
	}
}

func TestADisabledChainIsKnownAndNotListed(t *testing.T) {
	t.Parallel()
	r, err := network.New(five(func(c *network.Chain) { c.Disabled = true }))
	require.NoError(t, err)
	assert.JSONEq(t, `[]`, string(r.Networks()))
	_, known := r.Token(network.TokenAsset(5, usdcBase))
	assert.True(t, known, "money in it is recognised all the same")
}

func TestRebasingTokensAreRefused(t *testing.T) {
	t.Parallel()
	_, err := network.New(five(func(c *network.Chain) { c.Tokens[0].Kind = network.Rebasing }))
	assert.ErrorIs(t, err, network.ErrTokenUnsupported)
	_, err = network.New(five(func(c *network.Chain) { c.Tokens[0].Kind = "elastic" }))
	assert.Error(t, err)
}

func TestOtherFamiliesAreListedOnly(t *testing.T) {
	t.Parallel()
	_, err := network.New(network.Chain{ID: 7, Name: "seven", Family: network.Tron, Confirmations: network.Confirmations{Need: 1, Floor: 1}})
	assert.Error(t, err, "nobody watches it")
	r, err := network.New(network.Chain{
		ID: 7, Name: "seven", Family: network.Tron, Disabled: true, Confirmations: network.Confirmations{Need: 1, Floor: 1},
		Proxies: []network.Proxy{{Kind: network.ERC20FeeProxy, Address: "TCUDPYnS9dH3WvFEaE7wN7vnDa51J4R4fd"}},
	})
	require.NoError(t, err)
	_, ok := r.ChainNamed("seven")
	assert.True(t, ok)
}

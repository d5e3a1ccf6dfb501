package network_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/domain/money"
	"holdfast/domain/network"
)

const (
	usdtBSC  = "0x55d398326f99059fF775485246999027B3197955"
	usdcBase = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"
)

func known(t *testing.T) *network.Registry {
	t.Helper()
	r, err := network.Known()
	require.NoError(t, err)
	return r
}

func TestDecimalsBelongToChainAndToken(t *testing.T) {
	t.Parallel()
	r := known(t)
	for _, c := range []struct{ asset, decimal, units string }{
		{"USDT@56", "1", "1000000000000000000"},
		{"USDT@1", "1", "1000000"},
		{"USDC@base", "0.000001", "1"},
		{"USDCn-matic", "2.5", "2500000"},
		{"POINTS", "7", "7"},
		{"BNB@bsc", "0.000000000000000001", "1"},
	} {
		a, err := r.Amount(c.asset, c.decimal)
		require.NoError(t, err, c.asset)
		assert.Equal(t, c.units, a.Units.String(), c.asset)
		alias, ok := r.Alias(a.Asset)
		assert.True(t, ok)
		assert.Equal(t, c.decimal+" "+alias, r.Format(a))
	}
	_, err := r.Amount("USDC@base", "0.0000001")
	assert.ErrorIs(t, err, money.ErrPrecision)
}

func TestEverySpellingNamesOneAsset(t *testing.T) {
	t.Parallel()
	r := known(t)
	want := network.TokenAsset(56, usdtBSC)
	for _, s := range []string{"USDT@56", "usdt@bsc", "USDT-bsc", "eip155:56/erc20:" + usdtBSC, " " + string(want) + " "} {
		got, err := r.Parse(s)
		require.NoError(t, err, s)
		assert.Equal(t, want, got, s)
	}
	for _, s := range []string{"", "USDT", "USDT@57", "eip155:56/erc20:0x1", "eip155:8453/erc20:" + usdtBSC, strings.Repeat("x", 10_000)} {
		_, err := r.Parse(s)
		assert.ErrorIs(t, err, network.ErrUnknownAsset)
	}
	assert.Equal(t, "97.5 USDT@56", r.Format(money.Of(want, money.MustUnits("97500000000000000000"))))
	assert.Equal(t, "5 eip155:9/erc20:0xdead", r.Format(money.Of("eip155:9/erc20:0xdead", money.FromUint64(5))))
}

func TestThePublicListOffersEnabledTokensOnly(t *testing.T) {
	t.Parallel()
	r, err := network.New(network.Chain{
		ID: 5, Name: "five", Native: network.Native{Symbol: "V", Decimals: 18}, Confirmations: network.Confirmations{Need: 2, Floor: 1},
		Tokens: []network.Token{{Address: usdcBase, Symbol: "USDC", Decimals: 6}, {Address: usdtBSC, Symbol: "OLD", Decimals: 18, Disabled: true}},
	})
	require.NoError(t, err)
	assert.JSONEq(t, `[{"chainId":5,"name":"five","testnet":false,"native":{"symbol":"V","decimals":18},"confirmations":{"need":2,"floor":1},
		"tokens":[{"asset":"eip155:5/erc20:0x833589fcd6edb6e08f4c7c32d4f71b54bda02913","alias":"USDC@5","symbol":"USDC","address":"`+usdcBase+`","decimals":6}]}]`, string(r.Networks()))
}

func TestProvidersNamesOfNetworks(t *testing.T) {
	t.Parallel()
	r := known(t)
	for name, id := range map[string]uint64{
		"ethereum": 1, "mainnet": 1, "ETH": 1, "1": 1, "eip155:1": 1, "matic": 137, "polygon": 137,
		"arbitrum-one": 42161, "BASE": 8453, "OPTIMISM": 10, "bsc": 56, "sepolia": 11155111,
	} {
		c, ok := r.ChainNamed(name)
		assert.True(t, ok, name)
		assert.Equal(t, id, c.ID, name)
	}
	c, ok := r.ChainNamed("tron")
	assert.True(t, ok, "known by name, so that a provider's word can be read")
	assert.True(t, c.Disabled)
	_, ok = r.ChainNamed("bitcoin")
	assert.False(t, ok)
}

func TestAnAmbiguousRegistryIsRefused(t *testing.T) {
	t.Parallel()
	good := network.Chain{
		ID: 5, Name: "five", Native: network.Native{Symbol: "V", Decimals: 18}, Confirmations: network.Confirmations{Need: 2, Floor: 1},
		Tokens: []network.Token{{Address: usdcBase, Symbol: "USDC", Decimals: 6}},
	}
	_, err := network.New(good)
	require.NoError(t, err)
	for name, breakIt := range map[string]func(*network.Chain){
		"no id":            func(c *network.Chain) { c.ID = 0 },
		"no confirmations": func(c *network.Chain) { c.Confirmations.Floor = 0 },
		"unknown tag":      func(c *network.Chain) { c.Confirmations.Tag = "earliest" },
		"symbol twice": func(c *network.Chain) {
			c.Tokens = append(c.Tokens, network.Token{Address: usdtBSC, Symbol: "usdc", Decimals: 6})
		},
		"address twice": func(c *network.Chain) {
			c.Tokens = append(c.Tokens, network.Token{Address: strings.ToLower(usdcBase), Symbol: "X", Decimals: 6})
		},
		"bad address":         func(c *network.Chain) { c.Tokens[0].Address = "0x123" },
		"zero address":        func(c *network.Chain) { c.Tokens[0].Address = "0x0000000000000000000000000000000000000000" },
		"too many decimals":   func(c *network.Chain) { c.Tokens[0].Decimals = 77 },
		"unknown proxy kind":  func(c *network.Chain) { c.Proxies = []network.Proxy{{Kind: "any", Address: usdcBase}} },
		"separator in symbol": func(c *network.Chain) { c.Tokens[0].Symbol = "US@C" },
	} {
		c := good
		c.Tokens = append([]network.Token(nil), good.Tokens...)
		breakIt(&c)
		_, err := network.New(c)
		assert.Error(t, err, name)
	}
	twin := good
	twin.ID, twin.Name, twin.Aliases = 6, "six", []string{"FIVE"}
	_, err = network.New(good, twin)
	assert.ErrorContains(t, err, "belongs to chain 5")
	_, err = network.Read([]byte(`{"chains":[],"disable":true}`))
	assert.Error(t, err, "a misspelt field must not pass")
}

func TestTransactionsAndAddressesHaveOneGrammar(t *testing.T) {
	t.Parallel()
	hash := strings.Repeat("aB", 32)
	for _, s := range []string{"0x" + hash, hash, " 0X" + hash + "\n"} {
		got, err := network.ParseTx(s)
		require.NoError(t, err, s)
		assert.Equal(t, "0x"+strings.ToLower(hash), got)
	}
	for _, s := range []string{"", "0x", hash[1:], hash + "0", "0x" + strings.Repeat("g", 64), "SIM_" + hash} {
		_, err := network.ParseTx(s)
		assert.ErrorIs(t, err, network.ErrInvalidTx, s)
	}
	for _, s := range []string{"", usdcBase + "1", "vitalik.eth", "0x0000000000000000000000000000000000000000", usdcBase[2:], "TXYZopYRdj2D9XRtbG411XZZ3kM5VkAeBf"} {
		assert.ErrorIs(t, network.CheckAddress(s), network.ErrInvalidAddress, s)
	}
	assert.NoError(t, network.CheckAddress(usdcBase))
}

func TestOnlyTheExpectedTransferMatches(t *testing.T) {
	t.Parallel()
	asset := network.TokenAsset(8453, usdcBase)
	want := network.Expected{Asset: asset, To: usdtBSC, Reference: "0xde0cd794099a5e03"}
	good := network.Deposit{Asset: asset, To: strings.ToLower(usdtBSC), Reference: "0xDE0CD794099A5E03", Amount: money.FromUint64(1)}
	require.NoError(t, want.Match(good))
	for name, c := range map[string]struct {
		change func(*network.Deposit)
		err    error
	}{
		"token":     {func(d *network.Deposit) { d.Asset = network.TokenAsset(56, usdtBSC) }, network.ErrWrongToken},
		"recipient": {func(d *network.Deposit) { d.To = usdcBase }, network.ErrWrongRecipient},
		"reference": {func(d *network.Deposit) { d.Reference = "" }, network.ErrWrongReference},
		"nothing":   {func(d *network.Deposit) { d.Amount = money.Zero }, network.ErrNothingArrived},
	} {
		d := good
		c.change(&d)
		assert.ErrorIs(t, want.Match(d), c.err, name)
	}
}

// The built-in table is compared with the public registry it was taken from, where that
// file is at hand.
func TestKnownNetworksAgreeWithThePublicRegistry(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../../shared/data/request-network-registry.json")
	if os.IsNotExist(err) {
		t.Log("the public registry is not beside this checkout; nothing to compare with")
		return
	}
	require.NoError(t, err)
	var public struct {
		Networks []struct {
			Network string
			ChainID uint64 `json:"chainId"`
			Proxies map[string][]struct{ Address string }
			Tokens  []struct {
				RequestNetworkID, Address string
				Decimals                  uint8
			}
		}
	}
	require.NoError(t, json.Unmarshal(raw, &public))
	r, compared := known(t), 0
	assert.Len(t, public.Networks, 32)
	for _, n := range public.Networks {
		c, ok := r.Chain(n.ChainID)
		if !assert.True(t, ok, "%s is missing", n.Network) {
			continue
		}
		named, ok := r.ChainNamed(n.Network)
		assert.True(t, ok && named.ID == n.ChainID, "%s is not known by its provider's name", n.Network)
		theirs := map[string]uint8{}
		for _, x := range n.Tokens {
			theirs[x.Address] = x.Decimals
		}
		for _, x := range c.Tokens {
			decimals, listed := theirs[x.Address]
			assert.True(t, listed, x.Alias())
			assert.Equal(t, decimals, x.Decimals, x.Alias())
			compared++
		}
		listed := map[string]bool{}
		for _, list := range n.Proxies {
			for _, p := range list {
				listed[p.Address] = true
			}
		}
		for _, p := range c.Proxies {
			assert.True(t, listed[p.Address], p.Address)
			delete(listed, p.Address)
		}
		for kind, list := range n.Proxies {
			for _, p := range list {
				assert.False(t, listed[p.Address] && kind != "singleRequestProxyFactory", "%s: %s %s is missing", n.Network, kind, p.Address)
			}
		}
	}
	assert.Greater(t, compared, 15)
}

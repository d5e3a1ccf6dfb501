package evm_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/domain/money"
	"holdfast/domain/network"
)

const (
	reference = "0x8a60fb2742425e9e"
	other     = "0xde0cd794099a5e03"
	shop      = "0x00000000000000000000000000000000000A11cE"
	elsewhere = "0x0000000000000000000000000000000000000B0b"
)

var (
	usdc = network.TokenAsset(devchain.ChainID, devchain.USDC)
	usdt = network.TokenAsset(devchain.ChainID, devchain.USDT)
	coin = network.NativeAsset(devchain.ChainID)
)

// setup is a fresh chain that mines only when told, and a client of it over JSON-RPC.
func setup(t *testing.T) (*devchain.Chain, *evm.Client) {
	t.Helper()
	chain, err := devchain.Start(t.Context(), devchain.Options{Manual: true})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, chain.Close()) })
	return chain, client(t, chain.URL())
}

func client(t *testing.T, urls ...string) *evm.Client {
	t.Helper()
	c, err := evm.New(evm.Options{Chain: devchain.Network(), URLs: urls, Timeout: 2 * time.Second})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func n(v uint64) money.Units { return money.FromUint64(v) }

package wire

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/payment"
	"holdfast/eventstore/postgres/pgtest"
	"holdfast/projections/watchview"
	"holdfast/reactors"
)

// A transaction is compared with a payment over JSON-RPC: what differs is named, and what is
// not final is pending.
func TestATransactionIsComparedWithAPayment(t *testing.T) {
	t.Parallel()
	chain, err := devchain.Start(t.Context(), devchain.Options{Manual: true})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, chain.Close()) })
	registry, err := chain.Registry()
	require.NoError(t, err)
	client, err := evm.New(evm.Options{Chain: devchain.Network(), URLs: []string{chain.URL()}})
	require.NoError(t, err)
	t.Cleanup(client.Close)
	w := witness{ChainsOf(registry, map[uint64]*evm.Client{devchain.ChainID: client}, ""), watchview.New(pgtest.New(t))}

	const ours, shop, other = "0x8a60fb2742425e9e", "0x00000000000000000000000000000000000A11cE", "0xde0cd794099a5e03"
	topic, err := evm.ReferenceTopic(ours)
	require.NoError(t, err)
	p := payment.State{
		ID: "11111111-1111-4111-8111-111111111111", Address: shop, Due: money.Of(network.TokenAsset(devchain.ChainID, devchain.USDC), money.FromUint64(100)),
		Threshold: payment.Threshold{Need: 3, Floor: 1}, Intent: &payment.IntentRegistered{Reference: ours, Topic: topic},
	}
	pay := func(token, to, reference string, amount uint64) string {
		sent, err := chain.Pay(t.Context(), devchain.Payment{Payer: 1, Token: token, To: to, Amount: money.FromUint64(amount), Reference: reference})
		require.NoError(t, err)
		return sent.Tx
	}
	good := pay(devchain.USDC, shop, ours, 100)
	v, err := w.Verify(t.Context(), p, good)
	require.NoError(t, err)
	assert.Equal(t, "pending", v.Status)
	assert.Equal(t, "NOT_CONFIRMED", v.Reasons[0].Code)
	differing := map[string]string{
		"AMOUNT_BELOW_DUE": pay(devchain.USDC, shop, ours, 99),
		"WRONG_REFERENCE":  pay(devchain.USDC, shop, other, 100),
		"WRONG_TOKEN":      pay(devchain.FakeUSDC, shop, ours, 100),
		"TX_MISMATCH":      pay(devchain.USDC, devchain.Treasury, other, 100),
	}
	chain.Mine(3)
	v, err = w.Verify(t.Context(), p, good)
	require.NoError(t, err)
	assert.Equal(t, "matched", v.Status)
	assert.Empty(t, v.Reasons)
	for code, tx := range differing {
		v, err := w.Verify(t.Context(), p, tx)
		require.NoError(t, err, code)
		assert.Equal(t, "mismatch", v.Status, code)
		require.NotEmpty(t, v.Reasons, code)
		assert.Equal(t, code, v.Reasons[0].Code)
	}
	_, err = w.Verify(t.Context(), p, pay(devchain.USDC, shop, ours, 9_000_000_000_000))
	require.ErrorIs(t, err, network.ErrTxReverted)
	_, err = w.Verify(t.Context(), p, "0x1111111111111111111111111111111111111111111111111111111111111111")
	require.ErrorIs(t, err, network.ErrTxNotFound)
	_, err = w.Transaction(t.Context(), good)
	require.ErrorIs(t, err, network.ErrTxNotFound, "nobody has named it")
}

func TestAChainsHealth(t *testing.T) {
	t.Parallel()
	now := time.Now()
	ok := evm.NodeState{Node: "a", State: "ok"}
	bad := evm.NodeState{Node: "b", State: "failing", LastError: "timeout"}
	good := reactors.Status{LastGood: now, Detail: map[string]any{"head": uint64(100), "scanned": uint64(100)}}
	behind, old, older := good, good, good
	behind.Detail = map[string]any{"head": uint64(1000), "scanned": uint64(100)}
	old.LastGood, older.LastGood = now.Add(-time.Minute), now.Add(-time.Hour)
	for name, c := range map[string]struct {
		nodes    []evm.NodeState
		follower reactors.Status
		quarrel  time.Time
		want     string
	}{
		"all is well":           {[]evm.NodeState{ok}, good, time.Time{}, "ok"},
		"one of two":            {[]evm.NodeState{ok, bad}, good, time.Time{}, "degraded"},
		"none":                  {[]evm.NodeState{bad}, good, time.Time{}, "down"},
		"far behind":            {[]evm.NodeState{ok}, behind, time.Time{}, "degraded"},
		"no good look lately":   {[]evm.NodeState{ok}, old, time.Time{}, "degraded"},
		"no good look for long": {[]evm.NodeState{ok}, older, time.Time{}, "down"},
		"not looked at yet":     {[]evm.NodeState{ok}, reactors.Status{}, time.Time{}, "down"},
		"they quarrelled":       {[]evm.NodeState{ok}, good, now.Add(-time.Minute), "degraded"},
	} {
		h := chainHealth(evm.State{Chain: 1, Nodes: c.nodes, LastContradiction: c.quarrel}, c.follower, now)
		assert.Equal(t, c.want, h.Status, "%s: %s", name, h.Reason)
	}
}

package evm_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/domain/network"
)

// What an operator sees of a node is its host and a class of error.
func TestNodesShowHowTheyDo(t *testing.T) {
	t.Parallel()
	chain, _ := setup(t)
	want := map[string]string{
		"another chain": "wrong_chain", "html": "not_json", "429": "http_429", "500": "http_500", "hang": "timeout",
		"ten megabytes": "answer_too_long", "no hash": "nonsense", "redirect": "redirect",
	}
	for name, lie := range badNodes() {
		class, ok := want[name]
		if !ok {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int64
			bad := liar(t, chain.URL(), func(w http.ResponseWriter, c rpcCall) bool { asked.Add(1); return lie(w, c) })
			c, err := evm.New(evm.Options{Chain: devchain.Network(), URLs: []string{bad + "/v3/SECRETKEY", chain.URL()}, Timeout: 2 * time.Second})
			require.NoError(t, err)
			t.Cleanup(c.Close)
			assert.Equal(t, "untried", c.State().Nodes[0].State)
			head, err := c.Head(t.Context())
			require.NoError(t, err)
			s := c.State()
			assert.Equal(t, "failing", s.Nodes[0].State)
			assert.Equal(t, class, s.Nodes[0].LastError)
			assert.NotContains(t, s.Nodes[0].Node, "SECRETKEY")
			assert.Equal(t, "ok", s.Nodes[1].State)
			assert.Equal(t, head.Number, s.Nodes[1].Head)
			before := asked.Load()
			_, err = c.Head(t.Context())
			require.NoError(t, err)
			assert.Equal(t, before, asked.Load(), "a node that failed rests, and costs nothing")
		})
	}
}

// A node far ahead cannot hurry, and one that says "finalized" cannot end the watch.
func TestTheHeadIsTheMostCarefulNodes(t *testing.T) {
	t.Parallel()
	chain, _ := setup(t)
	far := liar(t, chain.URL(), func(w http.ResponseWriter, c rpcCall) bool {
		return c.Method == "eth_getBlockByNumber" && strings.HasPrefix(string(c.Params[0]), `"`) && !strings.HasPrefix(string(c.Params[0]), `"0x`) &&
			answer(w, c, `{"number":"0xffffff","hash":"0x`+strings.Repeat("7", 64)+`"}`)
	})
	h, err := client(t, far, chain.URL()).Head(t.Context())
	require.NoError(t, err)
	assert.Equal(t, chain.Head(), h.Number)
	assert.LessOrEqual(t, h.Finalized, chain.Head())
}

func TestReceiptsAreAttestedByEveryNode(t *testing.T) {
	t.Parallel()
	chain, honest := setup(t)
	sent, err := chain.Pay(t.Context(), devchain.Payment{Payer: 1, Token: devchain.USDC, To: shop, Amount: n(10), Reference: reference})
	require.NoError(t, err)
	other, err := chain.Pay(t.Context(), devchain.Payment{Payer: 1, Token: devchain.USDC, To: shop, Amount: n(7), Reference: reference})
	require.NoError(t, err)
	unknown := "0x" + strings.Repeat("1", 64)
	found, err := honest.Attest(t.Context(), []string{sent.Tx, unknown, other.Tx})
	require.NoError(t, err)
	require.Len(t, found[sent.Tx], 1)
	assert.Equal(t, n(10), found[sent.Tx][0].Amount)
	assert.Empty(t, found[unknown])
	assert.Equal(t, n(7), found[other.Tx][0].Amount)

	forged := strings.ReplaceAll(raw(t, chain.URL(), "eth_getTransactionReceipt", sent.Tx), strings.Repeat("0", 63)+"a", strings.Repeat("0", 61)+"3e8")
	for name, said := range map[string]string{"more than was paid": forged, "nothing of it": "null"} {
		lying := liar(t, chain.URL(), func(w http.ResponseWriter, c rpcCall) bool {
			return c.Method == "eth_getTransactionReceipt" && answer(w, c, said)
		})
		c := client(t, chain.URL(), lying)
		_, err := c.Attest(t.Context(), []string{sent.Tx})
		assert.ErrorIs(t, err, evm.ErrContradiction, name)
		assert.EqualValues(t, 1, c.State().Contradictions)
	}
}

// A node that takes no batches is asked for each alone, and what nodes differ on does not hide the rest.
func TestOneReceiptThatNodesDifferOnHidesNoOther(t *testing.T) {
	t.Parallel()
	chain, _ := setup(t)
	var txs []string
	for i := range uint64(4) {
		sent, err := chain.Pay(t.Context(), devchain.Payment{Payer: 1, Token: devchain.USDC, To: shop, Amount: n(10 + i), Reference: reference})
		require.NoError(t, err)
		txs = append(txs, sent.Tx)
	}
	lying := liar(t, chain.URL(), func(w http.ResponseWriter, c rpcCall) bool {
		return c.Method == "eth_getTransactionReceipt" && len(c.Params) == 1 && strings.Contains(string(c.Params[0]), txs[2]) && answer(w, c, "null")
	})
	alone := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || strings.HasPrefix(string(body), "[") {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		resp, err := http.Post(lying, "application/json", strings.NewReader(string(body)))
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.Copy(w, resp.Body)
	}))
	t.Cleanup(alone.Close)
	c := client(t, chain.URL(), alone.URL)
	found, err := c.Attest(t.Context(), txs)
	require.ErrorIs(t, err, evm.ErrContradiction)
	assert.EqualValues(t, 1, c.State().Contradictions)
	require.Len(t, found, 3)
	for _, i := range []int{0, 1, 3} {
		require.Len(t, found[txs[i]], 1)
		assert.Equal(t, n(10+uint64(i)), found[txs[i]][0].Amount)
	}
}

// Many blocks are asked about at once; one that is gone does not hide the others.
func TestManyStandingsAtOnce(t *testing.T) {
	t.Parallel()
	chain, c := setup(t)
	chain.Mine(450)
	var marks []network.Mark
	for at := uint64(1); at <= chain.Head(); at++ {
		hash, err := c.BlockHash(t.Context(), at)
		require.NoError(t, err)
		marks = append(marks, network.Mark{Number: at, Hash: hash})
	}
	gone := network.Mark{Number: 7, Hash: "0x" + strings.Repeat("1", 64)}
	all, err := c.Standings(t.Context(), append(marks, gone))
	require.NoError(t, err)
	require.Len(t, all, len(marks)+1)
	assert.False(t, all[gone].Canonical)
	for _, m := range marks {
		assert.True(t, all[m].Canonical)
		assert.Equal(t, chain.Head()-m.Number+1, all[m].Depth)
	}
	beyond := network.Mark{Number: chain.Head() + 5, Hash: gone.Hash}
	all, err = c.Standings(t.Context(), []network.Mark{marks[0], beyond})
	assert.ErrorIs(t, err, evm.ErrUnavailable, "of a block that no node has yet nothing is said")
	assert.Len(t, all, 1)
}

// What is too large to read is asked for in pieces, as what a node refuses.
func TestARangeThatIsTooLargeToReadIsHalved(t *testing.T) {
	t.Parallel()
	chain, _ := setup(t)
	begin := chain.Head() + 1
	for range 6 {
		_, err := chain.Transfer(t.Context(), 1, devchain.USDC, shop, n(5))
		require.NoError(t, err)
	}
	c, err := evm.New(evm.Options{Chain: devchain.Network(), URLs: []string{chain.URL()}, MaxAnswer: 3000})
	require.NoError(t, err)
	defer c.Close()
	found, err := c.Scan(t.Context(), begin, chain.Head(), network.Watch{Destinations: []string{shop}})
	require.NoError(t, err)
	assert.Len(t, found.Deposits, 6)
	assert.Equal(t, "ok", c.State().Nodes[0].State)
}

// With several nodes what any of them shows is found, and that they differ is an alarm.
func TestANodeCannotHideAPayment(t *testing.T) {
	t.Parallel()
	chain, _ := setup(t)
	begin := chain.Head() + 1
	_, err := chain.Transfer(t.Context(), 1, devchain.USDC, shop, n(5))
	require.NoError(t, err)
	blind := liar(t, chain.URL(), func(w http.ResponseWriter, c rpcCall) bool { return c.Method == "eth_getLogs" && answer(w, c, "[]") })
	c := client(t, blind, chain.URL())
	found, err := c.Scan(t.Context(), begin, chain.Head(), network.Watch{Destinations: []string{shop}})
	require.NoError(t, err)
	assert.Len(t, found.Deposits, 1)
	assert.Positive(t, c.State().Contradictions)
}

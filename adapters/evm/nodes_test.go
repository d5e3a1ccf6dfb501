package evm_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
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

// rpcCall is what a fake node sees of a request.
type rpcCall struct {
	ID     json.RawMessage   `json:"id"`
	Method string            `json:"method"`
	Params []json.RawMessage `json:"params"`

	gone <-chan struct{} // the caller has hung up
}

// liar is a node in front of the real one. lie answers a call itself when it returns true.
func liar(t *testing.T, truth string, lie func(w http.ResponseWriter, c rpcCall) bool) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		c := rpcCall{gone: r.Context().Done()}
		if json.Unmarshal(body, &c) == nil && lie(w, c) {
			return
		}
		req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, truth, bytes.NewReader(body))
		if err != nil {
			return
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		_, _ = io.Copy(w, resp.Body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func answer(w http.ResponseWriter, c rpcCall, result string) bool {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"jsonrpc":"2.0","id":`+string(c.ID)+`,"result":`+result+`}`)
	return true
}

// badNodes are ways in which a node fails.
func badNodes() map[string]func(http.ResponseWriter, rpcCall) bool {
	only := func(method string, lie func(http.ResponseWriter, rpcCall) bool) func(http.ResponseWriter, rpcCall) bool {
		return func(w http.ResponseWriter, c rpcCall) bool { return c.Method == method && lie(w, c) }
	}
	const getBlock = "eth_getBlockByNumber"
	return map[string]func(http.ResponseWriter, rpcCall) bool{
		"another chain": only("eth_chainId", func(w http.ResponseWriter, c rpcCall) bool { return answer(w, c, `"0x1"`) }),
		"html": func(w http.ResponseWriter, _ rpcCall) bool {
			_, _ = io.WriteString(w, "<html>welcome</html>")
			return true
		},
		"429": func(w http.ResponseWriter, _ rpcCall) bool { w.WriteHeader(http.StatusTooManyRequests); return true },
		"500": func(w http.ResponseWriter, _ rpcCall) bool {
			w.WriteHeader(http.StatusInternalServerError)
			return true
		},
		"hang": func(_ http.ResponseWriter, c rpcCall) bool { <-c.gone; return true },
		"ten megabytes": only(getBlock, func(w http.ResponseWriter, c rpcCall) bool {
			return answer(w, c, `{"number":"0x1","extraData":"`+strings.Repeat("0", 10<<20)+`"}`)
		}),
		"null head": only(getBlock, func(w http.ResponseWriter, c rpcCall) bool { return answer(w, c, `null`) }),
		"huge number": only(getBlock, func(w http.ResponseWriter, c rpcCall) bool {
			return answer(w, c, `{"number":"0xffffffffffffffff","hash":"0x`+strings.Repeat("1", 64)+`"}`)
		}),
		"negative number": only(getBlock, func(w http.ResponseWriter, c rpcCall) bool {
			return answer(w, c, `{"number":"-0x1","hash":"0x`+strings.Repeat("1", 64)+`"}`)
		}),
		"no hash":    only(getBlock, func(w http.ResponseWriter, c rpcCall) bool { return answer(w, c, `{"number":"0x5"}`) }),
		"wrong type": only(getBlock, func(w http.ResponseWriter, c rpcCall) bool { return answer(w, c, `[1]`) }),
		"redirect": func(w http.ResponseWriter, _ rpcCall) bool {
			w.Header().Set("Location", "http://169.254.169.254/")
			w.WriteHeader(http.StatusTemporaryRedirect)
			return true
		},
	}
}

func TestABadNodeIsNotBelieved(t *testing.T) {
	t.Parallel()
	chain, _ := setup(t)
	for name, lie := range badNodes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bad := liar(t, chain.URL(), lie)
			short := func(urls ...string) *evm.Client {
				c, err := evm.New(evm.Options{Chain: devchain.Network(), URLs: urls, Timeout: time.Second})
				require.NoError(t, err)
				t.Cleanup(c.Close)
				return c
			}
			alone := short(bad)
			_, err := alone.Head(t.Context())
			assert.ErrorIs(t, err, evm.ErrUnavailable)
			_, err = alone.Standing(t.Context(), 5, "0x"+strings.Repeat("1", 64))
			assert.ErrorIs(t, err, evm.ErrUnavailable)
			head, err := short(bad, chain.URL()).Head(t.Context())
			require.NoError(t, err, "the next node answers")
			assert.Equal(t, chain.Head(), head.Number)
		})
	}
}

func TestNodesThatContradictEachOther(t *testing.T) {
	t.Parallel()
	chain, honest := setup(t)
	sent, err := chain.Transfer(t.Context(), 1, devchain.USDC, shop, n(5))
	require.NoError(t, err)
	chain.Mine(3)
	hash, err := honest.BlockHash(t.Context(), sent.Block)
	require.NoError(t, err)

	forked := liar(t, chain.URL(), func(w http.ResponseWriter, c rpcCall) bool {
		return c.Method == "eth_getBlockByNumber" && string(c.Params[0]) != `"latest"` &&
			answer(w, c, `{"number":`+string(c.Params[0])+`,"hash":"0x`+strings.Repeat("2", 64)+`"}`)
	})
	_, err = client(t, chain.URL(), forked).Standing(t.Context(), sent.Block, hash)
	assert.ErrorIs(t, err, evm.ErrContradiction)

	lagging := liar(t, chain.URL(), func(w http.ResponseWriter, c rpcCall) bool {
		if c.Method != "eth_getBlockByNumber" || string(c.Params[0]) != `"latest"` {
			return false
		}
		return answer(w, c, `{"number":"0x`+hexOf(sent.Block)+`","hash":"`+hash+`"}`)
	})
	s, err := client(t, chain.URL(), lagging).Standing(t.Context(), sent.Block, hash)
	require.NoError(t, err)
	assert.EqualValues(t, 1, s.Depth, "the more careful answer counts")
}

// A node that knows no receipt may just lag; one that tells a false one must be caught.
func TestReceiptsOfBadNodes(t *testing.T) {
	t.Parallel()
	chain, _ := setup(t)
	want := network.Expected{Asset: usdc, To: shop, Reference: reference}
	sent, err := chain.Pay(t.Context(), devchain.Payment{Payer: 1, Token: devchain.USDC, To: shop, Amount: n(5), Reference: reference})
	require.NoError(t, err)
	second, err := chain.Pay(t.Context(), devchain.Payment{Payer: 1, Token: devchain.USDC, To: shop, Amount: n(9), Reference: reference})
	require.NoError(t, err)

	none := liar(t, chain.URL(), func(w http.ResponseWriter, c rpcCall) bool {
		return strings.HasPrefix(c.Method, "eth_getTransaction") && answer(w, c, "null")
	})
	v, err := client(t, none).VerifyPayment(t.Context(), sent.Tx, want)
	require.NoError(t, err)
	assert.Equal(t, network.Unknown, v.State)
	v, err = client(t, none, chain.URL()).VerifyPayment(t.Context(), sent.Tx, want)
	require.NoError(t, err)
	assert.Len(t, v.Deposits, 1, "the next node has it")

	var swap string // another transaction's receipt
	wrong := liar(t, chain.URL(), func(w http.ResponseWriter, c rpcCall) bool {
		return c.Method == "eth_getTransactionReceipt" && answer(w, c, swap)
	})
	swap = raw(t, chain.URL(), "eth_getTransactionReceipt", second.Tx)
	_, err = client(t, wrong).VerifyPayment(t.Context(), sent.Tx, want)
	assert.ErrorIs(t, err, evm.ErrUnavailable)
	swap = strings.Replace(raw(t, chain.URL(), "eth_getTransactionReceipt", sent.Tx), `"removed":false`, `"removed":true`, 1)
	_, err = client(t, wrong).VerifyPayment(t.Context(), sent.Tx, want)
	assert.ErrorIs(t, err, evm.ErrUnavailable)
}

func TestAScanHalvesWhatIsTooMuch(t *testing.T) {
	t.Parallel()
	chain, _ := setup(t)
	begin := chain.Head() + 1
	for range 5 {
		_, err := chain.Transfer(t.Context(), 1, devchain.USDC, shop, n(5))
		require.NoError(t, err)
	}
	var refused atomic.Int32
	strict := liar(t, chain.URL(), func(w http.ResponseWriter, c rpcCall) bool {
		if c.Method != "eth_getLogs" {
			return false
		}
		var q struct{ FromBlock, ToBlock string }
		if json.Unmarshal(c.Params[0], &q) != nil || q.FromBlock == q.ToBlock {
			return false
		}
		refused.Add(1)
		_, _ = io.WriteString(w, `{"jsonrpc":"2.0","id":`+string(c.ID)+`,"error":{"code":-32005,"message":"query returned more than 1 result"}}`)
		return true
	})
	found, err := client(t, strict).Scan(t.Context(), begin, chain.Head(), network.Watch{Destinations: []string{shop}})
	require.NoError(t, err)
	assert.Len(t, found.Deposits, 5)
	assert.Positive(t, refused.Load())
}

func TestDeadlinesAndSecrets(t *testing.T) {
	t.Parallel()
	hang := liar(t, "http://127.0.0.1:1", func(_ http.ResponseWriter, c rpcCall) bool { <-c.gone; return true })
	var logged bytes.Buffer
	c, err := evm.New(evm.Options{
		Chain: devchain.Network(), URLs: []string{hang + "/v3/SECRETKEY", "http://127.0.0.1:1/SECRETKEY"}, Timeout: 200 * time.Millisecond,
		Log: slog.New(slog.NewTextHandler(&logged, nil)),
	})
	require.NoError(t, err)
	defer c.Close()
	begin := time.Now()
	_, err = c.Head(t.Context())
	assert.ErrorIs(t, err, evm.ErrUnavailable)
	assert.Less(t, time.Since(begin), 20*time.Second, "it would hang for ever")
	assert.NotContains(t, err.Error()+logged.String(), "SECRETKEY", "providers put API keys into paths")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.Head(ctx)
	assert.ErrorIs(t, err, context.Canceled)
	_, err = evm.New(evm.Options{Chain: devchain.Network(), URLs: []string{"file:///etc/passwd"}})
	assert.Error(t, err)
	_, err = evm.New(evm.Options{Chain: devchain.Network()})
	assert.Error(t, err)
}

func TestTheRegistryIsComparedWithTheContracts(t *testing.T) {
	t.Parallel()
	chain, _ := setup(t)
	check := func(change func(*network.Chain)) error {
		described := devchain.Network()
		change(&described)
		c, err := evm.New(evm.Options{Chain: described, URLs: []string{chain.URL()}})
		require.NoError(t, err)
		defer c.Close()
		return c.CheckTokens(t.Context())
	}
	noContract := func(c *network.Chain) { c.Tokens = c.Tokens[:2] } // the stubs below have no decimals of their own
	assert.NoError(t, check(noContract))
	assert.ErrorContains(t, check(func(c *network.Chain) { noContract(c); c.Tokens[1].Decimals = 6 }), "the contract 18")
	assert.ErrorContains(t, check(func(c *network.Chain) { noContract(c); c.Tokens[0].Address = shop }), "is there a contract?")
}

func hexOf(v uint64) string {
	const digits = "0123456789abcdef"
	s := ""
	for ; v > 0; v /= 16 {
		s = string(digits[v%16]) + s
	}
	return s
}

func raw(t *testing.T, url, method, param string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"`+method+`","params":["`+param+`"]}`))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	var out struct{ Result json.RawMessage }
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&out))
	return string(out.Result)
}

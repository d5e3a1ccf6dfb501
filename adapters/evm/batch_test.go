package evm_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/domain/money"
	"holdfast/domain/network"
)

func TestBalancesStandAtOneBlock(t *testing.T) {
	t.Parallel()
	chain, c := setup(t)
	first, err := chain.Transfer(t.Context(), 1, devchain.USDC, shop, n(70))
	require.NoError(t, err)
	_, err = chain.Transfer(t.Context(), 1, devchain.USDC, shop, n(5))
	require.NoError(t, err)
	_, err = chain.Transfer(t.Context(), 1, "", shop, n(9))
	require.NoError(t, err)
	head, err := c.Head(t.Context())
	require.NoError(t, err)
	// More than one batch, so that order and limits are seen.
	of := []network.Holder{{Address: shop, Asset: usdc}, {Address: shop, Asset: coin}, {Address: shop, Asset: usdt}}
	for range 250 {
		of = append(of, network.Holder{Address: elsewhere, Asset: usdc})
	}
	of = append(of, network.Holder{Address: strings.ToLower(shop), Asset: usdc})
	now, err := c.BalancesAt(t.Context(), head.Number, of)
	require.NoError(t, err)
	require.Len(t, now, len(of))
	require.Equal(t, []money.Units{n(75), n(9), n(0)}, now[:3])
	require.Equal(t, n(75), now[len(now)-1])
	then, err := c.BalancesAt(t.Context(), first.Block, of[:2])
	require.NoError(t, err)
	require.Equal(t, []money.Units{n(70), n(0)}, then, "what came later is not in the block")
	_, err = c.BalancesAt(t.Context(), head.Number, []network.Holder{{Address: shop, Asset: "eip155:1337/erc20:0x00000000000000000000000000000000000000ff"}})
	require.Error(t, err, "a token nobody registered")
}

func TestManyTransactionsAreLookedAtTogether(t *testing.T) {
	t.Parallel()
	chain, c := setup(t)
	paid, err := chain.Pay(t.Context(), devchain.Payment{Payer: 1, Token: devchain.USDC, To: shop, Amount: n(40), Reference: reference})
	require.NoError(t, err)
	direct, err := chain.Transfer(t.Context(), 1, devchain.USDT, shop, n(3))
	require.NoError(t, err)
	nobody := "0x" + strings.Repeat("ab", 32)
	all, err := c.Look(t.Context(), []string{paid.Tx, nobody, direct.Tx})
	require.NoError(t, err)
	require.Equal(t, network.Mined, all[paid.Tx].State)
	require.Equal(t, paid.Block, all[paid.Tx].Block)
	require.Equal(t, n(40), all[paid.Tx].Deposits[0].Amount)
	require.False(t, all[paid.Tx].Fee.IsZero())
	require.Equal(t, usdt, all[direct.Tx].Deposits[0].Asset)
	require.Equal(t, network.Looked{State: network.Unknown}, all[nobody])
	_, err = c.Look(t.Context(), []string{"0xSIM_1"})
	require.ErrorIs(t, err, network.ErrInvalidTx)
}

// TestALongBatchIsHalved: a node that refuses long batches is asked for shorter ones.
func TestALongBatchIsHalved(t *testing.T) {
	t.Parallel()
	chain, _ := setup(t)
	var txs []string
	for range 5 {
		sent, err := chain.Transfer(t.Context(), 1, devchain.USDC, shop, n(1))
		require.NoError(t, err)
		txs = append(txs, sent.Tx)
	}
	narrow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var calls []json.RawMessage
		if json.Unmarshal(body, &calls) == nil && len(calls) > 2 {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		resp, err := http.Post(chain.URL(), "application/json", strings.NewReader(string(body)))
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.Copy(w, resp.Body)
	}))
	t.Cleanup(narrow.Close)
	all, err := client(t, narrow.URL).Look(t.Context(), txs)
	require.NoError(t, err)
	require.Len(t, all, 5)
}

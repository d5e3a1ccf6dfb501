package evm_test

import (
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
)

// shouting is a contract whose whole business is the event that Safes emit when they have carried
// out a SafeTx; its first argument is the SafeTx's hash. Before 1.4.1 it is data, since then a topic.
func shouting(asTopic bool) string {
	topic := strings.TrimPrefix(crypto.Keccak256Hash([]byte("ExecutionSuccess(bytes32,uint256)")).Hex(), "0x")
	runtime := "366000600037" + "7f" + topic + "36" + "6000" + "a1" + "00"
	if asTopic {
		runtime = "600035" + "7f" + topic + "6020" + "6000" + "a2" + "00"
	}
	length := hexutil.EncodeUint64(uint64(len(runtime) / 2))[2:]
	return "0x60" + length + "600c600039" + "60" + length + "6000f3" + runtime
}

func TestASafesEventsTellWhatItHasCarriedOut(t *testing.T) {
	t.Parallel()
	chain, c := setup(t)
	key, err := crypto.HexToECDSA("59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d") // a payer of the development chain
	require.NoError(t, err)
	client, err := ethclient.DialContext(t.Context(), chain.URL())
	require.NoError(t, err)
	t.Cleanup(client.Close)
	nonce := uint64(0)
	nonce, err = client.PendingNonceAt(t.Context(), crypto.PubkeyToAddress(key.PublicKey))
	require.NoError(t, err)
	send := func(to *common.Address, data []byte) *types.Receipt {
		tx, err := types.SignNewTx(key, types.LatestSignerForChainID(big.NewInt(devchain.ChainID)), &types.DynamicFeeTx{
			ChainID: big.NewInt(devchain.ChainID), Nonce: nonce, GasTipCap: big.NewInt(1e9), GasFeeCap: big.NewInt(1e11), Gas: 300_000, To: to, Data: data,
		})
		require.NoError(t, err)
		require.NoError(t, client.SendTransaction(t.Context(), tx))
		nonce++
		chain.Mine(1)
		r, err := client.TransactionReceipt(t.Context(), tx.Hash())
		require.NoError(t, err)
		require.EqualValues(t, 1, r.Status)
		return r
	}
	one, two := crypto.Keccak256Hash([]byte("one")), crypto.Keccak256Hash([]byte("two"))
	for name, asTopic := range map[string]bool{"1.3.0": false, "1.4.1": true} {
		safe := send(nil, hexutil.MustDecode(shouting(asTopic))).ContractAddress
		from := chain.Head()
		done := send(&safe, append(one.Bytes(), make([]byte, 32)...))
		tx, err := c.ExecutedBy(t.Context(), safe.Hex(), one.Hex(), from)
		require.NoError(t, err, name)
		assert.Equal(t, done.TxHash.Hex(), tx, name)
		tx, err = c.ExecutedBy(t.Context(), safe.Hex(), two.Hex(), from)
		require.NoError(t, err)
		assert.Empty(t, tx, "%s: another one was not", name)
		tx, err = c.ExecutedBy(t.Context(), safe.Hex(), one.Hex(), chain.Head()+1)
		require.NoError(t, err)
		assert.Empty(t, tx)
		tx, err = c.ExecutedBy(t.Context(), shop, one.Hex(), from)
		require.NoError(t, err)
		assert.Empty(t, tx, "somebody else's event is nothing")
	}
}

package evm_test

import (
	"encoding/hex"
	"encoding/json"
	"math/big"
	"os"
	"testing"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/domain/siwe"
)

const (
	ownerKey    = "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"
	strangerKey = "7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6"
)

// contractWallet is a wallet of one owner, in the machine's own words: isValidSignature recovers
// the signer by the precompile at 1 and gives the magic word when it is the owner, else 0xffffffff;
// an empty signature makes it revert.
func contractWallet(owner common.Address) []byte {
	runtime := "" +
		"604435" + "600a" + "57" + // a signature? go on
		"5f5f" + "fd" + "00" + // no: revert
		"5b" + // 0x0a
		"6004355f52" + "60a43560f81c602052" + "606435604052" + "608435606052" + // hash, v, r, s
		"60205f60805f60015afa50" + // ecrecover
		"5f5173" + hex.EncodeToString(owner.Bytes()) + "14" + // the owner?
		"6059" + "57" +
		"63ffffffff60e01b5f5260205ff3" +
		"5b631626ba7e60e01b5f5260205ff3"
	code, err := hex.DecodeString(runtime)
	if err != nil {
		panic(err)
	}
	return code
}

// deploy puts a contract on the chain from the account of payer 1.
func deploy(t *testing.T, chain *devchain.Chain, runtime []byte) string {
	t.Helper()
	eth, err := ethclient.Dial(chain.URL())
	require.NoError(t, err)
	defer eth.Close()
	key, err := crypto.HexToECDSA("59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d")
	require.NoError(t, err)
	from := crypto.PubkeyToAddress(key.PublicKey)
	nonce, err := eth.PendingNonceAt(t.Context(), from)
	require.NoError(t, err)
	price, err := eth.SuggestGasPrice(t.Context())
	require.NoError(t, err)
	// PUSH1 size DUP1 PUSH1 0x0a PUSH0 CODECOPY PUSH0 RETURN, then the code.
	initCode := append([]byte{0x60, byte(len(runtime)), 0x80, 0x60, 0x09, 0x5f, 0x39, 0x5f, 0xf3}, runtime...)
	tx, err := types.SignNewTx(key, types.LatestSignerForChainID(big.NewInt(devchain.ChainID)), &types.LegacyTx{Nonce: nonce, GasPrice: price, Gas: 500_000, Data: initCode})
	require.NoError(t, err)
	require.NoError(t, eth.SendTransaction(t.Context(), tx))
	for range 20 {
		chain.Mine(1)
		if r, err := eth.TransactionReceipt(t.Context(), tx.Hash()); err == nil {
			require.Equal(t, uint64(1), r.Status)
			return r.ContractAddress.Hex()
		}
	}
	t.Fatal("the contract was not mined")
	return ""
}

func sign(t *testing.T, key, text string) string {
	t.Helper()
	k, err := crypto.HexToECDSA(key)
	require.NoError(t, err)
	sig, err := crypto.Sign(accounts.TextHash([]byte(text)), k)
	require.NoError(t, err)
	sig[64] += 27
	return hexutil.Encode(sig)
}

func TestAContractWalletStandsForItsOwnersSignature(t *testing.T) {
	t.Parallel()
	chain, c := setup(t)
	owner, err := crypto.HexToECDSA(ownerKey)
	require.NoError(t, err)
	wallet := deploy(t, chain, contractWallet(crypto.PubkeyToAddress(owner.PublicKey)))
	good := sign(t, ownerKey, "hello")
	for name, test := range map[string]struct {
		wallet, text, signature string
		want                    bool
	}{
		"the owner's":              {wallet, "hello", good, true},
		"another text":             {wallet, "hello ", good, false},
		"a stranger's":             {wallet, "hello", sign(t, strangerKey, "hello"), false},
		"none: it reverts":         {wallet, "hello", "0x", false},
		"no contract":              {shop, "hello", good, false},
		"a precompile that echoes": {"0x0000000000000000000000000000000000000004", "hello", good, false},
		"a token":                  {devchain.USDC, "hello", good, false},
	} {
		ok, err := c.ContractSigned(t.Context(), test.wallet, test.text, test.signature)
		require.NoError(t, err, name)
		assert.Equal(t, test.want, ok, name)
	}
	_, err = c.ContractSigned(t.Context(), wallet, "hello", "signed by me")
	assert.ErrorIs(t, err, evm.ErrSignatureForm)
	_, err = client(t, "http://127.0.0.1:1").ContractSigned(t.Context(), wallet, "hello", good)
	assert.ErrorIs(t, err, evm.ErrUnavailable, "who cannot be asked has not said yes")
}

func TestSignInVectorsAreSignedByTheirAddress(t *testing.T) {
	t.Parallel()
	var vectors []struct{ Message, Signature string }
	raw, err := os.ReadFile("../../domain/siwe/testdata/vectors.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &vectors))
	for _, v := range vectors {
		m, err := siwe.Parse(v.Message)
		require.NoError(t, err)
		signer, err := evm.PersonalSigner(v.Message, v.Signature)
		require.NoError(t, err)
		assert.Equal(t, m.Address, signer)
		other, err := evm.PersonalSigner(v.Message+" ", v.Signature)
		require.NoError(t, err)
		assert.NotEqual(t, m.Address, other)
	}
}

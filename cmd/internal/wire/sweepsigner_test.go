package wire

import (
	"encoding/json"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/cmd/internal/apiclient"
	"holdfast/domain/ledger"
	"holdfast/domain/network"
	"holdfast/domain/trezor"
)

func TestAHardwareWalletAgreesToAPlanFirst(t *testing.T) {
	t.Parallel()
	w := withSweeps(t, "hardware")
	admin, other := w.as("admin"), w.as("admin2")
	b := w.funded(1000)
	wish := map[string]any{"destinations": []string{string(b.destination.ID)}, "asset": "USDC@1337"}
	assert.Equal(t, "503 SIGNER_UNAVAILABLE", w.refused(admin, post, destinations+"/sweep/plan", wish), "nobody has a device")
	assert.Equal(t, "false", w.ask(admin, get, destinations+"/health/config", nil).Get("signerReady"))
	w.register(admin)
	assert.Equal(t, "true", w.ask(admin, get, destinations+"/health/config", nil).Get("signerReady"))

	next := map[string]any{"purpose": "payment", "paymentId": string(b.payment)}
	given := w.ask(admin, post, "/api/trezor/addresses/next", next)
	assert.Equal(t, given.Get("address"), w.ask(admin, post, "/api/trezor/addresses/next", next).Get("address"), "a payment has one address")

	p, second := w.plan(admin, b), w.plan(admin, b)
	send := func(p planned) (string, map[string]any) {
		return destinations + "/sweep", map[string]any{"planId": p.ID, "signedTxs": w.signed(p)}
	}
	path, body := send(p)
	assert.Equal(t, "422 OPERATION_SIGNATURE_REQUIRED", w.refused(admin, post, path, body))
	assert.Equal(t, "422 OPERATION_SIGNATURE_REQUIRED", w.refused(other, post, path, body))

	op := w.ask(admin, post, "/api/trezor/operations", map[string]any{"kind": "sweep", "targetId": p.ID})
	var message struct {
		Message trezor.TypedData `json:"message"`
	}
	require.NoError(t, json.Unmarshal(op.Data, &message))
	digest, err := evm.TypedDigest(message.Message)
	require.NoError(t, err)
	require.Equal(t, digest, op.Get("digest"))
	assert.Equal(t, "422 OPERATION_SIGNATURE_REQUIRED", w.refused(admin, post, path, body), "begun is not signed")
	sign := func(key string) map[string]any {
		k, err := crypto.HexToECDSA(key)
		require.NoError(t, err)
		sig, err := crypto.Sign(hexutil.MustDecode(digest), k)
		require.NoError(t, err)
		sig[64] += 27
		return map[string]any{"operationId": op.Get("operationId"), "signature": hexutil.Encode(sig)}
	}
	assert.Equal(t, "401 INVALID_WALLET_SIGNATURE", w.refused(admin, post, "/api/trezor/verify-operation", sign(payerKey)), "another device")
	assert.Equal(t, "404 NOT_FOUND", w.refused(other, post, "/api/trezor/verify-operation", sign(deviceKey)), "of another admin")
	assert.Equal(t, "422 OPERATION_SIGNATURE_REQUIRED", w.refused(admin, post, path, body))
	assert.Equal(t, "true", w.ask(admin, post, "/api/trezor/verify-operation", sign(deviceKey)).Get("valid"))

	otherPath, otherBody := send(second)
	assert.Equal(t, "422 OPERATION_SIGNATURE_REQUIRED", w.refused(admin, post, otherPath, otherBody), "it agreed to one plan, not to the next")
	assert.Equal(t, "Used", w.ask(admin, post, path, body).Get("state"))
	w.mined("the sweep and its gas end", func() bool {
		return w.count("destination.sweep_confirmed") == 1 && w.count("sweep_plan.top_up_ended") == 1
	})
	assert.Equal(t, units(1000), w.booked(ledger.Treasury, usdc))
	w.agrees(b)
}

// The first key of the development mnemonic stands in for a device; the second is a payer's.
const (
	deviceKey = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
	payerKey  = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
)

func (w *sweepWorld) register(c *apiclient.Client) {
	w.t.Helper()
	xpub, err := w.keys.XPub(0)
	require.NoError(w.t, err)
	m := w.ask(c, get, "/api/trezor/registration-message", nil)
	signature, err := w.keys.SignText(evm.TreasuryPath, m.Get("message"))
	require.NoError(w.t, err)
	w.ask(c, post, "/api/trezor/register", map[string]string{
		"xpub": xpub, "registrationAddress": devchain.Treasury, "basePath": "m/44'/60'/0'", "deviceLabel": "office",
		"proofMessage": m.Get("message"), "proofSignature": signature,
	})
}

// A contract that behaves as a Safe does where sweeps look: nonce() counts what it has executed,
// and anything longer is a word with an address, then the call that it makes there. Who may make it
// do so is the owners' business and left out.
const safeCode = "0x603f80600b6000396000f3" +
	"3660051160" + "2d57" + // calldata shorter than 5: the nonce
	"60203603" + "80" + "60206000" + "37" + // the call, into memory
	"60006000" + "91" + "6000" + "6000" + "600035" + "5a" + "f1" + // made
	"15" + "6039" + "57" + // or all undone
	"600054600101600055" + "00" +
	"5b" + "60005460005260206000f3" +
	"5b" + "60006000fd"

// stranger sends transactions with a payer's key: of the Safe's owners, whose gas is not ours.
type stranger struct {
	w      *sweepWorld
	client *ethclient.Client
}

func (w *sweepWorld) stranger() stranger {
	w.t.Helper()
	c, err := ethclient.DialContext(w.t.Context(), w.chain.URL())
	require.NoError(w.t, err)
	w.t.Cleanup(c.Close)
	return stranger{w, c}
}

// send waits until it is mined.
func (s stranger) send(to *common.Address, data []byte) *types.Receipt {
	s.w.t.Helper()
	key, err := crypto.HexToECDSA(payerKey)
	require.NoError(s.w.t, err)
	ctx := s.w.t.Context()
	nonce, err := s.client.PendingNonceAt(ctx, crypto.PubkeyToAddress(key.PublicKey))
	require.NoError(s.w.t, err)
	tx, err := types.SignNewTx(key, types.LatestSignerForChainID(big.NewInt(devchain.ChainID)), &types.DynamicFeeTx{
		ChainID: big.NewInt(devchain.ChainID), Nonce: nonce, GasTipCap: big.NewInt(1e9), GasFeeCap: big.NewInt(1e11), Gas: 1_000_000, To: to, Data: data,
	})
	require.NoError(s.w.t, err)
	require.NoError(s.w.t, s.client.SendTransaction(ctx, tx))
	var r *types.Receipt
	s.w.mined("a stranger's transaction", func() bool {
		r, err = s.client.TransactionReceipt(ctx, tx.Hash())
		return err == nil
	})
	require.Equal(s.w.t, uint64(1), r.Status)
	return r
}

// execute makes the Safe do what a proposal says.
func (s stranger) execute(p planned) string {
	s.w.t.Helper()
	safe := common.HexToAddress(p.Sweeps[0].Proposal.Safe)
	call := append(common.LeftPadBytes(common.HexToAddress(p.Sweeps[0].Proposal.To).Bytes(), 32), hexutil.MustDecode(p.Sweeps[0].Proposal.Data)...)
	return s.send(&safe, call).TxHash.Hex()
}

func TestASafeFetchesWhatItsOwnersAgreedTo(t *testing.T) {
	t.Parallel()
	var owners stranger
	w := withSweeps(t, "safe", func(w *sweepWorld) {
		owners = w.stranger()
		w.Chains.Treasury = owners.send(nil, hexutil.MustDecode(safeCode)).ContractAddress.Hex()
	})
	admin := w.as("admin")
	b := w.funded(1000)
	wish := map[string]any{"destinations": []string{string(b.destination.ID)}, "asset": "USDC@1337"}
	assert.Equal(t, "503 SIGNER_UNAVAILABLE", w.refused(admin, post, destinations+"/sweep/plan", wish), "the address has approved nothing")
	w.approve(b)
	p := w.plan(admin, b)
	require.NotNil(t, p.Sweeps[0].Proposal)
	assert.Empty(t, p.TopUps, "the owners pay for the gas")
	assert.Zero(t, p.Sweeps[0].Proposal.Nonce)
	assert.Equal(t, w.Chains.Treasury, p.Sweeps[0].Proposal.Safe)

	confirm := destinations + "/sweep/" + p.Sweeps[0].ID + "/confirm"
	body := func(tx string) map[string]any { return map[string]any{"planId": p.ID, "txHash": tx} }
	assert.Equal(t, "409 NOT_FINAL", w.refused(admin, post, confirm, body("0x"+common.Bytes2Hex(crypto.Keccak256([]byte("nobody's"))))))
	other, err := w.chain.Transfer(t.Context(), 2, devchain.USDC, w.Chains.Treasury, units(1000))
	require.NoError(t, err)
	assert.Equal(t, "422 INSTRUCTION_MISMATCH", w.refused(admin, post, confirm, body(other.Tx)), "the same amount from somebody else")
	assert.Equal(t, "404 NOT_FOUND", w.refused(admin, post, destinations+"/sweep/"+uuid.NewString()+"/confirm", body(other.Tx)))

	tx := owners.execute(p)
	first := w.ask(admin, post, confirm, body(tx))
	assert.Equal(t, "Used", first.Get("state"), string(first.Data))
	at := w.head()
	again := w.ask(admin, post, confirm, body(tx))
	assert.JSONEq(t, string(first.Data), string(again.Data), "told twice")
	assert.Equal(t, at, w.head())
	w.mined("the sweep is final", func() bool { return w.count("destination.sweep_confirmed") == 1 })
	assert.Equal(t, units(1000), w.booked(ledger.Treasury, usdc))
	assert.Zero(t, w.count("treasury.network_fee_incurred"), "the owners paid")
	w.agreesIn(b, usdc)

	// The next proposal has the Safe's next nonce.
	next := w.funded(500)
	w.approve(next)
	assert.Equal(t, uint64(1), w.plan(admin, next).Sweeps[0].Proposal.Nonce)
}

// approve lets the Safe fetch tokens from an address, with gas that a stranger gave it.
func (w *sweepWorld) approve(b bill) {
	w.t.Helper()
	_, err := w.chain.Transfer(w.t.Context(), 2, "", b.destination.Address, units(1e16))
	require.NoError(w.t, err)
	data := append(crypto.Keccak256([]byte("approve(address,uint256)"))[:4], common.LeftPadBytes(common.HexToAddress(w.Chains.Treasury).Bytes(), 32)...)
	raw, err := w.keys.Sign(evm.DestinationPath(b.destination.Index), network.Unsigned{
		Chain: devchain.ChainID, From: b.destination.Address, To: devchain.USDC, Gas: 100_000, MaxFee: units(1e11), Tip: units(1e9),
		Data: hexutil.Encode(append(data, common.MaxHash.Bytes()...)),
	})
	require.NoError(w.t, err)
	client, err := w.Chains.Client(devchain.ChainID)
	require.NoError(w.t, err)
	_, err = client.Send(w.t.Context(), raw)
	require.NoError(w.t, err)
	w.mined("the approval", func() bool {
		n, err := client.Allowance(w.t.Context(), devchain.USDC, b.destination.Address, w.Chains.Treasury)
		require.NoError(w.t, err)
		return !n.IsZero()
	})
}

package evm

import (
	"bytes"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"

	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
)

// Decode reads a signed transaction as the transfer it makes; outgoing.Transfer.Check then
// compares that with the instruction. ErrNotTransfer for anything that is not exactly one
// transfer of a token or of the native coin: other calls, coin sent along with a token
// call, trailing bytes, contract creation, blobs, delegations.
func Decode(raw string) (outgoing.Tx, error) {
	tx, err := decode(raw)
	if err != nil {
		return outgoing.Tx{}, err
	}
	if tx.To() == nil || !tx.Protected() || tx.Type() > types.DynamicFeeTxType || !tx.ChainId().IsUint64() {
		return outgoing.Tx{}, ErrNotTransfer
	}
	from, err := types.Sender(types.LatestSignerForChainID(tx.ChainId()), tx)
	if err != nil {
		return outgoing.Tx{}, ErrNotTransfer.Because("the signature is not valid: %v", err)
	}
	t := outgoing.Transfer{Chain: tx.ChainId().Uint64(), From: from.Hex(), Nonce: tx.Nonce()}
	if err := readCall(&t, tx); err != nil {
		return outgoing.Tx{}, err
	}
	maxFee, okFee := units(tx.GasFeeCap())
	tip, okTip := units(tx.GasTipCap())
	if !okFee || !okTip {
		return outgoing.Tx{}, ErrNotTransfer.Because("the gas price makes no sense")
	}
	return outgoing.Tx{Hash: tx.Hash().Hex(), Signer: from.Hex(), Transfer: t, MaxFee: maxFee, Tip: tip}, nil
}

func decode(raw string) (*types.Transaction, error) {
	b, err := hexutil.Decode(raw)
	if err != nil {
		return nil, ErrNotTransfer.Because("a signed transaction is given in hex with 0x")
	}
	tx := new(types.Transaction)
	if err := tx.UnmarshalBinary(b); err != nil {
		return nil, ErrNotTransfer.Because("the transaction cannot be read: %v", err)
	}
	return tx, nil
}

func readCall(t *outgoing.Transfer, tx *types.Transaction) error {
	data := tx.Data()
	value, ok := units(tx.Value())
	switch {
	case !ok:
		return ErrNotTransfer
	case len(data) == 0:
		t.To, t.Amount = tx.To().Hex(), money.Of(network.NativeAsset(t.Chain), value)
		return nil
	case len(data) != transferCallLen || !bytes.Equal(data[:4], transferCall) || !value.IsZero():
		return ErrNotTransfer
	}
	args := data[4:]
	if !bytes.Equal(word(args, 0)[:12], make([]byte, 12)) {
		return ErrNotTransfer.Because("the recipient is padded with something else than zeros")
	}
	t.Token, t.To = tx.To().Hex(), wordAddress(args, 0).Hex()
	t.Amount = money.Of(network.TokenAsset(t.Chain, t.Token), wordUnits(args, 1))
	return nil
}

// Assemble puts a signature (65 bytes in hex: r, s, v) under an unsigned transaction, as a
// hardware wallet returns it. v may be 0/1 or 27/28.
func Assemble(u network.Unsigned, signature string) (raw string, err error) {
	sig, err := hexutil.Decode(signature)
	if err != nil || len(sig) != 65 {
		return "", ErrNotTransfer.Because("a signature is 65 bytes in hex with 0x")
	}
	if sig[64] >= 27 {
		sig[64] -= 27
	}
	tx, err := types.NewTx(inner(u)).WithSignature(types.LatestSignerForChainID(new(big.Int).SetUint64(u.Chain)), sig)
	if err != nil {
		return "", ErrNotTransfer.Because("the signature does not fit: %v", err)
	}
	b, err := tx.MarshalBinary()
	if err != nil {
		return "", fmt.Errorf("encode the signed transaction: %w", err)
	}
	return hexutil.Encode(b), nil
}

func inner(u network.Unsigned) *types.DynamicFeeTx {
	to := common.HexToAddress(u.To)
	return &types.DynamicFeeTx{
		ChainID: new(big.Int).SetUint64(u.Chain), Nonce: u.Nonce, To: &to, Value: u.Value.Uint256().ToBig(),
		Data: common.FromHex(u.Data), Gas: u.Gas, GasTipCap: u.Tip.Uint256().ToBig(), GasFeeCap: u.MaxFee.Uint256().ToBig(),
	}
}

package evm

import (
	"context"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"

	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
)

// Instruct builds the transaction of a transfer with all that its signature will cover. The
// errors are those of Build.
func (c *Client) Instruct(ctx context.Context, t outgoing.Transfer) (outgoing.Signable, network.Unsigned, error) {
	u, err := c.Build(ctx, t)
	if err != nil {
		return outgoing.Signable{}, u, err
	}
	return outgoing.Signable{
		Transfer: t, Gas: outgoing.Gas{Limit: u.Gas, MaxFee: u.MaxFee, Tip: u.Tip}, Unsigned: u.Raw, SigningHash: u.SignHash,
	}, u, nil
}

// DecodeSigned is Decode with the gas and the hash that was signed, to be compared with an
// instruction. ErrNotTransfer as there.
func DecodeSigned(raw string) (outgoing.Signed, error) {
	t, err := Decode(raw)
	if err != nil {
		return outgoing.Signed{}, err
	}
	tx, err := decode(raw)
	if err != nil {
		return outgoing.Signed{}, err
	}
	maxFee, feeOK := units(tx.GasFeeCap())
	tip, tipOK := units(tx.GasTipCap())
	if !feeOK || !tipOK {
		return outgoing.Signed{}, ErrNotTransfer
	}
	return outgoing.Signed{
		Tx: t, Gas: outgoing.Gas{Limit: tx.Gas(), MaxFee: maxFee, Tip: tip},
		SigningHash: types.LatestSignerForChainID(tx.ChainId()).Hash(tx).Hex(), Raw: raw,
	}, nil
}

// CallOf is what a transfer does on the chain: whom it calls, with how much native coin, and with
// what data.
func CallOf(t outgoing.Transfer) (to string, value money.Units, data string) {
	address, _, raw := call(t)
	if t.Token == "" {
		value = t.Amount.Units
	}
	return address.Hex(), value, hexutil.Encode(raw)
}

package evm

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rlp"

	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
)

// NextNonce is the nonce of the address's next transaction, those that wait included.
func (c *Client) NextNonce(ctx context.Context, address string) (uint64, error) {
	var nonce uint64
	err := c.read(ctx, "read the next nonce", func(ctx context.Context, n *node) (err error) {
		nonce, err = n.eth.PendingNonceAt(ctx, common.HexToAddress(address))
		return err
	})
	return nonce, err
}

// Build makes the unsigned EIP-1559 transaction of an instruction: a payout, a refund or a
// sweep. ErrWouldFail when the chain says that it would revert (too little balance, blocked
// recipient), ErrGasTooHigh when gas is beyond the limit.
func (c *Client) Build(ctx context.Context, t outgoing.Transfer) (network.Unsigned, error) {
	return c.Outbid(ctx, t, outgoing.Tx{})
}

// Outbid is Build for a transaction that replaces another one with the same nonce: nodes take
// it only when both its prices are a tenth higher.
func (c *Client) Outbid(ctx context.Context, t outgoing.Transfer, old outgoing.Tx) (network.Unsigned, error) {
	if t.Chain != c.chain.ID {
		return network.Unsigned{}, fmt.Errorf("build for chain %d on the client of chain %d", t.Chain, c.chain.ID)
	}
	to, value, data := call(t)
	var gas uint64
	var tip, maxFee *big.Int
	err := c.ask(ctx, "price a transaction", func(ctx context.Context, n *node) (err error) {
		if tip, maxFee, err = n.price(ctx); err != nil {
			return err
		}
		gas, err = n.eth.EstimateGas(ctx, ethereum.CallMsg{From: common.HexToAddress(t.From), To: &to, Value: value, Data: data})
		return err
	})
	if refusal, ok := answered(err); ok {
		return network.Unsigned{}, ErrWouldFail.With("reason", clip(refusal.Error()))
	}
	if err != nil {
		return network.Unsigned{}, asUnavailable(err)
	}
	tip, maxFee = outbid(tip, old.Tip), outbid(maxFee, old.MaxFee)
	fee, ok := units(maxFee)
	if !ok {
		return network.Unsigned{}, ErrGasTooHigh.With("limit", c.maxFee).With("found", maxFee)
	}
	if err := c.CheckFee(fee); err != nil {
		return network.Unsigned{}, err
	}
	return unsigned(t, &types.DynamicFeeTx{
		ChainID: new(big.Int).SetUint64(t.Chain), Nonce: t.Nonce, To: &to, Value: value, Data: data,
		Gas: gas + gas/5, GasTipCap: tip, GasFeeCap: maxFee,
	})
}

// outbid is a price, or a tenth and a bit above the old one where that is more.
func outbid(price *big.Int, old money.Units) *big.Int {
	if old.IsZero() {
		return price
	}
	least := new(big.Int).Mul(old.Uint256().ToBig(), big.NewInt(11))
	least.Add(least.Div(least, big.NewInt(10)), big.NewInt(1))
	if price.Cmp(least) < 0 {
		return least
	}
	return price
}

// CheckFee refuses a price for a unit of gas that is above our limit: ErrGasTooHigh.
func (c *Client) CheckFee(maxFee money.Units) error {
	if c.maxFee.Less(maxFee) {
		return ErrGasTooHigh.With("limit", c.maxFee).With("found", maxFee)
	}
	return nil
}

// price: a tip as the node suggests, and room for the base fee to double.
func (n *node) price(ctx context.Context) (tip, maxFee *big.Int, err error) {
	head, err := n.block(ctx, "latest")
	if err != nil {
		return nil, nil, err
	}
	if tip, err = n.eth.SuggestGasTipCap(ctx); err != nil {
		return nil, nil, err
	}
	maxFee = new(big.Int).Set(tip)
	if head.BaseFee != nil {
		maxFee.Add(maxFee, new(big.Int).Lsh(head.BaseFee.ToInt(), 1))
	}
	return tip, maxFee, nil
}

// call is where a transfer goes on the chain: the token's contract, or the recipient.
func call(t outgoing.Transfer) (to common.Address, value *big.Int, data []byte) {
	recipient := common.HexToAddress(t.To)
	if t.Token == "" {
		return recipient, t.Amount.Units.Uint256().ToBig(), nil
	}
	return common.HexToAddress(t.Token), new(big.Int), transferData(recipient, t.Amount.Units)
}

func unsigned(t outgoing.Transfer, tx *types.DynamicFeeTx) (network.Unsigned, error) {
	raw, err := rlp.EncodeToBytes([]any{tx.ChainID, tx.Nonce, tx.GasTipCap, tx.GasFeeCap, tx.Gas, tx.To, tx.Value, tx.Data, tx.AccessList})
	if err != nil {
		return network.Unsigned{}, fmt.Errorf("encode: %w", err)
	}
	tip, tipOK := units(tx.GasTipCap)
	fee, feeOK := units(tx.GasFeeCap)
	value, valueOK := units(tx.Value)
	if !tipOK || !feeOK || !valueOK {
		return network.Unsigned{}, fmt.Errorf("encode: an amount is negative or too large")
	}
	return network.Unsigned{
		Chain: t.Chain, From: t.From, To: tx.To.Hex(), Value: value, Data: hexutil.Encode(tx.Data),
		Nonce: tx.Nonce, Gas: tx.Gas, MaxFee: fee, Tip: tip,
		Raw:      hexutil.Encode(append([]byte{types.DynamicFeeTxType}, raw...)),
		SignHash: signHash(tx).Hex(),
	}, nil
}

// signHash is what a signature covers: every field of the transaction.
func signHash(tx *types.DynamicFeeTx) common.Hash {
	return types.LatestSignerForChainID(tx.ChainID).Hash(types.NewTx(tx))
}

// Shortfall is how much native coin the sender lacks to pay for a transaction at its
// highest price; zero when it has enough.
func (c *Client) Shortfall(ctx context.Context, u network.Unsigned) (money.Units, error) {
	have, err := c.Balance(ctx, network.NativeAsset(c.chain.ID), u.From)
	if err != nil {
		return money.Zero, err
	}
	need, err := u.Cost().Add(u.Value)
	if err != nil {
		return money.Zero, err
	}
	missing, _ := need.Sub(have)
	return missing, nil
}

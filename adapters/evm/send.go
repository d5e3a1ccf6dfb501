package evm

import (
	"context"
	"fmt"
	"strings"

	"github.com/ethereum/go-ethereum/common"

	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
)

// Send broadcasts a signed transaction and gives its hash. A transaction that the chain has
// already is no error, so a repeat after a lost answer is safe: record the hash (Decode
// gives it) before the first call. ErrUnavailable leaves open whether a node took it.
func (c *Client) Send(ctx context.Context, raw string) (hash string, err error) {
	tx, err := decode(raw)
	if err != nil {
		return "", err
	}
	hash = tx.Hash().Hex()
	err = c.ask(ctx, "send a transaction", func(ctx context.Context, n *node) error {
		err := n.eth.SendTransaction(ctx, tx)
		if err != nil && strings.Contains(err.Error(), "already known") {
			return nil
		}
		return err
	})
	refusal, ok := answered(err)
	if !ok {
		return hash, asUnavailable(err)
	}
	text := strings.ToLower(refusal.Error())
	switch {
	case strings.Contains(text, "nonce too low"):
		if _, state, err := c.find(ctx, tx.Hash()); err == nil && (state == network.Mined || state == network.Failed) {
			return hash, nil // it was this very transaction that used the nonce
		}
		return hash, ErrNonceUsed
	case strings.Contains(text, "insufficient funds"):
		return hash, ErrNoGas
	case strings.Contains(text, "underpriced"):
		return hash, ErrTxRefused.Because("another transaction with this nonce pays more, or the gas price is too low")
	}
	return hash, ErrTxRefused.With("reason", clip(refusal.Error()))
}

// Outcome says what became of a transaction of ours. A token transfer that was mined
// without moving the token counts as failed. Unknown does not mean that it will never be
// mined; only Replaced does.
func (c *Client) Outcome(ctx context.Context, tx outgoing.Tx) (network.Outcome, error) {
	hash, err := network.ParseTx(tx.Hash)
	if err != nil {
		return network.Outcome{}, err
	}
	r, state, err := c.find(ctx, common.HexToHash(hash))
	if err != nil {
		return network.Outcome{}, err
	}
	if state == network.Unknown || state == network.Waiting {
		if r, state, err = c.replaced(ctx, tx, common.HexToHash(hash), state); err != nil {
			return network.Outcome{}, err
		}
	}
	if state != network.Mined && state != network.Failed {
		return network.Outcome{State: state}, nil
	}
	out := network.Outcome{State: state, Block: r.BlockNumber.Uint64(), BlockHash: r.BlockHash.Hex()}
	if out.Fee, err = r.fee(); err != nil {
		return network.Outcome{}, err
	}
	if out.Moved = c.moved(tx, r); out.Moved.IsZero() && !tx.Amount.IsZero() {
		out.State = network.Failed
	}
	s, err := c.Standing(ctx, out.Block, out.BlockHash)
	out.Depth, out.Safe, out.Finalized = s.Depth, s.Safe, s.Finalized
	return out, err
}

// replaced looks whether the sender's nonce has been used by another transaction, and once
// more for this one, which may have been mined between the two questions.
func (c *Client) replaced(ctx context.Context, tx outgoing.Tx, hash common.Hash, state network.TxState) (receipt, network.TxState, error) {
	used, err := askAll(ctx, c, c.timeout, "count transactions", func(ctx context.Context, n *node) (uint64, error) {
		return n.eth.NonceAt(ctx, common.HexToAddress(tx.From), nil)
	})
	if err != nil {
		return receipt{}, state, err
	}
	for _, count := range used {
		if count <= tx.Nonce {
			return receipt{}, state, nil
		}
	}
	r, now, err := c.find(ctx, hash)
	if err == nil && (now == network.Unknown || now == network.Waiting) {
		now = network.Replaced
	}
	return r, now, err
}

// fee is what a transaction cost its sender, the data fee of rollups included.
func (r receipt) fee() (money.Units, error) {
	price, ok := units(r.EffectiveGasPrice)
	if !ok {
		return money.Zero, fmt.Errorf("%w (the gas price of %s makes no sense)", ErrUnavailable, r.TxHash)
	}
	return price.MulDivFloor(money.FromUint64(r.GasUsed), money.FromUint64(1)).Add(r.l1Fee)
}

// moved is what the recipient got.
func (c *Client) moved(tx outgoing.Tx, r receipt) money.Units {
	if r.Status != 1 {
		return money.Zero
	}
	if tx.Token == "" {
		return tx.Amount.Units
	}
	var sum money.Units
	for _, d := range c.deposits(r) {
		if outgoing.SameAddress(d.To, tx.To) && d.Asset == network.TokenAsset(c.chain.ID, tx.Token) {
			if more, err := sum.Add(d.Amount); err == nil {
				sum = more
			}
		}
	}
	return sum
}

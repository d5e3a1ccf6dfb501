package evm

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/ethereum/go-ethereum/common"

	"holdfast/domain/fault"
	"holdfast/domain/money"
	"holdfast/domain/network"
)

// VerifyPayment looks a transaction up and says what it holds of an expected payment. A
// transaction may hold several deposits of it. Deposits that concern it but do not match
// (another token, another recipient, our reference through a wrong contract) are Others.
//
// The answer says nothing about depth: ask Standing for the block of each deposit.
func (c *Client) VerifyPayment(ctx context.Context, tx string, want network.Expected) (network.Verified, error) {
	hash, err := network.ParseTx(tx)
	if err != nil {
		return network.Verified{}, err
	}
	known, err := topics(want.Reference)
	if err != nil {
		return network.Verified{}, network.ErrWrongReference.Because("%v", err)
	}
	r, state, err := c.find(ctx, common.HexToHash(hash))
	v := network.Verified{State: state}
	if err != nil || state != network.Mined {
		return v, err
	}
	for _, d := range c.deposits(r) {
		d.Reference = known[d.Topic]
		if !c.concerns(want, d) {
			continue
		}
		if reason := c.match(want, d); reason != nil {
			v.Others = append(v.Others, network.Mismatch{Deposit: d, Reason: reason})
			continue
		}
		v.Deposits = append(v.Deposits, d)
	}
	return v, nil
}

// Find says what became of a transaction, and in which block it stands, be it that it failed
// there; no block while it stands in none.
func (c *Client) Find(ctx context.Context, tx string) (network.TxState, network.Mark, error) {
	hash, err := network.ParseTx(tx)
	if err != nil {
		return network.Unknown, network.Mark{}, err
	}
	r, state, err := c.find(ctx, common.HexToHash(hash))
	if err != nil || (state != network.Mined && state != network.Failed) {
		return state, network.Mark{}, err
	}
	return state, network.Mark{Number: r.BlockNumber.Uint64(), Hash: r.BlockHash.Hex()}, nil
}

func (c *Client) concerns(want network.Expected, d network.Deposit) bool {
	return strings.EqualFold(d.To, want.To) || d.Reference != ""
}

func (c *Client) match(want network.Expected, d network.Deposit) *fault.Error {
	if !c.listed(d.Asset) {
		return network.ErrWrongToken.With("expected", want.Asset).With("found", d.Asset)
	}
	f, _ := fault.From(want.Match(d))
	return f
}

// listed reports whether the registry knows the asset on this chain; anything else is a
// token that anybody may have made up, whatever it calls itself.
func (c *Client) listed(asset money.Asset) bool {
	if asset == network.NativeAsset(c.chain.ID) {
		return true
	}
	for _, t := range c.tables().tokens {
		if t.Asset() == asset {
			return true
		}
	}
	return false
}

// find reads a transaction's receipt, or says why there is none.
func (c *Client) find(ctx context.Context, tx common.Hash) (receipt, network.TxState, error) {
	var r receipt
	err := c.ask(ctx, "read a receipt", func(ctx context.Context, n *node) (err error) {
		if r, err = n.receipt(ctx, tx); err == nil {
			one := []receipt{r}
			err = c.sent(ctx, n, c.timeout, one)
			r = one[0]
		}
		return err
	})
	switch {
	case notFound(err):
		state, err := c.pending(ctx, tx)
		return receipt{}, state, err
	case err != nil:
		return receipt{}, network.Unknown, asUnavailable(err)
	case r.Status != 1:
		return r, network.Failed, nil
	}
	return r, network.Mined, nil
}

// pending tells a transaction that waits from one that no node knows.
func (c *Client) pending(ctx context.Context, tx common.Hash) (network.TxState, error) {
	state := network.Unknown
	err := c.ask(ctx, "look for a transaction", func(ctx context.Context, n *node) error {
		var raw json.RawMessage
		if err := n.rpc.CallContext(ctx, &raw, "eth_getTransactionByHash", tx); err != nil {
			return fmt.Errorf("look for %s: %w", tx, err)
		}
		if len(raw) > 0 && string(raw) != "null" {
			state = network.Waiting
		}
		return nil
	})
	if notFound(err) {
		return network.Unknown, nil
	}
	return state, asUnavailable(err)
}

package evm

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"

	"holdfast/domain/network"
)

// Fetch gives the signed bytes of a transaction that was sent by somebody else than us: by a
// hardware wallet's own software, for instance. ErrTxUnknown when no node has it.
func (c *Client) Fetch(ctx context.Context, tx string) (raw string, err error) {
	hash, err := network.ParseTx(tx)
	if err != nil {
		return "", err
	}
	var found *types.Transaction
	err = c.ask(ctx, "fetch a transaction", func(ctx context.Context, n *node) (err error) {
		found, _, err = n.eth.TransactionByHash(ctx, common.HexToHash(hash))
		return err
	})
	if notFound(err) {
		return "", ErrTxUnknown.With("tx", hash)
	}
	if err != nil {
		return "", asUnavailable(err)
	}
	b, err := found.MarshalBinary()
	if err != nil {
		return "", fmt.Errorf("encode %s: %w", hash, err)
	}
	raw = hexutil.Encode(b)
	// A node gave the fields; only the hash over them says that they are this transaction's.
	if again, err := decode(raw); err != nil || again.Hash() != common.HexToHash(hash) {
		return "", fmt.Errorf("fetch %s: %w", hash, ErrContradiction)
	}
	return raw, nil
}

// UsedBy finds the mined transaction that used a nonce of an address; used is false while one
// node at least has not seen it used. Old state is asked for, so a node without an archive
// answers only for the last blocks: ErrUnavailable then.
func (c *Client) UsedBy(ctx context.Context, address string, nonce uint64) (tx string, used bool, err error) {
	a := common.HexToAddress(address)
	counts, err := askAll(ctx, c, c.timeout, "count transactions", func(ctx context.Context, n *node) (uint64, error) {
		return n.eth.NonceAt(ctx, a, nil)
	})
	if err != nil {
		return "", false, err
	}
	for _, count := range counts {
		if count <= nonce {
			return "", false, nil
		}
	}
	head, err := c.Head(ctx)
	if err != nil {
		return "", false, err
	}
	block, err := c.firstAbove(ctx, a, nonce, head.Number)
	if err != nil {
		return "", false, err
	}
	tx, err = c.inBlock(ctx, a, nonce, block)
	return tx, err == nil, err
}

// firstAbove is the lowest block in which the address had used the nonce; it had at head.
func (c *Client) firstAbove(ctx context.Context, a common.Address, nonce, head uint64) (uint64, error) {
	usedAt := func(block uint64) (used bool, err error) {
		err = c.read(ctx, "count transactions", func(ctx context.Context, n *node) error {
			count, err := n.eth.NonceAt(ctx, a, new(big.Int).SetUint64(block))
			used = count > nonce
			return err
		})
		return used, err
	}
	low, high := uint64(0), head // unused at low, used at high
	for step := uint64(1); step <= head; step *= 2 {
		used, err := usedAt(head - step)
		if err != nil {
			return 0, err
		}
		if !used {
			low = head - step
			break
		}
		high = head - step
	}
	for low+1 < high {
		middle := low + (high-low)/2
		used, err := usedAt(middle)
		if err != nil {
			return 0, err
		}
		if used {
			high = middle
		} else {
			low = middle
		}
	}
	return high, nil
}

func (c *Client) inBlock(ctx context.Context, a common.Address, nonce, number uint64) (string, error) {
	var block struct {
		Transactions []struct {
			Hash  common.Hash    `json:"hash"`
			From  common.Address `json:"from"`
			Nonce hexutil.Uint64 `json:"nonce"`
		} `json:"transactions"`
	}
	err := c.read(ctx, "read a block's transactions", func(ctx context.Context, n *node) error {
		return n.rpc.CallContext(ctx, &block, "eth_getBlockByNumber", hexutil.Uint64(number), true)
	})
	if err != nil {
		return "", err
	}
	for _, tx := range block.Transactions {
		if tx.From == a && uint64(tx.Nonce) == nonce {
			return tx.Hash.Hex(), nil
		}
	}
	return "", fmt.Errorf("look for nonce %d of %s in block %d: %w", nonce, a, number, ErrUnavailable)
}

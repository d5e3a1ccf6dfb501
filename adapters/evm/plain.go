package evm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"

	"holdfast/domain/money"
)

// plain is the native coin that a transaction itself sends. What contracts send on inside of a
// transaction shows neither here nor in a log; comparing balances finds it.
type plain struct {
	from, to common.Address
	amount   money.Units
}

// body is what we need of a transaction, as the node spells it.
type body struct {
	Hash  common.Hash     `json:"hash"`
	From  common.Address  `json:"from"`
	To    *common.Address `json:"to"`
	Value *hexutil.Big    `json:"value"`
}

func (b body) plain() (*plain, error) {
	if b.To == nil || b.Value == nil {
		return nil, nil // a contract is made; or a kind of transaction that sends nothing
	}
	amount, ok := units(b.Value.ToInt())
	if !ok {
		return nil, fmt.Errorf("the value of %s makes no sense", b.Hash)
	}
	return &plain{from: b.From, to: *b.To, amount: amount}, nil
}

// sent completes receipts with what their transactions send, which are asked for together where
// the node takes that. limit is the deadline of each call. Calls of listed tokens and payment
// contracts are not looked at: what those move is in their logs.
func (c *Client) sent(ctx context.Context, n *node, limit time.Duration, all []receipt) error {
	known := c.tables()
	var open []int
	for i, r := range all {
		if known.mayBePlain(r) {
			open = append(open, i)
		}
	}
	for part := range slices.Chunk(open, receiptsAtOnce) {
		bodies, calls := make([]*body, len(part)), make([]rpc.BatchElem, len(part))
		for k, i := range part {
			calls[k] = rpc.BatchElem{Method: "eth_getTransactionByHash", Args: []any{all[i].TxHash}, Result: &bodies[k]}
		}
		together := len(part) > 1 && n.within(ctx, limit, func(ctx context.Context) error {
			if !n.batch(ctx, calls) {
				return errors.New("not together")
			}
			return nil
		}) == nil
		for k, i := range part {
			if err := n.complete(ctx, limit, &all[i], &bodies[k], together); err != nil {
				return err
			}
		}
	}
	return nil
}

// mayBePlain reports whether a receipt's transaction may send coin to somebody.
func (t *tables) mayBePlain(r receipt) bool {
	if r.Receipt == nil || r.to == nil || r.coin != nil || r.Status != 1 {
		return false
	}
	_, token := t.tokens[*r.to]
	_, proxy := t.proxies[*r.to]
	return !token && !proxy
}

// complete puts what a transaction sends into its receipt; there says that it was read already.
func (n *node) complete(ctx context.Context, limit time.Duration, r *receipt, b **body, there bool) error {
	if !there {
		err := n.within(ctx, limit, func(ctx context.Context) error {
			return n.rpc.CallContext(ctx, b, "eth_getTransactionByHash", r.TxHash)
		})
		if err != nil {
			return fmt.Errorf("read the transaction %s: %w", r.TxHash, err)
		}
	}
	if *b == nil || (*b).Hash != r.TxHash {
		return fmt.Errorf("the node has a receipt of %s and not the transaction", r.TxHash)
	}
	var err error
	r.coin, err = (*b).plain()
	return err
}

// bodiesAtOnce is how many whole blocks are asked for in one request: one of a busy chain may
// have hundreds of kilobytes.
const bodiesAtOnce = 16

// plainTransfers reads every transaction of the blocks and gives those that send coin to one of
// the addresses. Blocks that are too much for one answer are asked for in smaller parts.
func (n *node) plainTransfers(ctx context.Context, s *scan, from, to uint64) ([]body, error) {
	var found []body
	for at, span := from, uint64(bodiesAtOnce); at <= to; {
		last := min(to, at+span-1)
		var blocks []wholeBlock
		err := n.within(ctx, s.client.timeout, func(ctx context.Context) (err error) { blocks, err = n.whole(ctx, at, last); return err })
		switch {
		case err == nil:
		case last > at && ctx.Err() == nil && tooMuch(err):
			span = (last - at + 1) / 2
			continue
		default:
			return nil, fmt.Errorf("read the transactions of %d…%d: %w", at, last, err)
		}
		for _, b := range blocks {
			for _, tx := range b.Transactions {
				if tx.To != nil && s.coins[*tx.To] {
					found = append(found, tx)
				}
			}
		}
		at = last + 1
	}
	return found, nil
}

// wholeBlock is a block with its transactions.
type wholeBlock struct {
	Number       hexutil.Uint64 `json:"number"`
	Transactions []body         `json:"transactions"`
}

// whole reads blocks with their transactions; every one must be there.
func (n *node) whole(ctx context.Context, from, to uint64) ([]wholeBlock, error) {
	blocks := make([]*wholeBlock, to-from+1)
	calls := make([]rpc.BatchElem, len(blocks))
	for i := range blocks {
		calls[i] = rpc.BatchElem{Method: "eth_getBlockByNumber", Args: []any{hexutil.EncodeUint64(from + uint64(i)), true}, Result: &blocks[i]}
	}
	if err := n.send(ctx, calls); err != nil {
		return nil, err
	}
	all := make([]wholeBlock, len(blocks))
	for i, b := range blocks {
		if b == nil || uint64(b.Number) != from+uint64(i) {
			return nil, fmt.Errorf("asked for block %d, and got another or none", from+uint64(i))
		}
		all[i] = *b
	}
	return all, nil
}

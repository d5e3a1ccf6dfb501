package evm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"sync"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"
	"golang.org/x/sync/errgroup"

	"holdfast/domain/money"
	"holdfast/domain/network"
)

// batch is how many calls go into one JSON-RPC batch; public nodes take a hundred or more.
// batchesAtOnce are under way at a time: what a long list costs is then the node's work and not
// the way there and back.
const (
	batch         = 100
	batchesAtOnce = 6
)

// BalancesAt reads many balances as of one block, in batches. Everything comes from nodes that
// have the state of that block; ErrUnavailable when none has it (any more).
func (c *Client) BalancesAt(ctx context.Context, block uint64, of []network.Holder) ([]money.Units, error) {
	all := make([]money.Units, len(of))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(batchesAtOnce)
	for first := 0; first < len(of); first += batch {
		part := of[first:min(first+batch, len(of))]
		group.Go(func() error {
			return c.read(ctx, "read balances", func(ctx context.Context, n *node) error {
				got, err := c.balancesAt(ctx, n, block, part)
				copy(all[first:], got)
				return err
			})
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return all, nil
}

func (c *Client) balancesAt(ctx context.Context, n *node, block uint64, of []network.Holder) ([]money.Units, error) {
	calls, answers, at := make([]rpc.BatchElem, len(of)), make([]string, len(of)), hexutil.EncodeUint64(block)
	for i, h := range of {
		owner := common.HexToAddress(h.Address)
		calls[i] = rpc.BatchElem{Method: "eth_getBalance", Args: []any{owner, at}, Result: &answers[i]}
		if h.Asset == network.NativeAsset(c.chain.ID) {
			continue
		}
		token, err := c.contract(h.Asset)
		if err != nil {
			return nil, err
		}
		data := append(append([]byte{}, balanceOfCall...), addressWord(owner)...)
		calls[i].Method, calls[i].Args = "eth_call", []any{map[string]any{"to": token, "data": hexutil.Bytes(data)}, at}
	}
	if err := n.send(ctx, calls); err != nil {
		return nil, err
	}
	all := make([]money.Units, len(of))
	for i, text := range answers {
		amount, err := readNumber(text, calls[i].Method == "eth_call")
		if err != nil {
			return nil, fmt.Errorf("balance of %s at %s: %w", of[i].Asset, of[i].Address, err)
		}
		all[i] = amount
	}
	return all, nil
}

// readNumber reads a quantity, or the one word that a view function returns. A contract that
// does not exist returns no word.
func readNumber(text string, isWord bool) (money.Units, error) {
	var raw *big.Int
	if isWord {
		word, err := hexutil.Decode(text)
		if err != nil || len(word) != wordLength {
			return money.Zero, fmt.Errorf("%q is no word; is there a contract?", clip(text))
		}
		raw = new(big.Int).SetBytes(word)
	} else {
		var err error
		if raw, err = hexutil.DecodeBig(text); err != nil {
			return money.Zero, fmt.Errorf("%q is no quantity: %w", clip(text), err)
		}
	}
	amount, ok := units(raw)
	if !ok {
		return money.Zero, errors.New("the number makes no sense")
	}
	return amount, nil
}

// Look reads what many transactions did, in batches; a hash that no node knows is Unknown. The
// answer says nothing about depth.
func (c *Client) Look(ctx context.Context, txs []string) (map[string]network.Looked, error) {
	all := make(map[string]network.Looked, len(txs))
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(batchesAtOnce)
	for part := range slices.Chunk(txs, batch) {
		group.Go(func() error {
			found := make(map[string]network.Looked, len(part))
			if err := c.look(ctx, part, found); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			maps.Copy(all, found)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return all, nil
}

// look reads one batch into all. One that fails is halved: a few transactions with thousands of
// logs make an answer that is longer than what is read.
func (c *Client) look(ctx context.Context, txs []string, all map[string]network.Looked) error {
	hashes := make([]common.Hash, len(txs))
	for i, tx := range txs {
		canonical, err := network.ParseTx(tx)
		if err != nil {
			return fmt.Errorf("%q: %w", clip(tx), err)
		}
		hashes[i] = common.HexToHash(canonical)
	}
	var receipts []receipt
	err := c.read(ctx, "read receipts", func(ctx context.Context, n *node) (err error) {
		if receipts, err = n.receipts(ctx, hashes); err != nil {
			return err
		}
		return c.sent(ctx, n, c.timeout, receipts)
	})
	if err != nil && len(txs) > 1 && ctx.Err() == nil {
		if err := c.look(ctx, txs[:len(txs)/2], all); err != nil {
			return err
		}
		return c.look(ctx, txs[len(txs)/2:], all)
	}
	if err != nil {
		return err
	}
	for i, r := range receipts {
		if r.Receipt == nil {
			// One node may lag: what it does not know is asked of the others too.
			var state network.TxState
			if r, state, err = c.find(ctx, hashes[i]); err != nil {
				return err
			}
			if r.Receipt == nil {
				all[txs[i]] = network.Looked{State: state}
				continue
			}
		}
		if all[txs[i]], err = c.looked(r); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) looked(r receipt) (network.Looked, error) {
	l := network.Looked{State: network.Mined, Block: r.BlockNumber.Uint64(), Deposits: c.deposits(r)}
	if r.Status != types.ReceiptStatusSuccessful {
		l.State = network.Failed
	}
	var err error
	l.Fee, err = r.fee()
	return l, err
}

// receipts reads a batch; one without a receipt has a nil Receipt.
func (n *node) receipts(ctx context.Context, txs []common.Hash) ([]receipt, error) {
	calls, answers := make([]rpc.BatchElem, len(txs)), make([]json.RawMessage, len(txs))
	for i, tx := range txs {
		calls[i] = rpc.BatchElem{Method: "eth_getTransactionReceipt", Args: []any{tx}, Result: &answers[i]}
	}
	if err := n.send(ctx, calls); err != nil {
		return nil, err
	}
	all := make([]receipt, len(txs))
	for i, raw := range answers {
		r, err := readReceipt(txs[i], raw)
		if err != nil && !errors.Is(err, ethereum.NotFound) {
			return nil, err
		}
		if err == nil {
			all[i] = r
		}
	}
	return all, nil
}

// send makes the calls of a batch; the first that failed is the error of all.
func (n *node) send(ctx context.Context, calls []rpc.BatchElem) error {
	if err := n.rpc.BatchCallContext(ctx, calls); err != nil {
		return err
	}
	for _, call := range calls {
		if call.Error != nil {
			return call.Error
		}
	}
	return nil
}

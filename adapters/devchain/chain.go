package devchain

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/txpool"

	"holdfast/domain/network"
)

// Options of a development chain. The zero value is a chain in memory on a free port.
type Options struct {
	DataDir string // empty: in memory
	Port    int    // of JSON-RPC on 127.0.0.1; 0 = any free port
	// Interval between empty blocks after a transaction; 500 ms when 0.
	Interval time.Duration
	// Tail is how many empty blocks follow the last transaction; 40 when 0, enough for
	// the finalized tag, which moves every 32 blocks.
	Tail int
	// Manual chains mine only when Mine, Reorg or a payment through the Chain itself says so.
	Manual bool
	Log    *slog.Logger
}

// Chain is a running development chain. Its Wallet pays on it.
type Chain struct {
	*Wallet

	mu     sync.Mutex // the beacon is not safe for concurrent use
	engine *engine
	stop   context.CancelFunc
	done   sync.WaitGroup
}

// Start brings the chain up, deploys what is missing, and begins to mine.
func Start(ctx context.Context, o Options) (*Chain, error) {
	if o.Interval == 0 {
		o.Interval = 500 * time.Millisecond
	}
	if o.Tail == 0 {
		o.Tail = 40
	}
	e, err := start(o)
	if err != nil {
		return nil, fmt.Errorf("start the development chain: %w", err)
	}
	c := &Chain{engine: e, stop: func() {}}
	e.forks.chain.Store(c)
	if c.Wallet, err = newWallet(e.node.Attach(), func() { c.commit(1) }); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	if err := c.setUp(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("set the development chain up: %w", err), c.Close())
	}
	if !o.Manual {
		c.step = nil // the loop mines; the wallet only waits
		running, stop := context.WithCancel(context.WithoutCancel(ctx))
		c.stop = stop
		c.done.Go(func() { c.mine(running, o) })
	}
	if o.Log != nil {
		o.Log.InfoContext(ctx, "development chain is up", "url", c.URL(), "chain", ChainID, "head", c.Head(), "persistent", o.DataDir != "")
	}
	return c, nil
}

// URL of the chain's JSON-RPC.
func (c *Chain) URL() string { return c.engine.node.HTTPEndpoint() }

// Head is the number of the newest block.
func (c *Chain) Head() uint64 { return c.engine.eth.BlockChain().CurrentBlock().Number.Uint64() }

// Registry is a registry of this chain alone.
func (c *Chain) Registry() (*network.Registry, error) { return network.New(Network()) }

// Mine seals n blocks.
func (c *Chain) Mine(n int) { c.commit(n) }

// Reorg replaces the newest depth blocks by depth+1 others. With drop, the transactions of
// the lost blocks vanish; without, they are mined again in the new ones.
func (c *Chain) Reorg(depth int, drop bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reorg(depth, drop)
}

// ReplaceSince replaces a block and every later one: what Reorg does, whatever was mined since
// the caller looked at the head.
func (c *Chain) ReplaceSince(block uint64, drop bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	head := c.engine.eth.BlockChain().CurrentBlock().Number.Uint64()
	if block < 1 || block > head {
		return fmt.Errorf("replace the blocks since %d of %d", block, head)
	}
	return c.reorg(int(head-block)+1, drop)
}

func (c *Chain) reorg(depth int, drop bool) error {
	chain, pool := c.engine.eth.BlockChain(), c.engine.eth.TxPool()
	head := chain.CurrentBlock().Number.Uint64()
	if depth < 1 || uint64(depth) > head {
		return fmt.Errorf("reorganise %d blocks of %d", depth, head)
	}
	c.engine.beacon.Rollback() // a fork needs an empty pool
	if err := c.engine.beacon.Fork(chain.GetCanonicalHash(head - uint64(depth))); err != nil {
		return fmt.Errorf("fork %d blocks below the head: %w", depth, err)
	}
	// The pool takes the lost transactions back in the background; wait for it.
	if err := pool.Sync(); err != nil {
		return fmt.Errorf("wait for the transaction pool: %w", err)
	}
	if drop {
		c.engine.beacon.Rollback()
	}
	for range depth + 1 {
		c.engine.beacon.Commit()
	}
	return nil
}

// Close stops mining and closes the chain; a chain with a data directory can be started again.
func (c *Chain) Close() error {
	c.stop()
	c.done.Wait()
	if c.Wallet != nil {
		c.client.Close()
	}
	return c.engine.close()
}

func (c *Chain) commit(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for range n {
		c.engine.beacon.Commit()
	}
}

func (c *Chain) mine(ctx context.Context, o Options) {
	arrived := make(chan core.NewTxsEvent, 128)
	sub := c.engine.eth.TxPool().SubscribeTransactions(arrived, true)
	defer sub.Unsubscribe()
	tick := time.NewTicker(o.Interval)
	defer tick.Stop()
	for rest := o.Tail; ; {
		select {
		case <-ctx.Done():
			return
		case <-arrived:
			c.commit(1)
			rest = o.Tail
		case <-tick.C:
			if _, waiting := c.engine.eth.TxPool().Pending(txpool.PendingFilter{}); waiting > 0 {
				rest = o.Tail // the pool was not ready when the transaction came
			}
			if rest > 0 {
				c.commit(1)
				rest--
			}
		}
	}
}

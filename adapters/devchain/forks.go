package devchain

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
)

// Forks is the chain's own JSON-RPC namespace "dev": what no real chain would do when asked.
type Forks struct{ chain atomic.Pointer[Chain] }

// Reorg answers dev_reorg: the newest depth blocks are replaced; with drop, what they held is
// gone, without, it is mined again.
func (f *Forks) Reorg(depth int, drop bool) (head uint64, err error) {
	c := f.chain.Load()
	if c == nil || depth < 1 {
		return 0, errors.New("nothing to replace")
	}
	if err := c.Reorg(depth, drop); err != nil {
		return 0, err
	}
	return c.Head(), nil
}

// Reorg asks the chain to replace its newest depth blocks.
func (w *Wallet) Reorg(ctx context.Context, depth int, drop bool) error {
	var head uint64
	if err := w.client.Client().CallContext(ctx, &head, "dev_reorg", depth, drop); err != nil {
		return fmt.Errorf("replace %d blocks: %w", depth, err)
	}
	return nil
}

// Height is the number of the chain's newest block.
func (w *Wallet) Height(ctx context.Context) (uint64, error) {
	head, err := w.client.BlockNumber(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the head: %w", err)
	}
	return head, nil
}

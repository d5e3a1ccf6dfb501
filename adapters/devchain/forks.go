package devchain

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
)

// Forks is the chain's own JSON-RPC namespace "dev": what no real chain would do when asked.
type Forks struct{ chain atomic.Pointer[Chain] }

// ReplaceSince answers dev_replaceSince: a block and every later one are replaced; with drop, what
// they held is gone, without, it is mined again. It gives the new head.
func (f *Forks) ReplaceSince(block uint64, drop bool) (head uint64, err error) {
	c := f.chain.Load()
	if c == nil {
		return 0, errors.New("the chain is not up yet")
	}
	if err := c.ReplaceSince(block, drop); err != nil {
		return 0, err
	}
	return c.Head(), nil
}

// ReplaceSince asks the chain to replace a block and every later one.
func (w *Wallet) ReplaceSince(ctx context.Context, block uint64, drop bool) error {
	var head uint64
	if err := w.client.Client().CallContext(ctx, &head, "dev_replaceSince", block, drop); err != nil {
		return fmt.Errorf("replace the blocks since %d: %w", block, err)
	}
	return nil
}

package records

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// gathering makes one write of what many callers want at the same moment: while one is on its way to
// the disk the next one fills. A caller is answered when its own item is written.
//
// An item that the database refuses fails alone: the others of its write are written all the same.
type gathering[T any] struct {
	// write writes all or nothing.
	write func(ctx context.Context, all []T) error
	limit int // items of one write
	what  string

	mu      sync.Mutex
	waiting []gathered[T]
	busy    bool
}

type gathered[T any] struct {
	item T
	done chan error // buffered: a caller that has gone holds nothing up
}

// gatherFor bounds one write. It does not follow the callers' contexts: one that ends must not
// break the others.
const gatherFor = 10 * time.Second

// put returns when the item is written. When ctx ends first it may still be.
func (g *gathering[T]) put(ctx context.Context, item T) error {
	one := gathered[T]{item, make(chan error, 1)}
	g.mu.Lock()
	g.waiting = append(g.waiting, one)
	idle := !g.busy
	g.busy = true
	g.mu.Unlock()
	if idle {
		go g.work()
	}
	select {
	case err := <-one.done:
		return failed(g.what, err)
	case <-ctx.Done():
		return failed(g.what, ctx.Err())
	}
}

// work writes until nobody waits.
func (g *gathering[T]) work() {
	for {
		g.mu.Lock()
		n := min(len(g.waiting), g.limit)
		now := g.waiting[:n:n]
		g.waiting = g.waiting[n:]
		if n == 0 {
			g.waiting, g.busy = nil, false
		}
		g.mu.Unlock()
		if n == 0 {
			return
		}
		g.together(now)
	}
}

func (g *gathering[T]) together(now []gathered[T]) {
	items := make([]T, len(now))
	for i, one := range now {
		items[i] = one.item
	}
	err := g.within(items)
	if _, refused := errors.AsType[*pgconn.PgError](err); refused && len(now) > 1 {
		for i, one := range now {
			one.done <- g.within(items[i : i+1])
		}
		return
	}
	for _, one := range now {
		one.done <- err
	}
}

func (g *gathering[T]) within(items []T) error {
	ctx, cancel := context.WithTimeout(context.Background(), gatherFor)
	defer cancel()
	return g.write(ctx, items)
}

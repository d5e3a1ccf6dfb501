package projections

import (
	"context"
	"sync"
	"time"
)

// positions remembers where this process has seen projectors stand.
type positions struct {
	mu   sync.Mutex
	at   map[string]int64
	bell *bell
}

func newPositions() *positions { return &positions{at: map[string]int64{}, bell: newBell()} }

func (p *positions) note(name string, position int64) {
	p.mu.Lock()
	moved := position > p.at[name]
	if moved {
		p.at[name] = position
	}
	p.mu.Unlock()
	if moved {
		p.bell.ring()
	}
}

func (p *positions) of(name string) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at[name]
}

// lookAgain is how often a waiter asks the database, for a projector that runs elsewhere.
const lookAgain = 50 * time.Millisecond

// WaitFor returns when the read model has applied everything up to position. It returns
// ErrLag when ctx ends before, and ErrUnknown for a name that nobody registered.
func (r *Runner) WaitFor(ctx context.Context, name string, position int64) error {
	if _, err := r.registry.find(name); err != nil {
		return err
	}
	for {
		moved := r.seen.bell.next()
		if r.seen.of(name) >= position {
			return nil
		}
		c, err := readCheckpoint(ctx, r.engine.pool, checkpointSQL, name)
		switch {
		case ctx.Err() != nil:
			return ErrLag.With("position", position)
		case err != nil:
			return err
		case c.position >= position:
			r.seen.note(name, c.position)
			return nil
		}
		pause(ctx, lookAgain, moved)
	}
}

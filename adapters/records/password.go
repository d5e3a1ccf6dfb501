package records

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"

	"holdfast/domain/fault"
)

// ErrBusy: so many passwords wait to be hashed that another one would wait too long.
var ErrBusy = fault.New(fault.Unavailable, "SIGN_IN_BUSY", "too many sign-ins are waiting; retry").Retry(5)

// DefaultQueue is how many hashes may wait for their turn: some eight seconds of one core.
const DefaultQueue = 256

// Hasher hashes and verifies with a bound on how many run at once and how many wait, so that a
// wave of logins queues instead of eating memory and cores.
type Hasher struct {
	worker  worker
	slots   chan struct{}
	waiting atomic.Int64
	most    int64
}

// NewHasher allows so many hashes at once (19 MiB each) and so many waiting. 0 at once means half
// of the cores, so that the other routes keep theirs; 0 waiting means DefaultQueue.
func NewHasher(atOnce, waiting int) *Hasher {
	if atOnce <= 0 {
		atOnce = max(1, runtime.GOMAXPROCS(0)/2)
	}
	if waiting <= 0 {
		waiting = DefaultQueue
	}
	return &Hasher{worker: here{}, slots: make(chan struct{}, atOnce), most: int64(waiting)}
}

// Hash gives the PHC string of a password at the present cost.
func (h *Hasher) Hash(ctx context.Context, password string) (stored string, err error) {
	err = h.turn(ctx, func() error {
		stored, err = h.worker.hash(password)
		return err
	})
	return stored, err
}

// Verify compares in constant time: argon2id of any reasonable cost, and the bcrypt of the old
// backend. An empty one is compared with a dummy of the present cost, so that nobody can tell
// unknown users by the clock.
func (h *Hasher) Verify(ctx context.Context, stored, password string) (match bool, err error) {
	err = h.turn(ctx, func() error {
		match, err = h.worker.verify(stored, password)
		return err
	})
	return match && err == nil, err
}

// Stale reports whether a stored hash is not what Hash would make today.
func (h *Hasher) Stale(stored string) bool {
	p, err := parsePHC(stored)
	return err != nil || p.cost != present || len(p.key) != keyBytes
}

// turn waits for a slot and works in it.
func (h *Hasher) turn(ctx context.Context, work func() error) error {
	select {
	case h.slots <- struct{}{}:
	default:
		if h.waiting.Add(1) > h.most {
			h.waiting.Add(-1)
			return ErrBusy
		}
		defer h.waiting.Add(-1)
		select {
		case h.slots <- struct{}{}:
		case <-ctx.Done():
			return fmt.Errorf("wait for a turn to hash: %w", ErrBusy)
		}
	}
	defer func() { <-h.slots }()
	return work()
}

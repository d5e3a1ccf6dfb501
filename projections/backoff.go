package projections

import (
	"context"
	"math/rand/v2"
	"time"
)

// backoff waits longer after each failure, with jitter, from 50 ms to 5 s.
type backoff struct{ failures int }

func (b *backoff) reset() { b.failures = 0 }

// next gives the time to wait after one more failure.
func (b *backoff) next() time.Duration {
	full := min(50*time.Millisecond<<min(b.failures, 10), 5*time.Second)
	b.failures++
	return full/2 + rand.N(full/2)
}

func (b *backoff) sleep(ctx context.Context) { pause(ctx, b.next(), nil) }

// pause waits for a time, a wake-up or the end of ctx, whichever comes first.
func pause(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-wake:
	case <-ctx.Done():
	}
}

package requestnetwork

import (
	"sync"
	"time"
)

// pause stops calls to a provider that is in trouble. After failuresInARow it waits, longer each
// time, and lets one call through to see; a "too many requests" stops at once, because
// who goes on asking is locked out for five minutes.
type pause struct {
	mu       sync.Mutex
	failures int
	until    time.Time
}

const (
	failuresInARow = 5
	shortPause     = 5 * time.Second
	longPause      = time.Minute
)

// left is how long no call is to be made.
func (p *pause) left(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	wait := p.until.Sub(now)
	if wait <= 0 && p.failures >= failuresInARow {
		p.until = now.Add(shortPause) // this call is the one that looks; the others wait for it
	}
	return max(wait, 0)
}

func (p *pause) good() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failures, p.until = 0, time.Time{}
}

// bad notes a failure; asked is how long the provider wants us to wait, 0 when it did not say.
func (p *pause) bad(now time.Time, asked time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failures++
	wait := asked
	if wait == 0 && p.failures >= failuresInARow {
		wait = min(shortPause<<min(p.failures-failuresInARow, 4), longPause)
	}
	if until := now.Add(wait); wait > 0 && until.After(p.until) {
		p.until = until
	}
}

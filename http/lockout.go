package http

import (
	"context"
	"sync"
	"time"

	"holdfast/domain/fault"
)

var errAccountLocked = fault.New(fault.Locked, "ACCOUNT_LOCKED", "too many failed sign-ins; wait, or reset the password")

// The rule of lock-outs: so many failures within the window lock an account, for longer each time.
const (
	LockoutFailures = 5
	LockoutWindow   = 15 * time.Minute
	LockoutFirst    = 15 * time.Minute
	LockoutMost     = 24 * time.Hour
)

// LockoutFor is how long the nth lock-out in a row lasts, from 1.
func LockoutFor(nth int) time.Duration {
	d := LockoutFirst
	for ; nth > 1 && d < LockoutMost; nth-- {
		d *= 2
	}
	return min(d, LockoutMost)
}

// LocalLockouts counts in this process, in bounded memory. Several instances need a shared count.
type LocalLockouts struct {
	mu   sync.Mutex
	now  func() time.Time
	seen map[string]failures
}

type failures struct {
	count    int
	since    time.Time // of the first failure of the window
	lockouts int       // in a row
	until    time.Time
}

// maxLockouts bounds the memory; beyond it those who are not locked are forgotten.
const maxLockouts = 65536

// NewLocalLockouts counts by a clock; nil means the process's.
func NewLocalLockouts(now func() time.Time) *LocalLockouts {
	if now == nil {
		now = time.Now
	}
	return &LocalLockouts{now: now, seen: map[string]failures{}}
}

// Len is how many accounts are remembered.
func (l *LocalLockouts) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.seen)
}

// Failed implements Lockouts.
func (l *LocalLockouts) Failed(_ context.Context, key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	f := l.seen[key]
	if now.Sub(f.since) > LockoutWindow {
		f.count, f.since = 0, now
	}
	if now.Sub(f.until) > LockoutMost {
		f.lockouts = 0
	}
	if f.count++; f.count >= LockoutFailures {
		f.lockouts++
		f.count, f.until = 0, now.Add(LockoutFor(f.lockouts))
	}
	if len(l.seen) >= maxLockouts {
		l.makeRoom(now)
	}
	l.seen[key] = f
}

func (l *LocalLockouts) makeRoom(now time.Time) {
	for key, f := range l.seen {
		if !f.until.After(now) {
			delete(l.seen, key)
		}
	}
}

// Clear implements Lockouts.
func (l *LocalLockouts) Clear(_ context.Context, key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.seen, key)
}

// Locked implements Lockouts.
func (l *LocalLockouts) Locked(_ context.Context, key string) (time.Time, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.seen[key]
	return f.until, f.until.After(l.now())
}

package ratelimit

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// Policy of locking a name after failures.
type Policy struct {
	Free    int           // failures that cost nothing
	First   time.Duration // lock after the next one; each further failure doubles it
	Longest time.Duration
	Memory  time.Duration // failures are forgotten so long after the last one
}

// StandardPolicy: five tries, then a minute, two, four … an hour; forgotten after a day.
func StandardPolicy() Policy {
	return Policy{Free: 5, First: time.Minute, Longest: time.Hour, Memory: 24 * time.Hour}
}

// lock is how long the n-th failure locks; 0 for a free one. While Redis is away nobody
// knows what other instances saw, so two tries less are free.
func (p Policy) lock(n int, strict bool) time.Duration {
	free := p.Free
	if strict {
		free = max(1, free-2)
	}
	if n < free {
		return 0
	}
	d := p.First
	for range n - free {
		if d *= 2; d >= p.Longest {
			return p.Longest
		}
	}
	return min(d, p.Longest)
}

// Lockouts count failed sign-ins a name and lock it for longer with each. They are asked where
// a password is tried and nowhere else: a reset of the password is never locked.
type Lockouts struct {
	redis    redis.Scripter
	policy   Policy
	failures *windows
	locks    *windows
	switcher
}

// NewLockouts makes them; without Redis (nil) this process counts alone.
func NewLockouts(r redis.Scripter, p Policy, o Options) *Lockouts {
	o = o.withDefaults()
	return &Lockouts{redis: r, policy: p, failures: newWindows(o.Names), locks: newWindows(o.Names), switcher: switcher{Options: o, name: "lock-outs"}}
}

// failScript counts a failure, remembered from the last one on, and gives the count and
// whether the name was cleared not long ago.
var failScript = redis.NewScript(`
local n = redis.call('INCR', KEYS[1])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return {n, redis.call('EXISTS', KEYS[2])}`)

// lockScript keeps the longer of two locks.
var lockScript = redis.NewScript(`
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], '1', 'PX', ARGV[1]) end
return 1`)

// lockedScript gives the milliseconds of the lock, and whether the name was cleared: without
// that mark, a lock that this process knows and Redis does not was lost there.
var lockedScript = redis.NewScript(`return {redis.call('PTTL', KEYS[1]), redis.call('EXISTS', KEYS[2])}`)

// clearScript forgets, and says so to the other instances.
var clearScript = redis.NewScript(`
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('SET', KEYS[3], '1', 'PX', ARGV[1])
return 1`)

type lockKeys struct{ failed, locked, cleared string }

func (l *Lockouts) keys(name string) lockKeys {
	mac := l.mac(name)
	return lockKeys{"holdfast:failed:{" + mac + "}", "holdfast:locked:{" + mac + "}", "holdfast:cleared:{" + mac + "}"}
}

// Failed counts a failure of name and gives until when the name is locked now; the zero time
// when it is not.
func (l *Lockouts) Failed(ctx context.Context, name string) time.Time {
	now := l.Now()
	k := l.keys(name)
	n, answered := l.count(ctx, k, now)
	d := l.policy.lock(n, l.redis != nil && !answered)
	if d == 0 {
		return time.Time{}
	}
	until := now.Add(d)
	l.locks.set(k.locked, window{count: 1, ends: until}, now)
	if answered {
		_, err := bounded(ctx, l.Patience, func(ctx context.Context) (any, error) {
			return lockScript.Run(ctx, l.redis, []string{k.locked}, d.Milliseconds()).Result()
		})
		l.learn(err, now)
	}
	return until
}

// count counts a failure here and in Redis; the higher count stands, unless Redis knows that
// the name was cleared.
func (l *Lockouts) count(ctx context.Context, k lockKeys, now time.Time) (n int, answered bool) {
	if l.redis != nil && l.admits(now) {
		got, err := bounded(ctx, l.Patience, func(ctx context.Context) ([]int64, error) {
			return failScript.Run(ctx, l.redis, []string{k.failed, k.cleared}, l.policy.Memory.Milliseconds()).Int64Slice()
		})
		l.learn(err, now)
		if err == nil && len(got) == 2 {
			theirs := window{count: int(got[0]), ends: now.Add(l.policy.Memory)}
			if got[1] == 1 {
				l.failures.set(k.failed, theirs, now)
				return theirs.count, true
			}
			return l.failures.agree(k.failed, now, theirs).count, true
		}
	}
	return l.failures.add(k.failed, now, l.policy.Memory).count, false
}

// Clear forgets the failures of name: after it signed in, or proved itself another way.
func (l *Lockouts) Clear(ctx context.Context, name string) {
	now := l.Now()
	k := l.keys(name)
	l.failures.drop(k.failed)
	l.locks.drop(k.locked)
	if l.redis == nil || !l.admits(now) {
		return
	}
	_, err := bounded(ctx, l.Patience, func(ctx context.Context) (any, error) {
		return clearScript.Run(ctx, l.redis, []string{k.failed, k.locked, k.cleared}, l.policy.Longest.Milliseconds()).Result()
	})
	l.learn(err, now)
}

// Locked tells until when name is locked; ok is false when it is not.
func (l *Lockouts) Locked(ctx context.Context, name string) (until time.Time, ok bool) {
	now := l.Now()
	k := l.keys(name)
	if l.redis != nil && l.admits(now) {
		got, err := bounded(ctx, l.Patience, func(ctx context.Context) ([]int64, error) {
			return lockedScript.Run(ctx, l.redis, []string{k.locked, k.cleared}).Int64Slice()
		})
		l.learn(err, now)
		switch {
		case err != nil || len(got) != 2:
		case got[0] > 0:
			until, ok = now.Add(time.Duration(got[0])*time.Millisecond), true
		case got[1] == 1:
			l.failures.drop(k.failed)
			l.locks.drop(k.locked)
			return time.Time{}, false
		}
	}
	if mine, known := l.locks.get(k.locked, now); known && mine.ends.After(until) {
		until, ok = mine.ends, true
	}
	return until, ok
}

func bounded[T any](ctx context.Context, patience time.Duration, f func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	return f(ctx)
}

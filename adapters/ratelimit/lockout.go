package ratelimit

import (
	"context"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Policy of locking a name after failures: so many within the window lock it, for longer each
// time in a row.
type Policy struct {
	Failures int
	Window   time.Duration // from the first of them
	First    time.Duration // the first lock; each further one doubles it
	Most     time.Duration // the longest; after as long without one, the first comes again
}

// lock is how long the nth lock in a row lasts, from 1.
func (p Policy) lock(nth int) time.Duration {
	d := p.First
	for ; nth > 1 && d < p.Most; nth-- {
		d *= 2
	}
	return min(d, p.Most)
}

// Lockouts count failed sign-ins of a name and lock it. They are asked where a password is
// tried and nowhere else: a reset of the password is never locked.
type Lockouts struct {
	redis  redis.Scripter // nil: this process alone counts
	policy Policy
	switcher

	mine sync.Mutex
	seen map[string]failing
}

// failing is what this process knows of a name.
type failing struct {
	count int
	since time.Time // of the first failure of the window
	locks int       // in a row
	until time.Time
}

// NewLockouts makes them; without Redis (nil) this process counts alone.
func NewLockouts(r redis.Scripter, p Policy, o Options) *Lockouts {
	return &Lockouts{redis: r, policy: p, switcher: switcher{Options: o.withDefaults(), name: "lock-outs"}, seen: map[string]failing{}}
}

// failScript counts a failure and locks when it is one too many, in one step. What this
// process has seen comes in: where Redis knows less it was emptied, unless the name was cleared
// or locked since. It gives the failures, the lock's milliseconds (0 = none), how many locks
// there were in a row, and whether the name was cleared.
var failScript = redis.NewScript(`
local most, window, first, longest = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local seen, locks = tonumber(ARGV[5]), tonumber(ARGV[6])
local cleared = redis.call('EXISTS', KEYS[4])
local n = redis.call('INCR', KEYS[1])
local nth = tonumber(redis.call('GET', KEYS[3]) or '0')
if cleared == 0 and locks >= nth and seen > n then
  n = seen
  redis.call('SET', KEYS[1], n, 'PX', window)
elseif n == 1 then
  redis.call('PEXPIRE', KEYS[1], window)
end
if cleared == 0 and locks > nth then
  nth = locks
  redis.call('SET', KEYS[3], nth, 'PX', longest)
end
if n < most then return {n, 0, nth, cleared} end
nth = nth + 1
local lock = math.min(first * 2 ^ math.min(nth - 1, 40), longest)
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[2], '1', 'PX', lock)
redis.call('SET', KEYS[3], nth, 'PX', lock + longest)
return {0, lock, nth, cleared}`)

// lockedScript gives the milliseconds of the lock, and whether the name was cleared: without
// that mark, a lock that this process knows and Redis does not was lost there.
var lockedScript = redis.NewScript(`return {redis.call('PTTL', KEYS[1]), redis.call('EXISTS', KEYS[2])}`)

// clearScript forgets, and says so to the other instances.
var clearScript = redis.NewScript(`
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
redis.call('SET', KEYS[4], '1', 'PX', ARGV[1])
return 1`)

// keys are those of a name: failures, lock, locks in a row, cleared.
func (l *Lockouts) keys(name string) (mac string, keys []string) {
	mac = l.mac(name)
	for _, what := range []string{"failed", "locked", "locks", "cleared"} {
		keys = append(keys, "holdfast:"+what+":{"+mac+"}")
	}
	return mac, keys
}

// Failed counts a failure of name and gives until when the name is locked now; the zero time
// when it is not.
func (l *Lockouts) Failed(ctx context.Context, name string) time.Time {
	now := l.Now()
	mac, keys := l.keys(name)
	f := l.counted(mac, now)
	strict := false
	if l.redis != nil {
		got, answered := l.ask(ctx, now, failScript, 4, keys, l.policy.Failures, l.policy.Window.Milliseconds(), l.policy.First.Milliseconds(), l.policy.Most.Milliseconds(), f.count, f.locks)
		if answered {
			return l.change(mac, func(f failing) failing { return f.told(got, now) }).locked(now)
		}
		strict = true
	}
	// Nobody knows what other instances saw while Redis is away: two tries less are free.
	free := l.policy.Failures
	if strict {
		free = max(1, free-2)
	}
	return l.change(mac, func(f failing) failing {
		if f.count >= free {
			f.locks++
			f.count, f.until = 0, now.Add(l.policy.lock(f.locks))
		}
		return f
	}).locked(now)
}

// told is what this process knows after Redis has answered a failure. Answers to failures at the same
// time come in any order: a count does not fall, unless the name was cleared or locked since.
func (f failing) told(got []int64, now time.Time) failing {
	count, anew := int(got[0]), got[3] == 1
	if nth := int(got[2]); nth != f.locks || got[1] > 0 {
		anew = true
		f.locks, f.until = nth, now.Add(time.Duration(got[1])*time.Millisecond)
	}
	switch {
	case f.until.After(now):
		f.count = 0
	case anew:
		f.count = count
	default:
		f.count = max(f.count, count)
	}
	return f
}

// locked is until when; zero when not.
func (f failing) locked(now time.Time) time.Time {
	if f.until.After(now) {
		return f.until
	}
	return time.Time{}
}

// counted counts one more failure, before anybody else is asked: others may fail meanwhile.
func (l *Lockouts) counted(mac string, now time.Time) failing {
	l.mine.Lock()
	defer l.mine.Unlock()
	f, known := l.seen[mac]
	if !known && len(l.seen) >= l.Names {
		l.shrink(now)
	}
	if now.Sub(f.since) > l.policy.Window {
		f.count, f.since = 0, now
	}
	if now.Sub(f.until) > l.policy.Most {
		f.locks = 0
	}
	f.count++
	l.seen[mac] = f
	return f
}

// change replaces what this process knows of a name, as it is now; a name that was cleared or
// forgotten meanwhile stays so.
func (l *Lockouts) change(mac string, f func(failing) failing) failing {
	l.mine.Lock()
	defer l.mine.Unlock()
	old, known := l.seen[mac]
	if !known {
		return f(old)
	}
	l.seen[mac] = f(old)
	return l.seen[mac]
}

// shrink forgets who is not locked, and when that is not enough a quarter of the rest.
func (l *Lockouts) shrink(now time.Time) {
	for mac, f := range l.seen {
		if !f.until.After(now) {
			delete(l.seen, mac)
		}
	}
	for mac := range l.seen {
		if len(l.seen) <= l.Names-max(1, l.Names/4) {
			return
		}
		delete(l.seen, mac)
	}
}

func (l *Lockouts) forget(mac string) {
	l.mine.Lock()
	defer l.mine.Unlock()
	delete(l.seen, mac)
}

// Clear forgets the failures of name: after it signed in, or proved itself another way.
func (l *Lockouts) Clear(ctx context.Context, name string) {
	mac, keys := l.keys(name)
	l.forget(mac)
	if l.redis != nil {
		l.ask(ctx, l.Now(), clearScript, 0, keys, l.policy.Most.Milliseconds())
	}
}

// Locked tells until when name is locked; ok is false when it is not.
func (l *Lockouts) Locked(ctx context.Context, name string) (until time.Time, ok bool) {
	now := l.Now()
	mac, keys := l.keys(name)
	if l.redis != nil {
		got, answered := l.ask(ctx, now, lockedScript, 2, []string{keys[1], keys[3]})
		switch {
		case !answered:
		case got[0] > 0:
			until = now.Add(time.Duration(got[0]) * time.Millisecond)
		case got[1] == 1:
			l.forget(mac)
			return time.Time{}, false
		}
	}
	l.mine.Lock()
	mine := l.seen[mac].locked(now)
	l.mine.Unlock()
	if mine.After(until) {
		until = mine
	}
	return until, !until.IsZero()
}

// ask runs a script within the patience; a script that gives one number and not a list is asked
// for none.
func (l *Lockouts) ask(ctx context.Context, now time.Time, s *redis.Script, numbers int, keys []string, args ...any) ([]int64, bool) {
	if !l.admits(now) {
		return nil, false
	}
	got, err := bounded(ctx, l.Patience, func(ctx context.Context) ([]int64, error) {
		if numbers == 0 {
			return nil, s.Run(ctx, l.redis, keys, args...).Err()
		}
		return s.Run(ctx, l.redis, keys, args...).Int64Slice()
	})
	l.learn(err, now)
	return got, err == nil && len(got) == numbers
}

func bounded[T any](ctx context.Context, patience time.Duration, f func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	return f(ctx)
}

package ratelimit

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
)

// Budget is so many requests in so long; Class is its name.
type Budget struct {
	Class  string
	Limit  int
	Window time.Duration
}

// Spent is how a budget stands after a request was counted in it.
type Spent struct {
	Left   int           // requests left of the window
	Resets time.Duration // until a new window begins
	OK     bool          // false when there was nothing left
}

// Options of a limiter and of lockouts; zero values have defaults.
type Options struct {
	// Key makes the MACs under which names are kept.
	Key []byte
	// Patience is how long Redis may take; 0 = 50 ms.
	Patience time.Duration
	// Names bounds how many counts this process remembers; 0 = 50000.
	Names int
	Log   *slog.Logger
	// Now is the clock; nil = the system's.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.Patience == 0 {
		o.Patience = 50 * time.Millisecond
	}
	if o.Names == 0 {
		o.Names = 50_000
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Limiter counts requests in fixed windows. It is safe for concurrent use.
type Limiter struct {
	redis  redis.Scripter // nil: this process alone counts
	shadow *windows
	switcher
}

// New makes a limiter. Without Redis (nil) this process counts alone, with the whole limits:
// for tests and for a service of one instance that says so.
func New(r redis.Scripter, o Options) *Limiter {
	o = o.withDefaults()
	return &Limiter{redis: r, shadow: newWindows(o.Names), switcher: switcher{Options: o, name: "rate limits"}}
}

// spendScript counts one in every key and gives each count with the milliseconds until its
// window ends. It is one step for Redis: no window begins without an end.
var spendScript = redis.NewScript(`
local out = {}
for i, key in ipairs(KEYS) do
  local n = redis.call('INCR', key)
  local left = redis.call('PTTL', key)
  if left < 0 then
    left = tonumber(ARGV[i])
    redis.call('PEXPIRE', key, left)
  end
  out[#out + 1] = n
  out[#out + 1] = left
end
return out`)

// Spend counts one request of name in every budget and tells how each stands, in their order.
func (l *Limiter) Spend(ctx context.Context, name string, budgets ...Budget) []Spent {
	now := l.Now()
	mac := l.mac(name)
	keys, windows := make([]string, len(budgets)), make([]any, len(budgets))
	for i, b := range budgets {
		keys[i] = "holdfast:limit:{" + mac + "}:" + b.Class
		windows[i] = b.Window.Milliseconds()
	}
	counts, answered := l.ask(ctx, keys, windows, now)
	out := make([]Spent, len(budgets))
	for i, b := range budgets {
		var w window
		if answered {
			w = l.shadow.agree(keys[i], now, counts[i], min(2*l.Patience, time.Second, b.Window/10))
		} else {
			w = l.shadow.add(keys[i], now, b.Window)
		}
		limit := b.Limit
		if l.redis != nil && !answered && l.open() {
			limit = max(1, limit/2)
		}
		out[i] = Spent{Left: max(0, limit-w.count), Resets: w.ends.Sub(now), OK: w.count <= limit}
	}
	return out
}

func (l *Limiter) ask(ctx context.Context, keys []string, args []any, now time.Time) ([]window, bool) {
	if l.redis == nil || !l.admits(now) {
		return nil, false
	}
	numbers, err := bounded(ctx, l.Patience, func(ctx context.Context) ([]int64, error) {
		return spendScript.Run(ctx, l.redis, keys, args...).Int64Slice()
	})
	if err == nil && len(numbers) != 2*len(keys) {
		err = fmt.Errorf("%d numbers for %d keys", len(numbers), len(keys))
	}
	l.learn(err, now)
	if err != nil {
		return nil, false
	}
	counts := make([]window, len(keys))
	for i := range counts {
		counts[i] = window{count: int(numbers[2*i]), ends: now.Add(time.Duration(numbers[2*i+1]) * time.Millisecond)}
	}
	return counts, true
}

// mac is the name under which somebody is counted; it cannot be turned back.
func (o Options) mac(name string) string {
	m := hmac.New(sha256.New, o.Key)
	m.Write([]byte(name))
	return hex.EncodeToString(m.Sum(nil)[:16])
}

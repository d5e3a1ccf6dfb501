package http

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"
)

// The budgets of the original: so many requests in fifteen minutes.
var (
	budgetGeneral = Budget{"global", 100, 15 * time.Minute}
	budgetAuth    = Budget{"auth", 10, 15 * time.Minute}
	budgetPayment = Budget{"payment", 30, 15 * time.Minute}
	budgetWebhook = Budget{"webhook", 600, time.Minute}
)

// spend counts the request in its budgets. The key is the user, so that people behind one
// address do not use up each other's budget; the address where nobody is signed in.
func (s *Server) spend(c *call, r *Route) error {
	webhook := r.Class == Ingestion && r.Public()
	if s.deps.Limiter == nil || (r.Rate == RateExempt && !webhook) {
		return nil
	}
	budgets := []Budget{budgetGeneral}
	switch {
	case webhook:
		budgets = []Budget{budgetWebhook}
	case r.Rate == RateAuth:
		budgets = append(budgets, budgetAuth)
	case r.Rate == RatePayment:
		budgets = append(budgets, budgetPayment)
	}
	key := "user:" + string(c.user())
	if c.user() == "" {
		key = "ip:" + c.echo.RealIP()
	}
	for _, b := range budgets {
		left, resets, ok := s.deps.Limiter.Allow(c.echo.Request().Context(), b, key)
		seconds := int(resets/time.Second) + 1
		h := c.echo.Response().Header()
		h.Set("RateLimit-Limit", strconv.Itoa(b.Limit))
		h.Set("RateLimit-Remaining", strconv.Itoa(left))
		h.Set("RateLimit-Reset", strconv.Itoa(seconds))
		if !ok {
			return errRateLimited.Because("%d requests in %s are allowed here", b.Limit, b.Window).Retry(seconds)
		}
	}
	return nil
}

// LocalLimiter counts in this process: fixed windows, bounded memory. Several instances
// need a shared one.
type LocalLimiter struct {
	mu      sync.Mutex
	windows map[string]window
}

type window struct {
	count int
	ends  time.Time
}

// NewLocalLimiter makes an empty one.
func NewLocalLimiter() *LocalLimiter { return &LocalLimiter{windows: map[string]window{}} }

// Allow implements Limiter.
func (l *LocalLimiter) Allow(_ context.Context, b Budget, key string) (left int, resets time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	name := fmt.Sprintf("%s/%s", b.Class, key)
	w := l.windows[name]
	if now.After(w.ends) {
		l.sweep(now)
		w = window{ends: now.Add(b.Window)}
	}
	w.count++
	l.windows[name] = w
	return max(0, b.Limit-w.count), w.ends.Sub(now), w.count <= b.Limit
}

// sweep drops windows that have ended, when there are many.
func (l *LocalLimiter) sweep(now time.Time) {
	if len(l.windows) < 10000 {
		return
	}
	for name, w := range l.windows {
		if now.After(w.ends) {
			delete(l.windows, name)
		}
	}
}

package http_test

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"holdfast/adapters/ratelimit"
	apihttp "holdfast/http"
)

// limiter joins the adapter with the server, as wire does.
type limiter struct{ *ratelimit.Limiter }

// counting counts in this process, or in a Redis when one is given.
func counting(r redis.Scripter) limiter {
	return limiter{ratelimit.New(r, ratelimit.Options{Patience: 5 * time.Second})}
}

func (l limiter) Spend(ctx context.Context, key string, budgets ...apihttp.Budget) (out []apihttp.Spent) {
	var all []ratelimit.Budget
	for _, b := range budgets {
		all = append(all, ratelimit.Budget(b))
	}
	for _, s := range l.Limiter.Spend(ctx, key, all...) {
		out = append(out, apihttp.Spent(s))
	}
	return out
}

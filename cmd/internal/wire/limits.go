package wire

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"

	"holdfast/adapters/ratelimit"
	"holdfast/cmd/internal/config"
	apihttp "holdfast/http"
)

func budgets(c *config.Config) apihttp.Budgets {
	return apihttp.Budgets{
		Window: c.LimitWindow, Global: c.LimitGlobal, Auth: c.LimitAuth, Payment: c.LimitPayment, AI: c.LimitAI, Key: c.LimitKey, Webhook: c.LimitWebhook,
	}
}

// countOptions are those of everything that is counted in Redis. Names are kept as MACs.
func (s *Service) countOptions() ratelimit.Options {
	m := hmac.New(sha256.New, []byte(s.Config.PIIMasterKey))
	m.Write([]byte("holdfast counters"))
	return ratelimit.Options{Key: m.Sum(nil), Patience: s.Config.RedisPatience, Log: s.Log}
}

// limiter counts requests in Redis; nil when limits are switched off.
func (s *Service) limiter() apihttp.Limiter {
	if !s.Config.RateLimit {
		s.Log.Warn("RATE_LIMIT is off: requests are not counted")
		return nil
	}
	return limiter{ratelimit.New(s.Redis, s.countOptions())}
}

type limiter struct{ *ratelimit.Limiter }

func (l limiter) Spend(ctx context.Context, key string, budgets ...apihttp.Budget) []apihttp.Spent {
	all := make([]ratelimit.Budget, len(budgets))
	for i, b := range budgets {
		all[i] = ratelimit.Budget(b)
	}
	spent := l.Limiter.Spend(ctx, key, all...)
	out := make([]apihttp.Spent, len(spent))
	for i, one := range spent {
		out[i] = apihttp.Spent(one)
	}
	return out
}

// lockouts count failed sign-ins in Redis, so that every instance knows of them.
func (s *Service) lockouts() apihttp.Lockouts {
	return lockouts{ratelimit.NewLockouts(s.Redis, ratelimit.Policy{
		Failures: apihttp.LockoutFailures, Window: apihttp.LockoutWindow, First: apihttp.LockoutFirst, Most: apihttp.LockoutMost,
	}, s.countOptions())}
}

type lockouts struct{ *ratelimit.Lockouts }

func (l lockouts) Failed(ctx context.Context, key string) { l.Lockouts.Failed(ctx, key) }

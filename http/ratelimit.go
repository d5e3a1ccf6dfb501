package http

import (
	"context"
	"net/http"
	"net/netip"
	"strconv"
	"time"
)

// Budgets are how many requests each rate class allows. Zero values have the original's
// limits.
type Budgets struct {
	// Window of all of them but Webhook's; 0 = 15 minutes.
	Window time.Duration
	// Global counts every request but health and webhooks; 0 = 100.
	Global int
	// Auth counts signing in and what belongs to it; 0 = 10.
	Auth int
	// Payment counts payment routes but looking at one payment; 0 = 30.
	Payment int
	// AI counts what a model answers; 0 = 20.
	AI int
	// Key counts requests with an API key, in place of all others; 0 = 600.
	Key int
	// Webhook counts notices of an address, a minute; 0 = 600.
	Webhook int
}

func (b Budgets) withDefaults() Budgets {
	for n, value := range map[*int]int{&b.Global: 100, &b.Auth: 10, &b.Payment: 30, &b.AI: 20, &b.Key: 600, &b.Webhook: 600} {
		if *n == 0 {
			*n = value
		}
	}
	if b.Window == 0 {
		b.Window = 15 * time.Minute
	}
	return b
}

// of gives the budgets that a call counts in. A notice of a provider is exempt from the global
// one and has one of its own, so that no flood of notices costs more than it must.
func (b Budgets) of(c *call, r *Route) []Budget {
	switch {
	case r.Class == Ingestion && r.Public():
		return []Budget{{"webhook", b.Webhook, time.Minute}}
	case r.Rate == RateExempt:
		return nil
	case c.apiKey.ID != "":
		return []Budget{{"key", b.Key, b.Window}}
	}
	all := []Budget{{"global", b.Global, b.Window}}
	switch r.Rate {
	case RateAuth:
		all = append(all, Budget{"auth", b.Auth, b.Window})
	case RatePayment:
		all = append(all, Budget{"payment", b.Payment, b.Window})
	case RateAI:
		all = append(all, Budget{"ai", b.AI, b.Window})
	}
	return all
}

// spend counts the request in its budgets, all in one step, and tells the caller about the one
// of which least is left.
func (s *Server) spend(c *call, r *Route) error {
	if s.deps.Limiter == nil {
		return nil
	}
	budgets := s.config.Budgets.of(c, r)
	if len(budgets) == 0 {
		return nil
	}
	spent := s.deps.Limiter.Spend(c.echo.Request().Context(), c.counted(), budgets...)
	if len(spent) != len(budgets) {
		return nil // a limiter that does not say refuses nobody
	}
	tightest := 0
	for i, one := range spent {
		if !one.OK && spent[tightest].OK || one.OK == spent[tightest].OK && one.Left < spent[tightest].Left {
			tightest = i
		}
	}
	b, one := budgets[tightest], spent[tightest]
	announce(c.echo.Response().Header(), b, one)
	if !one.OK {
		return errRateLimited.Because("%d requests in %s are allowed here", b.Limit, b.Window).Retry(one.seconds())
	}
	return nil
}

// within counts one in a budget of a single route.
func (s *Server) within(ctx context.Context, b Budget, key string) error {
	if s.deps.Limiter == nil {
		return nil
	}
	spent := s.deps.Limiter.Spend(ctx, key, b)
	if len(spent) == 1 && !spent[0].OK {
		return errRateLimited.Because("%d in %s are allowed", b.Limit, b.Window).Retry(spent[0].seconds())
	}
	return nil
}

func announce(h http.Header, b Budget, s Spent) {
	h.Set("RateLimit-Limit", strconv.Itoa(b.Limit))
	h.Set("RateLimit-Remaining", strconv.Itoa(s.Left))
	h.Set("RateLimit-Reset", strconv.Itoa(s.seconds()))
	h.Set("RateLimit-Policy", strconv.Itoa(b.Limit)+";w="+strconv.Itoa(int(b.Window/time.Second))+`;name="`+b.Class+`"`)
}

// seconds until the window ends, rounded up.
func (s Spent) seconds() int { return int((s.Resets + time.Second - 1) / time.Second) }

// counted is who is counted: the key, else the user, so that people behind one address do not
// use up each other's budget; the address where nobody is signed in.
func (c *call) counted() string {
	switch {
	case c.apiKey.ID != "":
		return "key:" + c.apiKey.ID
	case c.user() != "":
		return "user:" + string(c.user())
	}
	return "ip:" + neighbourhood(c.echo.RealIP())
}

// neighbourhood is the part of an address that one customer has: all of an IPv4 address, the
// /64 of an IPv6 one, of which everybody has as many as there are grains of sand.
func neighbourhood(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if ip = ip.Unmap(); ip.Is4() {
		return ip.String()
	}
	prefix, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return prefix.String()
}

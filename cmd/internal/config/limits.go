package config

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Limits are how many requests are taken in a window (RATE_LIMIT_*); 0 stands for the default,
// which in development is a hundred times the original's, so that a demo is counted and not
// refused.
type Limits struct {
	RateLimit     bool          `env:"RATE_LIMIT" envDefault:"true"`
	LimitWindow   time.Duration `env:"RATE_LIMIT_WINDOW" envDefault:"15m"`
	LimitGlobal   int           `env:"RATE_LIMIT_GLOBAL"`
	LimitAuth     int           `env:"RATE_LIMIT_AUTH"`
	LimitPayment  int           `env:"RATE_LIMIT_PAYMENT"`
	LimitAI       int           `env:"RATE_LIMIT_AI"`
	LimitKey      int           `env:"RATE_LIMIT_KEY"`
	LimitWebhook  int           `env:"RATE_LIMIT_WEBHOOK"`               // a minute
	RedisPatience time.Duration `env:"REDIS_PATIENCE" envDefault:"50ms"` // how long a count may take
}

// developmentFactor is by how much the limits of development are larger.
const developmentFactor = 100

func (c *Config) limits(wrong func(name, found, want string)) {
	for _, n := range []struct {
		name  string
		value *int
		usual int
	}{
		{"RATE_LIMIT_GLOBAL", &c.LimitGlobal, 100},
		{"RATE_LIMIT_AUTH", &c.LimitAuth, 10},
		{"RATE_LIMIT_PAYMENT", &c.LimitPayment, 30},
		{"RATE_LIMIT_AI", &c.LimitAI, 20},
		{"RATE_LIMIT_KEY", &c.LimitKey, 600},
		{"RATE_LIMIT_WEBHOOK", &c.LimitWebhook, 60_000},
	} {
		if *n.value < 0 || *n.value > 100_000_000 {
			wrong(n.name, strconv.Itoa(*n.value), "1 … 100000000 requests, or 0 for the default")
		}
		if *n.value == 0 {
			*n.value = n.usual
			if c.Development() {
				*n.value *= developmentFactor
			}
		}
	}
	if c.LimitWindow < time.Second || c.LimitWindow > 24*time.Hour {
		wrong("RATE_LIMIT_WINDOW", c.LimitWindow.String(), "1s … 24h")
	}
	if c.RedisPatience < time.Millisecond || c.RedisPatience > 2*time.Second {
		wrong("REDIS_PATIENCE", c.RedisPatience.String(), "1ms … 2s")
	}
}

// trustedProxies reads TRUST_PROXY: addresses and networks, or how many proxies stand before
// the service.
func (c *Config) trustedProxies(wrong func(name, found, want string)) {
	const want = "addresses or CIDRs, separated by commas, or how many proxies stand before the service (1 … 16)"
	c.Proxies, c.ProxyHops = nil, 0
	text := strings.TrimSpace(c.TrustProxy)
	if hops, err := strconv.Atoi(text); err == nil {
		if c.ProxyHops = hops; hops < 1 || hops > 16 {
			wrong("TRUST_PROXY", text, want)
		}
		return
	}
	for _, one := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		network, err := netip.ParsePrefix(one)
		if ip, single := netip.ParseAddr(one); single == nil {
			network, err = netip.PrefixFrom(ip.Unmap(), ip.Unmap().BitLen()), nil
		}
		switch {
		case err != nil:
			wrong("TRUST_PROXY", strconv.Quote(one), want)
		case network.Bits() == 0:
			wrong("TRUST_PROXY", strconv.Quote(one), "not everybody: "+want)
		default:
			c.Proxies = append(c.Proxies, network.String())
		}
	}
}

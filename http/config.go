package http

import "time"

// Config is the server's own settings. The zero value is safe but for Secret, which New
// demands.
type Config struct {
	Addr        string   // listen address, "127.0.0.1:5001"
	FrontendURL string   // the one CORS origin
	Proxies     []string // CIDRs whose X-Forwarded-For and -Proto are believed
	ProxyHops   int      // or how many proxies stand before the service
	Version     string   // shown by /api/version
	Stores      map[string]string
	AccessLog   bool

	Secret []byte // of access tokens, at least 32 bytes
	// PreviousSecret is still believed, and signs nothing, until PreviousUntil.
	PreviousSecret []byte
	PreviousUntil  time.Time

	AccessTTL  time.Duration // 0 = 15 minutes
	RefreshTTL time.Duration // 0 = 30 days

	Budgets Budgets // of the rate classes; zero values have defaults

	// ReauthAfter is how long after a sign-in the most delicate changes may be made; 0 = 15 min.
	ReauthAfter time.Duration

	// TelegramMaxAge is how old what Telegram's clients bring may be when it signs in or links;
	// 0 = 1 hour.
	TelegramMaxAge time.Duration
	// Development takes a webhook URL without TLS.
	Development bool

	Quoting Quoting // policy of quotes; zero values have defaults

	// SessionFresh is how long a session's roles and revocation may be remembered; 0 = 3 s.
	SessionFresh time.Duration
	// RequestTimeout bounds one request's work; 0 = 15 s. Long polls add their wait.
	RequestTimeout time.Duration
	// MaxInFlight bounds the requests that are worked on at once, MaxWebhooks those of
	// the webhook and MaxPolls the long polls beside them; 0 = 512, 128 and 2048.
	MaxInFlight, MaxWebhooks, MaxPolls int
	// MaxConnections bounds open connections; 0 = 8192.
	MaxConnections int
	// HeaderTimeout, ReadTimeout and IdleTimeout bound how long a client may take over its
	// header, over the whole request, and between two; 0 = 5, 30 and 60 s.
	HeaderTimeout, ReadTimeout, IdleTimeout time.Duration
}

func (c Config) withDefaults() Config {
	set := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	setInt := func(n *int, value int) {
		if *n == 0 {
			*n = value
		}
	}
	c.Quoting, c.Budgets = c.Quoting.withDefaults(), c.Budgets.withDefaults()
	set(&c.AccessTTL, 15*time.Minute)
	set(&c.RefreshTTL, 30*24*time.Hour)
	set(&c.ReauthAfter, 15*time.Minute)
	set(&c.TelegramMaxAge, time.Hour)
	set(&c.SessionFresh, 3*time.Second)
	set(&c.RequestTimeout, 15*time.Second)
	set(&c.HeaderTimeout, 5*time.Second)
	set(&c.ReadTimeout, 30*time.Second)
	set(&c.IdleTimeout, time.Minute)
	setInt(&c.MaxInFlight, 512)
	setInt(&c.MaxWebhooks, 128)
	setInt(&c.MaxPolls, 2048)
	setInt(&c.MaxConnections, 8192)
	if c.Version == "" {
		c.Version = "dev"
	}
	return c
}

// Package config is the one place that reads the environment. It reads once, checks
// everything, and reports every problem in one error, in terms of the variables.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/joho/godotenv"

	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/trezor"
)

// Config is every setting of the service. docs/config.md explains each; `holdfast config`
// prints them with secrets masked.
type Config struct {
	Env     string `env:"HOLDFAST_ENV" envDefault:"development"`
	Port    int    `env:"PORT" envDefault:"5001"`
	DataDir string `env:"HOLDFAST_DATA" envDefault:".holdfast"`

	FrontendURL string   `env:"FRONTEND_URL" envDefault:"http://localhost:3000"`
	TrustProxy  string   `env:"TRUST_PROXY"`
	LogLevel    string   `env:"LOG_LEVEL" envDefault:"info"`
	AccessLog   bool     `env:"ACCESS_LOG" envDefault:"true"`
	Proxies     []string `env:"-"` // parsed TRUST_PROXY: networks, or
	ProxyHops   int      `env:"-"` // how many proxies stand before the service

	PGURL            string `env:"PG_URL" secret:"url"`
	PGPoolHTTP       int    `env:"PG_POOL_HTTP" envDefault:"16"`
	PGPoolProjectors int    `env:"PG_POOL_PROJECTORS" envDefault:"16"`
	PGPoolJobs       int    `env:"PG_POOL_JOBS" envDefault:"8"`

	RedisURI      string `env:"REDIS_URI" secret:"url"`
	RedisPassword string `env:"REDIS_PASSWORD" secret:"true"`

	JWTSecret string `env:"JWT_SECRET" secret:"true"`
	// The secret before a rotation is believed until then, and not a second longer.
	JWTPrevious      string    `env:"JWT_SECRET_PREVIOUS" secret:"true"`
	JWTPreviousUntil time.Time `env:"JWT_SECRET_PREVIOUS_UNTIL"` // RFC 3339

	JWTExpires     string `env:"JWT_EXPIRES_IN" envDefault:"7d"`
	RefreshExpires string `env:"REFRESH_TOKEN_EXPIRES_IN" envDefault:"30d"`

	PIIMasterKey  string `env:"PII_MASTER_KEY" secret:"true"`  // 32 bytes in hex
	LogSigningKey string `env:"LOG_SIGNING_KEY" secret:"true"` // Ed25519 seed, 32 bytes in hex

	EVMRPCURLs  []string `env:"EVM_RPC_URLS"` // chainId=url pairs
	NetworkFile string   `env:"NETWORKS_FILE"`
	// ConfirmationFloors are chainId=blocks pairs that nobody can go under; * stands for chains
	// that the table of networks does not know.
	ConfirmationFloors []string `env:"CONFIRMATION_FLOORS"`
	AllowLoopbackURLs  bool     `env:"ALLOW_LOOPBACK_URLS" envDefault:"false"` // of nodes that admins name; never in production
	// How chains are watched: docs/chain-watcher.md.
	ReorgDepth uint64 `env:"CHAIN_REORG_DEPTH" envDefault:"512"` // blocks beyond the confirmation
	ScanRange  uint64 `env:"CHAIN_SCAN_RANGE" envDefault:"2000"` // blocks of one scan at most

	RequestNetworkURL           string `env:"REQUEST_NETWORK_API_BASE_URL" envDefault:"https://api.request.network"`
	RequestNetworkKey           string `env:"REQUEST_NETWORK_API_KEY" secret:"true"`
	RequestNetworkWebhookSecret string `env:"REQUEST_NETWORK_WEBHOOK_SECRET" secret:"true"`
	RequestNetworkOldSecret     string `env:"REQUEST_NETWORK_WEBHOOK_SECRET_OLD" secret:"true"`
	// The old secret is taken until then, and not a second longer.
	RequestNetworkOldUntil time.Time `env:"REQUEST_NETWORK_WEBHOOK_SECRET_OLD_UNTIL"` // RFC 3339
	// Development only: plays Request Network beside the development chain. Unset = yes, when no
	// API key is given.
	RequestNetworkPlayed *bool `env:"REQUEST_NETWORK_DOUBLE"`

	DestinationXPub string `env:"DERIVED_DESTINATION_XPUB"`
	SweepSigner     string `env:"DERIVED_DESTINATION_SWEEP_SIGNER"`
	TreasuryAddress string `env:"TREASURY_ADDRESS"`
	GasAddress      string `env:"GAS_ADDRESS"` // empty: the treasury pays for gas
	Safekeeping     bool   `env:"TREZOR_SAFEKEEPING_REQUIRED" envDefault:"false"`

	FeeBPS          uint32        `env:"PLATFORM_FEE_BPS" envDefault:"250"`
	DisputeFeeBPS   uint32        `env:"DISPUTE_FEE_BPS" envDefault:"100"`
	ReserveBPS      uint32        `env:"SELLER_RESERVE_BPS" envDefault:"0"` // of what a seller is paid; 0: nothing is withheld
	ReserveDays     uint32        `env:"SELLER_RESERVE_DAYS" envDefault:"0"`
	Inspection      time.Duration `env:"INSPECTION_PERIOD" envDefault:"72h"`
	DisputeWindow   time.Duration `env:"DISPUTE_WINDOW" envDefault:"336h"`
	AppealWindow    time.Duration `env:"APPEAL_WINDOW" envDefault:"72h"`
	PaymentExpiry   time.Duration `env:"PAYMENT_EXPIRY" envDefault:"60m"`
	WalletCooling   time.Duration `env:"WALLET_COOLING_OFF" envDefault:"24h"`
	PayoutApprovals int           `env:"PAYOUT_APPROVALS" envDefault:"1"`
	ApprovalLimit   string        `env:"RELEASE_APPROVAL_LIMIT"` // base units; empty = none
	MaxGasPrice     uint64        `env:"MAX_GAS_PRICE_GWEI" envDefault:"500"`

	// ReconcileHour is when the nightly reconciliation begins (UTC); below 0: never.
	ReconcileHour *int `env:"RECONCILE_HOUR"`

	Safety
	Quoting
	Mailing
	Privacy

	Limits
	Accounts
	SignIn

	SeedUsers *bool `env:"SEED_USERS"`
}

// Durations of tokens after Load.
func (c *Config) AccessTTL() time.Duration  { d, _ := Days(c.JWTExpires); return d }
func (c *Config) RefreshTTL() time.Duration { d, _ := Days(c.RefreshExpires); return d }

// Development reports whether embedded defaults and generated secrets are allowed.
func (c *Config) Development() bool { return c.Env == "development" }

// Seeds reports whether test users are made at boot.
func (c *Config) Seeds() bool {
	if c.SeedUsers != nil {
		return *c.SeedUsers
	}
	return c.Development()
}

// NightlyHour is when the nightly reconciliation begins: three o'clock outside development,
// where nobody wants one at boot.
func (c *Config) NightlyHour() int {
	switch {
	case c.ReconcileHour != nil:
		return *c.ReconcileHour
	case c.Development():
		return -1
	}
	return 3
}

// RequestNetworkDouble reports whether the provider's double is started when no key is given.
func (c *Config) RequestNetworkDouble() bool {
	return c.Development() && (c.RequestNetworkPlayed == nil || *c.RequestNetworkPlayed)
}

// MaxFeePerGas is the most that a transaction of ours pays for a unit of gas, in base units.
func (c *Config) MaxFeePerGas() money.Units {
	return money.FromUint64(c.MaxGasPrice).MulDivFloor(money.FromUint64(1_000_000_000), money.FromUint64(1))
}

// Load reads .env (development only; real variables win) and the environment.
func Load() (*Config, error) {
	if os.Getenv("HOLDFAST_ENV") == "" || os.Getenv("HOLDFAST_ENV") == "development" {
		if err := godotenv.Load(); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf(".env cannot be read: %w", err)
		}
	}
	return From(env.ToMap(os.Environ()))
}

// From reads settings from a map instead of the process's environment.
func From(environment map[string]string) (*Config, error) {
	c, err := env.ParseAsWithOptions[Config](env.Options{Environment: environment})
	if err != nil {
		return nil, fmt.Errorf("the environment is not valid: %w", readable(err))
	}
	if err := c.complete(); err != nil {
		return nil, err
	}
	return &c, nil
}

// readable says which variable is meant: the library names the Go field.
func readable(err error) error {
	var all env.AggregateError
	if !errors.As(err, &all) {
		return err
	}
	var out []error
	for _, e := range all.Errors {
		var parse env.ParseError
		if errors.As(e, &parse) {
			if f, ok := reflect.TypeFor[Config]().FieldByName(parse.Name); ok {
				e = fmt.Errorf("%s: %q is not a %s", f.Tag.Get("env"), os.Getenv(f.Tag.Get("env")), parse.Type)
			}
		}
		out = append(out, e)
	}
	return errors.Join(out...)
}

func (c *Config) complete() error {
	var problems []error
	wrong := func(name, found, want string) {
		problems = append(problems, fmt.Errorf("%s: found %s, allowed: %s", name, found, want))
	}
	oneOf := func(name, value string, allowed ...string) {
		if !slices.Contains(allowed, value) {
			wrong(name, strconv.Quote(value), strings.Join(allowed, ", "))
		}
	}
	oneOf("HOLDFAST_ENV", c.Env, "development", "test", "production")
	if c.Port < 0 || c.Port > 65535 {
		wrong("PORT", strconv.Itoa(c.Port), "0 … 65535 (0 = any free port)")
	}
	if u, err := url.Parse(c.FrontendURL); err != nil || u.Host == "" || u.Path != "" {
		wrong("FRONTEND_URL", strconv.Quote(c.FrontendURL), "an origin such as https://shop.example")
	}
	var level slog.Level
	if level.UnmarshalText([]byte(c.LogLevel)) != nil {
		wrong("LOG_LEVEL", strconv.Quote(c.LogLevel), "debug, info, warn, error")
	}
	if c.SweepSigner == "" {
		c.SweepSigner = "build-only"
		if c.Development() && len(c.EVMRPCURLs) == 0 {
			c.SweepSigner = "local"
		}
	}
	oneOf("DERIVED_DESTINATION_SWEEP_SIGNER", c.SweepSigner, "build-only", "safe", "hardware", "local")
	if c.SweepSigner == "local" && c.Env == "production" {
		wrong("DERIVED_DESTINATION_SWEEP_SIGNER", "local", "build-only, safe or hardware in production")
	}
	// A private key is named, never repeated: what is printed here ends in logs.
	if trezor.RefusePrivate("", c.DestinationXPub) != nil {
		problems = append(problems, errors.New("DERIVED_DESTINATION_XPUB: found a private key or seed words; allowed: an extended public key (xpub…). Move what that key guards"))
		c.DestinationXPub = ""
	}
	for name, v := range map[string]string{"TREASURY_ADDRESS": c.TreasuryAddress, "GAS_ADDRESS": c.GasAddress} {
		if v != "" && network.CheckAddress(v) != nil {
			wrong(name, "no address", "0x and 40 hex digits")
		}
	}
	for name, v := range map[string]string{"JWT_EXPIRES_IN": c.JWTExpires, "REFRESH_TOKEN_EXPIRES_IN": c.RefreshExpires} {
		if d, err := Days(v); err != nil || d < time.Minute {
			wrong(name, strconv.Quote(v), "a time such as 15m, 12h or 7d, at least 1m")
		}
	}
	for _, n := range []struct {
		name  string
		value uint32
	}{{"PLATFORM_FEE_BPS", c.FeeBPS}, {"DISPUTE_FEE_BPS", c.DisputeFeeBPS}, {"SELLER_RESERVE_BPS", c.ReserveBPS}} {
		if n.value > 5000 {
			wrong(n.name, strconv.FormatUint(uint64(n.value), 10), "0 … 5000 basis points")
		}
	}
	if c.ReserveDays > 365 || (c.ReserveBPS > 0) != (c.ReserveDays > 0) {
		wrong("SELLER_RESERVE_DAYS", strconv.FormatUint(uint64(c.ReserveDays), 10), "1 … 365 with SELLER_RESERVE_BPS, else 0")
	}
	for _, n := range []struct {
		name       string
		value, low int
	}{{"PG_POOL_HTTP", c.PGPoolHTTP, 2}, {"PG_POOL_PROJECTORS", c.PGPoolProjectors, 10}, {"PG_POOL_JOBS", c.PGPoolJobs, 4}, {"PAYOUT_APPROVALS", c.PayoutApprovals, 1}} {
		if n.value < n.low {
			wrong(n.name, strconv.Itoa(n.value), fmt.Sprintf("at least %d", n.low))
		}
	}
	if c.MaxGasPrice < 1 || c.MaxGasPrice > 1_000_000 {
		wrong("MAX_GAS_PRICE_GWEI", strconv.FormatUint(c.MaxGasPrice, 10), "1 … 1000000 gwei")
	}
	c.trustedProxies(wrong)
	c.limits(wrong)
	for _, n := range []struct {
		name            string
		value, low, top uint64
	}{{"CHAIN_REORG_DEPTH", c.ReorgDepth, 8, 100_000}, {"CHAIN_SCAN_RANGE", c.ScanRange, 1, 100_000}} {
		if n.value < n.low || n.value > n.top {
			wrong(n.name, strconv.FormatUint(n.value, 10), fmt.Sprintf("%d … %d blocks", n.low, n.top))
		}
	}
	for _, pair := range c.EVMRPCURLs {
		id, u, ok := strings.Cut(pair, "=")
		if _, err := strconv.ParseUint(id, 10, 64); !ok || err != nil || !strings.HasPrefix(u, "http") {
			wrong("EVM_RPC_URLS", strconv.Quote(pair), "chainId=url pairs such as 8453=https://…")
		}
	}
	if h := c.NightlyHour(); h < -1 || h > 23 {
		wrong("RECONCILE_HOUR", strconv.Itoa(h), "0 … 23 (UTC), or -1 for never")
	}
	for _, pair := range c.ConfirmationFloors {
		id, depth, ok := strings.Cut(pair, "=")
		_, err := strconv.ParseUint(id, 10, 64)
		n, wrongDepth := strconv.ParseUint(depth, 10, 31)
		if !ok || (err != nil && id != "*") || wrongDepth != nil || n < 1 || n > 100_000 {
			wrong("CONFIRMATION_FLOORS", strconv.Quote(pair), "chainId=blocks pairs such as 8453=30, or *=12")
		}
	}
	if c.AllowLoopbackURLs && c.Env == "production" {
		wrong("ALLOW_LOOPBACK_URLS", "true", "false in production")
	}
	c.safety(wrong)
	c.mailing(wrong)
	c.accounts(wrong)
	c.signIn(wrong)
	c.privacy(wrong)
	problems = append(problems, c.secrets()...)
	if len(problems) > 0 {
		return fmt.Errorf("%d setting(s) are wrong:\n%w", len(problems), errors.Join(problems...))
	}
	return nil
}

func (c *Config) secrets() []error {
	var problems []error
	if (c.RequestNetworkOldSecret == "") != c.RequestNetworkOldUntil.IsZero() {
		problems = append(problems, errors.New("REQUEST_NETWORK_WEBHOOK_SECRET_OLD and …_OLD_UNTIL go together: an old secret without an end is open for ever; allowed: a time such as 2026-12-01T00:00:00Z"))
	}
	required := map[string]string{"JWT_SECRET": c.JWTSecret}
	if !c.Development() {
		required["PG_URL"] = c.PGURL
		required["PII_MASTER_KEY"] = c.PIIMasterKey
		required["LOG_SIGNING_KEY"] = c.LogSigningKey
		required["REQUEST_NETWORK_WEBHOOK_SECRET"] = c.RequestNetworkWebhookSecret
	}
	for _, name := range slices.Sorted(maps.Keys(required)) {
		if required[name] == "" && !c.Development() {
			problems = append(problems, fmt.Errorf("%s: not set; required outside development", name))
		}
	}
	if (c.JWTPrevious == "") != c.JWTPreviousUntil.IsZero() {
		problems = append(problems, errors.New("JWT_SECRET_PREVIOUS and …_PREVIOUS_UNTIL go together: an old secret without an end is open for ever; allowed: a time such as 2026-12-01T00:00:00Z"))
	}
	for name, secret := range map[string]string{"JWT_SECRET": c.JWTSecret, "JWT_SECRET_PREVIOUS": c.JWTPrevious} {
		if secret != "" && guessable(secret) {
			problems = append(problems, fmt.Errorf("%s: too short or a known default; allowed: at least 32 random bytes", name))
		}
	}
	for name, v := range map[string]string{"PII_MASTER_KEY": c.PIIMasterKey, "LOG_SIGNING_KEY": c.LogSigningKey} {
		if _, err := Key32(v); v != "" && err != nil {
			problems = append(problems, fmt.Errorf("%s: found %d characters, allowed: 64 hex digits (32 bytes)", name, len(v)))
		}
	}
	return problems
}

// Days reads a duration that may be given in days: "7d", "12h", "15m".
func Days(s string) (time.Duration, error) {
	if n, ok := strings.CutSuffix(s, "d"); ok {
		d, err := strconv.ParseUint(n, 10, 16)
		return time.Duration(d) * 24 * time.Hour, err
	}
	return time.ParseDuration(s)
}

// Path gives a file below the data directory.
func (c *Config) Path(parts ...string) string {
	return filepath.Join(append([]string{c.DataDir}, parts...)...)
}

package config

import (
	"strconv"
	"strings"
	"time"
)

// Safety is what money is checked by before it counts and before it leaves (TRANSACTION_SAFETY_*).
// That a transfer must match its payment (token, recipient, amount, reference) is no setting.
type Safety struct {
	// Screening: required, or off. Sellers may ask for it where it is off.
	Screening   string `env:"TRANSACTION_SAFETY_SCREENING" envDefault:"required"`
	AMLURL      string `env:"TRANSACTION_SAFETY_AML_URL"`
	AMLKey      string `env:"TRANSACTION_SAFETY_AML_KEY" secret:"true"`
	AMLMaxScore int    `env:"TRANSACTION_SAFETY_MAX_SCORE" envDefault:"50"` // of 100; above it is a hit
	// Rescreen is how often payers of running orders and users' wallets are asked about again; 0: never.
	Rescreen         time.Duration `env:"TRANSACTION_SAFETY_RESCREEN" envDefault:"24h"`
	MinConfirmations uint64        `env:"TRANSACTION_SAFETY_MIN_CONFIRMATIONS"` // raises every chain's own
}

// Quoting is how prices in a currency become amounts of a token (ORACLE_*, QUOTE_*).
type Quoting struct {
	OracleQuoting     *bool         `env:"ORACLE_QUOTING_ENABLED"`
	OracleFeedsFile   string        `env:"ORACLE_FEEDS_FILE"`   // Chainlink feeds instead of the built-in table
	OracleHTTPSources []string      `env:"ORACLE_HTTP_SOURCES"` // name=url pairs
	OracleMaxSpread   uint32        `env:"ORACLE_MAX_SPREAD_BPS" envDefault:"100"`
	OracleMaxDepeg    uint32        `env:"ORACLE_MAX_DEPEG_BPS" envDefault:"300"`
	QuoteLife         time.Duration `env:"QUOTE_LIFE" envDefault:"5m"`
	QuoteTimeToPay    time.Duration `env:"QUOTE_TIME_TO_PAY" envDefault:"30m"`
}

// Screens reports whether payers are screened.
func (c *Config) Screens() bool { return c.Screening == "required" }

// Quotes reports whether price sources are asked: when it is switched on, and by itself on the
// built-in chain of development, which brings its own sources.
func (c *Config) Quotes() bool {
	if c.OracleQuoting != nil {
		return *c.OracleQuoting
	}
	return c.Development() && len(c.EVMRPCURLs) == 0
}

// safety checks what concerns quotes and screening.
func (c *Config) safety(wrong func(name, found, want string)) {
	if c.Screening != "required" && c.Screening != "off" {
		wrong("TRANSACTION_SAFETY_SCREENING", strconv.Quote(c.Screening), "required, off")
	}
	if c.AMLMaxScore < 0 || c.AMLMaxScore > 99 {
		wrong("TRANSACTION_SAFETY_MAX_SCORE", strconv.Itoa(c.AMLMaxScore), "0 … 99")
	}
	if c.AMLURL != "" && !strings.HasPrefix(c.AMLURL, "http") {
		wrong("TRANSACTION_SAFETY_AML_URL", strconv.Quote(c.AMLURL), "an http(s) URL")
	}
	for _, n := range []struct {
		name  string
		value uint32
	}{{"ORACLE_MAX_SPREAD_BPS", c.OracleMaxSpread}, {"ORACLE_MAX_DEPEG_BPS", c.OracleMaxDepeg}} {
		if n.value < 1 || n.value > 2000 {
			wrong(n.name, strconv.FormatUint(uint64(n.value), 10), "1 … 2000 basis points")
		}
	}
	if c.QuoteLife < 10*time.Second || c.QuoteLife > time.Hour {
		wrong("QUOTE_LIFE", c.QuoteLife.String(), "10s … 1h")
	}
	if c.QuoteTimeToPay < time.Minute || c.QuoteTimeToPay > 24*time.Hour {
		wrong("QUOTE_TIME_TO_PAY", c.QuoteTimeToPay.String(), "1m … 24h")
	}
	for _, pair := range c.OracleHTTPSources {
		if name, url, ok := strings.Cut(pair, "="); !ok || name == "" || !strings.HasPrefix(url, "http") {
			wrong("ORACLE_HTTP_SOURCES", strconv.Quote(name), "name=url pairs such as market=https://…")
		}
	}
}

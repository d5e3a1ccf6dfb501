package config

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// SignIn is how people sign in without a password (WEBAUTHN_*, GOOGLE_*, TELEGRAM_*). What is not
// set is not switched on; development has defaults.
type SignIn struct {
	RPID      string   `env:"WEBAUTHN_RP_ID"`
	RPOrigins []string `env:"WEBAUTHN_RP_ORIGINS"`

	GoogleClientID     string `env:"GOOGLE_CLIENT_ID"`
	GoogleClientSecret string `env:"GOOGLE_CLIENT_SECRET" secret:"true"`
	GoogleIssuer       string `env:"GOOGLE_ISSUER" envDefault:"https://accounts.google.com"`
	GoogleRedirectURL  string `env:"GOOGLE_REDIRECT_URL"`

	TelegramToken     string        `env:"TELEGRAM_BOT_TOKEN" secret:"true"`
	TelegramBotID     int64         `env:"TELEGRAM_BOT_ID"` // without the token: initData by Telegram's own key
	TelegramPublicKey string        `env:"TELEGRAM_PUBLIC_KEY"`
	TelegramSecret    string        `env:"TELEGRAM_WEBHOOK_SECRET" secret:"true"`
	TelegramAPI       string        `env:"TELEGRAM_API_BASE_URL" envDefault:"https://api.telegram.org"`
	TelegramMaxAge    time.Duration `env:"TELEGRAM_MAX_AGE" envDefault:"1h"`

	// Development only: plays Google and Telegram where they are not configured.
	SignInPlayed *bool `env:"SIGN_IN_DOUBLES"`
}

// SignInDoubles reports whether Google and Telegram are played where they are not configured.
func (c *Config) SignInDoubles() bool {
	return c.Development() && (c.SignInPlayed == nil || *c.SignInPlayed)
}

// CallbackURL is where the provider sends browsers back to.
func (c *Config) CallbackURL() string {
	switch {
	case c.GoogleRedirectURL != "":
		return c.GoogleRedirectURL
	case c.Development():
		return "http://localhost:" + strconv.Itoa(c.Port) + "/api/auth/google/callback"
	}
	return strings.TrimSuffix(c.FrontendURL, "/") + "/api/auth/google/callback"
}

// RelyingParty is who passkeys belong to, and the pages that may ask for them; no id = switched off.
func (c *Config) RelyingParty() (id string, origins []string) {
	id, origins = c.RPID, c.RPOrigins
	if id == "" && c.Development() {
		id = "localhost"
	}
	if len(origins) == 0 && id != "" {
		origins = []string{c.FrontendURL}
		if c.Development() {
			origins = append(origins, "http://localhost:"+strconv.Itoa(c.Port))
		}
	}
	return id, origins
}

var (
	botToken  = regexp.MustCompile(`^[0-9]{1,20}:[A-Za-z0-9_-]{1,100}$`)
	botSecret = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)
)

// signIn checks what concerns signing in. Secrets are named, never repeated.
func (c *Config) signIn(wrong func(name, found, want string)) {
	for _, o := range c.RPOrigins {
		u, err := url.Parse(o)
		if err != nil || u.Host == "" || u.Path != "" || (u.Scheme != "https" && u.Hostname() != "localhost") {
			wrong("WEBAUTHN_RP_ORIGINS", strconv.Quote(o), "origins such as https://shop.example, separated by commas")
		}
	}
	if (c.GoogleClientID == "") != (c.GoogleClientSecret == "") {
		wrong("GOOGLE_CLIENT_ID", "one of id and secret", "both, or none")
	}
	for name, v := range map[string]string{"GOOGLE_ISSUER": c.GoogleIssuer, "GOOGLE_REDIRECT_URL": c.GoogleRedirectURL, "TELEGRAM_API_BASE_URL": c.TelegramAPI} {
		u, err := url.Parse(v)
		if v != "" && (err != nil || u.Host == "" || (u.Scheme != "https" && !(c.Env != "production" && u.Scheme == "http"))) {
			wrong(name, strconv.Quote(v), "an https URL")
		}
	}
	if c.TelegramToken != "" && !botToken.MatchString(c.TelegramToken) {
		wrong("TELEGRAM_BOT_TOKEN", "something else", "the token as BotFather gives it: a number, a colon, letters and digits")
	}
	if c.TelegramSecret != "" && !botSecret.MatchString(c.TelegramSecret) {
		wrong("TELEGRAM_WEBHOOK_SECRET", "something else", "1 to 256 of A-Z a-z 0-9 _ -")
	}
	if c.TelegramToken != "" && c.TelegramSecret == "" {
		wrong("TELEGRAM_WEBHOOK_SECRET", "nothing", "a secret, where a bot is configured: without it anybody could speak for Telegram")
	}
	if c.TelegramMaxAge < time.Minute || c.TelegramMaxAge > 24*time.Hour {
		wrong("TELEGRAM_MAX_AGE", c.TelegramMaxAge.String(), "1m … 24h")
	}
}

package config

import (
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// Mailing is how mail leaves (SMTP_*, MAIL_*).
type Mailing struct {
	SMTPHost     string `env:"SMTP_HOST"` // none in development: letters are kept at /dev/mail
	SMTPPort     int    `env:"SMTP_PORT" envDefault:"587"`
	SMTPUser     string `env:"SMTP_USER"`
	SMTPPassword string `env:"SMTP_PASS" secret:"true"`
	SMTPFrom     string `env:"SMTP_FROM"`
	SMTPFromName string `env:"SMTP_FROM_NAME" envDefault:"Holdfast"`
	SMTPTLS      string `env:"SMTP_TLS" envDefault:"required"` // required, implicit, offered or none
	// MailKeep is how long the sealed record of what was sent is kept.
	MailKeep time.Duration `env:"MAIL_RETENTION" envDefault:"720h"`
	// PublicURL is where clients reach this service; links in mail are made of it.
	PublicURL string `env:"PUBLIC_URL"`
}

// SendsMail reports whether a mail server is given.
func (c *Config) SendsMail() bool { return c.SMTPHost != "" }

// Public is the origin under which clients reach the service.
func (c *Config) Public() string {
	if c.PublicURL != "" {
		return c.PublicURL
	}
	return "http://localhost:" + strconv.Itoa(c.Port)
}

// Sender is the address that mail comes from.
func (c *Config) Sender() string {
	if c.SMTPFrom != "" {
		return c.SMTPFrom
	}
	return "no-reply@holdfast.test"
}

func (c *Config) mailing(wrong func(name, found, want string)) {
	if u, err := url.Parse(c.Public()); err != nil || u.Host == "" || u.Path != "" {
		wrong("PUBLIC_URL", strconv.Quote(c.PublicURL), "an origin such as https://api.example")
	}
	if c.MailKeep < time.Hour {
		wrong("MAIL_RETENTION", c.MailKeep.String(), "at least 1h")
	}
	if !slices.Contains([]string{"required", "implicit", "offered", "none"}, c.SMTPTLS) {
		wrong("SMTP_TLS", strconv.Quote(c.SMTPTLS), "required, implicit, offered, none")
	}
	if !c.SendsMail() {
		return
	}
	if a, err := mail.ParseAddress(c.SMTPFrom); err != nil || a.Address != c.SMTPFrom {
		wrong("SMTP_FROM", strconv.Quote(c.SMTPFrom), "the one address that mail comes from; needed with SMTP_HOST")
	}
	if c.SMTPPort < 1 || c.SMTPPort > 65535 {
		wrong("SMTP_PORT", strconv.Itoa(c.SMTPPort), "1 … 65535")
	}
	if c.SMTPTLS == "none" && c.Env == "production" {
		wrong("SMTP_TLS", "none", "required, implicit or offered in production")
	}
	if c.PublicURL == "" && c.Env == "production" {
		wrong("PUBLIC_URL", "nothing", "this service's origin; the unsubscribe links of mail lead there")
	}
}

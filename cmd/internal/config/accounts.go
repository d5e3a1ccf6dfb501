package config

import (
	"strconv"
	"time"
)

// Accounts is how people prove who they are.
type Accounts struct {
	ReauthAfter time.Duration `env:"REAUTH_AFTER" envDefault:"15m"` // a sign-in is fresh for so long
	// How many passwords are hashed at once (19 MiB and a core each; 0 = half of the cores), and how
	// many may wait for their turn.
	PasswordHashes int `env:"PASSWORD_HASHES" envDefault:"0"`
	PasswordQueue  int `env:"PASSWORD_QUEUE" envDefault:"256"`
	// The command of the process that hashes them; none hashes them in the service.
	HashCommand []string `env:"-"`
}

func (c *Config) accounts(wrong func(name, found, want string)) {
	if c.ReauthAfter < time.Minute || c.ReauthAfter > 24*time.Hour {
		wrong("REAUTH_AFTER", c.ReauthAfter.String(), "1m … 24h")
	}
	if c.PasswordHashes < 0 || c.PasswordHashes > 256 {
		wrong("PASSWORD_HASHES", strconv.Itoa(c.PasswordHashes), "1 … 256, or 0 for half of the cores")
	}
	if c.PasswordQueue < 1 || c.PasswordQueue > 100_000 {
		wrong("PASSWORD_QUEUE", strconv.Itoa(c.PasswordQueue), "1 … 100000")
	}
}

package config

import "time"

// Privacy is how people are forgotten.
type Privacy struct {
	// ErasureDelay is between the wish to be erased and the erasure; signing in takes it back.
	ErasureDelay time.Duration `env:"ERASURE_DELAY" envDefault:"336h"`
}

func (c *Config) privacy(wrong func(name, found, want string)) {
	if c.ErasureDelay < 0 || c.ErasureDelay > 90*24*time.Hour {
		wrong("ERASURE_DELAY", c.ErasureDelay.String(), "0 … 2160h (90 days)")
	}
}

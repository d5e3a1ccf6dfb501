package config

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Key32 reads a 32-byte key in hex.
func Key32(s string) ([]byte, error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 32 {
		return nil, fmt.Errorf("a key is 64 hex digits")
	}
	return b, nil
}

// Generate fills in the secrets that development leaves open: drawn once, kept under the
// data directory with mode 0600, so that tokens and sealed texts survive a restart.
func (c *Config) Generate() error {
	if !c.Development() {
		return nil
	}
	for name, field := range map[string]*string{
		"jwt": &c.JWTSecret, "pii": &c.PIIMasterKey, "log": &c.LogSigningKey, "webhook": &c.RequestNetworkWebhookSecret,
	} {
		if *field != "" {
			continue
		}
		v, err := keptSecret(c.Path("secrets", name))
		if err != nil {
			return err
		}
		*field = v
	}
	return nil
}

func keptSecret(path string) (string, error) {
	if b, err := os.ReadFile(path); err == nil {
		return strings.TrimSpace(string(b)), nil
	}
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return "", err
	}
	v := hex.EncodeToString(raw)
	// Only the secrets are closed: PostgreSQL runs as another user and must get through the
	// folder above to its data.
	if err := os.MkdirAll(filepath.Dir(filepath.Dir(path)), 0o755); err != nil { //nolint:gosec // see above
		return "", fmt.Errorf("make the data folder: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("make the secrets folder: %w", err)
	}
	if err := os.WriteFile(path, []byte(v+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("keep a generated secret: %w", err)
	}
	return v, nil
}

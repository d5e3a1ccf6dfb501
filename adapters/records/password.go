package records

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Cost of a hash: OWASP's minimum for argon2id, about 30 ms and 19 MiB on one core.
const (
	argonMemory  = 19456
	argonTime    = 2
	argonThreads = 1
	argonKey     = 32
)

// Hasher hashes and verifies with a bound on how many run at once, so that a wave of
// logins queues instead of eating the memory.
type Hasher struct{ slots chan struct{} }

// NewHasher allows so many hashes at once (19 MiB each); 0 means 4.
func NewHasher(atOnce int) *Hasher {
	if atOnce <= 0 {
		atOnce = 4
	}
	return &Hasher{slots: make(chan struct{}, atOnce)}
}

// Hash gives the PHC string of a password.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, 16)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("draw a salt: %w", err)
	}
	key, err := h.key(ctx, password, salt)
	if err != nil {
		return "", err
	}
	enc := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads, enc(salt), enc(key)), nil
}

// Verify compares in constant time. An empty phc is compared with a dummy of the same cost,
// so that nobody can tell unknown users by the clock.
func (h *Hasher) Verify(ctx context.Context, phc, password string) (bool, error) {
	known := phc != ""
	salt, want := make([]byte, 16), make([]byte, argonKey)
	if known {
		var err error
		if salt, want, err = parsePHC(phc); err != nil {
			return false, err
		}
	}
	got, err := h.key(ctx, password, salt)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1 && known, nil
}

func (h *Hasher) key(ctx context.Context, password string, salt []byte) ([]byte, error) {
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, argonKey), nil
}

func parsePHC(phc string) (salt, key []byte, err error) {
	parts := strings.Split(phc, "$")
	want := fmt.Sprintf("m=%d,t=%d,p=%d", argonMemory, argonTime, argonThreads)
	if len(parts) != 6 || parts[1] != "argon2id" || parts[3] != want {
		return nil, nil, errors.New("the stored password is not an argon2id string of this cost")
	}
	if salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return nil, nil, err
	}
	key, err = base64.RawStdEncoding.DecodeString(parts[5])
	return salt, key, err
}

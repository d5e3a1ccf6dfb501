package http

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"
)

// minSecret is the least length of a token secret, in bytes.
const minSecret = 32

// tokenKeys are the secrets that access tokens may be signed with: the current one signs, the
// one before it is still believed until a declared time. Each has a name (`kid`) that follows
// from it, so that a token says which it was signed with and nobody has to try.
type tokenKeys struct {
	current  string
	secrets  map[string][]byte
	previous string // empty for none
	until    time.Time
}

func newTokenKeys(secret, previous []byte, until time.Time) (tokenKeys, error) {
	if len(secret) < minSecret {
		return tokenKeys{}, errors.New("the token secret must have at least 32 bytes")
	}
	k := tokenKeys{current: keyName(secret), secrets: map[string][]byte{keyName(secret): secret}}
	if len(previous) == 0 {
		return k, nil
	}
	switch {
	case len(previous) < minSecret:
		return tokenKeys{}, errors.New("the previous token secret must have at least 32 bytes")
	case until.IsZero():
		return tokenKeys{}, errors.New("a previous token secret without an end is open for ever")
	}
	if name := keyName(previous); name != k.current {
		k.previous, k.until = name, until
		k.secrets[name] = previous
	}
	return k, nil
}

// keyName is public: it tells one secret from another and nothing about either.
func keyName(secret []byte) string {
	sum := sha256.Sum256(append([]byte("holdfast token key\x00"), secret...))
	return hex.EncodeToString(sum[:8])
}

// named gives the secret of a kid at a moment, and until when it is believed (zero = for good).
func (k tokenKeys) named(kid string, now time.Time) (secret []byte, until time.Time, ok bool) {
	if kid == k.previous && !now.Before(k.until) {
		return nil, time.Time{}, false
	}
	secret, ok = k.secrets[kid]
	if kid == k.previous {
		until = k.until
	}
	return secret, until, ok
}

package apikey

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"slices"
	"time"

	"holdfast/domain"
)

// Scope is a set of routes that a key opens.
type Scope string

// The scopes. The route table says which routes each opens.
const (
	Auditor    Scope = "auditor"    // reads ledger, log and exports
	Reconciler Scope = "reconciler" // has chain, provider and ledger compared, and reads what differs
	Ingestion  Scope = "ingestion"  // reads what came in, and has it worked on again
)

// Scopes lists them.
func Scopes() []Scope { return []Scope{Auditor, Reconciler, Ingestion} }

// Bounds of a key.
const (
	LongestLife    = 366 * 24 * time.Hour
	LongestOverlap = 7 * 24 * time.Hour
)

// The phases. Expiry is no phase: it is a matter of time, not of a decision.
const (
	ActivePhase  = "Active"
	RevokedPhase = "Revoked"
)

// State is a key as it stands.
type State struct {
	Name      string    `json:"name,omitempty"`
	Scopes    []Scope   `json:"scopes,omitempty"`
	Hash      string    `json:"hash,omitempty"`
	OldHash   string    `json:"old_hash,omitempty"`
	OldUntil  time.Time `json:"old_until,omitzero"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	Revoked   bool      `json:"revoked,omitempty"`
}

// Phase names it.
func (s State) Phase() string {
	switch {
	case s.Hash == "":
		return ""
	case s.Revoked:
		return RevokedPhase
	}
	return ActivePhase
}

// Opens reports whether a secret of this key opens anything at a time, and until when that
// secret does unless something happens.
func (s State) Opens(secret string, at time.Time) (until time.Time, ok bool) {
	if s.Phase() != ActivePhase || !at.Before(s.ExpiresAt) {
		return time.Time{}, false
	}
	hash := HashOf(secret)
	if subtle.ConstantTimeCompare([]byte(hash), []byte(s.Hash)) == 1 {
		return s.ExpiresAt, true
	}
	if s.OldHash != "" && at.Before(s.OldUntil) && subtle.ConstantTimeCompare([]byte(hash), []byte(s.OldHash)) == 1 {
		if s.OldUntil.Before(s.ExpiresAt) {
			return s.OldUntil, true
		}
		return s.ExpiresAt, true
	}
	return time.Time{}, false
}

// HashOf is the SHA-256 of a secret, in hex. A secret is 32 random bytes, so that nobody finds
// it from its hash, however fast the hash is.
func HashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// Decider is the key.
var Decider = domain.Decider[State, Event]{Category: "api_key", Decide: Table().Decide, Evolve: Evolve}

// Evolve folds one event.
func Evolve(s State, e Event) State {
	switch e := e.(type) {
	case Created:
		return State{Name: e.Name, Scopes: slices.Clone(e.Scopes), Hash: e.Hash, ExpiresAt: e.ExpiresAt}
	case Renamed:
		s.Name = e.Name
	case Rescoped:
		s.Scopes = slices.Clone(e.To)
	case ExpiryMoved:
		s.ExpiresAt = e.To
	case Rotated:
		s.OldHash, s.OldUntil, s.Hash = s.Hash, e.OldUntil, e.Hash
	case Revoked:
		s.Revoked = true
	}
	return s
}

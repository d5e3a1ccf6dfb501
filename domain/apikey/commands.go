package apikey

import (
	"time"

	"holdfast/domain"
)

// Create makes a key. Hash is the SHA-256 of the secret, in hex.
type Create struct {
	domain.Issue
	Name      string
	Scopes    []Scope
	Hash      string
	ExpiresAt time.Time
}

// Amend changes what is not zero.
type Amend struct {
	domain.Issue
	Name      string
	Scopes    []Scope
	ExpiresAt time.Time
}

// Rotate gives it a new secret; the old one is taken as long as Overlap.
type Rotate struct {
	domain.Issue
	Hash    string
	Overlap time.Duration
}

// Revoke closes it for good.
type Revoke struct {
	domain.Issue
	Reason string
}

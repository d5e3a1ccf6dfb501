package apikey

import (
	"time"

	"holdfast/domain"
)

// Event is something that happened to a key.
type Event interface {
	domain.Event
	apikey()
}

// Created: an admin had a key made. Hash is the SHA-256 of its secret, in hex.
type Created struct {
	Name      string       `json:"name"`
	Scopes    []Scope      `json:"scopes"`
	Hash      string       `json:"hash"`
	ExpiresAt time.Time    `json:"expires_at"`
	By        domain.Actor `json:"by"`
}

// Renamed: it is called something else.
type Renamed struct {
	Name string       `json:"name"`
	By   domain.Actor `json:"by"`
}

// Rescoped: it opens other routes.
type Rescoped struct {
	From []Scope      `json:"from"`
	To   []Scope      `json:"to"`
	By   domain.Actor `json:"by"`
}

// ExpiryMoved: it ends at another time.
type ExpiryMoved struct {
	From time.Time    `json:"from"`
	To   time.Time    `json:"to"`
	By   domain.Actor `json:"by"`
}

// Rotated: it has a new secret; the old one is taken until OldUntil.
type Rotated struct {
	Hash     string       `json:"hash"`
	OldUntil time.Time    `json:"old_until"`
	By       domain.Actor `json:"by"`
}

// Revoked: it opens nothing any more.
type Revoked struct {
	Reason string       `json:"reason"`
	By     domain.Actor `json:"by"`
}

func (Created) EventType() string     { return "api_key.created" }
func (Renamed) EventType() string     { return "api_key.renamed" }
func (Rescoped) EventType() string    { return "api_key.rescoped" }
func (ExpiryMoved) EventType() string { return "api_key.expiry_moved" }
func (Rotated) EventType() string     { return "api_key.rotated" }
func (Revoked) EventType() string     { return "api_key.revoked" }
func (Created) apikey()               {}
func (Renamed) apikey()               {}
func (Rescoped) apikey()              {}
func (ExpiryMoved) apikey()           {}
func (Rotated) apikey()               {}
func (Revoked) apikey()               {}

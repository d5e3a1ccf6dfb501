package apikey

import (
	"slices"
	"strings"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/machine"
)

// Refusals.
var (
	ErrScope   = fault.New(fault.Malformed, "UNKNOWN_SCOPE", "the scopes of a key are auditor, reconciler and ingestion, at least one of them")
	ErrExpiry  = fault.New(fault.Malformed, "INVALID_EXPIRY", "a key ends in the future, within 366 days")
	ErrOverlap = fault.New(fault.Malformed, "OUT_OF_RANGE", "the number is out of its range")
	ErrRevoked = fault.New(fault.Conflict, "API_KEY_REVOKED", "the key has been revoked; make another one")
)

// Table is the state machine of a key.
func Table() machine.Table[State, Event] {
	type line = machine.Line
	admin := []domain.Capacity{domain.Admin}
	active := []string{ActivePhase}
	return machine.Table[State, Event]{
		Name: "ApiKey", Phases: []string{"", ActivePhase, RevokedPhase}, Phase: State.Phase,
		Rows: []machine.Row[State, Event]{
			machine.On(line{
				From: []string{""}, By: admin, To: active,
				Guard: "known scopes → UNKNOWN_SCOPE; an end within 366 days → INVALID_EXPIRY", Events: []string{"api_key.created"},
			}, create),
			machine.On(line{
				From: active, By: admin, To: active,
				Guard:  "what stays as it is is no event; known scopes → UNKNOWN_SCOPE; an end within 366 days → INVALID_EXPIRY",
				Events: []string{"api_key.renamed", "api_key.rescoped", "api_key.expiry_moved"},
			}, amend),
			machine.On(line{From: active, By: admin, To: active, Guard: "an overlap of up to 7 days → OUT_OF_RANGE", Events: []string{"api_key.rotated"}}, rotate),
			machine.On(line{
				From: []string{ActivePhase, RevokedPhase}, By: admin, To: []string{RevokedPhase}, Guard: "revoked already is a repeat", Events: []string{"api_key.revoked"},
			}, revoke),
		},
		Refuse: func(s State, _ domain.Command) error {
			if s.Revoked {
				return ErrRevoked
			}
			return nil
		},
	}
}

func create(_ State, c Create) ([]Event, error) {
	scopes, err := known(c.Scopes)
	switch {
	case err != nil:
		return nil, err
	case strings.TrimSpace(c.Name) == "":
		return nil, fault.ErrValidation.At("name", "is required")
	case len(c.Hash) != 64:
		return nil, fault.ErrValidation.At("hash", "a SHA-256 in hex")
	}
	if err := checkEnd(c.ExpiresAt, c.At); err != nil {
		return nil, err
	}
	return []Event{Created{Name: c.Name, Scopes: scopes, Hash: c.Hash, ExpiresAt: c.ExpiresAt, By: c.By}}, nil
}

func amend(s State, c Amend) ([]Event, error) {
	var events []Event
	if c.Name != "" && c.Name != s.Name {
		events = append(events, Renamed{Name: c.Name, By: c.By})
	}
	if len(c.Scopes) > 0 {
		scopes, err := known(c.Scopes)
		if err != nil {
			return nil, err
		}
		if !slices.Equal(scopes, s.Scopes) {
			events = append(events, Rescoped{From: slices.Clone(s.Scopes), To: scopes, By: c.By})
		}
	}
	if !c.ExpiresAt.IsZero() && !c.ExpiresAt.Equal(s.ExpiresAt) {
		if err := checkEnd(c.ExpiresAt, c.At); err != nil {
			return nil, err
		}
		events = append(events, ExpiryMoved{From: s.ExpiresAt, To: c.ExpiresAt, By: c.By})
	}
	return events, nil
}

func rotate(_ State, c Rotate) ([]Event, error) {
	switch {
	case c.Overlap < 0 || c.Overlap > LongestOverlap:
		return nil, ErrOverlap.At("overlapMinutes", "0 … 10080")
	case len(c.Hash) != 64:
		return nil, fault.ErrValidation.At("hash", "a SHA-256 in hex")
	}
	return []Event{Rotated{Hash: c.Hash, OldUntil: c.At.Add(c.Overlap), By: c.By}}, nil
}

func revoke(s State, c Revoke) ([]Event, error) {
	if s.Revoked {
		return nil, nil
	}
	return []Event{Revoked{Reason: c.Reason, By: c.By}}, nil
}

// known gives the scopes once each and in one order.
func known(scopes []Scope) ([]Scope, error) {
	for _, s := range scopes {
		if !slices.Contains(Scopes(), s) {
			return nil, ErrScope.At("scopes", string(s))
		}
	}
	if len(scopes) == 0 {
		return nil, ErrScope.At("scopes", "is required")
	}
	sorted := slices.Sorted(slices.Values(scopes))
	return slices.Compact(sorted), nil
}

func checkEnd(end, now time.Time) error {
	if !end.After(now) || end.After(now.Add(LongestLife)) {
		return ErrExpiry.At("expiresAt", "in the future, within 366 days")
	}
	return nil
}

package http

import (
	"context"
	"sync"
	"time"

	"holdfast/domain/apikey"
	"holdfast/eventstore"
)

// KeyGrant is what an API key that was shown may do.
type KeyGrant struct {
	ID     string
	Scopes []apikey.Scope
}

// identifyKey finds out what a key opens. A key that is not known, has ended or was revoked is
// the same INVALID_TOKEN.
func (s *Server) identifyKey(c *call, token string) error {
	id, secret, ok := apikey.ParseToken(token)
	if !ok {
		return errInvalidToken
	}
	ctx := c.echo.Request().Context()
	state, err := s.keys.state(ctx, id)
	if err != nil {
		return err
	}
	if _, opens := state.Opens(secret, time.Now()); !opens {
		return errInvalidToken
	}
	c.apiKey = KeyGrant{ID: id, Scopes: state.Scopes}
	return nil
}

// knownKeys remembers keys as sessions are remembered: for a few seconds, and not a moment
// longer than until somebody says that one has changed.
type knownKeys struct {
	executor *eventstore.Executor
	uses     KeyUses
	freshFor time.Duration
	asking   chan struct{} // bounds how many guesses may ask the log at once

	mu    sync.RWMutex
	known map[string]knownKey
	// changes counts what was forgotten, so that an answer that was under way is not kept.
	changes uint64
}

type knownKey struct {
	state apikey.State
	until time.Time
}

const (
	maxKnownKeys = 4096
	// keysAtOnce bounds the questions to the log about keys: anybody can make some up.
	keysAtOnce = 8
)

func newKnownKeys(x *eventstore.Executor, uses KeyUses, freshFor time.Duration) *knownKeys {
	return &knownKeys{executor: x, uses: uses, freshFor: freshFor, asking: make(chan struct{}, keysAtOnce), known: map[string]knownKey{}}
}

func (k *knownKeys) state(ctx context.Context, id string) (apikey.State, error) {
	k.mu.RLock()
	one, ok := k.known[id]
	changes := k.changes
	k.mu.RUnlock()
	if ok && time.Now().Before(one.until) {
		return one.state, nil
	}
	select {
	case k.asking <- struct{}{}:
		defer func() { <-k.asking }()
	case <-ctx.Done():
		return apikey.State{}, ctx.Err()
	}
	state, _, err := eventstore.FreshState(ctx, k.executor, apikey.Decider, id)
	if err != nil {
		return apikey.State{}, err
	}
	if state.Phase() == apikey.ActivePhase && k.uses != nil {
		if err := k.uses.Used(ctx, id); err != nil {
			return apikey.State{}, err
		}
	}
	k.keep(id, state, changes)
	return state, nil
}

func (k *knownKeys) keep(id string, state apikey.State, changes uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.changes != changes || state.Phase() == "" {
		return
	}
	if len(k.known) >= maxKnownKeys {
		clear(k.known)
	}
	k.known[id] = knownKey{state: state, until: time.Now().Add(k.freshFor)}
}

// forget drops one key, or all of them when id is empty.
func (k *knownKeys) forget(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.changes++
	if id == "" {
		clear(k.known)
	}
	delete(k.known, id)
}

package legacymongo

import (
	"context"
	"maps"
	"sync"
)

// Mode is where a domain's queries read and what is kept.
type Mode string

// The modes.
const (
	Mongo    Mode = "mongo" // queries read the legacy store
	Dual     Mode = "dual"  // so do they here, and answers are compared with Postgres
	Postgres Mode = "pg"    // queries read Postgres; the legacy store is not touched
)

// Kept reports whether the legacy collections are written in this mode.
func (m Mode) Kept() bool { return m == Mongo || m == Dual }

// Modes are the domains' modes of this moment; they change while queries run.
type Modes struct {
	mu sync.RWMutex
	of map[string]Mode // never changed, only replaced: who has pinned it keeps it
}

// NewModes begins with those of the configuration; a domain that is not named is pg.
func NewModes(of map[string]Mode) *Modes { return &Modes{of: maps.Clone(of)} }

// Of gives a domain's mode.
func (m *Modes) Of(domain string) Mode { return modeIn(m.now(), domain) }

// Set changes it for queries that begin from now on.
func (m *Modes) Set(domain string, mode Mode) {
	m.mu.Lock()
	defer m.mu.Unlock()
	next := maps.Clone(m.of)
	if next == nil {
		next = map[string]Mode{}
	}
	next[domain] = mode
	m.of = next
}

type pinned struct{}

// Pin keeps this moment's modes for whoever asks with the context: a query waits for a position,
// and reads several times, in the store in which it has begun.
func (m *Modes) Pin(ctx context.Context) context.Context {
	return context.WithValue(ctx, pinned{}, m.now())
}

// Here keeps whoever asks with the context in Postgres, whatever the modes: commands decide nothing
// by what somebody may have written into the legacy store, and go on while it is away.
func Here(ctx context.Context) context.Context {
	return context.WithValue(ctx, pinned{}, map[string]Mode{})
}

// For gives a domain's mode as it was when the context was pinned; this moment's without a pin.
func (m *Modes) For(ctx context.Context, domain string) Mode {
	if of, ok := ctx.Value(pinned{}).(map[string]Mode); ok {
		return modeIn(of, domain)
	}
	return m.Of(domain)
}

func (m *Modes) now() map[string]Mode {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.of
}

func modeIn(of map[string]Mode, domain string) Mode {
	if mode, ok := of[domain]; ok {
		return mode
	}
	return Postgres
}

package legacymongo

import (
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
	of map[string]Mode
}

// NewModes begins with those of the configuration; a domain that is not named is pg.
func NewModes(of map[string]Mode) *Modes { return &Modes{of: maps.Clone(of)} }

// Of gives a domain's mode.
func (m *Modes) Of(domain string) Mode {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if mode, ok := m.of[domain]; ok {
		return mode
	}
	return Postgres
}

// Set changes it for queries that begin from now on.
func (m *Modes) Set(domain string, mode Mode) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.of == nil {
		m.of = map[string]Mode{}
	}
	m.of[domain] = mode
}

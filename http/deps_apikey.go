package http

import (
	"context"
	"time"
)

// KeyUses remembers when API keys were last shown.
type KeyUses interface {
	// Used notes that a key was shown now; it may be called often and writes seldom.
	Used(ctx context.Context, id string) error
	// LastUsed gives when each of the keys was last shown; those that never were are missing.
	LastUsed(ctx context.Context, ids []string) (map[string]time.Time, error)
}

// News tells other instances of the service what they must not remember any longer. What the
// database itself can see (a login that ended, roles that changed) it tells by itself.
type News interface {
	// Tell says that an API key has changed.
	Tell(ctx context.Context, apiKey string) error
}

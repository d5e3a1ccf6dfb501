package http

import "context"

// LegacyNames knows what the ObjectIds of the old backend name.
type LegacyNames interface {
	// Resolve gives the id of the thing; ok is false for an ObjectId that names nothing.
	Resolve(ctx context.Context, objectID string) (id string, ok bool, err error)
}

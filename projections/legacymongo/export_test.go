package legacymongo

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"
)

// CompareInUpdates makes the store replace documents as on a server that finds by _id and more
// without reading them all.
func (s *Store) CompareInUpdates() { s.kind.Store(guarded) }

// CompareUnnamed is the second half of Verify: documents that nothing implies.
func (s *Store) CompareUnnamed(ctx context.Context, pool *pgxpool.Pool, collection string) (out Parity, err error) {
	c, _ := s.collection(collection)
	err = s.compareUnnamed(ctx, pool, &projector{Collection: c, store: s}, &out)
	return out, err
}

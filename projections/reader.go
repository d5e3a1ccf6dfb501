package projections

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/eventstore"
)

// Reader reads the log for followers that are no projectors: they keep their own checkpoint.
type Reader struct {
	pool       *pgxpool.Pool
	log        *logReader
	categories []string
}

// NewReader makes a reader of some stream types.
func NewReader(pool *pgxpool.Pool, codec *eventstore.Codec, categories ...string) *Reader {
	return &Reader{pool: pool, log: &logReader{codec}, categories: categories}
}

// Slice reads what lies in up to limit positions after a position. The events are not decoded.
func (r *Reader) Slice(ctx context.Context, after int64, limit int) (Slice, error) {
	return readSlice(ctx, r.pool, sliceSQL, r.categories, after, limit)
}

// Decode fills in an event and its metadata, personal text sealed. It fails with an
// *eventstore.UnknownEventError for what this build does not know.
func (r *Reader) Decode(e *eventstore.Recorded) error { return r.log.decode(e) }

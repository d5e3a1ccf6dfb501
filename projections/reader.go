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
	tail       *tail // nil: reads by itself
	categories []string
}

// NewReader makes a reader of some stream types.
func NewReader(pool *pgxpool.Pool, codec *eventstore.Codec, categories ...string) *Reader {
	return &Reader{pool: pool, log: &logReader{codec}, categories: categories}
}

// Reader makes a reader that shares what the projectors of this process have read already.
func (r *Runner) Reader(categories ...string) *Reader {
	return &Reader{pool: r.engine.pool, log: r.engine.log, tail: r.tail, categories: categories}
}

// Slice reads what lies in up to limit positions after a position. Decode the events before use.
func (r *Reader) Slice(ctx context.Context, after int64, limit int) (Slice, error) {
	if r.tail != nil {
		if s, ok, err := r.tail.slice(ctx, r.categories, after, limit); err != nil || ok {
			return s, err
		}
	}
	return readSlice(ctx, r.pool, sliceSQL, r.categories, after, limit)
}

// Decode fills in an event and its metadata, personal text sealed. It fails with an
// *eventstore.UnknownEventError for what this build does not know.
func (r *Reader) Decode(e *eventstore.Recorded) error {
	if e.Event != nil {
		return nil
	}
	return r.log.decode(e)
}

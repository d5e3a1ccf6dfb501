package timelineview

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/eventstore"
)

// Queries read the timelines.
type Queries struct {
	pool  *pgxpool.Pool
	codec *eventstore.Codec
}

// New makes the queries.
func New(pool *pgxpool.Pool, codec *eventstore.Codec) Queries { return Queries{pool, codec} }

const (
	timelineSQL = `SELECT e.position, e.stream_type, e.stream_id, e.version, e.event_id, e.type, e.schema_version, e.data, e.metadata, e.recorded_at
		FROM views.timeline_streams t JOIN events e ON e.stream_type = t.stream_type AND e.stream_id = t.stream_id `
	orderSQL  = timelineSQL + `WHERE t.request = $1 AND e.position > $2 ORDER BY e.position LIMIT $3`
	streamSQL = timelineSQL + `WHERE t.stream_type = $1 AND t.stream_id = $2 AND e.position > $3 ORDER BY e.position LIMIT $4`
)

// OfOrder gives an order's events after a position, oldest first, personal text opened.
func (q Queries) OfOrder(ctx context.Context, id domain.RequestID, after int64, limit int) ([]eventstore.Recorded, error) {
	return q.read(ctx, orderSQL, string(id), after, limit)
}

// OfStream gives the events of one of an order's streams: a payment's, a dispute's.
func (q Queries) OfStream(ctx context.Context, s domain.Stream, after int64, limit int) ([]eventstore.Recorded, error) {
	return q.read(ctx, streamSQL, s.Type, s.ID, after, limit)
}

// OrderOf tells which order a stream belongs to; ok is false for none.
func (q Queries) OrderOf(ctx context.Context, s domain.Stream) (id domain.RequestID, ok bool, err error) {
	rows, err := q.pool.Query(ctx, `SELECT request FROM views.timeline_streams WHERE stream_type = $1 AND stream_id = $2`, s.Type, s.ID)
	if err != nil {
		return "", false, fmt.Errorf("look up the order of %s: %w", s, err)
	}
	_, err = pgx.ForEachRow(rows, []any{&id}, func() error { ok = true; return nil })
	return id, ok, err
}

func (q Queries) read(ctx context.Context, sql string, args ...any) ([]eventstore.Recorded, error) {
	rows, err := q.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read the timeline: %w", err)
	}
	events, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r eventstore.Recorded, err error) {
		err = row.Scan(&r.Position, &r.Stream.Type, &r.Stream.ID, &r.Version, &r.EventID, &r.Type, &r.Schema, &r.Data, &r.Meta, &r.RecordedAt)
		r.RecordedAt = r.RecordedAt.UTC()
		return r, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the timeline: %w", err)
	}
	for i := range events {
		r := &events[i]
		if r.Event, err = q.codec.Decode(ctx, r.Type, r.Schema, r.Data); err != nil {
			return nil, fmt.Errorf("event %d: %w", r.Position, err)
		}
		if err := json.Unmarshal(r.Meta, &r.Metadata); err != nil {
			return nil, fmt.Errorf("metadata of event %d: %w", r.Position, err)
		}
	}
	return events, nil
}

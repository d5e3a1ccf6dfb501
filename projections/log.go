package projections

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"holdfast/eventstore"
)

// Slice is a contiguous piece of the log, without the events that its reader did not ask for.
type Slice struct {
	LogID string
	// It stands for the positions After+1 … To, whatever of them is in Events.
	After, To int64
	// Head was the log's last position when the slice was read.
	Head int64
	// Events are as stored; Event and Metadata are not decoded yet.
	Events []eventstore.Recorded
}

// logReader reads slices of the log. Positions are gapless and in commit order, so "position >
// checkpoint" misses nothing; no transaction outlives a read.
type logReader struct{ codec *eventstore.Codec }

// sender is a pool, or a transaction that must not wait for a second connection.
type sender interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// readDeadline bounds every read: a server that hangs must not hang us.
const readDeadline = 10 * time.Second

const (
	headSQL = `SELECT log_id::text, position FROM log_head`
	fromSQL = ` FROM events WHERE position > $1 AND position <= $2 AND ($3::text[] IS NULL OR stream_type = ANY($3))
		ORDER BY position`
	sliceSQL = `SELECT position, stream_type, stream_id, version, event_id, type, schema_version, data, metadata, recorded_at` + fromSQL
	bareSQL  = `SELECT position, stream_type, stream_id, version, event_id, type, schema_version, NULL::json, NULL::json, recorded_at` + fromSQL
)

// slice reads up to limit positions for a projector.
func (l *logReader) slice(ctx context.Context, on sender, p Projector, after int64, limit int) (Slice, error) {
	if _, bare := p.(PositionsOnly); bare {
		return readSlice(ctx, on, bareSQL, p.Categories(), after, limit)
	}
	return readSlice(ctx, on, sliceSQL, p.Categories(), after, limit)
}

// readSlice reads up to limit positions. The head is read first: everything up to it is committed
// and visible to the statement after it.
func readSlice(ctx context.Context, on sender, sql string, categories []string, after int64, limit int) (Slice, error) {
	ctx, cancel := context.WithTimeout(ctx, readDeadline)
	defer cancel()
	s := Slice{After: after}
	batch := &pgx.Batch{}
	batch.Queue(headSQL).QueryRow(func(row pgx.Row) error {
		if err := row.Scan(&s.LogID, &s.Head); err != nil {
			return err
		}
		s.To = max(after, min(after+int64(limit), s.Head))
		return nil
	})
	batch.Queue(sql, after, after+int64(limit), categories).Query(func(rows pgx.Rows) error {
		var r eventstore.Recorded
		_, err := pgx.ForEachRow(rows, []any{&r.Position, &r.Stream.Type, &r.Stream.ID, &r.Version, &r.EventID, &r.Type, &r.Schema, &r.Data, &r.Meta, &r.RecordedAt}, func() error {
			if r.Position <= s.To {
				r.RecordedAt = r.RecordedAt.UTC()
				s.Events = append(s.Events, r)
			}
			return nil
		})
		return err
	})
	if err := on.SendBatch(ctx, batch).Close(); err != nil {
		return Slice{}, fmt.Errorf("read the log after %d: %w", after, err)
	}
	return s, nil
}

// decode fills in Event and Metadata. Personal text stays sealed.
func (l *logReader) decode(r *eventstore.Recorded) (err error) {
	if r.Event, err = l.codec.DecodeSealed(r.Type, r.Schema, r.Data); err != nil {
		return err
	}
	if err := json.Unmarshal(r.Meta, &r.Metadata); err != nil {
		return fmt.Errorf("decode the metadata: %w", err)
	}
	return nil
}

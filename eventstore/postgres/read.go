package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"holdfast/domain"
	"holdfast/eventstore"
	"holdfast/eventstore/commit"
)

const eventColumns = `position, stream_type, stream_id, version, event_id, type, schema_version, data, metadata, recorded_at, leaf_hash`

// LoadStream implements eventstore.Store.
func (s *Store) LoadStream(ctx context.Context, stream domain.Stream, after int64) ([]eventstore.Recorded, error) {
	rows, err := s.read.Query(ctx, `SELECT `+eventColumns+` FROM events
		WHERE stream_type = $1 AND stream_id = $2 AND version > $3 ORDER BY version`, stream.Type, stream.ID, after)
	events, err := recorded(rows, err)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", stream, err)
	}
	return commit.DecodeAll(ctx, s.codec, events)
}

// Read implements eventstore.Store. It ends before an event that this build does not know.
func (s *Store) Read(ctx context.Context, after int64, limit int) ([]eventstore.Recorded, error) {
	events, err := s.ReadRaw(ctx, after, limit)
	if err != nil {
		return nil, err
	}
	return commit.DecodeKnown(ctx, s.codec, events)
}

// ReadRaw is Read without decoding: what an export and a verification need.
func (s *Store) ReadRaw(ctx context.Context, after int64, limit int) ([]eventstore.Recorded, error) {
	rows, err := s.read.Query(ctx, `SELECT `+eventColumns+` FROM events WHERE position > $1 ORDER BY position LIMIT $2`, after, limit)
	events, err := recorded(rows, err)
	if err != nil {
		return nil, fmt.Errorf("read the log after %d: %w", after, err)
	}
	return events, nil
}

// ByEventID gives the event of an id; ok is false when there is none.
func (s *Store) ByEventID(ctx context.Context, id string) (r eventstore.Recorded, ok bool, err error) {
	rows, err := s.read.Query(ctx, `SELECT `+eventColumns+` FROM events WHERE event_id = $1`, id)
	events, err := recorded(rows, err)
	if err != nil || len(events) == 0 {
		return r, false, err
	}
	return events[0], true, commit.Decode(ctx, s.codec, &events[0])
}

func recorded(rows pgx.Rows, err error) ([]eventstore.Recorded, error) {
	if err != nil {
		return nil, translate(err)
	}
	var all []eventstore.Recorded
	for rows.Next() {
		var r eventstore.Recorded
		if err := rows.Scan(&r.Position, &r.Stream.Type, &r.Stream.ID, &r.Version, (*[16]byte)(&r.EventID), &r.Type, &r.Schema,
			&r.Data, &r.Meta, &r.RecordedAt, &r.LeafHash); err != nil {
			rows.Close()
			return nil, err
		}
		r.RecordedAt = r.RecordedAt.UTC()
		all = append(all, r)
	}
	return all, translate(rows.Err())
}

// Head implements eventstore.Store.
func (s *Store) Head(ctx context.Context) (eventstore.Head, error) {
	h := eventstore.Head{LogID: s.logID}
	var note string
	err := s.read.QueryRow(ctx, `SELECT position, root, checkpoint FROM log_head`).Scan(&h.Position, &h.Root, &note)
	h.Checkpoint = []byte(note)
	return h, translate(err)
}

// Outcome implements eventstore.Store.
func (s *Store) Outcome(ctx context.Context, k eventstore.Key) (*eventstore.Outcome, error) {
	var fingerprint, raw []byte
	err := s.read.QueryRow(ctx, `SELECT fingerprint, outcome FROM commands
		WHERE actor = $1 AND idempotency_key = $2 AND (expires_at IS NULL OR expires_at > clock_timestamp())`, k.Actor, k.Key).Scan(&fingerprint, &raw)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look up a key: %w", translate(err))
	}
	known, err := remembered(fingerprint, raw, nil)
	if err != nil {
		return nil, err
	}
	return known.Match(k.Fingerprint)
}

// ForgetExpiredKeys deletes keys whose time is over; call it now and then.
func (s *Store) ForgetExpiredKeys(ctx context.Context) (int64, error) {
	tag, err := s.read.Exec(ctx, `DELETE FROM commands WHERE expires_at < clock_timestamp()`)
	return tag.RowsAffected(), translate(err)
}

// LoadSnapshot implements eventstore.Store.
func (s *Store) LoadSnapshot(ctx context.Context, stream domain.Stream) (*eventstore.Snapshot, error) {
	var snap eventstore.Snapshot
	err := s.read.QueryRow(ctx, `SELECT version, state FROM snapshots WHERE stream_type = $1 AND stream_id = $2`, stream.Type, stream.ID).
		Scan(&snap.Version, (*[]byte)(&snap.State))
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load the snapshot of %s: %w", stream, translate(err))
	}
	return &snap, nil
}

// LoadFromSnapshot gives a stream's snapshot, nil when there is none, and the events after it, in one
// round trip: a stream that is not remembered costs a command no more than that. Both are read
// as of one moment, or a snapshot that is saved or thrown away in between would leave a hole.
func (s *Store) LoadFromSnapshot(ctx context.Context, stream domain.Stream) (*eventstore.Snapshot, []eventstore.Recorded, error) {
	var q pgx.Batch
	var snap *eventstore.Snapshot
	var tail []eventstore.Recorded
	q.Queue(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`)
	q.Queue(`SELECT version, state FROM snapshots WHERE stream_type = $1 AND stream_id = $2`, stream.Type, stream.ID).QueryRow(func(row pgx.Row) error {
		var found eventstore.Snapshot
		err := row.Scan(&found.Version, (*[]byte)(&found.State))
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		snap = &found
		return err
	})
	q.Queue(`SELECT `+eventColumns+` FROM events
		WHERE stream_type = $1 AND stream_id = $2
		  AND version > coalesce((SELECT s.version FROM snapshots s WHERE s.stream_type = $1 AND s.stream_id = $2), 0)
		ORDER BY version`, stream.Type, stream.ID).Query(func(rows pgx.Rows) (err error) {
		tail, err = recorded(rows, nil)
		return err
	})
	q.Queue(`COMMIT`)
	if err := s.read.SendBatch(ctx, &q).Close(); err != nil {
		return nil, nil, fmt.Errorf("load %s: %w", stream, translate(err))
	}
	events, err := commit.DecodeAll(ctx, s.codec, tail)
	return snap, events, err
}

// SaveSnapshot implements eventstore.Store; an older one than the kept one is ignored.
func (s *Store) SaveSnapshot(ctx context.Context, stream domain.Stream, snap eventstore.Snapshot) error {
	_, err := s.read.Exec(ctx, `INSERT INTO snapshots (stream_type, stream_id, version, state) VALUES ($1, $2, $3, $4::text::json)
		ON CONFLICT (stream_type, stream_id) DO UPDATE SET version = excluded.version, state = excluded.state, saved_at = excluded.saved_at
		WHERE snapshots.version < excluded.version`, stream.Type, stream.ID, snap.Version, string(snap.State))
	return translate(err)
}

// Deadlines lists the armed deadlines that are due at a time, earliest first. A worker that
// issues them claims rows of timers by itself.
func (s *Store) Deadlines(ctx context.Context, until time.Time, limit int) ([]eventstore.StreamDeadline, error) {
	rows, err := s.read.Query(ctx, `SELECT stream_type, stream_id, key, due_at, command FROM timers
		WHERE fired_at IS NULL AND due_at <= $1 ORDER BY due_at LIMIT $2`, until, limit)
	if err != nil {
		return nil, translate(err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (d eventstore.StreamDeadline, err error) {
		err = row.Scan(&d.Stream.Type, &d.Stream.ID, &d.Key, &d.Due, &d.Command)
		d.Due = d.Due.UTC()
		return d, err
	})
}

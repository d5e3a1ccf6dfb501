package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"holdfast/eventstore"
	"holdfast/eventstore/commit"
)

// LoadMany gives many streams of one type, each with its newest snapshot and the events after it,
// in one round trip and as of one moment. Ids of streams that do not exist are absent.
func (s *Store) LoadMany(ctx context.Context, streamType string, ids []string) (map[string]eventstore.Stored, error) {
	all := make(map[string]eventstore.Stored, len(ids))
	var events []eventstore.Recorded
	var q pgx.Batch
	q.Queue(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`)
	q.Queue(`SELECT stream_id, version, state FROM snapshots WHERE stream_type = $1 AND stream_id = ANY($2::text[])`, streamType, ids).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var id string
			snap := &eventstore.Snapshot{}
			if err := rows.Scan(&id, &snap.Version, (*[]byte)(&snap.State)); err != nil {
				return err
			}
			all[id] = eventstore.Stored{Snapshot: snap}
		}
		return rows.Err()
	})
	q.Queue(`SELECT `+eventColumns+` FROM events
		WHERE stream_type = $1 AND stream_id = ANY($2::text[])
		  AND version > coalesce((SELECT s.version FROM snapshots s WHERE s.stream_type = events.stream_type AND s.stream_id = events.stream_id), 0)
		ORDER BY stream_id, version`, streamType, ids).Query(func(rows pgx.Rows) (err error) {
		events, err = recorded(rows, nil)
		return err
	})
	q.Queue(`COMMIT`)
	if err := s.read.SendBatch(ctx, &q).Close(); err != nil {
		return nil, fmt.Errorf("load %d streams of %s: %w", len(ids), streamType, translate(err))
	}
	events, err := commit.DecodeAll(ctx, s.codec, events)
	if err != nil {
		return nil, err
	}
	for _, e := range events {
		one := all[e.Stream.ID]
		one.Tail = append(one.Tail, e)
		all[e.Stream.ID] = one
	}
	return all, nil
}

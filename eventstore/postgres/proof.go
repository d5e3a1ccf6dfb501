package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"holdfast/eventstore"
)

// TreeHashes implements eventstore.NodeReader.
func (s *Store) TreeHashes(ctx context.Context, level int, index int64, count int) ([][]byte, error) {
	sql, args := `SELECT hash FROM log_tree WHERE level = $3 AND index >= $1 AND index < $2 ORDER BY index`, []any{index, index + int64(count), level}
	if level == 0 {
		sql, args = `SELECT leaf_hash FROM events WHERE position > $1 AND position <= $2 ORDER BY position`, args[:2]
	}
	rows, err := s.read.Query(ctx, sql, args...)
	if err != nil {
		return nil, translate(err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[[]byte])
}

// InclusionProof proves that the event at a position is in the log of a size.
func (s *Store) InclusionProof(ctx context.Context, position, size int64) (eventstore.InclusionProof, error) {
	if err := s.within(ctx, size); err != nil {
		return eventstore.InclusionProof{}, err
	}
	return eventstore.ProveInclusion(ctx, s, position, size)
}

// ConsistencyProof proves that the log of size to begins with that of size from.
func (s *Store) ConsistencyProof(ctx context.Context, from, to int64) (eventstore.ConsistencyProof, error) {
	if err := s.within(ctx, to); err != nil {
		return eventstore.ConsistencyProof{}, err
	}
	return eventstore.ProveConsistency(ctx, s, from, to)
}

func (s *Store) within(ctx context.Context, size int64) error {
	head, err := s.Head(ctx)
	if err == nil && size > head.Position {
		err = eventstore.ErrNoSuchProof.With("position", head.Position)
	}
	return err
}

// SignCheckpoint signs the log as it is now and keeps the note, when the log has grown since
// the last one. It gives the newest checkpoint; signed is false when there was nothing new.
func (s *Store) SignCheckpoint(ctx context.Context) (c eventstore.Checkpoint, signed bool, err error) {
	if s.opts.Signer == nil {
		return c, false, errors.New("the store has no signing key")
	}
	head, err := s.Head(ctx)
	if err != nil {
		return c, false, err
	}
	if c, err = s.latest(ctx); err != nil || c.Position == head.Position || head.Position == 0 {
		return c, false, err
	}
	if c, err = s.opts.Signer.Sign(s.logID, head.Position, head.Root); err != nil {
		return c, false, err
	}
	// Another process may sign the same size; both notes say the same, so either will do.
	err = pgx.BeginFunc(ctx, s.read, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO log_checkpoints (position, root, note) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
			c.Position, c.Root, string(c.Note)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE log_head SET checkpoint = $2, checkpoint_position = $1 WHERE checkpoint_position < $1`, c.Position, string(c.Note))
		return err
	})
	if err != nil {
		return c, false, fmt.Errorf("keep checkpoint %d: %w", c.Position, translate(err))
	}
	return c, true, nil
}

func (s *Store) latest(ctx context.Context) (eventstore.Checkpoint, error) {
	all, err := s.Checkpoints(ctx, 1)
	if err != nil || len(all) == 0 {
		return eventstore.Checkpoint{}, err
	}
	return all[0], nil
}

// Checkpoints lists the newest signed checkpoints, newest first, as they are kept: whoever
// relies on one verifies its note with eventstore.ParseCheckpoint.
func (s *Store) Checkpoints(ctx context.Context, limit int) ([]eventstore.Checkpoint, error) {
	rows, err := s.read.Query(ctx, `SELECT position, root, note FROM log_checkpoints ORDER BY position DESC LIMIT $1`, limit)
	if err != nil {
		return nil, fmt.Errorf("read checkpoints: %w", translate(err))
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (c eventstore.Checkpoint, err error) {
		c.Origin = eventstore.Origin(s.logID)
		err = row.Scan(&c.Position, &c.Root, &c.Note)
		return c, err
	})
}

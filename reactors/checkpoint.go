package reactors

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain/fault"
)

// ErrUnknownReactor: no reactor of this name keeps a checkpoint.
var ErrUnknownReactor = fault.New(fault.NotFound, "REACTOR_UNKNOWN", "there is no such reactor")

// checkpoint is how far a follower of the log has come.
type checkpoint struct {
	logID    string // empty until it moved first
	position int64
	error    string // why it halted; empty while it runs
}

// checkpoints keeps them. They only save work: what a follower does may be done twice.
type checkpoints struct{ pool *pgxpool.Pool }

// read gives a checkpoint, and makes one at the beginning of the log for a new name.
func (s checkpoints) read(ctx context.Context, name string) (c checkpoint, err error) {
	err = s.pool.QueryRow(ctx, `WITH made AS (INSERT INTO reactor_checkpoints (name) VALUES ($1) ON CONFLICT DO NOTHING)
		SELECT COALESCE(max(log_id::text), ''), COALESCE(max(position), 0), COALESCE(max(error), '') FROM reactor_checkpoints WHERE name = $1`,
		name).Scan(&c.logID, &c.position, &c.error)
	if err != nil {
		return c, fmt.Errorf("read the checkpoint of %s: %w", name, err)
	}
	return c, nil
}

// move moves it forward; never back, should another process have been faster.
func (s checkpoints) move(ctx context.Context, name, logID string, to int64) error {
	// Losing the last moments in a crash only repeats work; waiting for the disk would cost the
	// appends.
	lazy := pgx.TxOptions{BeginQuery: `BEGIN; SET LOCAL synchronous_commit = off`}
	err := pgx.BeginTxFunc(ctx, s.pool, lazy, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE reactor_checkpoints SET position = $3, log_id = $2, moved_at = clock_timestamp()
			WHERE name = $1 AND position < $3 AND error = ''`, name, logID, to)
		return err
	})
	if err != nil {
		return fmt.Errorf("move the checkpoint of %s: %w", name, err)
	}
	return nil
}

// halt stops the follower in every process until an operator lets it go on.
func (s checkpoints) halt(ctx context.Context, name, why string) error {
	_, err := s.pool.Exec(ctx, `UPDATE reactor_checkpoints SET halted_at = clock_timestamp(), error = $2 WHERE name = $1 AND error = ''`, name, why)
	if err != nil {
		return fmt.Errorf("halt %s: %w", name, err)
	}
	return nil
}

// resume lets a halted follower try again; with skip, behind the event it halted at.
func (s checkpoints) resume(ctx context.Context, name string, skip bool) error {
	tag, err := s.pool.Exec(ctx, `UPDATE reactor_checkpoints SET halted_at = NULL, error = '', position = position + CASE WHEN $2 AND log_id IS NOT NULL THEN 1 ELSE 0 END
		WHERE name = $1 AND error <> ''`, name, skip)
	if err != nil {
		return fmt.Errorf("resume %s: %w", name, err)
	}
	if tag.RowsAffected() == 0 {
		return ErrUnknownReactor.With("name", name)
	}
	return nil
}

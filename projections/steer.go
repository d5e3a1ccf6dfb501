package projections

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"holdfast/domain"
)

// Pause stops a projector at its next slice. A halted one stays halted.
func (r *Runner) Pause(ctx context.Context, name string) error {
	return r.steer(ctx, name, func(tx pgx.Tx, c checkpoint) error {
		if c.state != Running {
			return nil
		}
		return setState(ctx, tx, name, Paused)
	})
}

// Resume starts a paused projector again. A halted one needs Retry or Skip.
func (r *Runner) Resume(ctx context.Context, name string) error {
	return r.steer(ctx, name, func(tx pgx.Tx, c checkpoint) error {
		if c.state != Paused {
			return nil
		}
		return setState(ctx, tx, name, Running)
	})
}

// Retry lets a halted projector try the same event again; ErrNotHalted otherwise.
func (r *Runner) Retry(ctx context.Context, name string) error {
	return r.steer(ctx, name, func(tx pgx.Tx, c checkpoint) error {
		if c.state != Halted {
			return ErrNotHalted.With("state", c.state)
		}
		return setState(ctx, tx, name, Running)
	})
}

// Skip records an operator's decision that a halted projector may pass over the event it
// halted at, and lets it go on. The event is left out only as long as it cannot be applied: a
// rebuild by better code takes it in.
func (r *Runner) Skip(ctx context.Context, name, reason string, by domain.UserID) error {
	if strings.TrimSpace(reason) == "" || by == "" {
		return ErrReason
	}
	return r.steer(ctx, name, func(tx pgx.Tx, c checkpoint) error {
		switch {
		case c.state != Halted:
			return ErrNotHalted.With("state", c.state)
		case c.poison.Type == "":
			return ErrNotSkippable
		}
		if _, err := tx.Exec(ctx, `INSERT INTO projection_skips (name, position, event_type, reason, actor) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (name, position) DO NOTHING`, name, c.poison.Position, c.poison.Type, reason, string(by)); err != nil {
			return fmt.Errorf("record the skip: %w", err)
		}
		r.opts.Log.Warn("an operator skips an event", "projector", name, "position", c.poison.Position, "event_type", c.poison.Type, "reason", reason, "actor", by)
		return setState(ctx, tx, name, Running)
	})
}

// steer changes a projector's row under its lock and tells every process.
func (r *Runner) steer(ctx context.Context, name string, change func(pgx.Tx, checkpoint) error) error {
	if _, err := r.registry.find(name); err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, r.engine.pool, func(tx pgx.Tx) error {
		c, err := readCheckpoint(ctx, tx, lockSQL, name)
		if err != nil {
			return err
		}
		if err := change(tx, c); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `SELECT pg_notify($1, $2)`, stateChannel, name)
		return err
	})
}

func setState(ctx context.Context, tx pgx.Tx, name, state string) error {
	if _, err := tx.Exec(ctx, runSQL, name, state); err != nil {
		return fmt.Errorf("set %s to %s: %w", name, state, err)
	}
	return nil
}

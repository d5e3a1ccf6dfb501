package projections

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// engine moves one projector over one slice; it owns the transaction.
type engine struct {
	pool *pgxpool.Pool
	log  *logReader
	slog *slog.Logger
	batchApplier
}

// applyDeadline bounds a live slice's transaction: a server that hangs is given up soon.
const applyDeadline = 12 * time.Second

// begin opens a projector's transaction. Losing the last moments in a crash of the server is
// harmless, since effect and checkpoint go together; waiting for the disk is not. The time-out
// frees the fence from a process that stands still in the middle.
func begin(schema string) pgx.TxOptions { return beginAt("READ COMMITTED", schema) }

func beginAt(isolation, schema string) pgx.TxOptions {
	return pgx.TxOptions{BeginQuery: fmt.Sprintf(`BEGIN ISOLATION LEVEL `+isolation+`;
		SET LOCAL synchronous_commit = off;
		SET LOCAL idle_in_transaction_session_timeout = '30s';
		SET LOCAL search_path = %s, public`, pgx.Identifier{schema}.Sanitize())}
}

// advance applies a slice and gives the checkpoint as it stands then. The slice may be stale:
// what another process applied meanwhile is skipped, and a slice that begins beyond the
// checkpoint is left alone. A poison event ends in a halted checkpoint, not in an error: errors
// are passing ones.
func (e *engine) advance(ctx context.Context, p Projector, s Slice) (checkpoint, error) {
	ctx, cancel := context.WithTimeout(ctx, applyDeadline)
	defer cancel()
	if len(s.Events) == 0 && s.To > s.After {
		tag, err := e.pool.Exec(ctx, passSQL, p.Name(), s.After, s.To, s.LogID, p.Version())
		if err != nil {
			return checkpoint{}, fmt.Errorf("pass to %d: %w", s.To, err)
		}
		if tag.RowsAffected() == 1 {
			return checkpoint{version: p.Version(), logID: s.LogID, position: s.To, state: Running}, nil
		}
	}
	c, err := e.attempt(ctx, p, s, e.whole)
	if _, poisoned := errors.AsType[*PoisonError](err); poisoned {
		c, err = e.attempt(ctx, p, s, e.pieces)
	}
	if err != nil {
		return checkpoint{}, fmt.Errorf("apply %d…%d to %s: %w", s.After+1, s.To, p.Name(), err)
	}
	if c.state == Halted && c.poison.Position > s.After {
		e.slog.Error("projector halted", "projector", p.Name(), "position", c.poison.Position, "event_type", c.poison.Type, "error", c.poison.Error)
	}
	return c, nil
}

// attempt locks the checkpoint and does what is left to do.
func (e *engine) attempt(ctx context.Context, p Projector, s Slice, do func(context.Context, pgx.Tx, Projector, Slice, *checkpoint) error) (c checkpoint, err error) {
	err = pgx.BeginTxFunc(ctx, e.pool, begin(Schema), func(tx pgx.Tx) error {
		if c, err = readCheckpoint(ctx, tx, lockSQL, p.Name()); err != nil {
			return err
		}
		if !c.ready(p.Version()) {
			return nil
		}
		if foreign, err := belongs(ctx, tx, c, s); err != nil {
			return err
		} else if foreign != "" {
			return c.halt(ctx, tx, p.Name(), Poison{Position: c.position, Error: foreign})
		}
		if c.position < s.After || c.position >= s.To {
			return nil
		}
		return do(ctx, tx, p, s, &c)
	})
	return c, err
}

// belongs says what is wrong when the checkpoint is not one of this log: after a restore the
// log may be another one, or shorter than what was applied (docs/fault-model.md, input 182).
func belongs(ctx context.Context, tx pgx.Tx, c checkpoint, s Slice) (foreign string, err error) {
	if c.logID != "" && c.logID != s.LogID {
		return fmt.Sprintf("CHECKPOINT_AHEAD: the checkpoint belongs to log %s, this is %s", c.logID, s.LogID), nil
	}
	if c.position <= s.Head {
		return "", nil
	}
	// Either the slice is old or the log is too short: only the head of this moment tells.
	var log string
	var head int64
	if err := tx.QueryRow(ctx, headSQL).Scan(&log, &head); err != nil {
		return "", fmt.Errorf("read the head: %w", err)
	}
	if c.position > head {
		return fmt.Sprintf("CHECKPOINT_AHEAD: the checkpoint is at %d, the log ends at %d", c.position, head), nil
	}
	return "", nil
}

// whole applies the slice at once.
func (e *engine) whole(ctx context.Context, tx pgx.Tx, p Projector, s Slice, c *checkpoint) error {
	if err := e.apply(ctx, tx, p, s, c.position); err != nil {
		return err
	}
	return c.move(ctx, tx, p.Name(), s.LogID, s.To)
}

// pieces applies the slice event by event and halts at the poison.
func (e *engine) pieces(ctx context.Context, tx pgx.Tx, p Projector, s Slice, c *checkpoint) error {
	to, poison, err := e.applyCarefully(ctx, tx, p, s, c.position)
	if err != nil {
		return err
	}
	if err := c.move(ctx, tx, p.Name(), s.LogID, to); err != nil || poison == nil {
		return err
	}
	return c.halt(ctx, tx, p.Name(), Poison{Position: poison.Position, Type: poison.Type, Error: poison.Err.Error()})
}

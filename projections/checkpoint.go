package projections

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// The states of a projector.
const (
	Running = "running"
	Paused  = "paused" // by an operator
	Halted  = "halted" // by an event that cannot be applied
)

// checkpoint is a projector's row of projection_checkpoints.
type checkpoint struct {
	version                 int
	logID                   string // empty until the first slice
	position                int64
	state                   string
	poison                  *Poison
	oldVersion, oldPosition *int64
}

// Poison is the event at which a projector halted.
type Poison struct {
	Position int64
	Type     string // empty when it is not about an event
	Error    string
	Since    time.Time
}

const (
	registerSQL   = `INSERT INTO projection_checkpoints (name, version) VALUES ($1, $2) ON CONFLICT DO NOTHING`
	checkpointSQL = `SELECT version, COALESCE(log_id::text, ''), position, state,
		poison_position, poison_type, poison_error, halted_at, old_version, old_position
		FROM projection_checkpoints WHERE name = $1`
	lockSQL = checkpointSQL + ` FOR UPDATE`
	moveSQL = `UPDATE projection_checkpoints SET position = $2, log_id = $3::uuid, moved_at = clock_timestamp() WHERE name = $1`
	// passSQL moves over a piece of the log in which nothing concerns the projector: no
	// transaction, but the same fence, since it holds only if the row still stands where we think.
	passSQL = `UPDATE projection_checkpoints SET position = $3, moved_at = clock_timestamp()
		WHERE name = $1 AND position = $2 AND log_id = $4::uuid AND version = $5 AND state = 'running'`
	haltSQL = `UPDATE projection_checkpoints SET state = 'halted', halted_at = clock_timestamp(),
		poison_position = $2, poison_type = $3, poison_error = $4 WHERE name = $1 RETURNING halted_at`
	runSQL = `UPDATE projection_checkpoints SET state = $2, halted_at = NULL,
		poison_position = NULL, poison_type = NULL, poison_error = NULL WHERE name = $1`
)

// querier is a pool, a connection or a transaction.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func readCheckpoint(ctx context.Context, q querier, sql, name string) (c checkpoint, err error) {
	var position *int64
	var kind, text *string
	var since *time.Time
	err = q.QueryRow(ctx, sql, name).Scan(&c.version, &c.logID, &c.position, &c.state, &position, &kind, &text, &since, &c.oldVersion, &c.oldPosition)
	if errors.Is(err, pgx.ErrNoRows) {
		return c, ErrUnknown.With("name", name)
	}
	if err != nil {
		return c, fmt.Errorf("read the checkpoint of %s: %w", name, err)
	}
	if c.state == Halted {
		c.poison = &Poison{Position: *position, Type: *kind, Error: *text, Since: since.UTC()}
	}
	return c, nil
}

// ready reports whether a projector of this version may apply anything now.
func (c checkpoint) ready(version int) bool { return c.state == Running && c.version == version }

// fits reports whether the checkpoint can be one of the log that a slice was read from.
func (c checkpoint) fits(s Slice) bool {
	return (c.logID == "" || c.logID == s.LogID) && c.position <= s.Head
}

// move writes the checkpoint forward; it never goes back.
func (c *checkpoint) move(ctx context.Context, tx pgx.Tx, name, logID string, to int64) error {
	if to < c.position {
		return fmt.Errorf("checkpoint of %s would go back from %d to %d", name, c.position, to)
	}
	if _, err := tx.Exec(ctx, moveSQL, name, to, logID); err != nil {
		return fmt.Errorf("move the checkpoint of %s: %w", name, err)
	}
	c.position, c.logID = to, logID
	return nil
}

// halt stops the projector for good, until an operator decides.
func (c *checkpoint) halt(ctx context.Context, tx pgx.Tx, name string, p Poison) error {
	if err := tx.QueryRow(ctx, haltSQL, name, p.Position, p.Type, p.Error).Scan(&p.Since); err != nil {
		return fmt.Errorf("halt %s: %w", name, err)
	}
	c.state, c.poison = Halted, &p
	return nil
}

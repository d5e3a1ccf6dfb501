package projections

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// DifferenceError says that a live table is not the fold of the log.
type DifferenceError struct {
	Name     string
	Table    string
	Position int64  // at which both were compared
	Extra    int64  // rows that the live table has and the fold has not
	Missing  int64  // rows that the fold has and the live table has not
	Example  string // one of them, as text
}

func (e *DifferenceError) Error() string {
	return fmt.Sprintf("read model %s: table %s differs from the log at %d: %d rows too many, %d missing, e.g. %s",
		e.Name, e.Table, e.Position, e.Extra, e.Missing, e.Example)
}

// Verify folds the log anew beside the live read model, exactly as far as that has come, and
// compares both row by row: *DifferenceError when they are not the same. Nothing is changed, and
// live projection goes on. position is where they were compared.
func (r *Runner) Verify(ctx context.Context, name string, report func(Progress)) (position int64, err error) {
	err = r.exclusively(ctx, name, func(p Projector) (err error) {
		c, err := readCheckpoint(ctx, r.engine.pool, checkpointSQL, name)
		if err != nil {
			return err
		}
		if c.version != p.Version() {
			return fmt.Errorf("the tables of %s are of version %d, this build knows %d", name, c.version, p.Version())
		}
		if err := r.lay(ctx, p); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, r.clear(context.WithoutCancel(ctx), p)) }()
		if c.position > 0 {
			if err := r.catchUp(ctx, p, 0, c.position, report); err != nil {
				return fmt.Errorf("fold the log: %w", err)
			}
		}
		// One snapshot shows the live tables and the checkpoint that belongs to them.
		return pgx.BeginTxFunc(ctx, r.engine.pool, beginAt("REPEATABLE READ", buildSchema(name)), func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `SET LOCAL statement_timeout = 0`); err != nil { // comparing takes as long as it takes
				return err
			}
			if c, err = readCheckpoint(ctx, tx, checkpointSQL, name); err != nil {
				return err
			}
			position = c.position
			if _, err := r.level(ctx, tx, p, position); err != nil {
				return err
			}
			return compare(ctx, tx, p, position)
		})
	})
	return position, err
}

func compare(ctx context.Context, tx pgx.Tx, p Projector, position int64) error {
	for _, t := range p.Tables() {
		live, fold := pgx.Identifier{Schema, t}.Sanitize(), pgx.Identifier{buildSchema(p.Name()), t}.Sanitize()
		d := &DifferenceError{Name: p.Name(), Table: t, Position: position}
		err := tx.QueryRow(ctx, fmt.Sprintf(`WITH extra AS (SELECT * FROM %[1]s EXCEPT ALL SELECT * FROM %[2]s),
				missing AS (SELECT * FROM %[2]s EXCEPT ALL SELECT * FROM %[1]s)
			SELECT (SELECT count(*) FROM extra), (SELECT count(*) FROM missing),
				COALESCE((SELECT min(e::text) FROM extra e), (SELECT min(m::text) FROM missing m), '')`, live, fold)).Scan(&d.Extra, &d.Missing, &d.Example)
		if err != nil {
			return fmt.Errorf("compare table %s: %w", t, err)
		}
		if d.Extra+d.Missing > 0 {
			return d
		}
	}
	return nil
}

// clear drops a build that is not wanted.
func (r *Runner) clear(ctx context.Context, p Projector) error {
	return pgx.BeginFunc(ctx, r.engine.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "DROP SCHEMA IF EXISTS "+pgx.Identifier{buildSchema(p.Name())}.Sanitize()+" CASCADE"); err != nil {
			return fmt.Errorf("drop the build of %s: %w", p.Name(), err)
		}
		_, err := tx.Exec(ctx, `DELETE FROM projection_builds WHERE name = $1`, p.Name())
		return err
	})
}

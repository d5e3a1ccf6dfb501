package projections

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Checked is what comparing a read model with its fold has found.
type Checked struct {
	Name     string
	Position int64 // at which both stood
	Rows     int64 // compared
	Differ   int64 // rows of which one side has no equal
	Example  string
}

// errBehind: the live tables have not reached the build yet.
var errBehind = errors.New("the live tables are behind")

// checkPatience is how long Check waits for live projection to catch up.
const checkPatience = 30 * time.Second

// Check folds the whole log into fresh tables and compares them with the live ones, row by
// row, at the same position. Nothing is changed; the fresh tables are dropped again.
// ErrRebuilding while a rebuild of this name is running.
func (r *Runner) Check(ctx context.Context, name string, report func(Progress)) (c Checked, err error) {
	err = r.exclusively(ctx, name, func(p Projector) error {
		defer r.discard(ctx, p)
		if err := r.build(ctx, p, report); err != nil {
			return fmt.Errorf("check %s: %w", name, err)
		}
		deadline := time.Now().Add(checkPatience)
		for {
			err := pgx.BeginTxFunc(ctx, r.engine.pool, begin(buildSchema(p.Name())), func(tx pgx.Tx) (err error) {
				c, err = r.compare(ctx, tx, p)
				return err
			})
			if !errors.Is(err, errBehind) || time.Now().After(deadline) {
				return err
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(100 * time.Millisecond):
			}
		}
	})
	return c, err
}

// compare holds the checkpoint, so that neither side moves.
func (r *Runner) compare(ctx context.Context, tx pgx.Tx, p Projector) (Checked, error) {
	c := Checked{Name: p.Name()}
	live, err := readCheckpoint(ctx, tx, lockSQL, p.Name())
	if err != nil {
		return c, err
	}
	at, err := r.level(ctx, tx, p, live.position)
	if err != nil {
		return c, err
	}
	if at > live.position {
		return c, errBehind
	}
	c.Position = at
	for _, t := range p.Tables() {
		if err := compareTable(ctx, tx, p, t, &c); err != nil {
			return c, fmt.Errorf("compare %s: %w", t, err)
		}
	}
	return c, nil
}

func compareTable(ctx context.Context, tx pgx.Tx, p Projector, table string, c *Checked) error {
	live := pgx.Identifier{Schema, table}.Sanitize()
	fold := pgx.Identifier{buildSchema(p.Name()), table}.Sanitize()
	var rows, differ int64
	var example *string
	err := tx.QueryRow(ctx, fmt.Sprintf(`
		WITH live AS (SELECT t::text AS row FROM %[1]s t), fold AS (SELECT t::text AS row FROM %[2]s t),
		     odd AS ((SELECT row FROM live EXCEPT ALL SELECT row FROM fold) UNION ALL (SELECT row FROM fold EXCEPT ALL SELECT row FROM live))
		SELECT (SELECT count(*) FROM live), (SELECT count(*) FROM odd), (SELECT left(row, 200) FROM odd LIMIT 1)`, live, fold)).Scan(&rows, &differ, &example)
	if err != nil {
		return err
	}
	c.Rows, c.Differ = c.Rows+rows, c.Differ+differ
	if example != nil && c.Example == "" {
		c.Example = table + ": " + *example
	}
	return nil
}

// discard drops what a check has built.
func (r *Runner) discard(ctx context.Context, p Projector) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err := pgx.BeginFunc(ctx, r.engine.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "DROP SCHEMA IF EXISTS "+pgx.Identifier{buildSchema(p.Name())}.Sanitize()+" CASCADE"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM projection_builds WHERE name = $1`, p.Name())
		return err
	})
	if err != nil {
		r.opts.Log.Warn("a check's tables were left behind", "projector", p.Name(), "error", err)
	}
}

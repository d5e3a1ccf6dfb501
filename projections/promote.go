package projections

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Promote puts a finished build in place: it catches up and swaps the tables in one
// transaction. The tables of before are kept until the next rebuild. A projector that was
// halted runs again. ErrNoBuild when there is no finished build of this version and log.
func (r *Runner) Promote(ctx context.Context, name string) error {
	return r.exclusively(ctx, name, func(p Projector) error { return r.promote(ctx, p) })
}

// Rollback puts the tables of before the last rebuild back, caught up to the log's end; the present
// ones are kept in their stead. ErrNoOld when there are none, or they are of another version.
func (r *Runner) Rollback(ctx context.Context, name string) error {
	return r.exclusively(ctx, name, func(p Projector) error {
		if err := r.oldToBuild(ctx, p); err != nil {
			return fmt.Errorf("roll %s back: %w", name, err)
		}
		return r.promote(ctx, p)
	})
}

// promote catches up without a lock until little is left, then swaps.
func (r *Runner) promote(ctx context.Context, p Projector) error {
	var at int64
	err := r.engine.pool.QueryRow(ctx, `SELECT b.position FROM projection_builds b JOIN log_head h ON h.log_id = b.log_id AND h.position >= b.position
		WHERE b.name = $1 AND b.version = $2 AND b.ready`, p.Name(), p.Version()).Scan(&at)
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrNoBuild.With("name", p.Name())
	}
	if err != nil {
		return fmt.Errorf("look the build of %s up: %w", p.Name(), err)
	}
	if err := r.catchUp(ctx, p, at, toTheHead, nil); err != nil {
		return fmt.Errorf("catch %s up: %w", p.Name(), err)
	}
	return persist(ctx, func() error {
		return pgx.BeginTxFunc(ctx, r.engine.pool, begin(buildSchema(p.Name())), func(tx pgx.Tx) error {
			return r.swap(ctx, tx, p)
		})
	})
}

// swap, under the checkpoint's lock, brings the build exactly as far as the live tables are,
// and exchanges them. Queries that run now finish on the old tables.
func (r *Runner) swap(ctx context.Context, tx pgx.Tx, p Projector) error {
	if _, err := tx.Exec(ctx, `SET LOCAL lock_timeout = '2s'`); err != nil {
		return err
	}
	c, err := readCheckpoint(ctx, tx, lockSQL, p.Name())
	if err != nil {
		return err
	}
	at, err := r.level(ctx, tx, p, c.position)
	if err != nil {
		return err
	}
	for _, sql := range swapStatements(p) {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return fmt.Errorf("swap the tables of %s: %w", p.Name(), err)
		}
	}
	if _, err := tx.Exec(ctx, `UPDATE projection_checkpoints c SET old_version = c.version, old_position = c.position,
			version = b.version, position = b.position, log_id = b.log_id, moved_at = clock_timestamp(),
			state = CASE c.state WHEN 'halted' THEN 'running' ELSE c.state END,
			halted_at = NULL, poison_position = NULL, poison_type = NULL, poison_error = NULL
		FROM projection_builds b WHERE b.name = c.name AND c.name = $1`, p.Name()); err != nil {
		return fmt.Errorf("move the checkpoint of %s: %w", p.Name(), err)
	}
	if _, err := tx.Exec(ctx, `DELETE FROM projection_builds WHERE name = $1`, p.Name()); err != nil {
		return err
	}
	r.opts.Log.Info("a read model was put in place", "projector", p.Name(), "position", at)
	_, err = tx.Exec(ctx, `SELECT pg_notify($1, $2)`, stateChannel, p.Name())
	return err
}

// level applies to the build what the live tables already have and the build has not. A live
// checkpoint beyond the log's end is no reason to wait: the build stands for this log.
func (r *Runner) level(ctx context.Context, tx pgx.Tx, p Projector, live int64) (at int64, err error) {
	if err := tx.QueryRow(ctx, `SELECT position FROM projection_builds WHERE name = $1 FOR UPDATE`, p.Name()).Scan(&at); err != nil {
		return 0, fmt.Errorf("lock the build of %s: %w", p.Name(), err)
	}
	for at < live {
		s, err := r.engine.log.slice(ctx, tx, p, at, int(min(rebuildSlice, live-at)))
		if err != nil {
			return at, err
		}
		if s.To == at {
			return at, nil
		}
		if err := r.buildSlice(ctx, tx, p, s); err != nil {
			return at, err
		}
		at = s.To
	}
	return at, nil
}

func swapStatements(p Projector) []string {
	build, old := pgx.Identifier{buildSchema(p.Name())}.Sanitize(), pgx.Identifier{oldSchema(p.Name())}.Sanitize()
	all := []string{"DROP SCHEMA IF EXISTS " + old + " CASCADE", "CREATE SCHEMA " + old}
	for _, t := range p.Tables() {
		table := pgx.Identifier{t}.Sanitize()
		all = append(all,
			fmt.Sprintf("ALTER TABLE %s.%s SET SCHEMA %s", Schema, table, old),
			fmt.Sprintf("ALTER TABLE %s.%s SET SCHEMA %s", build, table, Schema))
	}
	return append(all, "DROP SCHEMA "+build+" CASCADE")
}

// oldToBuild makes the kept tables the build, so that rolling back is promoting them.
func (r *Runner) oldToBuild(ctx context.Context, p Projector) error {
	return pgx.BeginFunc(ctx, r.engine.pool, func(tx pgx.Tx) error {
		c, err := readCheckpoint(ctx, tx, lockSQL, p.Name())
		if err != nil {
			return err
		}
		if c.oldVersion == nil || int(*c.oldVersion) != p.Version() {
			return ErrNoOld.With("name", p.Name())
		}
		build, old := pgx.Identifier{buildSchema(p.Name())}.Sanitize(), pgx.Identifier{oldSchema(p.Name())}.Sanitize()
		for _, sql := range []string{
			"DROP SCHEMA IF EXISTS " + build + " CASCADE",
			"ALTER SCHEMA " + old + " RENAME TO " + build,
			"UPDATE projection_checkpoints SET old_version = NULL, old_position = NULL WHERE name = '" + p.Name() + "'",
		} {
			if _, err := tx.Exec(ctx, sql); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, `INSERT INTO projection_builds (name, version, log_id, position, ready)
			SELECT $1, $2, log_id, $3, true FROM log_head
			ON CONFLICT (name) DO UPDATE SET version = excluded.version, log_id = excluded.log_id, position = excluded.position, ready = true`,
			p.Name(), p.Version(), *c.oldPosition)
		return err
	})
}

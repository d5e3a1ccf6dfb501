package projections

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// rebuildSlice is how many positions a rebuild takes at once: many enough that a row which
// changes often is written once.
const rebuildSlice = 10_000

// buildDeadline bounds the transaction of one such slice.
const buildDeadline = time.Minute

func buildSchema(name string) string { return Schema + "_" + name + "_build" }
func oldSchema(name string) string   { return Schema + "_" + name + "_old" }

// Rebuild builds the read model anew from the whole log and puts it in place. Queries and live
// projection go on meanwhile; nobody ever sees a half-built model. report, which may be nil,
// is called after every slice. ErrRebuilding when a rebuild of this name is running anywhere;
// one that was interrupted simply starts over. A *PoisonError says which event it could not apply.
func (r *Runner) Rebuild(ctx context.Context, name string, report func(Progress)) error {
	return r.exclusively(ctx, name, func(p Projector) error {
		if err := r.build(ctx, p, report); err != nil {
			return fmt.Errorf("rebuild %s: %w", name, err)
		}
		return r.promote(ctx, p)
	})
}

// Build is the first half of Rebuild: it leaves the finished tables beside the live ones.
func (r *Runner) Build(ctx context.Context, name string, report func(Progress)) error {
	return r.exclusively(ctx, name, func(p Projector) error {
		if err := r.build(ctx, p, report); err != nil {
			return fmt.Errorf("build %s: %w", name, err)
		}
		return nil
	})
}

// exclusively holds a session lock on the projector's rebuild while do runs.
func (r *Runner) exclusively(ctx context.Context, name string, do func(Projector) error) error {
	p, err := r.registry.find(name)
	if err != nil {
		return err
	}
	conn, err := r.engine.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("acquire a connection: %w", err)
	}
	defer conn.Release()
	var mine bool
	if err := conn.QueryRow(ctx, `SELECT pg_try_advisory_lock(hashtext('holdfast.rebuild'), hashtext($1))`, name).Scan(&mine); err != nil {
		return fmt.Errorf("lock the rebuild of %s: %w", name, err)
	}
	if !mine {
		return ErrRebuilding.With("name", name)
	}
	defer unlock(ctx, conn, name)
	// A verb may come before any service has run.
	if _, err := conn.Exec(ctx, registerSQL, name, p.Version()); err != nil {
		return fmt.Errorf("register projector %s: %w", name, err)
	}
	return do(p)
}

// unlock gives the lock back. A connection that cannot do that is closed, which does it too.
func unlock(ctx context.Context, conn *pgxpool.Conn, name string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_unlock(hashtext('holdfast.rebuild'), hashtext($1))`, name); err != nil {
		_ = conn.Conn().Close(ctx) // the pool drops closed connections
	}
}

// build fills fresh tables up to the log's end.
func (r *Runner) build(ctx context.Context, p Projector, report func(Progress)) error {
	if err := r.lay(ctx, p); err != nil {
		return err
	}
	return r.catchUp(ctx, p, 0, toTheHead, report)
}

// toTheHead asks for everything there is.
const toTheHead = math.MaxInt64

// lay makes empty tables like the live ones, in place of whatever an earlier build has left.
func (r *Runner) lay(ctx context.Context, p Projector) error {
	schema := pgx.Identifier{buildSchema(p.Name())}.Sanitize()
	return pgx.BeginFunc(ctx, r.engine.pool, func(tx pgx.Tx) error {
		statements := []string{"DROP SCHEMA IF EXISTS " + schema + " CASCADE", "CREATE SCHEMA " + schema}
		for _, t := range p.Tables() {
			table := pgx.Identifier{t}.Sanitize()
			with, err := storage(ctx, tx, t)
			if err != nil {
				return fmt.Errorf("lay the tables: %w", err)
			}
			statements = append(statements, fmt.Sprintf("CREATE TABLE %s.%s (LIKE %s.%s INCLUDING ALL)%s", schema, table, Schema, table, with))
		}
		for _, sql := range statements {
			if _, err := tx.Exec(ctx, sql); err != nil {
				return fmt.Errorf("lay the tables: %w", err)
			}
		}
		_, err := tx.Exec(ctx, `INSERT INTO projection_builds (name, version, log_id) SELECT $1, $2, log_id FROM log_head
			ON CONFLICT (name) DO UPDATE SET version = excluded.version, log_id = excluded.log_id, position = 0,
				ready = false, started_at = excluded.started_at, moved_at = excluded.moved_at`, p.Name(), p.Version())
		return err
	})
}

// storage gives a live table's storage parameters as a WITH clause: LIKE leaves them out.
func storage(ctx context.Context, tx pgx.Tx, table string) (with string, err error) {
	err = tx.QueryRow(ctx, `SELECT coalesce(' WITH (' || array_to_string(reloptions, ', ') || ')', '') FROM pg_class
		WHERE oid = $1::regclass`, Schema+"."+table).Scan(&with)
	return with, err
}

// catchUp applies slices to the build's tables up to a position; reading runs ahead of applying. The position at which the build stands is in its row.
func (r *Runner) catchUp(ctx context.Context, p Projector, after, upTo int64, report func(Progress)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for next := range r.readAhead(ctx, p, after, upTo) {
		if next.err != nil {
			return next.err
		}
		s := next.slice
		if err := r.applyToBuild(ctx, p, s); err != nil {
			return err
		}
		if report != nil {
			report(Progress{Name: p.Name(), Position: s.To, Head: s.Head, Ready: s.To == s.Head})
		}
	}
	return context.Cause(ctx)
}

type readResult struct {
	slice Slice
	err   error
}

// readAhead gives slice after slice up to the one that reaches a position, or the head.
func (r *Runner) readAhead(ctx context.Context, p Projector, after, upTo int64) <-chan readResult {
	out := make(chan readResult, 2)
	go func() {
		defer close(out)
		for {
			var s Slice
			err := persist(ctx, func() (err error) {
				s, err = r.engine.log.slice(ctx, r.engine.pool, p, after, int(min(rebuildSlice, upTo-after)))
				return err
			})
			select {
			case out <- readResult{s, err}:
			case <-ctx.Done():
				return
			}
			if err != nil || s.To >= min(s.Head, upTo) {
				return
			}
			after = s.To
		}
	}()
	return out
}

// applyToBuild applies one slice in its own transaction, again when it fails for the moment.
func (r *Runner) applyToBuild(ctx context.Context, p Projector, s Slice) error {
	return persist(ctx, func() error {
		ctx, cancel := context.WithTimeout(ctx, buildDeadline)
		defer cancel()
		return pgx.BeginTxFunc(ctx, r.engine.pool, begin(buildSchema(p.Name())), func(tx pgx.Tx) error {
			return r.buildSlice(ctx, tx, p, s)
		})
	})
}

// buildSlice applies what lies beyond the build's position. Where the whole slice cannot be
// applied it goes event by event, because an operator may have decided to skip one.
func (r *Runner) buildSlice(ctx context.Context, tx pgx.Tx, p Projector, s Slice) error {
	var at int64
	if err := tx.QueryRow(ctx, `SELECT position FROM projection_builds WHERE name = $1 FOR UPDATE`, p.Name()).Scan(&at); err != nil {
		return fmt.Errorf("lock the build of %s: %w", p.Name(), err)
	}
	err := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error { return r.engine.apply(ctx, tx, p, s, at) })
	if _, poisoned := errors.AsType[*PoisonError](err); poisoned {
		var poison *PoisonError
		if _, poison, err = r.engine.applyCarefully(ctx, tx, p, s, at); err == nil && poison != nil {
			return poison
		}
	}
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE projection_builds SET position = GREATEST(position, $2), ready = $3, moved_at = clock_timestamp() WHERE name = $1`, p.Name(), s.To, s.To >= s.Head)
	return err
}

// persist repeats what fails for the moment.
func persist(ctx context.Context, do func() error) error {
	var wait backoff
	for {
		err := do()
		if err == nil || ctx.Err() != nil || !passing(err) || wait.failures >= 8 {
			return err
		}
		wait.sleep(ctx)
	}
}

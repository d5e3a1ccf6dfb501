package reactors

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/network"
	"holdfast/domain/reconciliation"
)

// runState is what a run carries from page to page.
type runState struct {
	By     domain.Actor          `json:"by"`
	From   int64                 `json:"from"`
	Counts reconciliation.Counts `json:"counts"`
	Heads  map[string]uint64     `json:"heads"`
	Unread map[string]string     `json:"unread"`
	Done   int64                 `json:"done"`
	Total  int64                 `json:"total"`
	// Since is from when on the provider's list was read; zero when it was not.
	Since  time.Time                    `json:"since,omitzero"`
	Result *reconciliation.RunCompleted `json:"result,omitempty"`
}

// runRow is a run as it stands.
type runRow struct {
	ID, Stage, Cursor string
	State             runState
}

// runRows remember how far runs are.
type runRows struct{ pool *pgxpool.Pool }

func scanRun(row pgx.CollectableRow) (*runRow, error) {
	r := &runRow{}
	err := row.Scan(&r.ID, &r.Stage, &r.Cursor, &r.State)
	if r.State.Heads == nil {
		r.State.Heads = map[string]uint64{}
	}
	if r.State.Unread == nil {
		r.State.Unread = map[string]string{}
	}
	return r, err
}

func (s runRows) one(ctx context.Context, where string, args ...any) (*runRow, error) {
	rows, err := s.pool.Query(ctx, `SELECT id::text, stage, cursor, state FROM reconciliation_runs WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read a reconciliation: %w", err)
	}
	run, err := pgx.CollectOneRow(rows, scanRun)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a reconciliation: %w", err)
	}
	return run, nil
}

// open gives the run that is under way; nil for none.
func (s runRows) open(ctx context.Context) (*runRow, error) {
	return s.one(ctx, `finished_at IS NULL AND stage <> ''`)
}

func (s runRows) get(ctx context.Context, id string) (*runRow, error) {
	run, err := s.one(ctx, `id = $1::uuid`, id)
	if err == nil && run == nil {
		err = fault.ErrNotFound
	}
	return run, err
}

func (s runRows) nightDone(ctx context.Context, day time.Time) (done bool, err error) {
	if err := s.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM reconciliation_runs WHERE night = $1::date)`, day).Scan(&done); err != nil {
		return false, fmt.Errorf("look for the nightly reconciliation: %w", err)
	}
	return done, nil
}

// begin makes a run; an index allows one that is open.
func (s runRows) begin(ctx context.Context, state runState, night *time.Time) (*runRow, error) {
	run := &runRow{ID: uuid.NewString(), Stage: stages[0].name, State: state}
	_, err := s.pool.Exec(ctx, `INSERT INTO reconciliation_runs (id, stage, state, night) VALUES ($1, $2, $3, $4::date)`, run.ID, run.Stage, state, night)
	if said, ok := errors.AsType[*pgconn.PgError](err); ok && said.Code == "23505" {
		if open, err := s.open(ctx); err != nil || open == nil {
			return nil, errors.Join(err, ErrReconciling)
		} else {
			return nil, ErrReconciling.With("run", open.ID)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("begin a reconciliation: %w", err)
	}
	return run, nil
}

// mark is something to remember of a single thing.
type mark struct{ kind, id string }

// save notes in one transaction how far a run is and what it must remember.
func (s runRows) save(ctx context.Context, run *runRow, marks ...mark) error {
	kinds, ids := make([]string, len(marks)), make([]string, len(marks))
	for i, m := range marks {
		kinds[i], ids[i] = m.kind, m.id
	}
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO reconciliation_marks (run, kind, id) SELECT $1::uuid, k, i FROM unnest($2::text[], $3::text[]) AS m (k, i) ON CONFLICT DO NOTHING`,
			run.ID, kinds, ids); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE reconciliation_runs SET stage = $2, cursor = $3, state = $4,
				finished_at = CASE WHEN $5 THEN clock_timestamp() END, ok = $6, report = $7 WHERE id = $1::uuid`,
			run.ID, run.Stage, run.Cursor, run.State, run.Stage == stageDone, run.State.Result != nil && run.State.Result.OK(), run.State.Result)
		return err
	})
	if err != nil {
		return fmt.Errorf("note how far reconciliation %s is: %w", run.ID, err)
	}
	return nil
}

// marked gives the marks of a kind after an id.
func (s runRows) marked(ctx context.Context, run, kind, after string, limit int) ([]string, error) {
	rows, err := s.pool.Query(ctx, `SELECT id FROM reconciliation_marks WHERE run = $1::uuid AND kind = $2 AND id > $3 ORDER BY id LIMIT $4`, run, kind, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read the marks of reconciliation %s: %w", run, err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// isMarked reports which of some ids are marked.
func (s runRows) isMarked(ctx context.Context, run, kind string, ids []string) (map[string]bool, error) {
	rows, err := s.pool.Query(ctx, `SELECT id FROM reconciliation_marks WHERE run = $1::uuid AND kind = $2 AND id = ANY($3::text[])`, run, kind, ids)
	if err != nil {
		return nil, fmt.Errorf("read the marks of reconciliation %s: %w", run, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	all := map[string]bool{}
	for _, id := range found {
		all[id] = true
	}
	return all, err
}

// keep writes a page of the provider's reports; the same page again changes nothing.
func (s runRows) keep(ctx context.Context, run string, offset int64, hints []network.Hint) error {
	var b pgx.Batch
	for i, h := range hints {
		b.Queue(`INSERT INTO reconciliation_reports (run, n, request, tx, chain, amount) VALUES ($1::uuid, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
			run, offset+int64(i), h.RequestID, h.Tx, int64(h.Chain), h.Amount)
	}
	if err := s.pool.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("keep the provider's reports: %w", err)
	}
	return nil
}

// forget drops what a run had to remember only while it was under way.
func (s runRows) forget(ctx context.Context, run string) error {
	_, err := s.pool.Exec(ctx, `WITH marks AS (DELETE FROM reconciliation_marks WHERE run = $1::uuid) DELETE FROM reconciliation_reports WHERE run = $1::uuid`, run)
	if err != nil {
		return fmt.Errorf("forget the marks of reconciliation %s: %w", run, err)
	}
	return nil
}

// lock takes the right to work on runs: a session lock, which ends with the process.
func (s runRows) lock(ctx context.Context) (unlock func(), err error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("acquire a connection: %w", err)
	}
	var mine bool
	if err := conn.QueryRow(ctx, `SELECT pg_try_advisory_lock(hashtext('holdfast.reconciliation'), 0)`).Scan(&mine); err != nil || !mine {
		conn.Release()
		if err == nil {
			err = ErrReconciling
		}
		return nil, fmt.Errorf("lock the reconciliation: %w", err)
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if _, err := conn.Exec(ctx, `SELECT pg_advisory_unlock(hashtext('holdfast.reconciliation'), 0)`); err != nil {
			_ = conn.Conn().Close(ctx) // the pool drops closed connections
		}
		conn.Release()
	}, nil
}

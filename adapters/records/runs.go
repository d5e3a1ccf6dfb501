package records

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Run is one reconciliation.
type Run struct {
	ID         string
	StartedAt  time.Time
	FinishedAt *time.Time
	OK         bool
	Report     json.RawMessage
}

// Runs remembers reconciliations.
type Runs struct{ pool *pgxpool.Pool }

// Begin notes the start of a run and gives it.
func (s *Runs) Begin(ctx context.Context) (Run, error) {
	r := Run{ID: uuid.NewString()}
	err := s.pool.QueryRow(ctx, `INSERT INTO reconciliation_runs (id) VALUES ($1) RETURNING started_at`, r.ID).Scan(&r.StartedAt)
	r.StartedAt = r.StartedAt.UTC()
	return r, failed("begin a reconciliation", err)
}

// Finish notes how a run ended and gives it.
func (s *Runs) Finish(ctx context.Context, r Run, ok bool, report json.RawMessage) (Run, error) {
	var finished time.Time
	err := s.pool.QueryRow(ctx, `UPDATE reconciliation_runs SET finished_at = clock_timestamp(), ok = $2, report = $3 WHERE id = $1 RETURNING finished_at`,
		r.ID, ok, report).Scan(&finished)
	finished = finished.UTC()
	r.FinishedAt, r.OK, r.Report = &finished, ok, report
	return r, failed("finish a reconciliation", err)
}

// List gives the newest runs first.
func (s *Runs) List(ctx context.Context, limit int) ([]Run, error) {
	rows, err := s.pool.Query(ctx, `SELECT id::text, started_at, finished_at, ok, report FROM reconciliation_runs ORDER BY started_at DESC LIMIT $1`, limit)
	if err != nil {
		return nil, failed("list reconciliations", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r Run, err error) {
		err = row.Scan(&r.ID, &r.StartedAt, &r.FinishedAt, &r.OK, &r.Report)
		return r, err
	})
	return all, failed("list reconciliations", err)
}

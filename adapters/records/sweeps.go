package records

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/money"
)

// Sweeps remembers runs of the schedule and what chains said of derived addresses.
type Sweeps struct{ pool *pgxpool.Pool }

// ChainBalance is what the chain said of an address, beside what the books said then.
type ChainBalance struct {
	Asset    money.Asset
	Found    money.Units
	Booked   string // a whole number; a fact may have taken it below zero
	LookedAt time.Time
}

// Look keeps what the chain says now, and gives it with its time.
func (s *Sweeps) Look(ctx context.Context, d domain.DestinationID, b ChainBalance) (ChainBalance, error) {
	err := s.pool.QueryRow(ctx, `INSERT INTO destination_balances (destination, asset, found, booked) VALUES ($1, $2, $3::text::numeric, $4::text::numeric)
		ON CONFLICT (destination, asset) DO UPDATE SET found = excluded.found, booked = excluded.booked, looked_at = clock_timestamp()
		RETURNING looked_at`, string(d), string(b.Asset), b.Found.String(), b.Booked).Scan(&b.LookedAt)
	b.LookedAt = b.LookedAt.UTC()
	return b, failed("keep a balance", err)
}

// Looked gives what was last seen of a destination.
func (s *Sweeps) Looked(ctx context.Context, d domain.DestinationID) ([]ChainBalance, error) {
	if !isID(d) {
		return nil, nil
	}
	rows, err := s.pool.Query(ctx, `SELECT asset, found::text, booked::text, looked_at FROM destination_balances WHERE destination = $1 ORDER BY asset`, string(d))
	if err != nil {
		return nil, failed("read balances", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (b ChainBalance, err error) {
		var found string
		if err := row.Scan(&b.Asset, &found, &b.Booked, &b.LookedAt); err != nil {
			return b, err
		}
		b.LookedAt = b.LookedAt.UTC()
		b.Found, err = money.ParseUnits(found)
		return b, err
	})
	return all, failed("read balances", err)
}

// SweepRun is one run of the schedule.
type SweepRun struct {
	ID         string
	Actor      string
	Dry        bool
	StartedAt  time.Time
	FinishedAt *time.Time
	Report     json.RawMessage
}

// ErrRunning: another process or request runs the schedule at this moment.
var ErrRunning = fault.New(fault.Conflict, "RUN_IN_PROGRESS", "the schedule is being run at this moment").Retry(5)

// sweepLock is the advisory lock of a run; it ends with its connection, so a process that dies
// does not keep it.
const sweepLock = `SELECT pg_try_advisory_lock(hashtextextended('sweep run', 0))`

// Run lets one run at a time through, in all processes: ErrRunning for the second. due is asked
// under the lock, with the time at which the last run began (zero for none); false skips it.
func (s *Sweeps) Run(ctx context.Context, actor string, dry bool, due func(last time.Time) bool, work func(ctx context.Context, id string) (report any, err error)) (ran bool, err error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return false, failed("begin a run", err)
	}
	defer conn.Release()
	var mine bool
	if err := conn.QueryRow(ctx, sweepLock).Scan(&mine); err != nil {
		return false, failed("begin a run", err)
	}
	if !mine {
		return false, ErrRunning
	}
	defer func() {
		_, _ = conn.Exec(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock(hashtextextended('sweep run', 0))`)
	}()
	var last *time.Time
	if err := conn.QueryRow(ctx, `SELECT max(started_at) FROM sweep_runs WHERE NOT dry`).Scan(&last); err != nil {
		return false, failed("begin a run", err)
	}
	if last == nil {
		last = new(time.Time)
	}
	if !due(*last) {
		return false, nil
	}
	id := uuid.NewString()
	if _, err := conn.Exec(ctx, `INSERT INTO sweep_runs (id, actor, dry) VALUES ($1, $2, $3)`, id, actor, dry); err != nil {
		return false, failed("begin a run", err)
	}
	report, err := work(ctx, id)
	if err != nil {
		report = map[string]any{"error": codeOf(err), "report": report}
	}
	raw, problem := json.Marshal(report)
	if problem != nil {
		return true, problem
	}
	if _, problem := conn.Exec(context.WithoutCancel(ctx), `UPDATE sweep_runs SET finished_at = clock_timestamp(), report = $2 WHERE id = $1`, id, raw); err == nil {
		err = failed("finish a run", problem)
	}
	return true, err
}

func codeOf(err error) string {
	if f, ok := fault.From(err); ok {
		return f.Code
	}
	return "INTERNAL"
}

// Runs gives the newest runs first.
func (s *Sweeps) Runs(ctx context.Context, limit int) ([]SweepRun, error) {
	rows, err := s.pool.Query(ctx, `SELECT id::text, actor, dry, started_at, finished_at, report FROM sweep_runs ORDER BY started_at DESC LIMIT $1`, limit)
	if err != nil {
		return nil, failed("list runs", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r SweepRun, err error) {
		err = row.Scan(&r.ID, &r.Actor, &r.Dry, &r.StartedAt, &r.FinishedAt, &r.Report)
		r.StartedAt = r.StartedAt.UTC()
		return r, err
	})
	return all, failed("list runs", err)
}

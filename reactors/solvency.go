package reactors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/domain/funding"
	"holdfast/domain/money"
	"holdfast/eventstore"
)

// Solvency compares, for each asset, what is in custody with what is owed, whenever the log has
// grown. A breach stops the asset's releases, payouts and refunds; its end lets them go on.
// It adds everything up once, when it starts, and then only what is posted since.
type Solvency struct {
	*loop
	x    *eventstore.Executor
	pool *pgxpool.Pool
	sums *sums // nil until they were added up
}

// NewSolvency makes the check; pool is that of the jobs.
func NewSolvency(pool *pgxpool.Pool, x *eventstore.Executor, log *slog.Logger) *Solvency {
	s := &Solvency{pool: pool, x: x}
	s.loop = newLoop("solvency", time.Second, log, s.check)
	return s
}

func (s *Solvency) check(ctx context.Context) (more bool, err error) {
	next, moved, err := readSums(ctx, s.pool, s.sums)
	if err != nil {
		return false, err
	}
	now, err := s.x.Store().Now(ctx)
	if err != nil {
		return false, err
	}
	var problems []error
	for _, asset := range moved {
		problems = append(problems, s.record(ctx, asset, next, now))
	}
	if err := errors.Join(problems...); err != nil {
		return false, err // the same assets once more, from the old sums
	}
	s.sums = next
	s.detail("position", next.position)
	insolvent := []money.Asset{}
	for asset, a := range next.assets {
		if !a.solvent() {
			insolvent = append(insolvent, asset)
		}
	}
	s.detail("insolvent", insolvent)
	return false, nil
}

// record tells the asset's breaker, which keeps what it knows already to itself.
func (s *Solvency) record(ctx context.Context, asset money.Asset, all *sums, now time.Time) error {
	a := all.assets[asset]
	f := funding.RecordSolvency{
		Issue: domain.Issue{By: domain.Machine(domain.Process, s.name), At: now},
		Asset: asset, Custody: a.custody.String(), Liabilities: a.liabilities.String(), Solvent: a.solvent(),
	}
	r, err := s.x.Execute(ctx, eventstore.Metadata{Actor: f.By, Source: "job"}, nil, f.Run)
	if err != nil {
		return fmt.Errorf("record the solvency of %s: %w", asset, err)
	}
	if len(r.Events) > 0 && !f.Solvent {
		s.log.ErrorContext(ctx, "solvency breached", "asset", asset, "custody", f.Custody, "liabilities", f.Liabilities,
			"overdrawn", slices.Sorted(maps.Keys(a.overdrawn)))
	} else if len(r.Events) > 0 {
		s.log.WarnContext(ctx, "solvency restored", "asset", asset, "custody", f.Custody, "liabilities", f.Liabilities)
	}
	return nil
}

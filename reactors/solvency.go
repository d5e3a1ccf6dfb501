package reactors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/domain/funding"
	"holdfast/domain/money"
	"holdfast/eventstore"
)

// Solvency compares, for each asset, what is in custody with what is owed, whenever the log has
// grown. A breach stops the asset's releases, payouts and refunds; its end lets them go on.
type Solvency struct {
	*loop
	pool *pgxpool.Pool
	x    *eventstore.Executor
	seen int64 // position at which all assets were compared last
}

// NewSolvency makes the check; pool is that of the jobs.
func NewSolvency(pool *pgxpool.Pool, x *eventstore.Executor, log *slog.Logger) *Solvency {
	s := &Solvency{pool: pool, x: x, seen: -1}
	s.loop = newLoop("solvency", 2*time.Second, log, s.check)
	return s
}

// standing is how an asset stands. Both numbers may be below zero after facts.
type standing struct {
	asset                money.Asset
	custody, liabilities *big.Int
	// overdrawn: a pocket of ours holds less than nothing by our books (a reorganised sweep).
	overdrawn bool
}

// solvent: nothing owed is always covered, gas that nobody has booked a purchase of included.
func (s standing) solvent() bool {
	return s.liabilities.Sign() <= 0 || (!s.overdrawn && s.custody.Cmp(s.liabilities) >= 0)
}

// sumsSQL adds up one statement's snapshot of the balances. Points are backed by nothing.
const sumsSQL = `SELECT asset,
	COALESCE(sum(debits_posted - credits_posted) FILTER (WHERE account LIKE 'custody:%'), 0)::text,
	COALESCE(sum(credits_posted - debits_posted) FILTER (WHERE account NOT LIKE 'custody:%'), 0)::text,
	COALESCE(bool_or(debits_posted < credits_posted) FILTER (WHERE account LIKE 'custody:%' AND account NOT LIKE 'custody:gas:%'), false)
	FROM ledger_balances WHERE asset <> 'POINTS' AND (account LIKE 'custody:%' OR account LIKE 'escrow:%' OR account LIKE 'buyer:%'
		OR account LIKE 'seller:%' OR account LIKE 'clearing:%' OR account LIKE 'suspense:%')
	GROUP BY asset ORDER BY asset`

func (s *Solvency) check(ctx context.Context) (more bool, err error) {
	head, err := s.x.Store().Head(ctx)
	if err != nil || head.Position == s.seen {
		return false, err
	}
	all, err := s.sums(ctx)
	if err != nil {
		return false, err
	}
	now, err := s.x.Store().Now(ctx)
	if err != nil {
		return false, err
	}
	var problems []error
	for _, a := range all {
		problems = append(problems, s.record(ctx, a, now))
	}
	if err := errors.Join(problems...); err != nil {
		return false, err
	}
	s.seen = head.Position
	s.detail("position", head.Position)
	return false, nil
}

func (s *Solvency) sums(ctx context.Context) ([]standing, error) {
	rows, err := s.pool.Query(ctx, sumsSQL)
	if err != nil {
		return nil, fmt.Errorf("add the balances up: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (a standing, err error) {
		var custody, liabilities string
		if err := row.Scan(&a.asset, &custody, &liabilities, &a.overdrawn); err != nil {
			return a, err
		}
		var one, two bool
		a.custody, one = new(big.Int).SetString(custody, 10)
		a.liabilities, two = new(big.Int).SetString(liabilities, 10)
		if !one || !two {
			return a, fmt.Errorf("sums of %s are %q and %q", a.asset, custody, liabilities)
		}
		return a, nil
	})
}

// record tells the asset's breaker, which keeps what it knows already to itself.
func (s *Solvency) record(ctx context.Context, a standing, now time.Time) error {
	f := funding.RecordSolvency{
		Issue: domain.Issue{By: domain.Machine(domain.Process, s.name), At: now},
		Asset: a.asset, Custody: a.custody.String(), Liabilities: a.liabilities.String(), Solvent: a.solvent(),
	}
	r, err := s.x.Execute(ctx, eventstore.Metadata{Actor: f.By, Source: "job"}, nil, f.Run)
	if err != nil {
		return fmt.Errorf("record the solvency of %s: %w", a.asset, err)
	}
	if len(r.Events) > 0 && !f.Solvent {
		s.log.ErrorContext(ctx, "solvency breached", "asset", a.asset, "custody", f.Custody, "liabilities", f.Liabilities, "overdrawn", a.overdrawn)
	} else if len(r.Events) > 0 {
		s.log.WarnContext(ctx, "solvency restored", "asset", a.asset, "custody", f.Custody, "liabilities", f.Liabilities)
	}
	return nil
}

package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/eventstore"
)

// Balance implements eventstore.Ledger.
func (s *Store) Balance(ctx context.Context, a ledger.Account, asset money.Asset) (eventstore.Totals, error) {
	t := eventstore.Totals{Account: a, Asset: asset}
	err := s.read.QueryRow(ctx, `SELECT debits_posted::text, credits_posted::text, debits_pending::text, credits_pending::text
		FROM ledger_balances WHERE account = $1 AND asset = $2`, string(a), string(asset)).
		Scan(&t.DebitsPosted, &t.CreditsPosted, &t.DebitsPending, &t.CreditsPending)
	if errors.Is(err, pgx.ErrNoRows) {
		return t, nil
	}
	return t, translate(err)
}

const (
	balancesNowSQL = `SELECT account, asset, debits_posted::text, credits_posted::text, debits_pending::text, credits_pending::text
		FROM ledger_balances WHERE starts_with(account, $1) ORDER BY account, asset`
	// The past is a fold of entries; see commit.Fold for what each mode means.
	balancesThenSQL = `SELECT account, asset,
			(coalesce(sum(amount) FILTER (WHERE debit AND mode IN ('post', 'post_pending')), 0))::text,
			(coalesce(sum(amount) FILTER (WHERE NOT debit AND mode IN ('post', 'post_pending')), 0))::text,
			(coalesce(sum(CASE mode WHEN 'pending' THEN amount ELSE -amount END) FILTER (WHERE debit AND mode <> 'post'), 0))::text,
			(coalesce(sum(CASE mode WHEN 'pending' THEN amount ELSE -amount END) FILTER (WHERE NOT debit AND mode <> 'post'), 0))::text
		FROM ledger_entries WHERE starts_with(account, $1) AND position <= $2
		GROUP BY account, asset ORDER BY account, asset`
)

// Balances implements eventstore.Ledger.
func (s *Store) Balances(ctx context.Context, prefix string, asOf int64) ([]eventstore.Totals, error) {
	sql, args := balancesNowSQL, []any{prefix}
	if asOf > 0 {
		sql, args = balancesThenSQL, []any{prefix, asOf}
	}
	rows, err := s.read.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read balances: %w", translate(err))
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (t eventstore.Totals, err error) {
		err = row.Scan(&t.Account, &t.Asset, &t.DebitsPosted, &t.CreditsPosted, &t.DebitsPending, &t.CreditsPending)
		return t, err
	})
}

// Entries implements eventstore.Ledger.
func (s *Store) Entries(ctx context.Context, a ledger.Account, asset money.Asset, after int64, limit int) ([]eventstore.Entry, error) {
	rows, err := s.read.Query(ctx, `SELECT l.position, e.event_id, l.line, l.debit, l.account, l.asset, l.amount::text, l.mode, e.recorded_at
		FROM ledger_entries l JOIN events e USING (position)
		WHERE l.position > $3 AND ($1 = '' OR l.account = $1) AND ($2 = '' OR l.asset = $2)
		ORDER BY l.position, l.line, l.debit DESC LIMIT $4`, string(a), string(asset), after, limit)
	if err != nil {
		return nil, fmt.Errorf("read entries: %w", translate(err))
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (e eventstore.Entry, err error) {
		err = row.Scan(&e.Position, (*[16]byte)(&e.EventID), &e.Line, &e.Debit, &e.Account, &e.Asset, &e.Amount, &e.Mode, &e.At)
		e.At = e.At.UTC()
		return e, err
	})
}

// Deficits lists the accounts that facts have driven below zero.
func (s *Store) Deficits(ctx context.Context) ([]eventstore.Deficit, error) {
	rows, err := s.read.Query(ctx, `SELECT account, asset, deficit::text FROM ledger_balances WHERE deficit > 0 ORDER BY account, asset`)
	if err != nil {
		return nil, fmt.Errorf("read deficits: %w", translate(err))
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (d eventstore.Deficit, err error) {
		err = row.Scan(&d.Account, &d.Asset, &d.Amount)
		return d, err
	})
}

// PositionAt implements eventstore.Ledger. Positions and times rise together, so it searches
// the positions by halves and needs no index on the time.
func (s *Store) PositionAt(ctx context.Context, t time.Time) (int64, error) {
	head, err := s.Head(ctx)
	if err != nil {
		return 0, err
	}
	low, high := int64(0), head.Position // everything up to low is at or before t, all above high after it
	for low < high {
		middle := low + (high-low+1)/2
		var at time.Time
		if err := s.read.QueryRow(ctx, `SELECT recorded_at FROM events WHERE position = $1`, middle).Scan(&at); err != nil {
			return 0, fmt.Errorf("read the time of %d: %w", middle, translate(err))
		}
		if at.After(t) {
			high = middle - 1
		} else {
			low = middle
		}
	}
	return low, nil
}

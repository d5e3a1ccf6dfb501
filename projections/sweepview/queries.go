package sweepview

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/money"
	"holdfast/domain/sweepplan"
	"holdfast/projections"
)

// Sweep is one transfer to the treasury, as it stands.
type Sweep struct {
	ID          domain.SweepID
	Destination domain.DestinationID
	Plan        sweepplan.ID // empty: signed without one
	Chain       uint64
	Amount      money.Amount
	Tx          string
	Status      string // broadcast, confirmed, failed, reorged
	Block       uint64
	Failure     string
	Position    int64 // of its first event
	At          time.Time
}

// Queries read the sweeps.
type Queries struct{ pool *pgxpool.Pool }

// New makes the queries.
func New(pool *pgxpool.Pool) Queries { return Queries{pool} }

// Filter narrows a list; empty fields do not.
type Filter struct {
	Status      string
	Chain       uint64
	Destination domain.DestinationID
	Before      int64 // sweeps that began before this position
	Limit       int
}

const columns = `sweep, destination, plan, COALESCE(chain, 0), asset, amount::text, tx, status, block, failure, first_pos, at`

// List gives sweeps, newest first.
func (q Queries) List(ctx context.Context, f Filter) ([]Sweep, error) {
	// A row without destination is half of an append whose rest comes with the next slice.
	s := new(projections.Filter).Where("destination <> ''").Eq("status", f.Status).Eq("destination", string(f.Destination))
	if f.Chain != 0 {
		s.Where("chain = ?", int64(f.Chain))
	}
	if f.Before != 0 {
		s.Where("first_pos < ?", f.Before)
	}
	where, args := s.SQL()
	return q.collect(ctx, fmt.Sprintf(`SELECT `+columns+` FROM views.sweeps%s ORDER BY first_pos DESC LIMIT %d`, where, f.Limit), args...)
}

// Get gives one sweep; fault.ErrNotFound when there is none.
func (q Queries) Get(ctx context.Context, id domain.SweepID) (Sweep, error) {
	all, err := q.collect(ctx, `SELECT `+columns+` FROM views.sweeps WHERE sweep = $1 AND destination <> ''`, string(id))
	if err == nil && len(all) == 0 {
		err = fault.ErrNotFound
	}
	if err != nil {
		return Sweep{}, err
	}
	return all[0], nil
}

func (q Queries) collect(ctx context.Context, sql string, args ...any) ([]Sweep, error) {
	rows, err := q.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read the sweeps: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (s Sweep, err error) {
		var chain, block int64
		var asset money.Asset
		var amount string
		if err := row.Scan(&s.ID, &s.Destination, &s.Plan, &chain, &asset, &amount, &s.Tx, &s.Status, &block, &s.Failure, &s.Position, &s.At); err != nil {
			return s, err
		}
		u, err := money.ParseUnits(amount)
		s.Chain, s.Block, s.Amount, s.At = uint64(chain), uint64(block), money.Of(asset, u), s.At.UTC()
		return s, err
	})
}

package sweepview

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/domain/sweepplan"
)

// TopUp is gas for a destination on its way.
type TopUp struct {
	Plan        sweepplan.ID
	Destination domain.DestinationID
	Chain       uint64
	Tx          string
}

// TopUps gives those of a chain that have not ended, oldest first.
func (q Queries) TopUps(ctx context.Context, chain uint64) ([]TopUp, error) {
	rows, err := q.pool.Query(ctx, `SELECT plan, destination, hash FROM views.gas_top_ups WHERE chain = $1 AND outcome = '' ORDER BY made_at, hash`, int64(chain))
	if err != nil {
		return nil, fmt.Errorf("read the top-ups: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (TopUp, error) {
		t := TopUp{Chain: chain}
		return t, row.Scan(&t.Plan, &t.Destination, &t.Tx)
	})
}

// GasSince sums what top-ups of a chain have sent since a time; what was replaced sent nothing.
func (q Queries) GasSince(ctx context.Context, chain uint64, since time.Time) (money.Units, error) {
	var sum string
	err := q.pool.QueryRow(ctx, `SELECT COALESCE(sum(amount), 0)::text FROM views.gas_top_ups
		WHERE chain = $1 AND made_at > $2 AND outcome <> 'replaced'`, int64(chain), since).Scan(&sum)
	if err != nil {
		return money.Zero, fmt.Errorf("sum the top-ups: %w", err)
	}
	return money.ParseUnits(sum)
}

package records

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Rescreening remembers whom screening was asked about again, and when.
type Rescreening struct{ pool *pgxpool.Pool }

// Asked notes that an address was asked about now, and answered.
func (s *Rescreening) Asked(ctx context.Context, chain uint64, address string) error {
	_, err := s.pool.Exec(ctx, `INSERT INTO rescreenings (chain_id, address) VALUES ($1, lower($2))
		ON CONFLICT (chain_id, address) DO UPDATE SET asked_at = excluded.asked_at`, int64(chain), address)
	return failed("note a screening", err)
}

// ToRescreen gives wallets of users that were not asked about since a time, whose last word is the
// oldest first; an address that several have is one.
func (s *Wallets) ToRescreen(ctx context.Context, before time.Time, limit int) ([]Wallet, error) {
	rows, err := s.pool.Query(ctx, `SELECT chain_id, min(address), min(screening) FROM wallets
		WHERE removed_at IS NULL AND verified_at IS NOT NULL GROUP BY chain_id, lower(address)
		HAVING max(COALESCE(screened_at, created_at)) < $1 ORDER BY max(COALESCE(screened_at, created_at)) LIMIT $2`, before, limit)
	if err != nil {
		return nil, failed("list wallets", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (w Wallet, err error) {
		var chain int64
		err = row.Scan(&chain, &w.Address, &w.Screening)
		w.ChainID = uint64(chain)
		return w, err
	})
	return all, failed("list wallets", err)
}

package records

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
)

// Claims remembers how looking at claimed transactions goes.
type Claims struct{ pool *pgxpool.Pool }

// Looked notes a look at a claim and its state; a pending one is due again after a while.
func (s *Claims) Looked(ctx context.Context, payment domain.PaymentID, tx, state, reason string, again time.Duration) error {
	_, err := s.pool.Exec(ctx, `INSERT INTO claim_looks (payment_id, tx, state, reason, looks, due_at)
		VALUES ($1, $2, $3, $4, 1, clock_timestamp() + $5::bigint * interval '1 microsecond')
		ON CONFLICT (payment_id, tx) DO UPDATE SET state = EXCLUDED.state, reason = EXCLUDED.reason,
			looks = claim_looks.looks + 1, due_at = EXCLUDED.due_at`,
		string(payment), tx, state, reason, again.Microseconds())
	return failed("note a look at a claim", err)
}

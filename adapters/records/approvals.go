package records

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
)

// approvalLife is how long an agreement waits for the second person.
const approvalLife = 24 * time.Hour

// Approvals remembers who has agreed to an operation that needs two people.
type Approvals struct{ pool *pgxpool.Pool }

// Agree records by's agreement to the operation named by kind and digest. first is another
// person who agreed within the day before by did; empty when by is the first, and stays empty
// when the first person asks again: a repeat gets the same answer.
func (s *Approvals) Agree(ctx context.Context, kind string, digest []byte, by domain.UserID, at time.Time) (first domain.UserID, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		// Two people who agree at the same moment must not both be the first.
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended($1 || encode($2, 'hex'), 0))`, kind, digest); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO approvals (kind, digest, user_id, agreed_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (kind, digest, user_id) DO UPDATE SET agreed_at = EXCLUDED.agreed_at WHERE approvals.agreed_at <= $5`,
			kind, digest, string(by), at, at.Add(-approvalLife)); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT a.user_id::text FROM approvals a JOIN approvals mine USING (kind, digest)
			WHERE kind = $1 AND digest = $2 AND mine.user_id::text = $3 AND a.user_id <> mine.user_id
			AND a.agreed_at > $4 AND a.agreed_at <= mine.agreed_at ORDER BY a.agreed_at LIMIT 1`, kind, digest, string(by), at.Add(-approvalLife))
		first, _, err = one(rows, err, pgx.RowTo[domain.UserID])
		return err
	})
	return first, failed("record an approval", err)
}

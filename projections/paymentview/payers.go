package paymentview

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"holdfast/domain"
	"holdfast/domain/payment"
)

// Payer is who paid a transfer whose money is still with us, and was clean when last asked about.
type Payer struct {
	Payment  domain.PaymentID
	Transfer payment.Transfer
}

// payersSQL: of orders that are not over, whoever was not asked about since a time. What was never
// asked about again counts from the payment's beginning.
const payersSQL = `SELECT p.id, t.value FROM views.payments p JOIN views.holds h ON h.id = p.doc->>'hold'
		CROSS JOIN LATERAL jsonb_each(p.doc->'transfers') t
		LEFT JOIN rescreenings r ON r.chain_id = (t.value#>>'{evidence,chain}')::bigint AND r.address = lower(t.value->>'from')
	WHERE p.phase IN ('Confirming', 'PartiallyPaid', 'UnderReview', 'Paid') AND h.phase NOT IN ('Closed', 'Cancelled')
		AND (p.doc#>>'{safety,screen}')::boolean AND t.value->>'screening' = 'clean' AND COALESCE(r.asked_at, p.created_at) < $1
	ORDER BY COALESCE(r.asked_at, p.created_at), p.id, t.key LIMIT $2`

// Payers gives those that are to be asked about again, whose last word is the oldest first.
func (q Queries) Payers(ctx context.Context, before time.Time, limit int) ([]Payer, error) {
	rows, err := q.pool.Query(ctx, payersSQL, before, limit)
	if err != nil {
		return nil, fmt.Errorf("list payers: %w", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p Payer, err error) {
		err = row.Scan(&p.Payment, &p.Transfer)
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("list payers: %w", err)
	}
	return all, nil
}

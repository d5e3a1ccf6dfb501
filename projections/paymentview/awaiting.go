package paymentview

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/domain/payment"
	"holdfast/projections"
)

// Awaiting is a transfer that is seen and not confirmed, with what keeps it. Have and Need are
// what the chain's follower last saw; Need is the payment's own rule when it saw nothing yet.
type Awaiting struct {
	Payment   domain.PaymentID
	Chain     uint64
	Asset     money.Asset
	Evidence  string
	Tx        string
	Amount    money.Units
	Have      uint64
	Need      uint64
	Since     time.Time // the last event of the payment
	BlockedBy payment.Blocked
	position  int64
}

// AwaitingFilter narrows the list; zero fields do not.
type AwaitingFilter struct {
	Chain     uint64
	OlderThan time.Time
	BlockedBy payment.Blocked
}

// blockedSQL is payment.State.BlockedBy, for the rows of the read model.
const blockedSQL = `CASE WHEN p.phase <> 'UnderReview' THEN 'depth'
		WHEN p.doc->>'review_kind' IN ('match', 'transfer_match') THEN 'match'
		WHEN p.doc->>'review_kind' IN ('provider', 'provider_mismatch') THEN 'provider'
		ELSE 'aml' END`

const awaitingFrom = ` FROM views.payments p
	CROSS JOIN LATERAL jsonb_each(p.doc->'transfers') AS t(evidence, transfer)
	LEFT JOIN payment_confirmations c ON c.evidence = t.evidence
	WHERE p.phase IN ('Confirming', 'UnderReview', 'PartiallyPaid', 'Paid', 'Reversed') AND NOT (t.transfer->>'confirmed')::boolean
	  AND ($1::bigint = 0 OR (p.doc->>'chain')::bigint = $1::bigint) AND ($2::timestamptz IS NULL OR p.updated_at < $2) AND ($3::text = '' OR ` + blockedSQL + ` = $3::text)`

func (f AwaitingFilter) args() []any {
	var before *time.Time
	if !f.OlderThan.IsZero() {
		before = &f.OlderThan
	}
	return []any{int64(f.Chain), before, string(f.BlockedBy)}
}

// Awaiting lists transfers that wait for their confirmation, oldest first.
func (q Queries) Awaiting(ctx context.Context, f AwaitingFilter, after int64, limit int) (all []Awaiting, next int64, err error) {
	rows, err := q.pool.Query(ctx, `SELECT p.id, (p.doc->>'chain')::bigint, p.asset, t.evidence, t.transfer#>>'{evidence,tx}', t.transfer#>>'{amount,amount}',
		COALESCE(c.have, 0), COALESCE(c.need, (p.doc#>>'{threshold,need}')::bigint), p.updated_at, `+blockedSQL+`, p.first_pos`+awaitingFrom+`
		AND p.first_pos > $4 AND p.first_pos IN (SELECT DISTINCT p.first_pos `+awaitingFrom+` AND p.first_pos > $4 ORDER BY 1 LIMIT $5)
		ORDER BY p.first_pos, t.evidence`, append(f.args(), after, limit)...)
	if err != nil {
		return nil, 0, fmt.Errorf("list what waits for confirmation: %w", err)
	}
	all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (a Awaiting, err error) {
		var chain, have, need int64
		err = row.Scan(&a.Payment, &chain, &a.Asset, &a.Evidence, &a.Tx, &a.Amount, &have, &need, &a.Since, &a.BlockedBy, &a.position)
		a.Chain, a.Have, a.Need, a.Since = uint64(chain), uint64(have), uint64(need), a.Since.UTC()
		return a, err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list what waits for confirmation: %w", err)
	}
	payments := map[int64]bool{}
	for _, a := range all {
		payments[a.position] = true
	}
	if len(payments) == limit {
		next = all[len(all)-1].position
	}
	return all, next, nil
}

// AwaitingCount is how many transfers of a chain wait for the same reason, and since when.
type AwaitingCount struct {
	Chain     uint64
	BlockedBy payment.Blocked
	Count     int64
	Oldest    time.Time
}

// AwaitingCounts sums the list up.
func (q Queries) AwaitingCounts(ctx context.Context) ([]AwaitingCount, error) {
	rows, err := q.pool.Query(ctx, `SELECT (p.doc->>'chain')::bigint, `+blockedSQL+`, count(*), min(p.updated_at)`+awaitingFrom+` GROUP BY 1, 2 ORDER BY 1, 2`, AwaitingFilter{}.args()...)
	if err != nil {
		return nil, fmt.Errorf("count what waits for confirmation: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (c AwaitingCount, err error) {
		var chain int64
		err = row.Scan(&chain, &c.BlockedBy, &c.Count, &c.Oldest)
		c.Chain, c.Oldest = uint64(chain), c.Oldest.UTC()
		return c, err
	})
}

// UnderWay counts the payments of a chain, or of one asset on it, for which money may still come
// or be undone.
func (q Queries) UnderWay(ctx context.Context, chain uint64, asset money.Asset) (n int, err error) {
	f := new(projections.Filter).Where("(doc->>'chain')::bigint = ?", int64(chain)).Eq("asset", string(asset)).
		Where("phase IN ('Created', 'AwaitingPayment', 'Confirming', 'PartiallyPaid', 'UnderReview', 'Reversed')")
	where, args := f.SQL()
	if err := q.pool.QueryRow(ctx, `SELECT count(*) FROM views.payments`+where, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count what is under way on chain %d: %w", chain, err)
	}
	return n, nil
}

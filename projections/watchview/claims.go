package watchview

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"holdfast/domain"
	"holdfast/domain/payment"
)

// Claim is what somebody says to have paid a payment with.
type Claim struct {
	Payment Payment
	Tx      string
	Claimed time.Time
	// Looks says how often it was looked at so far.
	Looks int
}

// Claims gives claims that are to be looked at by now: those nobody has looked at, and those
// whose time has come again.
func (q Queries) Claims(ctx context.Context, now time.Time, limit int) ([]Claim, error) {
	return collect(ctx, q, func(row pgx.CollectableRow) (c Claim, err error) {
		var chain, need, floor int64
		err = row.Scan(append(c.Payment.fields(&chain, &need, &floor), &c.Tx, &c.Claimed, &c.Looks)...)
		p := &c.Payment
		p.Chain, p.Threshold.Need, p.Threshold.Floor = uint64(chain), uint64(need), uint64(floor)
		return c, err
	}, `SELECT `+paymentColumns+`, c.tx, c.claimed_at, COALESCE(l.looks, 0)
		FROM views.watched_claims c JOIN views.watched_payments p ON p.payment = c.payment
		LEFT JOIN claim_looks l ON l.payment_id = c.payment AND l.tx = c.tx
		WHERE p.chain IS NOT NULL AND (l.tx IS NULL OR (l.state = 'pending' AND l.due_at <= $1))
		ORDER BY c.claimed_at, c.tx LIMIT $2`, now, limit)
}

// Deposit is one that belongs to no payment.
type Deposit struct {
	Payment  domain.PaymentID // whose destination it came to; empty: nobody's
	Evidence payment.Evidence
}

// Deposits gives those of a chain in blocks from a height on.
func (q Queries) Deposits(ctx context.Context, chain, from uint64) ([]Deposit, error) {
	return collect(ctx, q, func(row pgx.CollectableRow) (d Deposit, err error) {
		var on, log, block int64
		err = row.Scan(&d.Payment, &on, &d.Evidence.Tx, &log, &block, &d.Evidence.BlockHash)
		d.Evidence.Chain, d.Evidence.Log, d.Evidence.Block = uint64(on), uint(log), uint64(block)
		return d, err
	}, `SELECT payment, chain, tx, log, block, block_hash FROM views.watched_deposits
		WHERE chain = $1 AND block >= $2 ORDER BY block, evidence`, int64(chain), int64(from))
}

// Payment gives one payment as it is watched; ok is false when there is none, or it has no
// destination yet.
func (q Queries) Payment(ctx context.Context, id domain.PaymentID) (p Payment, ok bool, err error) {
	all, err := collect(ctx, q, scanPayment, `SELECT `+paymentColumns+` FROM views.watched_payments p
		WHERE p.payment = $1 AND p.chain IS NOT NULL`, string(id))
	if err != nil || len(all) == 0 {
		return p, false, err
	}
	return all[0], true, nil
}

// Use is one transfer or deposit of a transaction that is booked.
type Use struct {
	Payment   domain.PaymentID
	Evidence  payment.Evidence
	Confirmed bool
	Need      uint64
	Unmatched bool
}

// Uses gives everything that is booked of a transaction, on whatever chain.
func (q Queries) Uses(ctx context.Context, tx string) ([]Use, error) {
	return collect(ctx, q, func(row pgx.CollectableRow) (u Use, err error) {
		var on, log, block, need int64
		err = row.Scan(&u.Payment, &on, &u.Evidence.Tx, &log, &block, &u.Evidence.BlockHash, &u.Confirmed, &need, &u.Unmatched)
		u.Evidence.Chain, u.Evidence.Log, u.Evidence.Block, u.Need = uint64(on), uint(log), uint64(block), uint64(need)
		return u, err
	}, `SELECT t.payment, t.chain, t.tx, t.log, t.block, t.block_hash, t.confirmed, GREATEST(p.need, p.floor, 1), false
		FROM views.watched_transfers t JOIN views.watched_payments p ON p.payment = t.payment WHERE t.tx = $1
		UNION ALL SELECT payment, chain, tx, log, block, block_hash, true, 1, true FROM views.watched_deposits WHERE tx = $1
		ORDER BY 2, 4`, tx)
}

// Claimed is how looking at a claim went so far.
type Claimed struct {
	Payment Payment
	State   string // pending, matched, mismatch, reverted, lost
	Reason  string
}

// ClaimsOf gives the claims on a transaction.
func (q Queries) ClaimsOf(ctx context.Context, tx string) ([]Claimed, error) {
	return collect(ctx, q, func(row pgx.CollectableRow) (c Claimed, err error) {
		var chain, need, floor int64
		err = row.Scan(append(c.Payment.fields(&chain, &need, &floor), &c.State, &c.Reason)...)
		p := &c.Payment
		p.Chain, p.Threshold.Need, p.Threshold.Floor = uint64(chain), uint64(need), uint64(floor)
		return c, err
	}, `SELECT `+paymentColumns+`, COALESCE(l.state, 'pending'), COALESCE(l.reason, '')
		FROM views.watched_claims c JOIN views.watched_payments p ON p.payment = c.payment LEFT JOIN claim_looks l ON l.payment_id = c.payment AND l.tx = c.tx
		WHERE c.tx = $1 ORDER BY c.claimed_at`, tx)
}

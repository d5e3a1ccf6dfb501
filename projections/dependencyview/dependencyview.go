// Package dependencyview asks what still depends on a person: money of theirs, orders, payments,
// disputes. It keeps no tables of its own; it joins read models with the ledger, so whoever
// decides by it waits until they have caught up.
package dependencyview

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/projections/disputeview"
	"holdfast/projections/escrowview"
	"holdfast/projections/offerview"
	"holdfast/projections/paymentview"
	"holdfast/projections/payoutview"
	"holdfast/projections/refundview"
	"holdfast/projections/requestview"
)

// Views are the read models that are asked.
func Views() []string {
	return []string{requestview.Name, offerview.Name, escrowview.Name, paymentview.Name, payoutview.Name, refundview.Name, disputeview.Name}
}

// Balance is an account of the person that is not empty, or has something pending.
type Balance struct {
	Account ledger.Account
	Asset   money.Asset
}

// Open is what still depends on a person.
type Open struct {
	Balances []Balance
	Requests int64 // orders and published wishes
	Offers   int64 // that wait for an answer
	Holds    int64
	Payments int64
	Payouts  int64
	Refunds  int64
	Disputes int64 // as a party or as the resolver
}

// None reports that nothing depends on the person.
func (o Open) None() bool {
	return len(o.Balances) == 0 && o.Requests+o.Offers+o.Holds+o.Payments+o.Payouts+o.Refunds+o.Disputes == 0
}

// Record is what a person's orders say about them.
type Record struct {
	Completed int64 // orders as the seller that were paid out
	Disputed  int64 // of all orders as the seller
}

// Queries ask what depends on people.
type Queries struct{ pool *pgxpool.Pool }

// New makes the queries.
func New(pool *pgxpool.Pool) Queries { return Queries{pool} }

const openSQL = `SELECT
	(SELECT count(*) FROM views.requests WHERE (buyer = $1 OR seller = $1) AND phase NOT IN ('Draft', 'Completed', 'Cancelled', 'Expired')),
	(SELECT count(*) FROM views.offers WHERE seller = $1 AND phase IN ('Submitted', 'Countered')),
	(SELECT count(*) FROM views.holds WHERE (buyer = $1 OR seller = $1) AND phase NOT IN ('Closed', 'Cancelled')),
	(SELECT count(*) FROM views.payments WHERE buyer = $1 AND phase IN ('Created', 'AwaitingPayment', 'Confirming', 'PartiallyPaid', 'UnderReview', 'Reversed')),
	(SELECT count(*) FROM views.payouts WHERE seller = $1 AND phase NOT IN ('Confirmed', 'Failed', 'Rejected', 'Cancelled')),
	(SELECT count(*) FROM views.refunds WHERE (buyer = $1 OR seller = $1) AND phase NOT IN ('Confirmed', 'Failed', 'Rejected', 'Cancelled')),
	(SELECT count(*) FROM views.disputes WHERE (buyer = $1 OR seller = $1 OR resolver = $1) AND open)`

const balancesSQL = `SELECT account, asset FROM ledger_balances
	WHERE account = ANY ($1) AND (debits_posted <> credits_posted OR debits_pending <> 0 OR credits_pending <> 0) ORDER BY account, asset`

// Accounts lists the ledger's accounts of a person.
func Accounts(u domain.UserID) []ledger.Account {
	return []ledger.Account{
		ledger.BuyerAvailable(u), ledger.SellerAvailable(u), ledger.SellerReserve(u), ledger.ReceivableSeller(u), ledger.ReceivablePoints(u),
	}
}

// Of says what depends on a person.
func (q Queries) Of(ctx context.Context, u domain.UserID) (o Open, err error) {
	err = q.pool.QueryRow(ctx, openSQL, string(u)).Scan(&o.Requests, &o.Offers, &o.Holds, &o.Payments, &o.Payouts, &o.Refunds, &o.Disputes)
	if err != nil {
		return o, fmt.Errorf("ask what depends on %s: %w", u, err)
	}
	rows, err := q.pool.Query(ctx, balancesSQL, Accounts(u))
	if err != nil {
		return o, fmt.Errorf("ask for the balances of %s: %w", u, err)
	}
	o.Balances, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Balance])
	return o, err
}

// Record says what a person's orders say about them.
func (q Queries) Record(ctx context.Context, u domain.UserID) (r Record, err error) {
	err = q.pool.QueryRow(ctx, `SELECT
		(SELECT count(*) FROM views.holds WHERE seller = $1 AND phase = 'Closed' AND coalesce((doc->>'times_released')::bigint, 0) > 0),
		(SELECT count(DISTINCT hold) FROM views.disputes WHERE seller = $1)`, string(u)).Scan(&r.Completed, &r.Disputed)
	if err != nil {
		return r, fmt.Errorf("ask for the record of %s: %w", u, err)
	}
	return r, nil
}

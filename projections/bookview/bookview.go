// Package bookview asks the books page by page what they say about money at addresses: what the
// ledger has at each, which transfers it knows, what is under way. It keeps no tables of its
// own; it joins read models with the ledger, for comparisons with the outside.
//
// A page is one statement, so what it says of one address belongs together. Read models may be
// some moments behind the ledger: whoever finds a difference looks once more.
package bookview

import (
	"context"
	"fmt"
	"math/big"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/payment"
)

// Balance is what the ledger has on an account: posted, and what is pending on its way in or
// out, because the chain shows that already. Below zero after facts.
type Balance struct {
	Account ledger.Account
	Asset   money.Asset
	Books   *big.Int
}

// Deposit is a transfer that was booked into suspense.
type Deposit struct {
	Key    string       `json:"key"`
	Amount money.Amount `json:"amount"`
}

// Report is what the provider claims.
type Report struct {
	Tx     string `json:"tx"`
	Chain  uint64 `json:"chain"`
	Amount string `json:"amount"`
}

// Place is a derived address with the payment that it serves, if any.
type Place struct {
	Payment     domain.PaymentID
	Destination domain.DestinationID
	Address     string
	Chain       uint64
	Asset       money.Asset // that the payment asks for
	Provider    string
	Request     string // the provider's
	PaidAt      *time.Time
	Transfers   map[string]payment.Transfer
	Deposits    []Deposit
	Balances    map[money.Asset]string
	Reports     []Report
}

// Account is the place's account.
func (p Place) Account() ledger.Account { return ledger.Derived(p.Destination) }

// Queries ask the books.
type Queries struct{ pool *pgxpool.Pool }

// New makes the queries.
func New(pool *pgxpool.Pool) Queries { return Queries{pool} }

const (
	// books is a balance as the chain should show it.
	books = `(b.debits_posted + b.debits_pending - b.credits_posted - b.credits_pending)`

	paymentColumns = `p.id, p.doc->>'destination', COALESCE(p.doc->>'address', ''), COALESCE((p.doc->>'chain')::bigint, 0), p.asset,
		COALESCE(p.provider, ''), COALESCE(p.provider_request, ''), (p.doc->>'paid_at')::timestamptz, COALESCE(p.doc->'transfers', '{}'),
		(SELECT jsonb_agg(jsonb_build_object('key', d.id, 'amount', d.doc->'amount')) FROM views.deposits d WHERE d.payment = p.id),
		(SELECT jsonb_object_agg(b.asset, ` + books + `::text) FROM ledger_balances b WHERE b.account = 'custody:derived:' || (p.doc->>'destination')),
		(SELECT jsonb_agg(jsonb_build_object('tx', r.tx, 'chain', r.chain, 'amount', r.amount) ORDER BY r.n)
			FROM reconciliation_reports r WHERE r.run = NULLIF($1, '')::uuid AND r.request = p.provider_request)`

	placesSQL = `SELECT ` + paymentColumns + ` FROM views.payments p
		WHERE p.id > $2 AND p.doc->>'destination' <> '' ORDER BY p.id LIMIT $3`
	someSQL = `SELECT ` + paymentColumns + ` FROM views.payments p
		WHERE p.id = ANY($2::text[]) AND p.doc->>'destination' <> '' ORDER BY p.id`

	spareColumns = `'', d.id, d.doc->>'address', d.chain, '', '', '', NULL::timestamptz, '{}'::jsonb,
		(SELECT jsonb_agg(jsonb_build_object('key', s.id, 'amount', s.doc->'amount')) FROM views.deposits s
			WHERE s.payment IS NULL AND s.doc->>'custody' = 'custody:derived:' || d.id),
		(SELECT jsonb_object_agg(b.asset, ` + books + `::text) FROM ledger_balances b WHERE b.account = 'custody:derived:' || d.id),
		NULL::jsonb`
	spareSQL = `SELECT ` + spareColumns + ` FROM views.destinations d
		WHERE d.payment IS NULL AND d.id > $1 ORDER BY d.id LIMIT $2`
	someSpareSQL = `SELECT ` + spareColumns + ` FROM views.destinations d WHERE d.payment IS NULL AND d.id = ANY($1::text[]) ORDER BY d.id`
)

// Payments gives the payments after an id that have an address, with the reports of a run.
func (q Queries) Payments(ctx context.Context, run, after string, limit int) ([]Place, error) {
	return collect(ctx, q, scanPlace, placesSQL, run, after, limit)
}

// SomePayments gives those of these ids.
func (q Queries) SomePayments(ctx context.Context, run string, ids []string) ([]Place, error) {
	return collect(ctx, q, scanPlace, someSQL, run, ids)
}

// Spare gives the derived addresses after an id that serve no payment.
func (q Queries) Spare(ctx context.Context, after string, limit int) ([]Place, error) {
	return collect(ctx, q, scanPlace, spareSQL, after, limit)
}

// SomeSpare gives those of these ids.
func (q Queries) SomeSpare(ctx context.Context, ids []string) ([]Place, error) {
	return collect(ctx, q, scanPlace, someSpareSQL, ids)
}

// Count says how many places there are.
func (q Queries) Count(ctx context.Context) (payments, spare int64, err error) {
	err = q.pool.QueryRow(ctx, `SELECT (SELECT count(*) FROM views.payments WHERE doc->>'destination' <> ''),
		(SELECT count(*) FROM views.destinations WHERE payment IS NULL)`).Scan(&payments, &spare)
	if err != nil {
		return 0, 0, fmt.Errorf("count the addresses: %w", err)
	}
	return payments, spare, nil
}

func scanPlace(row pgx.CollectableRow) (p Place, err error) {
	var chain int64
	err = row.Scan(&p.Payment, &p.Destination, &p.Address, &chain, &p.Asset, &p.Provider, &p.Request, &p.PaidAt, &p.Transfers, &p.Deposits, &p.Balances, &p.Reports)
	p.Chain = uint64(chain)
	return p, err
}

const (
	ownSQL = `SELECT b.account, b.asset, ` + books + `::text FROM ledger_balances b
		WHERE b.account = 'custody:treasury' OR b.account LIKE 'custody:gas:%' ORDER BY b.asset, b.account`
	transitSQL = `SELECT b.account, b.asset, ` + books + `::text FROM ledger_balances b
		WHERE b.account >= 'custody:in_transit:' AND b.account < 'custody:in_transit;' AND ` + books + ` <> 0 AND b.account > $1
		ORDER BY b.account, b.asset LIMIT $2`
)

// Own gives what the ledger has at the treasury's own address: treasury and gas accounts.
func (q Queries) Own(ctx context.Context) ([]Balance, error) {
	return collect(ctx, q, scanBalance, ownSQL)
}

// InTransit gives what is booked as under way, after an account.
func (q Queries) InTransit(ctx context.Context, after string, limit int) ([]Balance, error) {
	return collect(ctx, q, scanBalance, transitSQL, after, limit)
}

func scanBalance(row pgx.CollectableRow) (b Balance, err error) {
	var text string
	if err := row.Scan(&b.Account, &b.Asset, &text); err != nil {
		return b, err
	}
	b.Books, err = Number(text)
	return b, err
}

// Number reads a signed whole number.
func Number(text string) (*big.Int, error) {
	n, ok := new(big.Int).SetString(text, 10)
	if !ok {
		return nil, fmt.Errorf("%q is no whole number", text)
	}
	return n, nil
}

func collect[T any](ctx context.Context, q Queries, scan pgx.RowToFunc[T], sql string, args ...any) ([]T, error) {
	rows, err := q.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("ask the books: %w", err)
	}
	all, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, fmt.Errorf("ask the books: %w", err)
	}
	return all, nil
}

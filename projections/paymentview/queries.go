package paymentview

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/eventstore"
	"holdfast/projections"
)

// Row is a payment as queries give it.
type Row = projections.Row[Doc]

// Queries read the payments.
type Queries struct {
	pool *pgxpool.Pool
	rows projections.Collection[Doc]
}

// New makes the queries.
func New(pool *pgxpool.Pool, codec *eventstore.Codec) Queries {
	return Queries{pool: pool, rows: projections.NewCollection[Doc](pool, codec, Name)}
}

// From answers the queries from another store while that serves them.
func (q Queries) From(e projections.Elsewhere) Queries {
	q.rows = q.rows.From(e)
	return q
}

// Filter narrows a list; empty fields do not.
type Filter struct {
	Party        domain.UserID // buyer or seller
	Buyer        domain.UserID
	Seller       domain.UserID
	Request      domain.RequestID
	Phase        string
	LegacyStatus string
	Exception    string
	Provider     string
	EscrowState  string // of the payment's hold, in the original's words
	From, To     time.Time
}

// Get gives one payment; fault.ErrNotFound when there is none.
func (q Queries) Get(ctx context.Context, id domain.PaymentID) (Row, error) {
	return q.rows.Get(ctx, string(id))
}

// List gives payments, newest first or as page.Sort says.
func (q Queries) List(ctx context.Context, f Filter, page projections.Page) (projections.List[Doc], error) {
	return q.rows.List(ctx, f.sql(), page)
}

func (f Filter) sql() *projections.Filter {
	s := new(projections.Filter).
		Eq("buyer", string(f.Buyer)).Eq("seller", string(f.Seller)).Eq("request", string(f.Request)).
		Eq("phase", f.Phase).Eq("legacy_status", f.LegacyStatus).Eq("exception", f.Exception).Eq("provider", f.Provider).
		Between("created_at", f.From, f.To)
	if f.Party != "" {
		s.Any(new(projections.Filter).Is("buyer", string(f.Party)), new(projections.Filter).Is("seller", string(f.Party)))
	}
	if f.EscrowState != "" {
		s.As("escrow_state", f.EscrowState, "EXISTS (SELECT FROM views.holds h WHERE h.id = hold AND h.escrow_state = ?)", f.EscrowState)
	}
	return s
}

// OfRequest gives all payments of an order, oldest first; OfHold those into a hold.
func (q Queries) OfRequest(ctx context.Context, id domain.RequestID) ([]Row, error) {
	return q.rows.All(ctx, new(projections.Filter).Is("request", string(id)))
}

// OfHold gives all payments into a hold, oldest first.
func (q Queries) OfHold(ctx context.Context, id domain.HoldID) ([]Row, error) {
	return q.rows.All(ctx, new(projections.Filter).Is("hold", string(id)))
}

// ByProviderRequest finds a payment by the provider's request id; fault.ErrNotFound for none.
func (q Queries) ByProviderRequest(ctx context.Context, id string) (Row, error) {
	return q.rows.One(ctx, new(projections.Filter).Is("provider_request", id).Not("provider_request", ""))
}

// ByReference finds a payment by its payment reference (0x and 16 hex digits).
func (q Queries) ByReference(ctx context.Context, reference string) (Row, error) {
	return q.rows.One(ctx, new(projections.Filter).Is("reference", strings.ToLower(reference)).Not("reference", ""))
}

// ByAddress finds the payment that a destination address serves.
func (q Queries) ByAddress(ctx context.Context, address string) (Row, error) {
	return q.rows.One(ctx, new(projections.Filter).Is("address", strings.ToLower(address)))
}

// ByTransaction gives all payments that were seen in, or said to be in, a transaction.
func (q Queries) ByTransaction(ctx context.Context, tx string) ([]Row, error) {
	return q.rows.All(ctx, new(projections.Filter).Has("txs", strings.ToLower(tx)))
}

// Confirmations is how deep a transfer stands, and how deep it must.
type Confirmations struct {
	Evidence   string
	Have, Need uint64
	ObservedAt time.Time
}

// Confirmations gives the depth of each transfer of a payment, as the chain's follower last saw it:
// telemetry, by which nothing is decided.
func (q Queries) Confirmations(ctx context.Context, id domain.PaymentID) ([]Confirmations, error) {
	if known := uuid.Validate(string(id)) == nil; !known {
		return nil, nil // no payment has such an id
	}
	rows, err := q.pool.Query(ctx, `SELECT evidence, have, need, seen_at FROM public.payment_confirmations WHERE payment_id = $1 ORDER BY evidence`, string(id))
	if err != nil {
		return nil, fmt.Errorf("read the confirmations of %s: %w", id, err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (c Confirmations, err error) {
		err = row.Scan(&c.Evidence, &c.Have, &c.Need, &c.ObservedAt)
		c.ObservedAt = c.ObservedAt.UTC()
		return c, err
	})
}

// Stat counts payments of one asset and phase.
type Stat struct {
	Asset        money.Asset
	Phase        string
	LegacyStatus string
	Count        int64
	Due          money.Units
}

// Stats counts the payments that pass a filter. The paid ones are those of legacy status
// confirmed and completed.
func (q Queries) Stats(ctx context.Context, f Filter) ([]Stat, error) {
	where, args := f.sql().SQL()
	rows, err := q.pool.Query(ctx, `SELECT asset, phase, legacy_status, count(*), sum(due)::text FROM views.payments`+where+`
		GROUP BY asset, phase, legacy_status ORDER BY asset, phase`, args...)
	if err != nil {
		return nil, fmt.Errorf("count the payments: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (s Stat, err error) {
		var due string
		if err := row.Scan(&s.Asset, &s.Phase, &s.LegacyStatus, &s.Count, &due); err != nil {
			return s, err
		}
		s.Due, err = money.ParseUnits(due)
		return s, err
	})
}

// Unscreened gives the payments some payer of which has no answer yet, oldest first.
func (q Queries) Unscreened(ctx context.Context) ([]Row, error) {
	return q.rows.All(ctx, new(projections.Filter).Is("unscreened", true))
}

// InReview gives the payments that wait for two people, oldest first or as page.Sort says.
func (q Queries) InReview(ctx context.Context, page projections.Page) (projections.List[Doc], error) {
	return q.rows.List(ctx, new(projections.Filter).Is("in_review", true), page)
}

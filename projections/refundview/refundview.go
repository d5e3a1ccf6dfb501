// Package refundview is the read model of refunds to buyers.
package refundview

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/domain/outgoing"
	"holdfast/domain/refund"
	"holdfast/eventstore"
	"holdfast/projections"
)

// Name is the projector's and the table's name.
const Name = "refunds"

// Doc is a refund: the aggregate's own state and what only readers want to know.
type Doc struct {
	refund.State
	Asset        money.Asset     `json:"asset"`
	Reason       domain.Personal `json:"reason"`
	RequestedBy  domain.Actor    `json:"requested_by"`
	ApprovedBy   *domain.Actor   `json:"approved_by,omitempty"`
	ApprovedAt   *time.Time      `json:"approved_at,omitempty"`
	Fiat         *refund.Fiat    `json:"fiat,omitempty"`
	Address      domain.Personal `json:"address"`
	BroadcastAt  *time.Time      `json:"broadcast_at,omitempty"`
	Evidence     *outgoing.Mined `json:"evidence,omitempty"`
	EndedAt      *time.Time      `json:"ended_at,omitempty"` // confirmed, failed, rejected, cancelled
	RejectReason domain.Personal `json:"reject_reason"`
	FailureCode  string          `json:"failure_code,omitempty"`
}

// Projector keeps the read model.
func Projector() projections.Projector {
	return projections.Documents(Name, 1, refund.Category, fold)
}

func fold(d *Doc, r eventstore.Recorded) (err error) {
	if d.State, err = projections.Evolve(refund.Decider, d.State, r); err != nil {
		return err
	}
	at := r.RecordedAt
	switch e := r.Event.(type) {
	case refund.Requested:
		d.Asset, d.Reason, d.RequestedBy = e.Amount.Asset, e.Reason, e.By
	case refund.Approved:
		d.Asset, d.ApprovedBy, d.ApprovedAt, d.Fiat = e.Amount.Asset, &e.By, &at, e.Fiat
	case refund.AddressConfirmed:
		d.Address = e.Address
	case refund.Broadcast:
		d.BroadcastAt = &at
	case refund.Confirmed:
		d.EndedAt, d.Evidence = &at, &e.Evidence
	case refund.Surfaced:
		d.EndedAt, d.Evidence, d.FailureCode = &at, &e.Evidence, ""
	case refund.Reorged:
		d.EndedAt, d.Evidence = nil, nil
	case refund.Failed:
		d.EndedAt, d.FailureCode = &at, e.Code
	case refund.Rejected:
		d.EndedAt, d.RejectReason = &at, e.Reason
	case refund.Cancelled:
		d.EndedAt = &at
	}
	return nil
}

// Row is a refund as queries give it.
type Row = projections.Row[Doc]

// Queries read the refunds.
type Queries struct{ rows projections.Collection[Doc] }

// New makes the queries.
func New(pool *pgxpool.Pool, codec *eventstore.Codec) Queries {
	return Queries{projections.NewCollection[Doc](pool, codec, Name)}
}

// Get gives one refund; fault.ErrNotFound when there is none.
func (q Queries) Get(ctx context.Context, id domain.RefundID) (Row, error) {
	return q.rows.Get(ctx, string(id))
}

// OfHold gives all refunds out of a hold, oldest first.
func (q Queries) OfHold(ctx context.Context, id domain.HoldID) ([]Row, error) {
	return q.rows.All(ctx, new(projections.Filter).Where("hold = ?", string(id)))
}

// ByTransaction finds the refund that a transaction carries out; fault.ErrNotFound for none.
func (q Queries) ByTransaction(ctx context.Context, tx string) (Row, error) {
	return q.rows.One(ctx, new(projections.Filter).Where("txs @> to_jsonb(?::text)", outgoing.NormalHash(tx)))
}

// Filter narrows a list; empty fields do not.
type Filter struct {
	Buyer   domain.UserID
	Seller  domain.UserID
	Party   domain.UserID // the buyer or the seller
	Request domain.RequestID
	Dispute domain.DisputeID
	Phase   string
	Source  refund.Source
}

// List gives refunds, newest first or as page.Sort says.
func (q Queries) List(ctx context.Context, f Filter, page projections.Page) (projections.List[Doc], error) {
	where := new(projections.Filter).Eq("buyer", string(f.Buyer)).Eq("seller", string(f.Seller)).
		Eq("request", string(f.Request)).Eq("dispute", string(f.Dispute)).Eq("phase", f.Phase).Eq("source", string(f.Source))
	if f.Party != "" {
		where.Where("(buyer = ? OR seller = ?)", string(f.Party), string(f.Party))
	}
	return q.rows.List(ctx, where, page)
}

// Open gives every refund that has not run its course, oldest first, at most a thousand.
func (q Queries) Open(ctx context.Context) ([]Row, error) {
	return q.rows.All(ctx, new(projections.Filter).Where("phase = ANY(?)", []string{
		refund.PhaseRequested, refund.PhaseAddressPending, refund.PhaseApproved, refund.PhaseBroadcast,
	}))
}

// InFlight gives every refund that waits for the chain, oldest first: what a follower watches.
func (q Queries) InFlight(ctx context.Context) ([]Row, error) {
	return q.rows.All(ctx, new(projections.Filter).Eq("phase", refund.PhaseBroadcast))
}

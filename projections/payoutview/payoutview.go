// Package payoutview is the read model of payouts to sellers.
package payoutview

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/domain/outgoing"
	"holdfast/domain/payout"
	"holdfast/eventstore"
	"holdfast/projections"
)

// Name is the projector's and the table's name.
const Name = "payouts"

// Doc is a payout: the aggregate's own state and what only readers want to know.
type Doc struct {
	payout.State
	ApprovedAt   *time.Time      `json:"approved_at,omitempty"`
	BroadcastAt  *time.Time      `json:"broadcast_at,omitempty"`
	EndedAt      *time.Time      `json:"ended_at,omitempty"` // confirmed, failed, rejected, cancelled
	Evidence     *outgoing.Mined `json:"evidence,omitempty"` // of the confirming transaction
	RejectReason string          `json:"reject_reason,omitempty"`
	FailureCode  string          `json:"failure_code,omitempty"`
}

// Projector keeps the read model.
func Projector() projections.Projector {
	return projections.Documents(Name, 1, payout.Category, fold)
}

func fold(d *Doc, r eventstore.Recorded) (err error) {
	if d.State, err = projections.Evolve(payout.Decider, d.State, r); err != nil {
		return err
	}
	at := r.RecordedAt
	switch e := r.Event.(type) {
	case payout.Approved:
		d.ApprovedAt = &at
	case payout.DestinationChanged:
		d.ApprovedAt = nil
	case payout.Broadcast:
		d.BroadcastAt = &at
	case payout.Confirmed:
		d.EndedAt, d.Evidence = &at, &e.Evidence
	case payout.Surfaced:
		d.EndedAt, d.Evidence, d.FailureCode = &at, &e.Evidence, ""
	case payout.Reorged:
		d.EndedAt, d.Evidence = nil, nil
	case payout.Failed:
		d.EndedAt, d.FailureCode = &at, e.Code
	case payout.Rejected:
		d.EndedAt, d.RejectReason = &at, e.Reason
	case payout.Cancelled:
		d.EndedAt = &at
	}
	return nil
}

// Row is a payout as queries give it.
type Row = projections.Row[Doc]

// Queries read the payouts.
type Queries struct{ rows projections.Collection[Doc] }

// New makes the queries.
func New(pool *pgxpool.Pool, codec *eventstore.Codec) Queries {
	return Queries{projections.NewCollection[Doc](pool, codec, Name)}
}

// Get gives one payout; fault.ErrNotFound when there is none.
func (q Queries) Get(ctx context.Context, id domain.PayoutID) (Row, error) {
	return q.rows.Get(ctx, string(id))
}

// OfHold gives the payouts that pay out an order's proceeds, oldest first.
func (q Queries) OfHold(ctx context.Context, id domain.HoldID) ([]Row, error) {
	return q.rows.All(ctx, new(projections.Filter).Where("holds @> to_jsonb(?::text)", string(id)))
}

// ByTransaction finds the payout that a transaction carries out; fault.ErrNotFound for none.
func (q Queries) ByTransaction(ctx context.Context, tx string) (Row, error) {
	return q.rows.One(ctx, new(projections.Filter).Where("txs @> to_jsonb(?::text)", outgoing.NormalHash(tx)))
}

// Filter narrows a list; empty fields do not.
type Filter struct {
	Seller   domain.UserID
	Phase    string
	Asset    money.Asset
	From, To time.Time
}

// List gives payouts, newest first or as page.Sort says.
func (q Queries) List(ctx context.Context, f Filter, page projections.Page) (projections.List[Doc], error) {
	return q.rows.List(ctx, new(projections.Filter).Eq("seller", string(f.Seller)).Eq("phase", f.Phase).
		Eq("asset", string(f.Asset)).Between("created_at", f.From, f.To), page)
}

// Open gives every payout that has not run its course, oldest first, at most a thousand.
func (q Queries) Open(ctx context.Context) ([]Row, error) {
	return q.rows.All(ctx, new(projections.Filter).Where("phase = ANY(?)", []string{
		payout.PhaseRequested, payout.PhaseApproved, payout.PhaseInstructionBuilt, payout.PhaseSigned, payout.PhaseBroadcast,
	}))
}

// InFlight gives every payout that waits for the chain, oldest first: what a follower watches.
func (q Queries) InFlight(ctx context.Context) ([]Row, error) {
	return q.rows.All(ctx, new(projections.Filter).Eq("phase", payout.PhaseBroadcast))
}

// Package escrowview is the read model of escrow holds: what is due, where the money of an order
// lies, and what stops its release.
package escrowview

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/money"
	"holdfast/eventstore"
	"holdfast/projections"
)

// Name is the projector's and the table's name.
const Name = "holds"

// Doc is a hold: the aggregate's own state and what only readers want to know.
type Doc struct {
	escrow.State
	PhaseName    string     `json:"phase"`
	EscrowState  string     `json:"escrow_state"` // the original's word
	FundedAt     *time.Time `json:"funded_at,omitempty"`
	ReleasableBy string     `json:"releasable_by,omitempty"` // what made it releasable
	// Times is how often money was released and LastRelease the last time. All of them stand in the
	// order's timeline: a document that keeps them grows with every release and is written again.
	Times        int           `json:"times_released,omitempty"`
	LastRelease  *Release      `json:"last_release,omitempty"`
	StopHistory  []ReleaseStop `json:"stop_history,omitempty"`
	ClosedAt     *time.Time    `json:"closed_at,omitempty"`
	CancelReason string        `json:"cancel_reason,omitempty"`
}

// Release is one time that money left the hold for the seller.
type Release struct {
	Gross money.Amount `json:"gross"`
	Fee   money.Amount `json:"fee"`
	Net   money.Amount `json:"net"`
	By    domain.Actor `json:"by"`
	At    time.Time    `json:"at"`
}

// ReleaseStop is a release hold, from placing to lifting.
type ReleaseStop struct {
	ID           string          `json:"id"`
	Kind         escrow.HoldKind `json:"kind"`
	Reason       string          `json:"reason"`
	PlacedBy     domain.Actor    `json:"placed_by"`
	PlacedAt     time.Time       `json:"placed_at"`
	LiftedBy     *domain.Actor   `json:"lifted_by,omitempty"`
	LiftedAt     *time.Time      `json:"lifted_at,omitempty"`
	LiftedReason string          `json:"lifted_reason,omitempty"`
}

// Projector keeps the read model.
func Projector() projections.Projector {
	return projections.Documents(Name, 2, escrow.Decider.Category, fold)
}

func fold(d *Doc, r eventstore.Recorded) (err error) {
	if d.State, err = projections.Evolve(escrow.Decider, d.State, r); err != nil {
		return err
	}
	at := r.RecordedAt
	switch e := r.Event.(type) {
	case escrow.Funded:
		d.FundedAt = &at
	case escrow.Unfunded:
		d.FundedAt = nil
	case escrow.MadeReleasable:
		d.ReleasableBy = e.Cause
	case escrow.Released:
		d.Times++
		d.LastRelease = &Release{Gross: e.Gross, Fee: e.Fee, Net: e.Net, By: e.By, At: at}
	case escrow.ReleaseHoldPlaced:
		d.StopHistory = append(d.StopHistory, ReleaseStop{ID: e.ID, Kind: e.Kind, Reason: e.Reason, PlacedBy: e.PlacedBy, PlacedAt: at})
	case escrow.ReleaseHoldLifted:
		d.lifted(e, at)
	case escrow.Closed:
		d.ClosedAt = &at
	case escrow.Reopened:
		d.ClosedAt = nil
	case escrow.Cancelled:
		d.CancelReason = e.Reason
	}
	d.PhaseName, d.EscrowState = d.Phase(), legacy(d.State)
	return nil
}

func (d *Doc) lifted(e escrow.ReleaseHoldLifted, at time.Time) {
	for i := range d.StopHistory {
		if s := &d.StopHistory[i]; s.ID == e.ID && s.LiftedAt == nil {
			s.LiftedBy, s.LiftedAt, s.LiftedReason = &e.By, &at, e.Reason
		}
	}
}

// legacy is the original's escrowState (domain.md §2.14). A payout under way ("releasing") is
// for the caller to say, who knows the payouts.
func legacy(s escrow.State) string {
	switch {
	case s.IsCancelled:
		return "cancelled"
	case s.Left().IsZero() && s.IsFunded && s.Released.IsZero() && !s.Refunded.IsZero():
		return "refunded"
	case s.Left().IsZero() && !s.Released.IsZero():
		return "released"
	case !s.Released.IsZero():
		return "partial"
	case !s.Releasable.IsZero():
		return "releasable"
	case s.IsFunded:
		return "funded"
	case !s.Held.IsZero():
		return "partial"
	}
	return "pending"
}

// Row is a hold as queries give it.
type Row = projections.Row[Doc]

// Queries read the holds.
type Queries struct{ rows projections.Collection[Doc] }

// New makes the queries.
func New(pool *pgxpool.Pool, codec *eventstore.Codec) Queries {
	return Queries{projections.NewCollection[Doc](pool, codec, Name)}
}

// Get gives one hold; fault.ErrNotFound when there is none.
func (q Queries) Get(ctx context.Context, id domain.HoldID) (Row, error) {
	return q.rows.Get(ctx, string(id))
}

// OpenOf gives the holds of a person's open orders, on either side, oldest first.
func (q Queries) OpenOf(ctx context.Context, u domain.UserID) ([]Row, error) {
	return q.rows.All(ctx, new(projections.Filter).Where("(buyer = ? OR seller = ?) AND phase NOT IN ('Closed', 'Cancelled')", string(u), string(u)))
}

// OfRequest gives all holds of an order, oldest first: one for each selection.
func (q Queries) OfRequest(ctx context.Context, id domain.RequestID) ([]Row, error) {
	return q.rows.All(ctx, new(projections.Filter).Where("request = ?", string(id)))
}

// Latest gives the hold of an order's last selection; fault.ErrNotFound before the first.
func (q Queries) Latest(ctx context.Context, id domain.RequestID) (Row, error) {
	return q.rows.One(ctx, new(projections.Filter).Where("request = ?", string(id)))
}

// Filter narrows a list; empty fields do not.
type Filter struct {
	Buyer       domain.UserID
	Seller      domain.UserID
	Phase       string
	EscrowState string
	Asset       money.Asset
}

// List gives holds, newest first or as page.Sort says.
func (q Queries) List(ctx context.Context, f Filter, page projections.Page) (projections.List[Doc], error) {
	return q.rows.List(ctx, new(projections.Filter).Eq("buyer", string(f.Buyer)).Eq("seller", string(f.Seller)).
		Eq("phase", f.Phase).Eq("escrow_state", f.EscrowState).Eq("asset", string(f.Asset)), page)
}

// Package escrowview is the read model of escrow holds: what is due, where the money of an order
// lies, and what stops its release.
package escrowview

import (
	"context"
	"slices"
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
	// Word is the old backend's name of the kind, and Imported the document that it came from.
	Word     string           `json:"word,omitempty"`
	Payment  domain.PaymentID `json:"payment,omitempty"`
	Imported *domain.Legacy   `json:"imported,omitempty"`
	// Over: it had been lifted before it came, whether or not anybody knows by whom.
	Over bool `json:"over,omitempty"`
}

// Projector keeps the read model.
func Projector() projections.Projector { return View().Projector() }

// View is the read model for those who keep it elsewhere too.
func View() projections.View[Doc] {
	return projections.View[Doc]{Name: Name, Version: 2, Category: escrow.Decider.Category, Fold: fold}
}

func fold(d *Doc, r eventstore.Recorded) (err error) {
	if d.State, err = projections.Evolve(escrow.Decider, d.State, r); err != nil {
		return err
	}
	at := r.RecordedAt
	switch e := r.Event.(type) {
	case escrow.Imported:
		d.imported(e)
	case escrow.ReleaseHoldImported:
		d.stopped(e)
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
	if d.Untouched() && d.Imported.EscrowState != "" {
		d.EscrowState = d.Imported.EscrowState
	}
	return nil
}

// imported is what a document of the old backend says beside the state.
func (d *Doc) imported(e escrow.Imported) {
	*d = Doc{State: d.State, FundedAt: e.FundedAt, StopHistory: d.StopHistory}
	if e.IsClosed {
		if d.ClosedAt = &e.At; !e.UpdatedAt.IsZero() {
			d.ClosedAt = &e.UpdatedAt
		}
	}
}

// stopped is a release hold that has a document of its own.
func (d *Doc) stopped(e escrow.ReleaseHoldImported) {
	stop := ReleaseStop{
		ID: e.ID, Kind: e.Kind, Word: e.Word, Payment: e.Payment, Reason: e.Reason, PlacedBy: e.PlacedBy, PlacedAt: e.PlacedAt, LiftedBy: e.LiftedBy, LiftedAt: e.LiftedAt, LiftedReason: e.LiftedReason,
		Imported: &e.Document, Over: !e.Active,
	}
	if i := slices.IndexFunc(d.StopHistory, func(s ReleaseStop) bool { return s.ID == e.ID }); i >= 0 {
		d.StopHistory = slices.Clone(d.StopHistory)
		d.StopHistory[i] = stop
		return
	}
	d.StopHistory = append(d.StopHistory, stop)
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

// From answers the queries from another store while that serves them.
func (q Queries) From(e projections.Elsewhere) Queries {
	q.rows = q.rows.From(e)
	return q
}

// Get gives one hold; fault.ErrNotFound when there is none.
func (q Queries) Get(ctx context.Context, id domain.HoldID) (Row, error) {
	return q.rows.Get(ctx, string(id))
}

// OpenOf gives the holds of a person's open orders, on either side, oldest first.
func (q Queries) OpenOf(ctx context.Context, u domain.UserID) ([]Row, error) {
	return q.rows.All(ctx, new(projections.Filter).
		Any(new(projections.Filter).Is("buyer", string(u)), new(projections.Filter).Is("seller", string(u))).Not("phase", "Closed").Not("phase", "Cancelled"))
}

// OfRequest gives all holds of an order, oldest first: one for each selection.
func (q Queries) OfRequest(ctx context.Context, id domain.RequestID) ([]Row, error) {
	return q.rows.All(ctx, new(projections.Filter).Is("request", string(id)))
}

// Latest gives the hold of an order's last selection; fault.ErrNotFound before the first.
func (q Queries) Latest(ctx context.Context, id domain.RequestID) (Row, error) {
	return q.rows.One(ctx, new(projections.Filter).Is("request", string(id)))
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

// Package offerview is the read model of sellers' offers, with every revision and counter-offer
// they went through.
package offerview

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/domain/offer"
	"holdfast/eventstore"
	"holdfast/projections"
)

// Name is the projector's and the table's name.
const Name = "offers"

// Doc is an offer: the aggregate's own state and its history.
type Doc struct {
	offer.State
	LegacyStatus string          `json:"legacy_status"`
	Revisions    []Revision      `json:"revisions"`
	Counters     []Counter       `json:"counters,omitempty"`
	EndReason    domain.Personal `json:"end_reason"` // of a withdrawal or rejection
}

// Revision is what the offer said from one moment on.
type Revision struct {
	N     int         `json:"n"`
	Terms offer.Terms `json:"terms"`
	At    time.Time   `json:"at"`
	// Counter names the counter-offer that became this revision; empty otherwise.
	Counter string `json:"counter,omitempty"`
}

// Counter is a buyer's counter-offer and what became of it.
type Counter struct {
	offer.Countered
	At      time.Time  `json:"at"`
	Outcome string     `json:"outcome"` // open, accepted, declined, lapsed, dropped
	EndedAt *time.Time `json:"ended_at,omitempty"`
}

// Projector keeps the read model.
func Projector() projections.Projector { return View().Projector() }

// View is the read model for those who keep it elsewhere too.
func View() projections.View[Doc] {
	return projections.View[Doc]{Name: Name, Version: 1, Category: offer.Decider.Category, Fold: fold}
}

func fold(d *Doc, r eventstore.Recorded) (err error) {
	if d.State, err = projections.Evolve(offer.Decider, d.State, r); err != nil {
		return err
	}
	at := r.RecordedAt
	switch e := r.Event.(type) {
	case offer.Submitted:
		d.Revisions = []Revision{{N: 1, Terms: e.Terms, At: at}}
	case offer.Imported:
		d.Revisions, d.Counters, d.EndReason = []Revision{{N: 1, Terms: e.Terms, At: madeAt(e.CreatedAt, at)}}, nil, e.Reason
	case offer.Revised:
		d.Revisions = append(d.Revisions, Revision{N: e.Revision, Terms: e.Terms, At: at})
	case offer.Countered:
		d.Counters = append(d.Counters, Counter{Countered: e, At: at, Outcome: "open"})
	case offer.CounterAccepted:
		d.answered("accepted", at)
		d.Revisions = append(d.Revisions, Revision{N: e.Revision, Terms: e.Terms, At: at, Counter: e.Counter})
	case offer.CounterDeclined:
		d.answered("declined", at)
	case offer.CounterLapsed:
		d.answered("lapsed", at)
	case offer.Rejected:
		d.EndReason = e.Reason
	case offer.Withdrawn:
		d.EndReason = e.Reason
	}
	if d.Counter == nil {
		d.answered("dropped", at)
	}
	d.LegacyStatus = legacy(d.Phase)
	return nil
}

// madeAt is when the terms were made, where the document said so.
func madeAt(made, recorded time.Time) time.Time {
	if made.IsZero() {
		return recorded
	}
	return made
}

// answered ends the open counter-offer, if there is one.
func (d *Doc) answered(outcome string, at time.Time) {
	if n := len(d.Counters); n > 0 && d.Counters[n-1].Outcome == "open" {
		d.Counters[n-1].Outcome, d.Counters[n-1].EndedAt = outcome, &at
	}
}

// legacy is the original's word for a phase (domain.md §2.14). An accepted offer counts as
// accepted only when its order is funded, which the offer does not know: the caller asks the order.
func legacy(phase string) string {
	switch phase {
	case offer.FulfilledPhase:
		return "accepted"
	case offer.RejectedPhase, offer.SupersededPhase, offer.ExpiredPhase, offer.VoidedPhase:
		return "rejected"
	case offer.WithdrawnPhase:
		return "withdrawn"
	}
	return "pending"
}

// Row is an offer as queries give it.
type Row = projections.Row[Doc]

// Queries read the offers.
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

// Get gives one offer; fault.ErrNotFound when there is none.
func (q Queries) Get(ctx context.Context, id domain.OfferID) (Row, error) {
	return q.rows.Get(ctx, string(id))
}

// Filter narrows a list; empty fields do not.
type Filter struct {
	Request domain.RequestID
	Buyer   domain.UserID
	Seller  domain.UserID
	Party   domain.UserID // the buyer or the seller
	Phase   string
}

// List gives offers, newest first or as page.Sort says.
func (q Queries) List(ctx context.Context, f Filter, page projections.Page) (projections.List[Doc], error) {
	where := new(projections.Filter).Eq("request", string(f.Request)).
		Eq("buyer", string(f.Buyer)).Eq("seller", string(f.Seller)).Eq("phase", f.Phase)
	if f.Party != "" {
		where.Any(new(projections.Filter).Is("buyer", string(f.Party)), new(projections.Filter).Is("seller", string(f.Party)))
	}
	return q.rows.List(ctx, where, page)
}

// OfRequest gives all offers of a request, oldest first; only a seller's own when seller is set.
func (q Queries) OfRequest(ctx context.Context, id domain.RequestID, seller domain.UserID) ([]Row, error) {
	return q.rows.All(ctx, new(projections.Filter).Is("request", string(id)).Eq("seller", string(seller)))
}

// Package requestview is the read model of purchase requests: what is wanted, by whom, how far
// it has come, and who may see it.
package requestview

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/request"
	"holdfast/eventstore"
	"holdfast/projections"
)

// Name is the projector's and the table's name.
const Name = "requests"

// Doc is a request: the aggregate's own state and what only readers want to know.
type Doc struct {
	request.State
	LegacyStatus string     `json:"legacy_status"`
	PublishedAt  *time.Time `json:"published_at,omitempty"`
	SelectedAt   *time.Time `json:"selected_at,omitempty"`
	FundedAt     *time.Time `json:"funded_at,omitempty"`
	Shipping     *Shipping  `json:"shipping,omitempty"`
	Delivery     *Delivery  `json:"delivery,omitempty"`
	LastRevision *Revision  `json:"last_revision,omitempty"`
	Cancelled    *Cancelled `json:"cancelled,omitempty"`
	EndedAt      *time.Time `json:"ended_at,omitempty"` // completed, cancelled or expired
}

// Shipping is how the goods went out.
type Shipping struct {
	Carrier  string          `json:"carrier"`
	Tracking domain.Personal `json:"tracking"`
	At       time.Time       `json:"at"`
}

// Delivery is how their arrival was confirmed.
type Delivery struct {
	Method string       `json:"method"`
	By     domain.Actor `json:"by"`
	At     time.Time    `json:"at"`
}

// Revision is the buyer's last wish for a change.
type Revision struct {
	N      int             `json:"n"`
	Reason domain.Personal `json:"reason"`
}

// Cancelled is who gave the request up, and why.
type Cancelled struct {
	By     domain.Actor `json:"by"`
	Reason string       `json:"reason"`
}

// Projector keeps the read model.
func Projector() projections.Projector { return View().Projector() }

// View is the read model for those who keep it elsewhere too.
func View() projections.View[Doc] {
	return projections.View[Doc]{Name: Name, Version: 1, Category: request.Decider.Category, Fold: fold}
}

func fold(d *Doc, r eventstore.Recorded) (err error) {
	if d.State, err = projections.Evolve(request.Decider, d.State, r); err != nil {
		return err
	}
	at := r.RecordedAt
	switch e := r.Event.(type) {
	case request.Imported:
		d.imported(e)
	case request.Published:
		d.PublishedAt = &at
	case request.OfferSelected:
		d.SelectedAt = &at
	case request.OfferSelectionReleased:
		d.SelectedAt = nil
	case request.PaymentSecured:
		d.FundedAt = &at
	case request.PaymentLost:
		d.FundedAt = nil
	case request.Shipped:
		d.Shipping = &Shipping{Carrier: e.Carrier, Tracking: e.Tracking, At: e.At}
	case request.DeliveryConfirmed:
		d.Delivery = &Delivery{Method: e.Method, By: e.By, At: e.At}
	case request.RevisionRequested:
		d.Delivery, d.LastRevision = nil, &Revision{N: e.N, Reason: e.Reason}
	case request.Completed, request.Expired:
		d.EndedAt = &at
	case request.Cancelled:
		d.EndedAt, d.Cancelled = &at, &Cancelled{By: e.By, Reason: e.Reason}
	}
	d.LegacyStatus = legacy(d.State.Phase)
	return nil
}

// imported is what a document of the old backend says beside the state.
func (d *Doc) imported(e request.Imported) {
	d.PublishedAt, d.Shipping, d.Delivery, d.Cancelled = some(e.PublishedAt), nil, nil, nil
	d.SelectedAt, d.FundedAt, d.EndedAt, d.LastRevision = nil, nil, some(e.EndedAt), nil
	if e.Parcel != nil {
		d.Shipping = &Shipping{Carrier: e.Parcel.Carrier, Tracking: e.Parcel.Tracking, At: e.Parcel.At}
	}
	if !e.DeliveredAt.IsZero() {
		d.Delivery = &Delivery{Method: "import", By: domain.Machine(domain.Import, "legacy"), At: e.DeliveredAt}
	}
	if e.Phase == request.CancelledPhase {
		d.Cancelled = &Cancelled{By: domain.Machine(domain.Import, "legacy"), Reason: e.Reason}
	}
}

func some(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// legacy is the original's word for a phase (domain.md §2.14).
func legacy(phase string) string {
	switch phase {
	case request.Open:
		return "active"
	case request.OffersReceived:
		return "received_offers"
	case request.Negotiating:
		return "in_negotiation"
	case request.AwaitingPayment:
		return "payment"
	case request.Processing:
		return "processing"
	case request.ShippedPhase:
		return "delivery"
	case request.DeliveredPhase:
		return "delivered"
	case request.CompletedPhase:
		return "completed"
	case request.CancelledPhase, request.ExpiredPhase:
		return "cancelled"
	}
	return "pending"
}

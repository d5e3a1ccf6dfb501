package migration

import (
	"slices"
	"time"

	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/offer"
	"holdfast/domain/request"
)

// Request is a document of purchaserequests. References are ObjectIds in hex, empty for none.
type Request struct {
	Found
	Buyer, Category, Seller string
	SelectedOffer, Dispute  string
	PreferredSellers        []string
	Status                  string
	Details                 request.Details // without category and subject of the personal text
	Description, Delivery   string
	Revisions               int
	Shipping                *Shipping
	PublishedAt             time.Time
	DeliveredAt             time.Time
	ExpiredAt               time.Time
	CancellationReason      string
}

// Shipping is how goods went out.
type Shipping struct {
	Carrier, Tracking string
	At                time.Time
}

// requestPhases is domain.md §2.14 read backwards. What is pending had been posted, too.
var requestPhases = map[string]string{
	"pending_payment": request.AwaitingPayment,
	"pending":         request.Open,
	"active":          request.Open,
	"received_offers": request.OffersReceived,
	"in_negotiation":  request.Negotiating,
	"payment":         request.AwaitingPayment,
	"processing":      request.Processing,
	"delivery":        request.ShippedPhase,
	"delivered":       request.DeliveredPhase,
	"confirming":      request.DeliveredPhase,
	"completed":       request.CompletedPhase,
	"cancelled":       request.CancelledPhase,
}

// RequestStatuses are the status words that are understood, for the decoder.
func RequestStatuses() []string {
	return []string{
		"pending_payment", "pending", "active", "received_offers", "in_negotiation", "payment", "processing",
		"delivery", "delivered", "confirming", "completed", "cancelled",
	}
}

// Ordered reports that a status follows the choice of an offer.
func Ordered(status string) bool {
	return slices.Contains([]string{"pending_payment", "payment", "processing", "delivery", "delivered", "confirming", "completed"}, status)
}

// RequestID names the request of a document.
func RequestID(objectID string) domain.RequestID {
	return domain.RequestID(ID(PurchaseRequests, objectID))
}

// TakeRequest takes a document of purchaserequests. Errors: LEGACY_CONFLICT.
type TakeRequest struct {
	domain.Issue
	Document Request
	Names    Names
	Escrow   escrow.Terms // of an order that waits for its payment
}

// Run decides.
func (f TakeRequest) Run(u *domain.Unit) (any, error) {
	d := f.Document
	fact := f.fact()
	if fact.Selected != nil {
		// The offer knows the price, once it is there.
		o, err := domain.StateOf(u, offer.Decider, string(fact.Selected.Offer))
		if err != nil {
			return nil, err
		}
		if o.ID != "" {
			fact.Selected.Seller, fact.Selected.Revision, fact.Selected.Price = o.Seller, o.Revision, o.Terms.Price.Amount
		}
	}
	c := request.Import{Issue: Import(f.Issue), Fact: fact}
	if _, err := domain.Do(u, request.Decider, string(RequestID(d.ObjectID)), c); err != nil {
		return nil, err
	}
	return nil, awaiting(u, Import(f.Issue), RequestID(d.ObjectID), d.Legacy, f.Escrow)
}

func (f TakeRequest) fact() request.Imported {
	d := f.Document
	buyer := domain.UserID(f.Names(Users, d.Buyer))
	x := d.Details
	x.CategoryID = f.Names(Categories, d.Category)
	x.Description, x.Delivery = domain.About(buyer, d.Description), domain.About(buyer, d.Delivery)
	e := request.Imported{
		Legacy: d.Legacy, Request: RequestID(d.ObjectID), Buyer: buyer, Phase: requestPhases[d.Status], Details: x,
		Revisions: d.Revisions, PublishedAt: d.PublishedAt, DeliveredAt: d.DeliveredAt, Reason: d.CancellationReason,
	}
	for _, s := range d.PreferredSellers {
		if id := domain.UserID(f.Names(Users, s)); id != buyer && !slices.Contains(e.Invited, id) {
			e.Invited = append(e.Invited, id)
		}
	}
	if d.SelectedOffer != "" && (Ordered(d.Status) || e.Phase == request.CancelledPhase) {
		e.Selected = &request.Selected{
			Offer: domain.OfferID(ID(SellerOffers, d.SelectedOffer)), Revision: 1, Seller: domain.UserID(f.Names(Users, d.Seller)), Hold: HoldID(d.ObjectID),
		}
	}
	if s := d.Shipping; s != nil {
		e.Parcel = &request.Parcel{Carrier: s.Carrier, Tracking: domain.About(buyer, s.Tracking), At: s.At}
	}
	switch e.Phase {
	case request.CancelledPhase:
		e.EndedAt = d.UpdatedAt
		if !d.ExpiredAt.IsZero() {
			e.Phase, e.EndedAt = request.ExpiredPhase, d.ExpiredAt
		}
	case request.CompletedPhase:
		e.EndedAt = d.UpdatedAt
	default:
		e.Dispute = domain.DisputeID(f.Names("disputes", d.Dispute))
	}
	return e
}

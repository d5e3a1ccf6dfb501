package request

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/money"
)

// Event is something that happened to a request.
type Event interface {
	domain.Event
	request()
}

// Spec is one wished property.
type Spec struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	Label string `json:"label,omitempty"`
}

// Budget is what the buyer thinks to spend, in a currency of people; decimals as text.
type Budget struct {
	Min      string `json:"min"`
	Max      string `json:"max"`
	Currency string `json:"currency"`
}

// Details are what is wanted.
type Details struct {
	Title          string          `json:"title"`
	Description    domain.Personal `json:"description"`
	CategoryID     string          `json:"category_id"`
	ProductType    string          `json:"product_type"`
	ProductLink    string          `json:"product_link,omitempty"`
	Size           string          `json:"size,omitempty"`
	Color          string          `json:"color,omitempty"`
	Brand          string          `json:"brand,omitempty"`
	Specifications []Spec          `json:"specifications,omitempty"`
	Quantity       int             `json:"quantity"`
	Budget         Budget          `json:"budget"`
	Urgency        string          `json:"urgency"`
	DeliveryType   string          `json:"delivery_type"` // physical or online
	Delivery       domain.Personal `json:"delivery"`      // address or e-mail
	Attachments    []string        `json:"attachments,omitempty"`
	ExpiresAt      time.Time       `json:"expires_at"`
}

type (
	// Created as a draft.
	Created struct {
		Request domain.RequestID `json:"request"`
		Buyer   domain.UserID    `json:"buyer"`
		Details Details          `json:"details"`
		Invited []domain.UserID  `json:"invited,omitempty"`
		At      time.Time        `json:"at"`
	}
	// DetailsUpdated; a new Revision means that offers made before must be confirmed.
	DetailsUpdated struct {
		Revision int     `json:"revision"`
		Details  Details `json:"details"`
	}
	// Published: sellers may see it.
	Published struct {
		At time.Time `json:"at"`
	}
	// SellersInvited by the buyer.
	SellersInvited struct {
		Sellers []domain.UserID `json:"sellers"`
	}
	// OfferReceived: a seller has submitted an offer.
	OfferReceived struct {
		Offer  domain.OfferID `json:"offer"`
		Seller domain.UserID  `json:"seller"`
	}
	// OfferGone: it was withdrawn, rejected, or has expired.
	OfferGone struct {
		Offer  domain.OfferID `json:"offer"`
		Reason string         `json:"reason"`
	}
	// NegotiationStarted: the buyer made a counter-offer; NegotiationEnded: it was answered.
	NegotiationStarted struct {
		Offer domain.OfferID `json:"offer"`
	}
	// NegotiationEnded: the counter-offer was answered or lapsed.
	NegotiationEnded struct {
		Offer domain.OfferID `json:"offer"`
	}
	// OfferSelected: price and seller are fixed.
	OfferSelected struct {
		Offer    domain.OfferID `json:"offer"`
		Revision int            `json:"revision"`
		Seller   domain.UserID  `json:"seller"`
		Hold     domain.HoldID  `json:"hold"`
		Price    money.Amount   `json:"price"`
	}
	// OfferSelectionReleased: the payment never came, or the buyer thought again.
	OfferSelectionReleased struct {
		Offer  domain.OfferID `json:"offer"`
		Reason string         `json:"reason"`
	}
	// PaymentSecured: the hold is funded.
	PaymentSecured struct {
		Hold domain.HoldID `json:"hold"`
	}
	// PaymentLost: the chain undid the payment.
	PaymentLost struct {
		Hold   domain.HoldID `json:"hold"`
		Reason string        `json:"reason"`
	}
	// Shipped by the seller.
	Shipped struct {
		Carrier  string          `json:"carrier"`
		Tracking domain.Personal `json:"tracking"`
		At       time.Time       `json:"at"`
	}
	// DeliveryCodeIssued: MAC of a code that only the buyer has seen.
	DeliveryCodeIssued struct {
		MAC       []byte    `json:"code_hmac"`
		ExpiresAt time.Time `json:"expires_at"`
	}
	// DeliveryCodeFailed: a wrong code was given.
	DeliveryCodeFailed struct {
		Attempt int `json:"attempt"`
	}
	// DeliveryConfirmed by code, buyer, admin or timer.
	DeliveryConfirmed struct {
		Method string       `json:"method"`
		By     domain.Actor `json:"by"`
		At     time.Time    `json:"at"`
	}
	// RevisionRequested: the buyer is not content yet.
	RevisionRequested struct {
		N      int             `json:"n"`
		Reason domain.Personal `json:"reason"`
	}
	// DisputeFlagged and DisputeUnflagged mark the order beside its phase.
	DisputeFlagged struct {
		Dispute domain.DisputeID `json:"dispute"`
	}
	// DisputeUnflagged takes the mark away.
	DisputeUnflagged struct {
		Dispute domain.DisputeID `json:"dispute"`
	}
	// Completed: the hold is closed, the order is over.
	Completed struct {
		At time.Time `json:"at"`
	}
	// Cancelled by a party or an admin.
	Cancelled struct {
		By     domain.Actor `json:"by"`
		Reason string       `json:"reason"`
	}
	// Expired: nobody's offer was selected in time.
	Expired struct {
		At time.Time `json:"at"`
	}
)

func (Created) EventType() string                { return "request.created" }
func (DetailsUpdated) EventType() string         { return "request.details_updated" }
func (Published) EventType() string              { return "request.published" }
func (SellersInvited) EventType() string         { return "request.sellers_invited" }
func (OfferReceived) EventType() string          { return "request.offer_received" }
func (OfferGone) EventType() string              { return "request.offer_gone" }
func (NegotiationStarted) EventType() string     { return "request.negotiation_started" }
func (NegotiationEnded) EventType() string       { return "request.negotiation_ended" }
func (OfferSelected) EventType() string          { return "request.offer_selected" }
func (OfferSelectionReleased) EventType() string { return "request.offer_selection_released" }
func (PaymentSecured) EventType() string         { return "request.payment_secured" }
func (PaymentLost) EventType() string            { return "request.payment_lost" }
func (Shipped) EventType() string                { return "request.shipped" }
func (DeliveryCodeIssued) EventType() string     { return "request.delivery_code_issued" }
func (DeliveryCodeFailed) EventType() string     { return "request.delivery_code_failed" }
func (DeliveryConfirmed) EventType() string      { return "request.delivery_confirmed" }
func (RevisionRequested) EventType() string      { return "request.revision_requested" }
func (DisputeFlagged) EventType() string         { return "request.dispute_flagged" }
func (DisputeUnflagged) EventType() string       { return "request.dispute_unflagged" }
func (Completed) EventType() string              { return "request.completed" }
func (Cancelled) EventType() string              { return "request.cancelled" }
func (Expired) EventType() string                { return "request.expired" }

func (Created) request()                {}
func (DetailsUpdated) request()         {}
func (Published) request()              {}
func (SellersInvited) request()         {}
func (OfferReceived) request()          {}
func (OfferGone) request()              {}
func (NegotiationStarted) request()     {}
func (NegotiationEnded) request()       {}
func (OfferSelected) request()          {}
func (OfferSelectionReleased) request() {}
func (PaymentSecured) request()         {}
func (PaymentLost) request()            {}
func (Shipped) request()                {}
func (DeliveryCodeIssued) request()     {}
func (DeliveryCodeFailed) request()     {}
func (DeliveryConfirmed) request()      {}
func (RevisionRequested) request()      {}
func (DisputeFlagged) request()         {}
func (DisputeUnflagged) request()       {}
func (Completed) request()              {}
func (Cancelled) request()              {}
func (Expired) request()                {}

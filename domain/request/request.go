package request

import (
	"maps"
	"slices"
	"time"

	"holdfast/domain"
	"holdfast/domain/money"
)

// The phases.
const (
	Draft           = "Draft"
	Open            = "Open"
	OffersReceived  = "OffersReceived"
	Negotiating     = "Negotiating"
	AwaitingPayment = "AwaitingPayment"
	Processing      = "Processing"
	ShippedPhase    = "Shipped"
	DeliveredPhase  = "Delivered"
	CompletedPhase  = "Completed"
	CancelledPhase  = "Cancelled"
	ExpiredPhase    = "Expired"
)

// Selected is the offer that the order is about.
type Selected struct {
	Offer    domain.OfferID `json:"offer"`
	Revision int            `json:"revision"`
	Seller   domain.UserID  `json:"seller"`
	Hold     domain.HoldID  `json:"hold"`
	Price    money.Amount   `json:"price"`
}

// Code is the open delivery code.
type Code struct {
	MAC       []byte    `json:"mac"`
	ExpiresAt time.Time `json:"expires_at"`
	Failures  int       `json:"failures"`
}

// State is what the rules need to know of a request.
type State struct {
	ID          domain.RequestID                 `json:"id"`
	Buyer       domain.UserID                    `json:"buyer"`
	Phase       string                           `json:"phase"`
	Revision    int                              `json:"revision"`
	Details     Details                          `json:"details"`
	Invited     []domain.UserID                  `json:"invited,omitempty"`
	Offers      map[domain.OfferID]domain.UserID `json:"offers,omitempty"` // live ones
	Negotiating map[domain.OfferID]bool          `json:"negotiating,omitempty"`
	Selected    *Selected                        `json:"selected,omitempty"`
	Code        *Code                            `json:"code,omitempty"`
	Revisions   int                              `json:"revisions"`
	Dispute     domain.DisputeID                 `json:"dispute,omitempty"`
	Legacy      domain.Snapshot                  `json:"legacy,omitzero"`
}

// Seller is the selected seller, empty before.
func (s State) Seller() domain.UserID {
	if s.Selected == nil {
		return ""
	}
	return s.Selected.Seller
}

// Visible reports whether a seller may see the request.
func (s State) Visible(seller domain.UserID) bool {
	switch s.Phase {
	case Open, OffersReceived, Negotiating:
		return true
	case Draft, "":
		return false
	}
	return slices.Contains(s.Invited, seller) || s.Seller() == seller
}

// Others lists the live offers beside the selected one, in a stable order.
func (s State) Others() []domain.OfferID {
	var ids []domain.OfferID
	for _, id := range slices.Sorted(maps.Keys(s.Offers)) {
		if s.Selected == nil || id != s.Selected.Offer {
			ids = append(ids, id)
		}
	}
	return ids
}

// Decider is the request.
var Decider = domain.Decider[State, Event]{Category: "purchase_request", Decide: Table().Decide, Evolve: Evolve}

// Evolve folds one event.
func Evolve(s State, e Event) State {
	s = evolve(s, e)
	s.Legacy = s.Legacy.After(e)
	return s
}

func evolve(s State, e Event) State {
	switch e := e.(type) {
	case Imported:
		s = imported(s, e)
	case OfferImported:
		s = offerImported(s, e)
	case Created:
		s = State{ID: e.Request, Buyer: e.Buyer, Phase: Draft, Revision: 1, Details: e.Details, Invited: e.Invited}
	case DetailsUpdated:
		s.Revision, s.Details = e.Revision, e.Details
	case Published:
		s.Phase = Open
	case SellersInvited:
		s.Invited = append(slices.Clone(s.Invited), e.Sellers...)
	case OfferReceived, OfferGone, NegotiationStarted, NegotiationEnded:
		s = offers(s, e)
	case OfferSelected:
		s.Selected = &Selected{Offer: e.Offer, Revision: e.Revision, Seller: e.Seller, Hold: e.Hold, Price: e.Price}
		s.Phase = AwaitingPayment
	case OfferSelectionReleased:
		s.Selected, s.Phase = nil, OffersReceived
	case PaymentSecured:
		s.Phase = Processing
	case PaymentLost:
		s.Phase = AwaitingPayment
	case Shipped:
		s.Phase = ShippedPhase
	case DeliveryCodeIssued:
		s.Code = &Code{MAC: e.MAC, ExpiresAt: e.ExpiresAt}
	case DeliveryCodeFailed:
		c := *s.Code
		c.Failures = e.Attempt
		s.Code = &c
	case DeliveryConfirmed:
		s.Phase, s.Code = DeliveredPhase, nil
	case RevisionRequested:
		s.Phase, s.Revisions = ShippedPhase, e.N
	case DisputeFlagged:
		s.Dispute = e.Dispute
	case DisputeUnflagged:
		s.Dispute = ""
	case Completed:
		s.Phase = CompletedPhase
	case Cancelled:
		s.Phase = CancelledPhase
	case Expired:
		s.Phase = ExpiredPhase
	}
	return s
}

func offers(s State, e Event) State {
	s.Offers, s.Negotiating = maps.Clone(s.Offers), maps.Clone(s.Negotiating)
	if s.Offers == nil {
		s.Offers = map[domain.OfferID]domain.UserID{}
	}
	if s.Negotiating == nil {
		s.Negotiating = map[domain.OfferID]bool{}
	}
	switch e := e.(type) {
	case OfferReceived:
		s.Offers[e.Offer] = e.Seller
	case OfferGone:
		delete(s.Offers, e.Offer)
		delete(s.Negotiating, e.Offer)
	case NegotiationStarted:
		s.Negotiating[e.Offer] = true
	case NegotiationEnded:
		delete(s.Negotiating, e.Offer)
	}
	switch s.Phase {
	case Open, OffersReceived, Negotiating:
		switch {
		case len(s.Negotiating) > 0:
			s.Phase = Negotiating
		case len(s.Offers) > 0:
			s.Phase = OffersReceived
		default:
			s.Phase = Open
		}
	}
	return s
}

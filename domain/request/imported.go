package request

import (
	"maps"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/money"
)

// Parcel is how goods went out, as the old backend knew it.
type Parcel struct {
	Carrier  string          `json:"carrier"`
	Tracking domain.Personal `json:"tracking"`
	At       time.Time       `json:"at,omitzero"`
}

type (
	// Imported from the old backend: the whole request as its document has it. It may come again
	// while nothing else has happened here, and replaces what it said before.
	Imported struct {
		domain.Legacy
		Request domain.RequestID `json:"request"`
		Buyer   domain.UserID    `json:"buyer"`
		Phase   string           `json:"phase"`
		Details Details          `json:"details"`
		Invited []domain.UserID  `json:"invited,omitempty"`
		// Selected: price and revision are those of the offer, and unknown until it is imported.
		Selected    *Selected        `json:"selected,omitempty"`
		Revisions   int              `json:"revisions,omitempty"`
		Dispute     domain.DisputeID `json:"dispute,omitempty"`
		Parcel      *Parcel          `json:"parcel,omitempty"`
		PublishedAt time.Time        `json:"published_at,omitzero"`
		DeliveredAt time.Time        `json:"delivered_at,omitzero"`
		EndedAt     time.Time        `json:"ended_at,omitzero"`
		Reason      string           `json:"reason,omitempty"` // of a cancellation
	}
	// OfferImported: one of its offers has come from the old backend.
	OfferImported struct {
		Offer    domain.OfferID `json:"offer"`
		Seller   domain.UserID  `json:"seller"`
		Revision int            `json:"revision"`
		Price    money.Amount   `json:"price"`
		Live     bool           `json:"live"` // it may be selected
	}
)

func (Imported) EventType() string      { return "request.imported" }
func (OfferImported) EventType() string { return "request.offer_imported" }
func (Imported) request()               {}
func (OfferImported) request()          {}

// WithImport marks that the document of the request may still replace it.
func (OfferImported) WithImport() {}

type (
	// Import takes a document of the old backend.
	Import struct {
		domain.Issue
		Fact Imported
	}
	// ImportOffer notes one of its offers.
	ImportOffer struct {
		domain.Issue
		Fact OfferImported
	}
)

func importing(s State, c Import) ([]Event, error) {
	again, err := s.Legacy.Takes(s.ID != "", c.Fact.Legacy)
	switch {
	case err != nil || again:
		return nil, err
	case c.Fact.Request == "" || c.Fact.Buyer == "" || c.Fact.Phase == "":
		return nil, fault.ErrValidation.At("request", "an id, a buyer and a phase are needed")
	case c.Fact.Selected == nil && ordered(c.Fact.Phase):
		return nil, fault.ErrValidation.At("selected", "an order has a selected offer")
	case c.Fact.Selected != nil && c.Fact.Selected.Seller == c.Fact.Buyer:
		return nil, fault.ErrValidation.At("selected", "nobody sells to himself")
	}
	return []Event{c.Fact}, nil
}

// ordered reports that a phase follows the choice of an offer.
func ordered(phase string) bool {
	switch phase {
	case AwaitingPayment, Processing, ShippedPhase, DeliveredPhase, CompletedPhase:
		return true
	}
	return false
}

func importOffer(s State, c ImportOffer) ([]Event, error) {
	seller, live := s.Offers[c.Fact.Offer]
	known := live == c.Fact.Live && (!live || seller == c.Fact.Seller)
	if x := s.Selected; x != nil && x.Offer == c.Fact.Offer {
		known = known && x.Seller == c.Fact.Seller && x.Price == c.Fact.Price && x.Revision == c.Fact.Revision
	}
	if known {
		return nil, nil
	}
	return []Event{c.Fact}, nil
}

// imported is the state that a document gives. The offers are other documents: what is known of
// them stays.
func imported(s State, e Imported) State {
	next := State{
		ID: e.Request, Buyer: e.Buyer, Phase: e.Phase, Revision: 1, Details: e.Details, Invited: e.Invited, Selected: e.Selected,
		Revisions: e.Revisions, Dispute: e.Dispute, Offers: s.Offers, Legacy: s.Legacy,
	}
	if next.Phase == Open && len(next.Offers) > 0 {
		next.Phase = OffersReceived
	}
	return next
}

func offerImported(s State, e OfferImported) State {
	s.Offers = maps.Clone(s.Offers)
	if s.Offers == nil {
		s.Offers = map[domain.OfferID]domain.UserID{}
	}
	if e.Live {
		s.Offers[e.Offer] = e.Seller
		if s.Phase == Open {
			s.Phase = OffersReceived
		}
	} else {
		delete(s.Offers, e.Offer)
	}
	if x := s.Selected; x != nil && x.Offer == e.Offer {
		s.Selected = &Selected{Offer: e.Offer, Revision: e.Revision, Seller: e.Seller, Hold: x.Hold, Price: e.Price}
	}
	return s
}

package offer

import (
	"holdfast/domain"
	"holdfast/domain/fault"
)

// Imported is an offer as the old backend knew it. It may come again while nothing else has happened
// here, and replaces what it said before.
type Imported struct {
	domain.Legacy
	Offer   domain.OfferID   `json:"offer"`
	Request domain.RequestID `json:"request"`
	Buyer   domain.UserID    `json:"buyer"`
	Seller  domain.UserID    `json:"seller"`
	Phase   string           `json:"phase"`
	Terms   Terms            `json:"terms"`
	Hold    domain.HoldID    `json:"hold,omitempty"`
	Reason  domain.Personal  `json:"reason"` // of a rejection or withdrawal
}

// EventType is its name for ever.
func (Imported) EventType() string { return "offer.imported" }
func (Imported) offer()            {}

// Live reports that the offer may be selected, or is.
func (e Imported) Live() bool { return e.Phase == SubmittedPhase || e.Phase == AcceptedPhase }

// Import takes a document of the old backend. The parties and the phase are facts of the request,
// too.
type Import struct {
	domain.Issue
	Fact Imported
}

func importing(s State, c Import) ([]Event, error) {
	again, err := s.Legacy.Takes(s.ID != "", c.Fact.Legacy)
	switch {
	case err != nil || again:
		return nil, err
	case c.Fact.Offer == "" || c.Fact.Request == "" || c.Fact.Phase == "":
		return nil, fault.ErrValidation.At("offer", "an id, a request and a phase are needed")
	case c.Fact.Buyer == c.Fact.Seller:
		return nil, ErrOwnRequest
	case c.Fact.Terms.Price.Amount.IsZero() || c.Fact.Terms.Price.Amount.Asset == "":
		return nil, fault.ErrValidation.At("price.amount", "must be more than nothing")
	}
	return []Event{c.Fact}, nil
}

func imported(s State, e Imported) State {
	return State{
		ID: e.Offer, Request: e.Request, Buyer: e.Buyer, Seller: e.Seller, Revision: 1, Terms: e.Terms, Hold: e.Hold, Phase: e.Phase, Legacy: s.Legacy,
	}
}

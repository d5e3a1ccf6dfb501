package order

import (
	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/money"
	"holdfast/domain/offer"
	"holdfast/domain/request"
)

// SelectOffer fixes seller and price and opens the hold. Errors: OFFER_NOT_SELECTABLE,
// OFFER_REVISION_STALE, OFFER_EXPIRED, ALREADY_SELECTED.
type SelectOffer struct {
	domain.Issue
	Request  domain.RequestID
	Offer    domain.OfferID
	Revision int
	Hold     domain.HoldID
	Terms    escrow.Terms
}

// SelectionAnswer is what a selection answers.
type SelectionAnswer struct {
	RequestAnswer
	Offer  domain.OfferID `json:"offer"`
	Seller domain.UserID  `json:"seller"`
	Due    money.Amount   `json:"due"`
}

// Run decides.
func (f SelectOffer) Run(u *domain.Unit) (any, error) {
	r, err := existing(u, f.Request)
	if err != nil {
		return nil, err
	}
	o, err := existingOffer(u, f.Offer)
	if err != nil {
		return nil, err
	}
	if o.Request != f.Request {
		return nil, request.ErrNotSelectable
	}
	price := o.Terms.Price.Amount
	if r.Selected == nil {
		// The offer's own reason (stale, expired, countered) says more than the request's.
		c := offer.Accept{Issue: f.Issue, Revision: f.Revision, RequestRevision: r.Revision, Hold: f.Hold}
		if _, err := domain.Do(u, offer.Decider, string(f.Offer), c); err != nil {
			return nil, err
		}
	}
	pick := request.SelectOffer{Issue: f.Issue, Offer: f.Offer, Revision: f.Revision, Seller: o.Seller, Hold: f.Hold, Price: price}
	if _, err := domain.Do(u, request.Decider, string(f.Request), pick); err != nil {
		return nil, err
	}
	open := escrow.Open{Issue: f.Issue, Hold: f.Hold, Request: f.Request, Offer: f.Offer, Buyer: r.Buyer, Seller: o.Seller, Due: price, Terms: f.Terms}
	if _, err := domain.Do(u, escrow.Decider, string(f.Hold), open); err != nil {
		return nil, err
	}
	a, err := requestAnswer(u, f.Request)
	if err != nil {
		return nil, err
	}
	return SelectionAnswer{RequestAnswer: a.(RequestAnswer), Offer: f.Offer, Seller: o.Seller, Due: price}, nil
}

// ReleaseSelection undoes a selection before money came: the hold is cancelled and the
// offer is on the market again. Errors: INVALID_STATE once anything was confirmed.
type ReleaseSelection struct {
	domain.Issue
	Request domain.RequestID
	Reason  string
}

// Run decides.
func (f ReleaseSelection) Run(u *domain.Unit) (any, error) {
	r, err := existing(u, f.Request)
	if err != nil {
		return nil, err
	}
	if r.Selected != nil {
		if h, err := holdOf(u, r); err != nil {
			return nil, err
		} else if !h.In().IsZero() && f.By.User() != "" {
			return nil, ErrPaymentInProgress
		}
	}
	if _, err := domain.Do(u, request.Decider, string(f.Request), request.ReleaseSelection{Issue: f.Issue, Reason: f.Reason}); err != nil {
		return nil, err
	}
	back := offer.RevertAcceptance{Issue: own(f.Issue), Reason: f.Reason}
	if _, err := domain.Do(u, offer.Decider, string(r.Selected.Offer), back); err != nil {
		return nil, err
	}
	if _, err := domain.Do(u, escrow.Decider, string(r.Selected.Hold), escrow.Cancel{Issue: own(f.Issue), Reason: f.Reason}); err != nil {
		return nil, err
	}
	return requestAnswer(u, f.Request)
}

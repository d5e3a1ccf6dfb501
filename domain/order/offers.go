package order

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/offer"
	"holdfast/domain/request"
)

// SubmitOffer answers a request. Errors: REQUEST_NOT_OPEN, OWN_REQUEST, OFFER_EXISTS.
type SubmitOffer struct {
	domain.Issue
	Offer   domain.OfferID
	Request domain.RequestID
	Seller  domain.UserID
	Terms   offer.Terms
}

// Run decides.
func (f SubmitOffer) Run(u *domain.Unit) (any, error) {
	r, err := existing(u, f.Request)
	if err != nil {
		return nil, err
	}
	f.Terms.RequestRevision = r.Revision
	c := offer.Submit{Issue: f.Issue, Offer: f.Offer, Request: f.Request, Buyer: r.Buyer, Seller: f.Seller, Terms: f.Terms}
	if _, err := domain.Do(u, offer.Decider, string(f.Offer), c); err != nil {
		return nil, err
	}
	note := request.ReceiveOffer{Issue: own(f.Issue), Offer: f.Offer, Seller: f.Seller}
	if _, err := domain.Do(u, request.Decider, string(f.Request), note); err != nil {
		return nil, err
	}
	return offerAnswer(u, f.Offer)
}

// ReviseOffer changes the terms and confirms the request's revision of now.
type ReviseOffer struct {
	domain.Issue
	Offer domain.OfferID
	Terms offer.Terms
}

// Run decides.
func (f ReviseOffer) Run(u *domain.Unit) (any, error) {
	o, err := existingOffer(u, f.Offer)
	if err != nil {
		return nil, err
	}
	r, err := existing(u, o.Request)
	if err != nil {
		return nil, err
	}
	f.Terms.RequestRevision = r.Revision
	if _, err := domain.Do(u, offer.Decider, string(f.Offer), offer.Revise{Issue: f.Issue, Terms: f.Terms}); err != nil {
		return nil, err
	}
	return offerAnswer(u, f.Offer)
}

// end carries out a command that takes an offer off the market, and tells the request.
func end(u *domain.Unit, i domain.Issue, id domain.OfferID, why string, c domain.Command) (any, error) {
	o, err := existingOffer(u, id)
	if err != nil {
		return nil, err
	}
	if _, err := domain.Do(u, offer.Decider, string(id), c); err != nil {
		return nil, err
	}
	if _, err := domain.Do(u, request.Decider, string(o.Request), request.LoseOffer{Issue: own(i), Offer: id, Reason: why}); err != nil {
		return nil, err
	}
	return offerAnswer(u, id)
}

// WithdrawOffer by the seller.
type WithdrawOffer struct {
	domain.Issue
	Offer  domain.OfferID
	Reason domain.Personal
}

// Run decides.
func (f WithdrawOffer) Run(u *domain.Unit) (any, error) {
	return end(u, f.Issue, f.Offer, "withdrawn", offer.Withdraw{Issue: f.Issue, Reason: f.Reason})
}

// RejectOffer by the buyer.
type RejectOffer struct {
	domain.Issue
	Offer  domain.OfferID
	Reason domain.Personal
}

// Run decides.
func (f RejectOffer) Run(u *domain.Unit) (any, error) {
	return end(u, f.Issue, f.Offer, "rejected", offer.Reject{Issue: f.Issue, Reason: f.Reason})
}

// ExpireOffer at its valid_until.
type ExpireOffer struct {
	domain.Issue
	Offer domain.OfferID
}

// Run decides.
func (f ExpireOffer) Run(u *domain.Unit) (any, error) {
	return end(u, f.Issue, f.Offer, "expired", offer.Expire{Issue: f.Issue})
}

// CounterOffer proposes other terms. Errors: COUNTER_OPEN, OFFER_EXPIRED.
type CounterOffer struct {
	domain.Issue
	Offer        domain.OfferID
	Counter      string
	Price        *offer.Price
	DeliveryTime string
	Message      domain.Personal
	ExpiresAt    time.Time
}

// Run decides.
func (f CounterOffer) Run(u *domain.Unit) (any, error) {
	o, err := existingOffer(u, f.Offer)
	if err != nil {
		return nil, err
	}
	c := offer.Counter{Issue: f.Issue, Counter: f.Counter, Price: f.Price, DeliveryTime: f.DeliveryTime, Message: f.Message, ExpiresAt: f.ExpiresAt}
	if _, err := domain.Do(u, offer.Decider, string(f.Offer), c); err != nil {
		return nil, err
	}
	if _, err := domain.Do(u, request.Decider, string(o.Request), request.StartNegotiation{Issue: own(f.Issue), Offer: f.Offer}); err != nil {
		return nil, err
	}
	return offerAnswer(u, f.Offer)
}

// answerCounter ends the open counter-offer one way or another.
func answerCounter(u *domain.Unit, i domain.Issue, id domain.OfferID, c domain.Command) (any, error) {
	o, err := existingOffer(u, id)
	if err != nil {
		return nil, err
	}
	if _, err := domain.Do(u, offer.Decider, string(id), c); err != nil {
		return nil, err
	}
	if _, err := domain.Do(u, request.Decider, string(o.Request), request.EndNegotiation{Issue: own(i), Offer: id}); err != nil {
		return nil, err
	}
	return offerAnswer(u, id)
}

// AcceptCounter by the seller. Errors: COUNTER_EXPIRED.
type AcceptCounter struct {
	domain.Issue
	Offer domain.OfferID
}

// Run decides.
func (f AcceptCounter) Run(u *domain.Unit) (any, error) {
	return answerCounter(u, f.Issue, f.Offer, offer.AcceptCounter{Issue: f.Issue})
}

// DeclineCounter by the seller.
type DeclineCounter struct {
	domain.Issue
	Offer domain.OfferID
}

// Run decides.
func (f DeclineCounter) Run(u *domain.Unit) (any, error) {
	return answerCounter(u, f.Issue, f.Offer, offer.DeclineCounter{Issue: f.Issue})
}

// LapseCounter at its end.
type LapseCounter struct {
	domain.Issue
	Offer domain.OfferID
}

// Run decides.
func (f LapseCounter) Run(u *domain.Unit) (any, error) {
	return answerCounter(u, f.Issue, f.Offer, offer.LapseCounter{Issue: f.Issue})
}

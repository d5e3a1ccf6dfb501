package order

import (
	"holdfast/domain"
	"holdfast/domain/offer"
	"holdfast/domain/request"
)

// RequestAnswer is what the flows of a request answer.
type RequestAnswer struct {
	Request  domain.RequestID `json:"request"`
	State    string           `json:"state"`
	Revision int              `json:"revision"`
	Version  int64            `json:"version"`
	Hold     domain.HoldID    `json:"hold,omitempty"`
}

// OfferAnswer is what the flows of an offer answer.
type OfferAnswer struct {
	Offer    domain.OfferID   `json:"offer"`
	Request  domain.RequestID `json:"request"`
	State    string           `json:"state"`
	Revision int              `json:"revision"`
	Price    offer.Price      `json:"price"`
	Version  int64            `json:"version"`
}

func requestAnswer(u *domain.Unit, id domain.RequestID) (any, error) {
	s, err := domain.StateOf(u, request.Decider, string(id))
	if err != nil {
		return nil, err
	}
	v, err := domain.VersionOf(u, request.Decider, string(id))
	a := RequestAnswer{Request: s.ID, State: s.Phase, Revision: s.Revision, Version: v}
	if s.Selected != nil {
		a.Hold = s.Selected.Hold
	}
	return a, err
}

func offerAnswer(u *domain.Unit, id domain.OfferID) (any, error) {
	s, err := domain.StateOf(u, offer.Decider, string(id))
	if err != nil {
		return nil, err
	}
	v, err := domain.VersionOf(u, offer.Decider, string(id))
	return OfferAnswer{Offer: s.ID, Request: s.Request, State: s.Phase, Revision: s.Revision, Price: s.Terms.Price, Version: v}, err
}

// own is the issue of a companion command: what follows from the user's wish is done by us.
func own(i domain.Issue) domain.Issue {
	return domain.Issue{By: domain.Machine(domain.Process, "order"), At: i.At}
}

// onRequest decides one command on a request and answers its new state.
func onRequest(u *domain.Unit, id domain.RequestID, c domain.Command) (any, error) {
	if _, err := existing(u, id); err != nil {
		return nil, err
	}
	if _, err := domain.Do(u, request.Decider, string(id), c); err != nil {
		return nil, err
	}
	return requestAnswer(u, id)
}

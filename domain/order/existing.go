package order

import (
	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/fault"
	"holdfast/domain/offer"
	"holdfast/domain/request"
)

func existing(u *domain.Unit, id domain.RequestID) (request.State, error) {
	s, err := domain.StateOf(u, request.Decider, string(id))
	if err == nil && s.ID == "" {
		err = fault.ErrNotFound
	}
	return s, err
}

func existingOffer(u *domain.Unit, id domain.OfferID) (offer.State, error) {
	s, err := domain.StateOf(u, offer.Decider, string(id))
	if err == nil && s.ID == "" {
		err = fault.ErrNotFound
	}
	return s, err
}

// holdOf is the hold of the selected offer.
func holdOf(u *domain.Unit, r request.State) (escrow.State, error) {
	if r.Selected == nil {
		return escrow.State{}, request.ErrNotFunded
	}
	return domain.StateOf(u, escrow.Decider, string(r.Selected.Hold))
}

package settlement

import (
	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/fault"
)

// What the flows ask of an order's hold, and the steps they take in its stream.

// existing reads a hold that must be there.
func existing(u *domain.Unit, id domain.HoldID) (escrow.State, error) {
	h, err := domain.StateOf(u, escrow.Decider, string(id))
	if err == nil && h.ID == "" {
		err = fault.ErrNotFound
	}
	return h, err
}

// partyOf reports whether the actor is the hold's buyer or seller. To anybody else the hold
// does not exist.
func partyOf(h escrow.State, a domain.Actor) bool { return a.Is(h.Buyer) || a.Is(h.Seller) }

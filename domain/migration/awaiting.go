package migration

import (
	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/offer"
	"holdfast/domain/request"
)

// awaiting opens the hold of an imported order that waits for its payment, as choosing an offer does
// here: it may be that nobody has begun to pay. The document of a payment replaces it.
func awaiting(u *domain.Unit, i domain.Issue, id domain.RequestID, l domain.Legacy, terms escrow.Terms) error {
	r, err := domain.StateOf(u, request.Decider, string(id))
	if err != nil || r.Phase != request.AwaitingPayment || r.Selected == nil {
		return err
	}
	o, err := domain.StateOf(u, offer.Decider, string(r.Selected.Offer))
	if err != nil || o.ID == "" {
		return err
	}
	h, err := domain.StateOf(u, escrow.Decider, string(r.Selected.Hold))
	known := h.ID != "" && (!h.Untouched() || h.Imported.Payment != "" || (h.Offer == o.ID && h.Due == o.Terms.Price.Amount))
	if err != nil || known {
		return err
	}
	_, err = domain.Do(u, escrow.Decider, string(r.Selected.Hold), escrow.Import{Issue: i, Fact: escrow.Imported{
		Legacy: l, Hold: r.Selected.Hold, Request: id, Offer: o.ID, Buyer: r.Buyer, Seller: o.Seller, Due: o.Terms.Price.Amount, Terms: terms, At: i.At,
	}})
	return err
}

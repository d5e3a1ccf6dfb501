package http

import (
	"context"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/money"
	"holdfast/domain/quote"
)

type quoteIDInput struct {
	ID string `path:"id"`
}

// QuoteOut is a quote as its buyer sees it.
type QuoteOut struct {
	ID        domain.QuoteID `json:"id"`
	OfferID   domain.OfferID `json:"offerId"`
	State     string         `json:"state"`
	AmountDue money.Amount   `json:"amountDue"`
	ExpiresAt time.Time      `json:"expiresAt"`
}

func (s *Server) getQuote(ctx context.Context, c *call, in *quoteIDInput) (reply, error) {
	q, version, err := stateOf(ctx, s, quote.Decider, in.ID)
	if err == nil && q.Buyer != c.user() {
		err = fault.ErrNotFound
	}
	if err != nil {
		return reply{}, err
	}
	return reply{data: QuoteOut{ID: domain.QuoteID(in.ID), OfferID: q.Offer, State: q.Phase, AmountDue: q.AmountDue, ExpiresAt: q.ExpiresAt.UTC()}, version: version}, nil
}

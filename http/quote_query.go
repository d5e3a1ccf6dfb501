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
	Price     money.Amount   `json:"price" doc:"Of the offer; an iso4217: asset is a currency in minor units"`
	AmountDue money.Amount   `json:"amountDue"`
	// Rates are what the sources said, empty for a price in the asset itself.
	Rates     []quote.Rate     `json:"rates"`
	Rule      quote.Rule       `json:"rule"`
	PaymentID domain.PaymentID `json:"paymentId,omitempty" doc:"Which has used it"`
	ExpiresAt time.Time        `json:"expiresAt"`
}

func (s *Server) getQuote(ctx context.Context, c *call, in *quoteIDInput) (reply, error) {
	q, version, err := stateOf(ctx, s, quote.Decider, in.ID)
	if err == nil && !c.sees(OfQuote, q.Buyer) {
		err = fault.ErrNotFound
	}
	if err != nil {
		return reply{}, err
	}
	out := QuoteOut{
		ID: domain.QuoteID(in.ID), OfferID: q.Offer, State: q.Phase, Price: q.Price, AmountDue: q.AmountDue,
		Rates: append([]quote.Rate{}, q.Rates...), Rule: q.Rule, PaymentID: q.Payment, ExpiresAt: q.ExpiresAt.UTC(),
	}
	return reply{data: out, version: version}, nil
}

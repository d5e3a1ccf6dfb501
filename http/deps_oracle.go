package http

import (
	"cmp"
	"context"
	"time"

	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/quote"
)

// Oracle asks the price sources. Its faults: QUOTE_UNAVAILABLE where fewer than two know the pair,
// ORACLE_UNAVAILABLE where fewer than two have a price that may be used. Whether those that have
// one agree is the quote's own rule. Nil: only fixed prices are quoted.
type Oracle interface {
	Rates(ctx context.Context, currency money.Asset, token network.Token) ([]quote.Rate, error)
}

// Quoting is the policy of quotes; each quote stores what it was made by.
type Quoting struct {
	Rule quote.Rule
	// Life is how long a quote may be used, 5 minutes when 0; TimeToPay how long the payment
	// that has used it may take, 30 minutes when 0.
	Life, TimeToPay time.Duration
}

func (q Quoting) withDefaults() Quoting {
	q.Life = cmp.Or(q.Life, 5*time.Minute)
	q.TimeToPay = cmp.Or(q.TimeToPay, 30*time.Minute)
	q.Rule.MaxAge = cmp.Or(q.Rule.MaxAge, time.Minute)
	q.Rule.MaxSpread = cmp.Or(q.Rule.MaxSpread, 100)
	q.Rule.MaxDepeg = cmp.Or(q.Rule.MaxDepeg, 300)
	q.Rule.Rounding = cmp.Or(q.Rule.Rounding, quote.StandardRounding)
	return q
}

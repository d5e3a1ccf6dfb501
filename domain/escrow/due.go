package escrow

import (
	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/money"
)

// A price in a currency is due in a token only from the moment at which a quote fixes how much.

// Refusals of fixing it.
var (
	ErrQuoteRequired = fault.New(fault.Rule, "QUOTE_REQUIRED", "the price is in a currency that nobody settles in; ask for a quote first")
	ErrOtherAsset    = fault.New(fault.Rule, "ASSET_NOT_ALLOWED", "the order is not paid in this asset")
	ErrDueFixed      = fault.New(fault.Conflict, "PAYMENT_IN_PROGRESS", "what has come in already is not less than the new amount")
)

// DueFixed: what is due of a price in a currency, by a quote. A later quote of the same order may
// change the amount, never the asset: money for the earlier one may still be on its way.
type DueFixed struct {
	Due   money.Amount   `json:"due"`
	Price money.Amount   `json:"price"`
	Quote domain.QuoteID `json:"quote"`
}

// EventType implements domain.Event.
func (DueFixed) EventType() string { return "escrow.due_fixed" }
func (DueFixed) escrow()           {}

// FixDue says what a quote makes of the price.
type FixDue struct {
	domain.Issue
	Due   money.Amount
	Quote domain.QuoteID
}

// Unpriced reports that no quote has said yet what is due.
func (s State) Unpriced() bool {
	_, is := s.Due.Asset.Currency()
	return is
}

// ByQuote reports that the price is in a currency: what is due is a quote's word.
func (s State) ByQuote() bool { return s.Unpriced() || s.Price != nil }

// Agreed is the price that buyer and seller agreed on.
func (s State) Agreed() money.Amount {
	if s.Price != nil {
		return *s.Price
	}
	return s.Due
}

func fixDue(s State, c FixDue) ([]Event, error) {
	_, fiat := c.Due.Asset.Currency()
	switch {
	case !s.ByQuote() || fiat || (!s.Unpriced() && c.Due.Asset != s.Due.Asset):
		return nil, ErrOtherAsset.With("asset", s.Due.Asset)
	case c.Due == s.Due:
		return nil, nil
	case !s.In().Less(c.Due.Units):
		return nil, ErrDueFixed
	}
	return []Event{DueFixed{Due: c.Due, Price: s.Agreed(), Quote: c.Quote}}, nil
}

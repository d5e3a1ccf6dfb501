package http

import (
	"fmt"
	"time"

	"holdfast/domain/network"
	"holdfast/domain/offer"
)

// PriceIn is an offer's price: base units or a human decimal of an asset or, without an asset, of
// a currency.
type PriceIn struct {
	AmountIn
	Currency string `json:"currency,omitempty" enum:"USD,EUR,IRR,TRY,USDT,USDC" doc:"Beside an asset: as shown, left out = its symbol. Without: the price is in this currency, and is paid through a quote"`
}

// DurationIn is a span as people say it.
type DurationIn struct {
	Amount int    `json:"amount" minimum:"1" maximum:"1000"`
	Unit   string `json:"unit" enum:"hours,days,weeks,months"`
}

func (d *DurationIn) String() string {
	if d == nil {
		return ""
	}
	return fmt.Sprintf("%d %s", d.Amount, d.Unit)
}

// price reads a price; the display is always computed from the exact amount.
func (s *Server) price(in PriceIn) (offer.Price, error) {
	if asset, ok := currencyOf(in); ok {
		return s.fiatPrice(in, asset)
	}
	amount, err := s.read("price", in.AmountIn, "")
	if err != nil {
		return offer.Price{}, err
	}
	token, ok := s.deps.Registry.Token(amount.Asset)
	if !ok || s.deps.Registry.Offered(amount.Asset) != nil {
		return offer.Price{}, network.ErrNotOffered.At("price.asset", "not taken")
	}
	p := offer.Price{Amount: amount, Currency: in.Currency, Display: amount.Units.Decimal(token.Decimals)}
	if p.Currency == "" {
		p.Currency = token.Symbol
	}
	return p, nil
}

// OfferIn is what a seller offers.
type OfferIn struct {
	Title        string      `json:"title" minLength:"1" maxLength:"200" pattern:"\\S"`
	Description  string      `json:"description,omitempty" maxLength:"1000"`
	Price        PriceIn     `json:"price"`
	DeliveryTime *DurationIn `json:"deliveryTime,omitempty"`
	ValidUntil   time.Time   `json:"validUntil" doc:"Until when it can be taken"`
	Notes        string      `json:"notes,omitempty" maxLength:"1000"`
	Attachments  []string    `json:"attachments,omitempty" maxItems:"20"`
	RequireAML   bool        `json:"requireAmlCheck,omitempty"`
	AMLBlocks    bool        `json:"amlBlockOnFailure,omitempty"`
}

func (s *Server) offerTerms(c *call, in OfferIn) (offer.Terms, error) {
	p, err := s.price(in.Price)
	return offer.Terms{
		Title: in.Title, Description: c.about(in.Description), Price: p, DeliveryTime: in.DeliveryTime.String(),
		ValidUntil: in.ValidUntil.UTC(), Notes: c.about(in.Notes), RequireAML: in.RequireAML, AMLBlocks: in.AMLBlocks,
	}, err
}

package http

import (
	"holdfast/domain/fault"
	"holdfast/domain/money"
	"holdfast/domain/offer"
)

// currencies adds to the registry how amounts in a currency are written. They are prices only:
// no currency is an asset that anybody could send or hold.
type currencies struct{ Registry }

// Decimals implements Registry.
func (r currencies) Decimals(a money.Asset) (uint8, bool) {
	if n, ok := money.FiatDecimals(a); ok {
		return n, true
	}
	return r.Registry.Decimals(a)
}

// Alias implements Registry.
func (r currencies) Alias(a money.Asset) (string, bool) {
	if code, ok := a.Currency(); ok {
		return code, true
	}
	return r.Registry.Alias(a)
}

// currencyOf reports that a price is meant in a currency: it names one, and no asset, or the
// currency as an asset.
func currencyOf(in PriceIn) (money.Asset, bool) {
	if _, ok := money.Asset(in.Asset).Currency(); ok {
		return money.Asset(in.Asset), true
	}
	if in.Asset != "" {
		return "", false
	}
	return money.Fiat(in.Currency)
}

// fiatPrice reads a price in a currency. It can be paid through a quote only, so nobody may ask
// it where nothing is quoted.
func (s *Server) fiatPrice(in PriceIn, asset money.Asset) (offer.Price, error) {
	if s.deps.Oracle == nil {
		return offer.Price{}, fault.New(fault.Rule, "ASSET_NOT_SUPPORTED", "prices in a currency need quotes, which are switched off").At("price.currency", "not taken")
	}
	code, _ := asset.Currency()
	if in.Currency != "" && in.Currency != code {
		return offer.Price{}, fault.ErrValidation.At("price.currency", "is not the currency of the amount")
	}
	units, err := s.units("price", asset, in.Amount, in.Display)
	decimals, _ := money.FiatDecimals(asset)
	return offer.Price{Amount: money.Of(asset, units), Currency: code, Display: units.Decimal(decimals)}, err
}

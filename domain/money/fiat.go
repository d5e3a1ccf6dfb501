package money

import "strings"

// fiat lists the currencies in which a price may be said, with the decimals of ISO 4217. Nobody
// holds them here: an order in one of them is settled in a token, through a quote.
var fiat = map[string]uint8{"USD": 2, "EUR": 2, "TRY": 2, "IRR": 2}

const fiatPrefix = "iso4217:"

// Fiat is the asset of a currency ("iso4217:USD"), counted in minor units; ok is false for one
// in which nothing is priced.
func Fiat(code string) (asset Asset, ok bool) {
	_, ok = fiat[code]
	return Asset(fiatPrefix + code), ok
}

// Currency gives the code of a fiat asset; ok is false for everything that can be held.
func (a Asset) Currency() (code string, ok bool) {
	code, ok = strings.CutPrefix(string(a), fiatPrefix)
	if _, known := fiat[code]; !known {
		return "", false
	}
	return code, ok
}

// FiatDecimals gives the decimals of a fiat asset's minor unit.
func FiatDecimals(a Asset) (decimals uint8, ok bool) {
	code, ok := a.Currency()
	return fiat[code], ok
}

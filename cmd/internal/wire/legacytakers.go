package wire

import (
	"fmt"
	"strings"

	"holdfast/adapters/records"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/reactors/legacyimport"
)

// importTools are what taking documents needs beside the log.
type importTools struct {
	records    *records.Records
	profiles   *records.Profiles
	addresses  *records.Addresses
	hashes     hashes
	currencies legacyCurrencies
	money      moneyTools
}

// takers lists the collections that are imported, in the order in which they are: what others name
// comes before them. A new one is a line here and a function.
func (i importTools) takers() []legacyimport.Taker {
	return []legacyimport.Taker{
		i.users(),
		i.categories(),
		i.purchaseRequests(),
		i.sellerOffers(),
		i.money.payments(),
		i.money.ledgerEntries(),
		i.money.releaseHolds(),
		i.money.disputes(),
		i.money.trezorAccounts(),
		i.money.derivedDestinations(),
		i.money.confirmationThresholds(),
	}
}

// legacyCurrencies says what the old backend meant by a word for money.
type legacyCurrencies struct {
	registry network.Book
	// words are symbols that stand on several chains, with the asset that was meant
	// (LEGACY_CURRENCIES).
	words map[string]string
}

// Currency implements legacydb.Currencies: a word of the setting, a currency of people, or a name of
// the registry, which a bare symbol is where one chain alone has it.
func (l legacyCurrencies) Currency(word string) (asset money.Asset, decimals uint8, why string) {
	if means, ok := l.words[strings.ToUpper(word)]; ok {
		if _, known := l.registry.Asset(means); known {
			word = means
		}
	}
	if fiat, ok := money.Fiat(strings.ToUpper(word)); ok {
		decimals, _ = money.FiatDecimals(fiat)
		return fiat, decimals, ""
	}
	asset, ok := l.registry.Asset(word)
	if !ok {
		var named []string
		if asset, named = l.bySymbol(word); len(named) != 1 {
			why = "a currency that is known"
			if len(named) > 1 {
				why = fmt.Sprintf("one of %s: say which in LEGACY_CURRENCIES", strings.Join(named, ", "))
			}
			return "", 0, why
		}
	}
	decimals, _ = l.registry.Decimals(asset)
	return asset, decimals, ""
}

// bySymbol lists the assets that have a symbol.
func (l legacyCurrencies) bySymbol(symbol string) (asset money.Asset, named []string) {
	for _, c := range l.registry.Chains() {
		for _, t := range l.registry.Tokens(c.ID) {
			if strings.EqualFold(t.Symbol, symbol) {
				asset, named = t.Asset(), append(named, t.Alias())
			}
		}
	}
	return asset, named
}

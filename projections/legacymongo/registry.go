package legacymongo

// Collections lists every collection that is kept, one file each. A new one is added here; docs,
// projectors, verification and modes follow.
func Collections() []Collection {
	return []Collection{
		users(), categories(), purchaseRequests(), sellerOffers(),
		payments(), fundsLedgerEntries(), paymentQuotes(), confirmationThresholds(),
		releaseHolds(), escrowHolds(), disputes(), trezorAccounts(), derivedDestinations(),
	}
}

// Of gives the collections of a domain.
func Of(domain string) []Collection {
	var all []Collection
	for _, c := range Collections() {
		if c.Domain == domain {
			all = append(all, c)
		}
	}
	return all
}

// ByView gives the collection that can answer a read model's queries.
func ByView(view string) (Collection, bool) {
	for _, c := range Collections() {
		if c.View != "" && c.View == view {
			return c, true
		}
	}
	return Collection{}, false
}

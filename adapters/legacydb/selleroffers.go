package legacydb

import (
	"strings"

	"go.mongodb.org/mongo-driver/bson"

	"holdfast/domain/migration"
	"holdfast/domain/money"
	"holdfast/domain/offer"
)

// Currencies says what the old backend's word for money means: USDT, USD.
type Currencies interface {
	// Currency gives the asset of a word with its decimals. Otherwise why says what is missing.
	Currency(word string) (asset money.Asset, decimals uint8, why string)
}

// SellerOffer makes the decoder of selleroffers.
func SellerOffer(currencies Currencies) func(raw []byte) migration.Offer {
	return func(raw []byte) migration.Offer {
		f, found := read(raw)
		o := migration.Offer{
			Request: f.MustRef("purchaseRequestId", migration.PurchaseRequests), Seller: f.MustRef("sellerId", migration.Users),
			Status: f.status("status", migration.OfferStatuses()...), Title: f.Text("title"), Description: f.Text("description"), Notes: f.Text("notes"),
			Price: price(f, currencies), DeliveryTime: span(f, "deliveryTime"), ValidUntil: f.Time("validUntil"), RejectionReason: f.Text("rejectionReason"),
			RequireAML: f.Bool("requireAmlCheck", false), AMLBlocks: f.Bool("amlBlockOnFailure", false),
		}
		if o.Title == "" {
			o.Title = "Offer"
			f.Note("title", "missing: Offer")
		}
		if o.Status == "active" {
			f.Note("status", "active is an offer that waits: pending")
		}
		o.Found = *found
		return o
	}
}

// price reads {amount, currency}, or a number with a currency beside it.
func price(f Fields, currencies Currencies) offer.Price {
	in, name, word := f, "price", "currency"
	if v, ok := f.Value("price"); ok && v.Type == bson.TypeEmbeddedDocument {
		in, name = f.Under("price"), "amount"
	}
	if !in.Has(name) {
		in.Problem(name, "an amount")
		return offer.Price{}
	}
	currency := strings.TrimSpace(in.Text(word))
	if currency == "" {
		in.Problem(word, "a currency")
		return offer.Price{}
	}
	amount, decimals, ok := in.money(name, currency, currencies)
	if !ok {
		return offer.Price{}
	}
	if amount.IsZero() {
		in.Problem(name, "more than nothing")
	}
	if code, fiat := amount.Asset.Currency(); fiat {
		currency = code
	}
	return offer.Price{Amount: amount, Currency: currency, Display: amount.Units.Decimal(decimals)}
}

// money reads an exact amount of a currency, as the old backend called it.
func (f Fields) money(name, currency string, currencies Currencies) (a money.Amount, decimals uint8, ok bool) {
	asset, decimals, why := currencies.Currency(currency)
	if why != "" {
		f.problem("currency", currency, why)
		return a, 0, false
	}
	said := f.Decimal(name)
	if said == "" {
		return a, 0, false
	}
	units, err := migration.Exact(said, decimals)
	if err != nil {
		f.Problem(name, "a whole count of the smallest unit; nothing is rounded")
		return a, 0, false
	}
	return money.Of(asset, units), decimals, true
}

// span reads how long something takes: a text, or {amount, unit}.
func span(f Fields, name string) string {
	v, ok := f.Value(name)
	if !ok {
		f.Note(name, "missing: empty")
	}
	if !ok || v.Type != bson.TypeEmbeddedDocument {
		return f.Text(name)
	}
	in := f.Under(name)
	return strings.TrimSpace(in.Decimal("amount") + " " + in.Text("unit"))
}

package legacymongo

import (
	"go.mongodb.org/mongo-driver/bson"

	"holdfast/domain/money"
	"holdfast/domain/quote"
	"holdfast/eventstore"
	"holdfast/projections"
)

// quoteView folds a quote; it has no read model in Postgres.
func quoteView() projections.View[quote.State] {
	return projections.View[quote.State]{Name: "quotes", Version: 1, Category: quote.Decider.Category, Fold: func(d *quote.State, r eventstore.Recorded) (err error) {
		*d, err = projections.Evolve(quote.Decider, *d, r)
		return err
	}}
}

// paymentQuotes is the collection of prices in a currency that became amounts of a token.
func paymentQuotes() Collection {
	return Collection{
		Name: "paymentquotes", Domain: Payment, Version: 1,
		Streams: []string{quote.Decider.Category}, Render: renderQuote,
		About: "Prices that became amounts of a token. The original had this table in Postgres only.",
		Fields: []Field{
			{"sellerOfferId", "ObjectId → selleroffers", "quote.issued"},
			{"buyerId", "ObjectId → users", "quote.issued"},
			{"paymentId", "ObjectId → payments, or null", "quote.locked"},
			{"price", "{amount, currency, baseUnits, asset}, strings", "quote.issued"},
			{"amountDue", "the same", "quote.issued"},
			{"rates", "array of {source, numerator, denominator, observedAt}", "quote.issued"},
			{"status", "issued, locked, consumed, expired, superseded", "every event of the quote"},
			{"expiresAt", "date", "quote.issued"},
		},
	}
}

// quoteStatus is the phase in the original's spelling.
func quoteStatus(phase string) string {
	switch phase {
	case quote.LockedPhase:
		return "locked"
	case quote.ConsumedPhase:
		return "consumed"
	case quote.ExpiredPhase:
		return "expired"
	case quote.SupersededPhase:
		return "superseded"
	}
	return "issued"
}

func renderQuote(r *Reading, id string) (*Document, error) {
	row, _, err := load(r, quoteView(), nil, id)
	if err != nil || row == nil {
		return nil, err
	}
	d := row.Doc
	named, err := r.refs(name{"selleroffers", string(d.Offer)}, user(d.Buyer), name{"payments", string(d.Payment)})
	if err != nil {
		return nil, err
	}
	rates := bson.A{}
	for _, x := range d.Rates {
		rates = append(rates, bson.D{{Key: "source", Value: x.Source}, {Key: "numerator", Value: x.Num.String()}, {Key: "denominator", Value: x.Den.String()}, {Key: "observedAt", Value: date(x.ObservedAt)}})
	}
	price := r.amount(d.Price)
	if decimals, ok := money.FiatDecimals(d.Price.Asset); ok {
		price[0].Value = d.Price.Units.Decimal(decimals)
	}
	return &Document{Version: row.Version, First: row.FirstPos, Fields: stamped(bson.D{
		{Key: "sellerOfferId", Value: named[0]},
		{Key: "buyerId", Value: named[1]},
		{Key: "paymentId", Value: named[2]},
		{Key: "price", Value: price},
		{Key: "amountDue", Value: r.amount(d.AmountDue)},
		{Key: "rates", Value: rates},
		{Key: "status", Value: quoteStatus(d.Phase)},
		{Key: "expiresAt", Value: date(d.ExpiresAt)},
	}, row.CreatedAt, row.UpdatedAt)}, nil
}

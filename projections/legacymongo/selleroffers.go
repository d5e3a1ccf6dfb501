package legacymongo

import (
	"go.mongodb.org/mongo-driver/bson"

	"holdfast/domain/escrow"
	"holdfast/domain/offer"
	"holdfast/projections/escrowview"
	"holdfast/projections/offerview"
)

var offerColumns = map[string]Column{
	"request": {Path: "request", Kind: "text"}, "buyer": {Path: "buyer", Kind: "text"}, "seller": {Path: "seller", Kind: "text"}, "phase": {Path: "phase", Kind: "text"},
}

// sellerOffers is the collection of sellers' answers.
func sellerOffers() Collection {
	return Collection{
		Name: "selleroffers", Domain: Marketplace, Version: 2,
		Streams: []string{offer.Decider.Category}, Reads: []string{escrow.Decider.Category},
		View: offerview.Name, Columns: offerColumns, Render: renderOffer,
		About: "What sellers offer. An offer counts as `accepted` from the moment its order is funded, not from the buyer's choice; `active` is never written.",
		Fields: []Field{
			{"purchaseRequestId", "ObjectId → purchaserequests", "offer.submitted"},
			{"sellerId", "ObjectId → users", "offer.submitted"},
			{"buyerId", "ObjectId → users", "offer.submitted"},
			{"title", "string", "offer.submitted, offer.revised, offer.counter_accepted"},
			{"description", "string; empty once the seller is erased", "offer.submitted, offer.revised"},
			{"price", "{amount, currency, display, baseUnits, asset}, strings", "offer.submitted, offer.revised, offer.counter_accepted"},
			{"deliveryTime", "string", "offer.submitted, offer.revised"},
			{"notes", "string; empty once erased", "offer.submitted, offer.revised"},
			{"validUntil", "date or null", "offer.submitted, offer.revised"},
			{"revision", "int", "offer.revised, offer.counter_accepted"},
			{"status", "pending, accepted, rejected, withdrawn", "every event of the offer; escrow.funded of its hold"},
			{"rejectionReason", "string or null", "offer.rejected, offer.withdrawn"},
		},
	}
}

func renderOffer(r *Reading, id string) (*Document, error) {
	row, part, err := load(r, offerview.View(), offerColumns, id)
	if err != nil || row == nil {
		return nil, err
	}
	d := row.Doc
	named, err := r.refs(name{"purchaserequests", string(d.Request)}, user(d.Seller), user(d.Buyer))
	if err != nil {
		return nil, err
	}
	status := d.LegacyStatus
	if d.Hold != "" {
		hold, _, err := Row(r, escrowview.View(), string(d.Hold))
		if err != nil {
			return nil, err
		}
		if d.Phase == offer.AcceptedPhase && hold.Doc.IsFunded {
			status = "accepted"
		}
	}
	price := append(r.amount(d.Terms.Price.Amount), bson.E{Key: "display", Value: d.Terms.Price.Display})
	if d.Terms.Price.Currency != "" {
		price[1].Value = d.Terms.Price.Currency // as people said it; asset has the chain
	}
	return &Document{Version: row.Version, First: row.FirstPos, view: part, Fields: stamped(bson.D{
		{Key: "purchaseRequestId", Value: named[0]},
		{Key: "sellerId", Value: named[1]},
		{Key: "buyerId", Value: named[2]},
		{Key: "title", Value: d.Terms.Title},
		{Key: "description", Value: d.Terms.Description.Text},
		{Key: "price", Value: price},
		{Key: "deliveryTime", Value: d.Terms.DeliveryTime},
		{Key: "notes", Value: d.Terms.Notes.Text},
		{Key: "validUntil", Value: dateOf(&d.Terms.ValidUntil)},
		{Key: "revision", Value: int32(d.Revision)},
		{Key: "status", Value: status},
		{Key: "rejectionReason", Value: orNull(d.EndReason.Text)}, //nolint:gosec // a count
	}, row.CreatedAt, row.UpdatedAt)}, nil
}

package legacymongo

import (
	"go.mongodb.org/mongo-driver/bson"

	"holdfast/domain/escrow"
	"holdfast/domain/money"
	"holdfast/projections/escrowview"
)

var holdColumns = map[string]Column{
	"request": {Path: "request", Kind: "text"}, "offer": {Path: "offer", Kind: "text"}, "buyer": {Path: "buyer", Kind: "text"}, "seller": {Path: "seller", Kind: "text"},
	"phase": {Path: "phase", Kind: "text"}, "escrow_state": {Path: "escrow_state", Kind: "text"}, "asset": {Path: "due.asset", Kind: "text"},
}

// escrowHolds is a collection that the original did not have: it lets queries of holds be served
// from the legacy store as those of every other domain.
func escrowHolds() Collection {
	return Collection{
		Name: "escrowholds", Domain: ReleaseHold, Version: 1,
		Streams: []string{escrow.Decider.Category}, View: escrowview.Name, Columns: holdColumns, Render: renderHold,
		About: "The escrow of an order: where its money lies. The original had no such collection (it kept a word in the payment); releaseholds refer to it.",
		Fields: []Field{
			{"purchaseRequestId", "ObjectId → purchaserequests", "escrow.opened"},
			{"sellerOfferId", "ObjectId → selleroffers", "escrow.opened"},
			{"buyerId", "ObjectId → users", "escrow.opened"},
			{"sellerId", "ObjectId → users", "escrow.opened"},
			{"due", "{amount, currency, baseUnits, asset}, strings", "escrow.opened"},
			{"held", "the same", "escrow.credited, escrow.made_releasable"},
			{"releasable", "the same", "escrow.made_releasable, escrow.released"},
			{"disputed", "the same", "escrow.frozen, escrow.unfrozen"},
			{"released", "the same", "escrow.released"},
			{"refunded", "the same", "escrow.refund_taken"},
			{"escrowState", "string, the original's word", "every event of the hold"},
			{"fundedAt", "date or null", "escrow.funded"},
			{"closedAt", "date or null", "escrow.closed"},
		},
	}
}

func renderHold(r *Reading, id string) (*Document, error) {
	row, part, err := load(r, escrowview.View(), holdColumns, id)
	if err != nil || row == nil {
		return nil, err
	}
	d := row.Doc
	named, err := r.refs(name{"purchaserequests", string(d.Request)}, name{"selleroffers", string(d.Offer)}, user(d.Buyer), user(d.Seller))
	if err != nil {
		return nil, err
	}
	in := func(u money.Units) bson.D { return r.amount(money.Of(d.Due.Asset, u)) }
	return &Document{Version: row.Version, First: row.FirstPos, view: part, Fields: stamped(bson.D{
		{Key: "purchaseRequestId", Value: named[0]},
		{Key: "sellerOfferId", Value: named[1]},
		{Key: "buyerId", Value: named[2]},
		{Key: "sellerId", Value: named[3]},
		{Key: "due", Value: r.amount(d.Due)},
		{Key: "held", Value: in(d.Held)},
		{Key: "releasable", Value: in(d.Releasable)},
		{Key: "disputed", Value: in(d.Disputed)},
		{Key: "released", Value: in(d.Released)},
		{Key: "refunded", Value: in(d.Refunded)},
		{Key: "escrowState", Value: d.EscrowState},
		{Key: "fundedAt", Value: dateOf(d.FundedAt)},
		{Key: "closedAt", Value: dateOf(d.ClosedAt)},
	}, row.CreatedAt, row.UpdatedAt)}, nil
}

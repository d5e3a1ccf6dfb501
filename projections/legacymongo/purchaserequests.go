package legacymongo

import (
	"encoding/json"

	"go.mongodb.org/mongo-driver/bson"

	"holdfast/domain/escrow"
	"holdfast/domain/request"
	"holdfast/projections/escrowview"
	"holdfast/projections/requestview"
)

var requestColumns = map[string]Column{
	"buyer": {Path: "buyer", Kind: "text"}, "seller": {Path: "selected.seller", Kind: "text"}, "phase": {Path: "phase", Kind: "text"},
	"category": {Path: "details.category_id", Kind: "text"}, "product_type": {Path: "details.product_type", Kind: "text"},
	"urgency": {Path: "details.urgency", Kind: "text"}, "currency": {Path: "details.budget.currency", Kind: "text"},
	"budget_min": {Path: "details.budget.min", Kind: "decimal"}, "budget_max": {Path: "details.budget.max", Kind: "decimal"},
	"invited": {Path: "invited", Kind: "list"}, "hold": {Path: "selected.hold", Kind: "text"},
	"search": {Path: "details.title", Kind: "text", More: []string{"details.brand"}},
}

// purchaseRequests is the collection of what buyers want.
func purchaseRequests() Collection {
	return Collection{
		Name: "purchaserequests", Domain: Marketplace, Version: 2,
		Streams: []string{request.Decider.Category}, Reads: []string{escrow.Decider.Category},
		View: requestview.Name, Columns: requestColumns, Render: renderRequest,
		About: "What buyers want. `budget` holds decimal strings where the original had numbers; `confirming` follows the inspection of the order's hold; expired requests are `cancelled` with `expiredAt` set.",
		Fields: []Field{
			{"buyerId", "ObjectId → users", "request.created"},
			{"title", "string", "request.created, request.details_updated"},
			{"description", "string; empty once the buyer is erased", "request.created, request.details_updated"},
			{"categoryId", "ObjectId → categories, or null", "request.created, request.details_updated"},
			{"productType", "string", "request.created, request.details_updated"},
			{"productLink", "string or null", "request.created, request.details_updated"},
			{"size", "string or null", "request.created, request.details_updated"},
			{"color", "string or null", "request.created, request.details_updated"},
			{"brand", "string or null", "request.created, request.details_updated"},
			{"specifications", "array of {key, value, label}", "request.created, request.details_updated"},
			{"quantity", "int", "request.created, request.details_updated"},
			{"budget", "{min, max, currency}, strings", "request.created, request.details_updated"},
			{"urgency", "string", "request.created, request.details_updated"},
			{"deliveryInfo", "{deliveryType, address, email}; address and email empty once erased", "request.created, request.details_updated"},
			{"attachments", "array of string", "request.created, request.details_updated"},
			{"preferredSellerIds", "array of ObjectId → users", "request.created, request.sellers_invited"},
			{"selectedOfferId", "ObjectId → selleroffers, or null", "request.offer_selected"},
			{"sellerId", "ObjectId → users, or null", "request.offer_selected"},
			{"status", "string, the original's words", "every event of the request; the hold's inspection"},
			{"disputeId", "ObjectId → disputes, or null", "request.dispute_flagged"},
			{"revisions", "int", "request.revision_requested"},
			{"shipping", "{carrier, trackingNumber, shippedAt} or null", "request.shipped"},
			{"deliveredAt", "date or null", "request.delivery_confirmed"},
			{"publishedAt", "date or null", "request.published"},
			{"expiresAt", "date or null", "request.created, request.details_updated"},
			{"expiredAt", "date or null", "request.expired"},
			{"cancellationReason", "string or null", "request.cancelled"},
		},
	}
}

func renderRequest(r *Reading, id string) (*Document, error) {
	row, part, err := load(r, requestview.View(), requestColumns, id)
	if err != nil || row == nil {
		return nil, err
	}
	d := row.Doc
	refs := []name{user(d.Buyer), {"categories", d.Details.CategoryID}, {"disputes", string(d.Dispute)}}
	var offer, seller name
	if d.Selected != nil {
		offer, seller = name{"selleroffers", string(d.Selected.Offer)}, user(d.Selected.Seller)
	}
	refs = append(refs, offer, seller)
	for _, s := range d.Invited {
		refs = append(refs, user(s))
	}
	named, err := r.refs(refs...)
	if err != nil {
		return nil, err
	}
	status, err := requestStatus(r, d)
	if err != nil {
		return nil, err
	}
	specs := bson.A{}
	for _, s := range d.Details.Specifications {
		specs = append(specs, bson.D{{Key: "key", Value: s.Key}, {Key: "value", Value: s.Value}, {Key: "label", Value: s.Label}})
	}
	var shipping, delivered, expired, cancelled any
	if s := d.Shipping; s != nil {
		shipping = bson.D{{Key: "carrier", Value: s.Carrier}, {Key: "trackingNumber", Value: s.Tracking.Text}, {Key: "shippedAt", Value: date(s.At)}}
	}
	if d.Delivery != nil {
		delivered = date(d.Delivery.At)
	}
	if d.Phase == request.ExpiredPhase {
		expired = dateOf(d.EndedAt)
	}
	if d.Cancelled != nil {
		cancelled = d.Cancelled.Reason
	}
	x := d.Details
	return &Document{Version: row.Version, First: row.FirstPos, view: part, Fields: stamped(bson.D{
		{Key: "buyerId", Value: named[0]},
		{Key: "title", Value: x.Title},
		{Key: "description", Value: x.Description.Text},
		{Key: "categoryId", Value: named[1]},
		{Key: "productType", Value: x.ProductType},
		{Key: "productLink", Value: orNull(x.ProductLink)},
		{Key: "size", Value: orNull(x.Size)},
		{Key: "color", Value: orNull(x.Color)},
		{Key: "brand", Value: orNull(x.Brand)},
		{Key: "specifications", Value: specs},
		{Key: "quantity", Value: int32(x.Quantity)}, //nolint:gosec // checked by the domain
		{Key: "budget", Value: bson.D{{Key: "min", Value: x.Budget.Min}, {Key: "max", Value: x.Budget.Max}, {Key: "currency", Value: x.Budget.Currency}}},
		{Key: "urgency", Value: x.Urgency},
		{Key: "deliveryInfo", Value: deliveryInfo(x)},
		{Key: "attachments", Value: texts(x.Attachments)},
		{Key: "preferredSellerIds", Value: bson.A(named[5:])},
		{Key: "selectedOfferId", Value: named[3]},
		{Key: "sellerId", Value: named[4]},
		{Key: "status", Value: status},
		{Key: "disputeId", Value: named[2]},
		{Key: "revisions", Value: int32(d.Revisions)},
		{Key: "shipping", Value: shipping},
		{Key: "deliveredAt", Value: delivered}, //nolint:gosec // three at most
		{Key: "publishedAt", Value: dateOf(d.PublishedAt)},
		{Key: "expiresAt", Value: dateOf(&x.ExpiresAt)},
		{Key: "expiredAt", Value: expired},
		{Key: "cancellationReason", Value: cancelled},
	}, row.CreatedAt, row.UpdatedAt)}, nil
}

// deliveryInfo is where the goods go: the API keeps it as JSON.
func deliveryInfo(x request.Details) bson.D {
	where := struct {
		Address string `json:"address"`
		Email   string `json:"email"`
	}{}
	if json.Unmarshal([]byte(x.Delivery.Text), &where) != nil {
		where.Address = x.Delivery.Text
	}
	return bson.D{{Key: "deliveryType", Value: x.DeliveryType}, {Key: "address", Value: where.Address}, {Key: "email", Value: where.Email}}
}

// requestStatus is the original's word: that of the phase, and confirming while the delivered goods
// are inspected.
func requestStatus(r *Reading, d requestview.Doc) (string, error) {
	if d.Selected == nil {
		return d.LegacyStatus, nil
	}
	hold, ok, err := Row(r, escrowview.View(), string(d.Selected.Hold))
	if err != nil {
		return "", err
	}
	if d.Phase == request.DeliveredPhase && ok && !hold.Doc.InspectionTo.IsZero() && hold.Doc.Releasable.IsZero() && !hold.Doc.Held.IsZero() {
		return "confirming", nil
	}
	return d.LegacyStatus, nil
}

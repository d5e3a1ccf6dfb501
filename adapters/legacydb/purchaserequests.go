package legacydb

import (
	"encoding/json"

	"holdfast/domain/migration"
	"holdfast/domain/request"
)

// PurchaseRequest decodes a document of purchaserequests.
func PurchaseRequest(raw []byte) migration.Request {
	f, found := read(raw)
	r := migration.Request{
		Buyer: f.MustRef("buyerId", migration.Users), Category: f.Ref("categoryId", migration.Categories), Seller: f.Ref("sellerId", migration.Users),
		PreferredSellers: f.Refs("preferredSellerIds", migration.Users), SelectedOffer: f.Later("selectedOfferId", migration.SellerOffers),
		Dispute: f.Later("disputeId", "disputes"), Status: f.status("status", migration.RequestStatuses()...),
		Description: f.Text("description"), PublishedAt: f.Time("publishedAt"), DeliveredAt: f.Time("deliveredAt"), ExpiredAt: f.Time("expiredAt"),
		CancellationReason: f.Text("cancellationReason"),
	}
	r.Details = request.Details{
		Title: f.Text("title"), ProductType: f.Text("productType"), ProductLink: f.Text("productLink"), Size: f.Text("size"), Color: f.Text("color"), Brand: f.Text("brand"),
		Quantity: f.Int("quantity", 1, 1, 1_000_000), Urgency: f.OneOf("urgency", "medium", "low", "medium", "high", "urgent"),
		Attachments: f.Texts("attachments"), ExpiresAt: f.Time("expiresAt"),
	}
	if r.Details.Title == "" {
		f.Problem("title", "a text")
	}
	if r.Description == "" && !f.Has("description") {
		f.Note("description", "missing: empty")
	}
	if f.Has("revisions") {
		r.Revisions = f.Int("revisions", 0, 0, 1000)
	}
	r.Details.Specifications, r.Details.Budget = specifications(f), budget(f.Under("budget"))
	where := f.Under("deliveryInfo")
	r.Details.DeliveryType = where.OneOf("deliveryType", "physical", "physical", "online")
	r.Delivery = place(r.Details.DeliveryType, where.Text("address"), where.Text("email"))
	if f.Has("shipping") {
		s := f.Under("shipping")
		r.Shipping = &migration.Shipping{Carrier: s.Text("carrier"), Tracking: s.Text("trackingNumber"), At: s.Time("shippedAt")}
	}
	if migration.Ordered(r.Status) && !f.Has("selectedOfferId") {
		f.Problem("selectedOfferId", "an ObjectId of selleroffers, since the status is "+r.Status)
	}
	switch r.Status {
	case "pending":
		f.Note("status", "pending is an open request: active")
	case "pending_payment":
		f.Note("status", "pending_payment is a request that waits for its payment: payment")
	}
	r.Found = *found
	return r
}

func specifications(f Fields) []request.Spec {
	var all []request.Spec
	for _, s := range f.Each("specifications") {
		all = append(all, request.Spec{Key: s.Text("key"), Value: s.Text("value"), Label: s.Text("label")})
	}
	return all
}

func budget(f Fields) request.Budget {
	b := request.Budget{Min: f.Decimal("min"), Max: f.Decimal("max"), Currency: f.Text("currency")}
	if b.Currency == "" && b.Min+b.Max != "" {
		b.Currency = "USD"
		f.Note("currency", "missing: USD")
	}
	return b
}

// place is where goods go, as the API keeps it.
func place(kind, address, email string) string {
	if address == "" && email == "" {
		return ""
	}
	text, err := json.Marshal(struct {
		Type    string `json:"deliveryType"`
		Address string `json:"address,omitempty"`
		Email   string `json:"email,omitempty"`
	}{kind, address, email})
	if err != nil {
		panic("three texts cannot be written as JSON: " + err.Error()) // they always can
	}
	return string(text)
}

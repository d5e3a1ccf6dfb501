package legacyfixture

import (
	"time"

	"go.mongodb.org/mongo-driver/bson"
)

// requestStatus is the original's word for where an order stands.
func (o order) requestStatus() string {
	switch o.story {
	case idle:
		return []string{"pending", "active", "pending", "active", "cancelled"}[o.n%5]
	case offered:
		return []string{"received_offers", "received_offers", "received_offers", "in_negotiation", "cancelled"}[o.n%5]
	case unpaid, partial:
		switch {
		case o.chosen():
			return "payment"
		case o.n%2 == 0:
			return "cancelled"
		}
		return "received_offers"
	case processing:
		return "processing"
	case shipped:
		return "delivery"
	case confirming:
		return "confirming"
	case delivered, releasable, releasing:
		return "delivered"
	case disputed:
		return []string{"delivery", "delivered"}[o.n%2]
	case refunded:
		return "cancelled"
	}
	return "completed"
}

// The moments of an order, as far as it came.
func (o order) paidAt() time.Time      { return o.at.Add(40 * hour) }
func (o order) shippedAt() time.Time   { return o.at.Add(90 * hour) }
func (o order) deliveredAt() time.Time { return o.at.Add(190 * hour) }
func (o order) endedAt() time.Time     { return o.at.Add(300 * hour) }

func (o order) wasShipped() bool {
	s := o.requestStatus()
	return s == "delivery" || s == "delivered" || s == "confirming" || s == "completed"
}

func (o order) wasDelivered() bool { return o.wasShipped() && o.requestStatus() != "delivery" }

func (m *maker) request(o order) (bson.D, *Dirty) {
	r, status := m.random("request", o.n), o.requestStatus()
	online := o.n%4 == 1
	delivery, product := bson.D{{Key: "deliveryType", Value: "physical"}, {Key: "address", Value: pick(r, streets...) + " " + spelledDigits(r, 2)}}, "physical_product"
	if online {
		delivery, product = bson.D{{Key: "deliveryType", Value: "online"}}, pick(r, "digital_product", "service")
	}
	doc := bson.D{
		{Key: "_id", Value: o.id},
		{Key: "buyerId", Value: m.userID(o.buyer)},
		{Key: "title", Value: "Wanted: " + pick(r, things...)},
		{Key: "description", Value: sentence(r)},
		{Key: "categoryId", Value: m.categoryID(r.IntN(categoryCount()))},
		{Key: "productType", Value: product},
	}
	doc = optional(r, doc, "productLink", chance(r, 0.3), "https://shop.example/item/"+spelled(o.n))
	doc = optional(r, doc, "size", chance(r, 0.2), pick(r, "S", "M", "L", "42"))
	doc = optional(r, doc, "color", chance(r, 0.3), pick(r, "black", "grey", "blue"))
	doc = optional(r, doc, "brand", chance(r, 0.3), pick(r, brands...))
	specs := bson.A{}
	for i := range r.IntN(3) {
		specs = append(specs, bson.D{{Key: "key", Value: pick(r, "weight", "length", "year")}, {Key: "value", Value: spelledDigits(r, 2)}, {Key: "label", Value: pick(r, "Weight", "Length", "Year")}, {Key: "_id", Value: m.object("specifications", o.at, o.n*4+i)}})
	}
	budget := max(o.price, 10_000)
	doc = append(doc, bson.D{
		{Key: "specifications", Value: specs},
		{Key: "quantity", Value: int32(1 + r.IntN(5))}, //nolint:gosec // small
		{Key: "budget", Value: bson.D{{Key: "min", Value: (budget / 2).number()}, {Key: "max", Value: (budget * 2).number()}, {Key: "currency", Value: pick(r, "USDT", "USD")}}},
		{Key: "urgency", Value: pick(r, "low", "medium", "high", "urgent")},
		{Key: "deliveryInfo", Value: delivery},
		{Key: "attachments", Value: bson.A{}},
	}...)
	invited := bson.A{}
	if o.n%11 == 0 {
		for _, s := range o.sellers {
			invited = append(invited, m.userID(s))
		}
	}
	doc = append(doc, bson.E{Key: "preferredSellerIds", Value: invited})
	doc = optional(r, doc, "selectedOfferId", o.chosen(), m.selectedID(o))
	doc = optional(r, doc, "sellerId", o.chosen(), m.selectedSeller(o))
	doc = append(doc, bson.E{Key: "status", Value: status})
	doc = optional(r, doc, "disputeId", o.story == disputed, m.disputeID(o))
	doc = optional(r, doc, "shipping", o.wasShipped() && !online, bson.D{{Key: "carrier", Value: pick(r, "DHL", "Post", "UPS")}, {Key: "trackingNumber", Value: "T" + spelledDigits(r, 9)}, {Key: "shippedAt", Value: date(o.shippedAt())}})
	doc = optional(r, doc, "deliveredAt", o.wasDelivered(), date(o.deliveredAt()))
	doc = append(doc, bson.E{Key: "publishedAt", Value: date(o.at)})
	doc = optional(r, doc, "expiresAt", chance(r, 0.3), date(o.at.AddDate(3, 0, 0)))
	doc = optional(r, doc, "cancellationReason", status == "cancelled", pick(r, "not needed any more", "found elsewhere", "the seller did not answer"))
	doc = stamp(r, doc, o.at, m.lastOf(o))
	if o.dirt == "refused_buyerId" {
		who, ok := m.refusedPerson(r, m.Users*o.n/max(m.Requests, 1))
		if !ok {
			return m.soil(doc, "purchaserequests", "dangling_buyerId", true)
		}
		set(doc, m.userID(who), "buyerId")
	}
	return m.soil(doc, "purchaserequests", o.dirt, refusing(o.dirt))
}

// lastOf is when something last happened to an order.
func (m *maker) lastOf(o order) time.Time {
	switch {
	case o.story >= releasable:
		return o.endedAt()
	case o.wasDelivered():
		return o.deliveredAt()
	case o.wasShipped():
		return o.shippedAt()
	case o.funded():
		return o.paidAt()
	}
	return o.at.Add(hour)
}

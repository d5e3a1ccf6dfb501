package legacyfixture

import (
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
)

func (m *maker) offerID(o order, k int) primitive.ObjectID {
	return m.object("selleroffers", o.at.Add(hour*(1+3*timeOf(k))), o.offer+k)
}

func (m *maker) selectedID(o order) any {
	if len(o.sellers) == 0 {
		return nil
	}
	return m.offerID(o, o.selected)
}

func (m *maker) selectedSeller(o order) any {
	if len(o.sellers) == 0 {
		return nil
	}
	return m.userID(o.sellers[o.selected])
}

func (m *maker) offer(o order, k int) (bson.D, *Dirty) {
	r := m.random("offer", o.offer+k)
	at := o.at.Add(hour * (1 + 3*timeOf(k)))
	chosen := o.chosen() && k == o.selected
	status := "pending"
	switch {
	case o.funded() && chosen:
		status = "accepted"
	case o.funded() || o.requestStatus() == "cancelled":
		status = "rejected"
	case !chosen && k > 0 && chance(r, 0.1):
		status = "withdrawn"
	}
	price := amount(5_000 * (1 + r.Int64N(2_000)))
	if k == o.selected {
		price = o.price
	}
	doc := bson.D{
		{Key: "_id", Value: m.offerID(o, k)},
		{Key: "purchaseRequestId", Value: o.id},
		{Key: "sellerId", Value: m.userID(o.sellers[k])},
		{Key: "title", Value: "I have " + pick(r, things...)},
		{Key: "description", Value: "It is " + pick(r, adjectives...) + "."},
		{Key: "price", Value: bson.D{{Key: "amount", Value: m.kindOf(r, price)}, {Key: "currency", Value: o.token.currency}}},
		{Key: "deliveryTime", Value: pick(r, "1 day", "2 days", "3-5 days", "a week")},
	}
	doc = optional(r, doc, "notes", chance(r, 0.3), pick(r, adjectives...))
	doc = optional(r, doc, "validUntil", chance(r, 0.5), date(at.AddDate(3, 0, 0)))
	doc = append(doc, bson.E{Key: "status", Value: status})
	doc = optional(r, doc, "rejectionReason", status == "rejected", "another offer was chosen")
	updated := at
	if status != "pending" {
		updated = o.paidAt()
	}
	kind := m.offerDirt(r, o.payment >= 0 && k == o.selected, status == "pending")
	switch kind {
	case "status_active":
		set(doc, "active", "status")
	case "inexact_price.amount":
		set(doc, inexact(18), "price", "amount")
	}
	return m.soil(stamp(r, doc, at, updated), "selleroffers", kind, refusing(kind))
}

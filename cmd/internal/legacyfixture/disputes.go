package legacyfixture

import (
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
)

func (m *maker) disputeID(o order) primitive.ObjectID {
	return m.object("disputes", o.at.Add(200*hour), o.n)
}

func (m *maker) dispute(o order) (bson.D, *Dirty) {
	r, open, at := m.random("dispute", o.n), o.story == disputed, o.at.Add(200*hour)
	status, hasResolver := pick(r, "resolved", "closed"), true
	if open {
		status = pick(r, "pending", "in_progress", "waiting_response")
		hasResolver = status != "pending"
	}
	buyer, seller := m.userID(o.buyer), m.selectedSeller(o)
	resolver := m.userID(2 + o.n%2)
	doc := bson.D{
		{Key: "_id", Value: m.disputeID(o)},
		{Key: "purchaseRequestId", Value: o.id},
		{Key: "paymentId", Value: m.paymentID(o)},
		{Key: "buyerId", Value: buyer},
		{Key: "sellerId", Value: seller},
		{Key: "initiatorId", Value: buyer},
	}
	doc = optional(r, doc, "resolverId", hasResolver, resolver)
	doc = append(doc, bson.D{
		{Key: "category", Value: pick(r, "not_received", "not_as_described", "damaged", "other")},
		{Key: "priority", Value: pick(r, "low", "medium", "high")},
		{Key: "reason", Value: "What came is not " + pick(r, things...) + "."},
	}...)
	doc = optional(r, doc, "desiredOutcome", chance(r, 0.6), pick(r, "refund", "replacement"))
	doc = append(doc, bson.E{Key: "amount", Value: bson.D{{Key: "amount", Value: o.price.number()}, {Key: "currency", Value: o.token.currency}}}, bson.E{Key: "status", Value: status})
	evidence := bson.A{}
	for i := range r.IntN(3) {
		evidence = append(evidence, bson.D{{Key: "_id", Value: m.object("evidence", at, o.n*4+i)}, {Key: "type", Value: pick(r, "text", "image")}, {Key: "description", Value: sentence(r)}, {Key: "submittedBy", Value: buyer}, {Key: "submittedAt", Value: date(at.Add(hour))}})
	}
	doc = append(doc, bson.E{Key: "evidence", Value: evidence}, bson.E{Key: "timeline", Value: bson.A{
		bson.D{{Key: "_id", Value: m.object("timeline", at, o.n)}, {Key: "action", Value: "opened"}, {Key: "by", Value: buyer}, {Key: "at", Value: date(at)}},
	}})
	share := int32(10_000)
	action := "release"
	if o.story == refunded {
		share, action = 0, "refund"
	}
	doc = optional(r, doc, "resolution", !open, bson.D{{Key: "action", Value: action}, {Key: "sellerShareBps", Value: share}, {Key: "reason", Value: "As the evidence says."}, {Key: "resolvedBy", Value: resolver}, {Key: "decidedAt", Value: date(o.endedAt())}})
	doc = optional(r, doc, "dueAt", open, date(at.AddDate(0, 0, 7)))
	doc = optional(r, doc, "resolvedAt", !open, date(o.endedAt()))
	doc = optional(r, doc, "closedAt", status == "closed", date(o.endedAt().Add(day)))
	updated := at.Add(hour)
	if !open {
		updated = o.endedAt().Add(day)
	}
	kind := ""
	if chance(r, m.Dirt) {
		kind = pick(r, "missing_priority", "missing_evidence", "text_amount.amount")
		if !open && chance(r, 0.5) {
			kind = pick(r, "dangling_purchaseRequestId", "unknown_status")
		}
	}
	return m.soil(stamp(r, doc, at, updated), "disputes", kind, refusing(kind))
}

package legacyfixture

import "go.mongodb.org/mongo-driver/bson"

// isStopped reports an order whose release is stopped, or was.
func (o order) isStopped() bool {
	return o.isDisputed() || o.funded() && o.payment%37 == 3
}

func (m *maker) releaseHold(o order) (bson.D, *Dirty) {
	r, active := m.random("release hold", o.n), o.story < releasable
	at := o.at.Add(200 * hour)
	kind, by := pick(r, "aml", "manual"), m.userID(1)
	if o.isDisputed() {
		kind, by = "dispute", m.userID(2+o.n%2)
	}
	status := "released"
	if active {
		status = "active"
	}
	doc := bson.D{
		{Key: "_id", Value: m.object("releaseholds", at, o.n)},
		{Key: "paymentId", Value: m.paymentID(o)},
		{Key: "purchaseRequestId", Value: o.id},
		{Key: "type", Value: kind},
		{Key: "reason", Value: "stopped for " + kind},
		{Key: "status", Value: status},
		{Key: "placedBy", Value: by},
	}
	doc = optional(r, doc, "releasedBy", !active, by)
	doc = optional(r, doc, "releasedAt", !active, date(o.endedAt().Add(-2*day)))
	doc = optional(r, doc, "releaseReason", !active, "settled")
	updated := at
	if !active {
		updated = latest(at, o.endedAt().Add(-2*day))
	}
	dirt := ""
	if chance(r, m.Dirt) {
		dirt = "missing_reason"
		if !active && chance(r, 0.5) {
			dirt = pick(r, "dangling_paymentId", "unknown_status")
		}
	}
	return m.soil(stamp(r, doc, at, updated), "releaseholds", dirt, refusing(dirt))
}

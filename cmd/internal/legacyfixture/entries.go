package legacyfixture

import (
	"time"

	"go.mongodb.org/mongo-driver/bson"
)

// slots of an entry's counter belong to one payment.
const slots = 8

// orphan is the slot of an entry of a payment that is not there.
const orphan = slots - 1

// movement is one entry of the old books.
type movement struct {
	kind, from, to string
	amount         amount
	at             time.Time
}

// movements are what the books say of an order's money.
func (o order) movements() []movement {
	in := func(a amount, after time.Duration) movement {
		return movement{"hold", "external", "held", a, o.paidAt().Add(after)}
	}
	var all []movement
	switch {
	case o.story == partial:
		return []movement{in(o.price/5*2, 0)}
	case !o.funded():
		return nil
	case o.payment%3 == 0 && o.story < releasable:
		all = append(all, in(o.price/5*3, -hour), in(o.price-o.price/5*3, 0))
	default:
		all = append(all, in(o.price, 0))
	}
	if o.story == refunded {
		return append(all, movement{"refund", "held", "external", o.price, o.endedAt()})
	}
	if o.story >= releasable {
		all = append(all, movement{"releasable", "held", "releasable", o.price, o.endedAt().Add(-day)})
	}
	switch o.story {
	case released:
		fee := o.price / 1000 * 25
		all = append(all, movement{"release", "releasable", "available", o.price - fee, o.endedAt()}, movement{"fee", "releasable", "platform", fee, o.endedAt()})
	case paidOut:
		all = append(all, movement{"release", "releasable", "available", o.price, o.endedAt()}, movement{"payout", "available", "external", o.price, o.endedAt().Add(hour)})
	}
	return all
}

// entries gives the documents of an order's payment to write.
func (m *maker) entries(o order, write func(bson.D, *Dirty) error) error {
	dirt := m.paymentDirt(o)
	moves := o.movements()
	if dirt == "ledger_missing" {
		moves = nil
	}
	if dirt == "ledger_disagrees" {
		moves[0].amount += 10_000
	}
	for slot, v := range moves {
		r := m.random("entry", o.payment*slots+slot)
		doc := m.entry(o, slot, v)
		kind := ""
		switch {
		case refusing(dirt):
			kind = "refused_paymentId"
		case chance(r, m.Dirt):
			kind = pick(r, "text_amount", "missing_currency", "missing_idempotencyKey")
		}
		if err := write(m.soil(doc, "fundsledgerentries", kind, refusing(kind))); err != nil {
			return err
		}
	}
	if r := m.random("orphan", o.payment); chance(r, m.Dirt/4) {
		v := movement{"hold", "external", "held", o.price, o.paidAt()}
		return write(m.soil(m.entry(o, orphan, v), "fundsledgerentries", "dangling_paymentId", true))
	}
	return nil
}

func (m *maker) entry(o order, slot int, v movement) bson.D {
	n := o.payment*slots + slot
	r := m.random("entry document", n)
	doc := bson.D{
		{Key: "_id", Value: m.object("fundsledgerentries", v.at, n)},
		{Key: "paymentId", Value: m.paymentID(o)},
		{Key: "purchaseRequestId", Value: o.id},
		{Key: "buyerId", Value: m.userID(o.buyer)},
		{Key: "sellerId", Value: m.selectedSeller(o)},
		{Key: "entryType", Value: v.kind},
		{Key: "from", Value: v.from},
		{Key: "to", Value: v.to},
		{Key: "amount", Value: m.kindOf(r, v.amount)},
		{Key: "currency", Value: o.token.currency},
		{Key: "idempotencyKey", Value: m.paymentID(o).Hex() + ":" + v.kind + ":" + spelled(slot)},
	}
	if v.kind == "payout" || v.kind == "refund" || v.kind == "hold" {
		doc = append(doc, bson.E{Key: "transactionHash", Value: "0x" + hexOf(r, 32)})
	}
	return stamp(r, doc, v.at, v.at)
}

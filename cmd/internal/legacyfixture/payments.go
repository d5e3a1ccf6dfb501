package legacyfixture

import (
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
)

func (m *maker) paymentID(o order) primitive.ObjectID {
	return m.object("payments", o.at.Add(39*hour), o.payment)
}

// paymentStatus is the original's words for an order's payment and its escrow; the second is empty
// where there is none.
func (o order) paymentStatus() (status, escrow string) {
	switch o.story {
	case unpaid:
		switch {
		case o.chosen():
			return "pending", ""
		case o.n%2 == 0:
			return "cancelled", "cancelled"
		}
		return "failed", "failed"
	case partial:
		return "processing", "partial"
	case processing:
		return []string{"confirmed", "completed"}[o.n%2], "funded"
	case shipped, delivered, confirming, disputed:
		return "completed", "funded"
	case releasable:
		return "completed", "releasable"
	case releasing:
		return "completed", "releasing"
	case refunded:
		return "refunded", "refunded"
	}
	return "completed", "released"
}

func (m *maker) payment(o order) (bson.D, *Dirty, error) {
	r := m.random("payment", o.payment)
	kind := m.paymentDirt(o)
	status, escrow := o.paymentStatus()
	receiver, provider := anAddress(r), "web3"
	if m.hasDestination(o) {
		var err error
		if receiver, _, err = m.wallet.destination(o.payment); err != nil {
			return nil, nil, err
		}
		provider = "request.network"
	}
	came := o.funded() || o.story == partial
	doc := bson.D{
		{Key: "_id", Value: m.paymentID(o)},
		{Key: "purchaseRequestId", Value: o.id},
		{Key: "sellerOfferId", Value: m.selectedID(o)},
		{Key: "buyerId", Value: m.userID(o.buyer)},
		{Key: "sellerId", Value: m.selectedSeller(o)},
	}
	due := m.kindOf(r, o.price)
	if o.payment%29 == 0 && kind == "" { // the oldest shape
		doc = append(doc, bson.E{Key: "amount", Value: due}, bson.E{Key: "currency", Value: o.token.currency})
	} else {
		doc = append(doc, bson.E{Key: "amount", Value: bson.D{{Key: "amount", Value: due}, {Key: "currency", Value: o.token.currency}}})
	}
	doc = append(doc, bson.E{Key: "provider", Value: provider})
	doc = optional(r, doc, "providerPaymentId", provider == "request.network", "01"+hexOf(r, 32))
	doc = optional(r, doc, "paymentReference", provider == "request.network", "0x"+hexOf(r, 8))
	confirmations := int32(0)
	if o.funded() {
		confirmations = o.token.confirmations + int32(r.IntN(40)) //nolint:gosec // small
	}
	doc = append(doc, bson.E{Key: "blockchain", Value: bson.D{
		{Key: "network", Value: o.token.network},
		{Key: "chainId", Value: o.token.chain},
		{Key: "receiver", Value: receiver},
		{Key: "tokenAddress", Value: o.token.address},
		{Key: "confirmations", Value: confirmations},
		{Key: "requiredConfirmations", Value: o.token.confirmations},
	}})
	doc = optional(r, doc, "transactionHash", came, "0x"+hexOf(r, 32))
	doc = append(doc, bson.E{Key: "status", Value: status})
	doc = optional(r, doc, "escrowState", escrow != "", escrow)
	doc = optional(r, doc, "paidAt", o.funded(), date(o.paidAt()))
	doc = append(doc, bson.E{Key: "expiresAt", Value: date(o.at.Add(39*hour + 24*hour))})
	doc = optional(r, doc, "failureReason", status == "failed", pick(r, "the transaction was reverted", "no transfer was seen"))
	doc = append(doc, bson.E{Key: "metadata", Value: bson.D{{Key: "userAgent", Value: "Mozilla/5.0"}, {Key: "attempt", Value: int32(1 + r.IntN(2))}}}) //nolint:gosec // small
	if kind == "inexact_amount.amount" {
		set(doc, inexact(o.token.decimals), "amount", "amount")
	}
	made := o.at.Add(39 * hour)
	updated := made.Add(10 * time.Minute)
	if came {
		updated = m.lastOf(o)
	}
	doc, dirty := m.soil(stamp(r, doc, made, latest(made, updated)), "payments", kind, refusing(kind))
	return doc, dirty, nil
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

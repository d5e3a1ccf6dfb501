package legacyfixture

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
)

// unknownWords are statuses and roles that no model of the original has.
var unknownWords = []string{"finalized", "archived", "seller_paid", "settled", "moderator"}

// soil does to a document what its kind of dirt says, where that needs no more than the document.
func (m *maker) soil(doc bson.D, collection, kind string, refuse bool) (bson.D, *Dirty) {
	if kind == "" {
		return doc, nil
	}
	id, _ := doc[0].Value.(primitive.ObjectID)
	r := m.random("soil "+collection+id.Hex(), 0)
	verb, field, _ := strings.Cut(kind, "_")
	switch verb {
	case "missing":
		doc = without(doc, field)
	case "text":
		asText(doc, strings.Split(field, ".")...)
	case "unknown":
		set(doc, pick(r, unknownWords...), field)
	case "word":
		set(doc, "several", strings.Split(field, ".")...)
	case "dangling":
		set(doc, nobody(r, id.Timestamp()), field)
	}
	return doc, &Dirty{Collection: collection, ID: id.Hex(), Kind: kind, Field: field, Refuse: refuse}
}

// asText turns a number or a bool into text that says it exactly.
func asText(doc bson.D, path ...string) {
	for i := range doc {
		if doc[i].Key != path[0] {
			continue
		}
		switch v := doc[i].Value.(type) {
		case bson.D:
			asText(v, path[1:]...)
		case float64:
			doc[i].Value = amount(v * 10_000).text()
		default:
			doc[i].Value = fmt.Sprint(v)
		}
	}
}

// orderDirt draws what is wrong with a request. Only those that nothing hangs on are refused.
func (m *maker) orderDirt(r *rand.Rand, o order) string {
	if o.story == idle && chance(r, 0.6) {
		return pick(r, "dangling_buyerId", "dangling_categoryId", "unknown_status", "word_quantity", "refused_buyerId")
	}
	return pick(r, "missing_quantity", "text_quantity", "missing_urgency", "text_budget.min", "missing_deliveryInfo")
}

func refusing(kind string) bool {
	verb, _, _ := strings.Cut(kind, "_")
	switch verb {
	case "dangling", "unknown", "word", "refused", "duplicate", "inexact", "ledger":
		return true
	}
	return false
}

// offerDirt draws what is wrong with an offer. Those that a payment names are never refused.
func (m *maker) offerDirt(r *rand.Rand, named, pending bool) string {
	switch {
	case !chance(r, m.Dirt):
		return ""
	case !named && chance(r, 0.5):
		return pick(r, "dangling_purchaseRequestId", "dangling_sellerId", "unknown_status", "inexact_price.amount")
	case pending && chance(r, 0.6):
		return "status_active"
	}
	return pick(r, "missing_deliveryTime", "text_price.amount", "missing_title")
}

// paymentDirt says what is wrong with an order's payment. Those that a dispute or an address hangs
// on are never refused.
func (m *maker) paymentDirt(o order) string {
	r := m.random("payment dirt", o.payment)
	switch {
	case !chance(r, m.Dirt):
		return ""
	case o.isDisputed() || o.isStopped() || chance(r, 0.4):
		return pick(r, "text_amount.amount", "missing_expiresAt", "missing_provider", "text_blockchain.chainId")
	case o.funded() && chance(r, 0.5):
		return pick(r, "ledger_disagrees", "ledger_missing")
	}
	return pick(r, "inexact_amount.amount", "dangling_purchaseRequestId", "dangling_sellerOfferId", "dangling_buyerId", "unknown_status")
}

// inexact is a float that so many decimals cannot hold.
func inexact(decimals int) float64 {
	if decimals < 17 {
		return 0.30000000000000004 // what JavaScript makes of 0.1 + 0.2
	}
	return 0.0033333333333333335 // and of 0.01 / 3
}

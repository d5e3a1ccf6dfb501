package legacymongo

import (
	"encoding/json"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/bsontype"
)

// explanation is a difference between a document of the old backend and ours that the import makes
// on purpose. The lists below are all of them.
type explanation struct {
	path string // of the field, below the document
	why  string
	fits func(want, have bson.RawValue) bool
}

// absent fits a field that the document has not: ours has a default, or what follows from others.
func absent(_, have bson.RawValue) bool { return nothing(have) }

// reads fits words that we write otherwise: what stands there, and what it is here.
func reads(as map[string]string) func(want, have bson.RawValue) bool {
	return func(want, have bson.RawValue) bool {
		a, ok := want.StringValueOK()
		b, both := have.StringValueOK()
		return ok && both && as[strings.ToLower(b)] == a
	}
}

// folded fits the same text in another case, with spaces around it.
func folded(want, have bson.RawValue) bool {
	a, ok := want.StringValueOK()
	b, both := have.StringValueOK()
	return ok && both && strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b))
}

func always(bson.RawValue, bson.RawValue) bool { return true }

// dropped fits what the document says and we do not.
func dropped(want, have bson.RawValue) bool { return nothing(want) && !nothing(have) }

// after fits a date that lies after the document's.
func after(want, have bson.RawValue) bool {
	a, ok := instant(want)
	b, both := instant(have)
	return ok && both && a.After(b)
}

// within fits a text that ours begins with, contains, or holds as JSON.
func within(want, have bson.RawValue) bool {
	a, ok := want.StringValueOK()
	b, both := have.StringValueOK()
	quoted, err := json.Marshal(b)
	return ok && both && err == nil && (strings.Contains(a, strings.TrimSpace(b)) || strings.Contains(a, string(quoted[1:len(quoted)-1])))
}

// symbol fits the name of a currency that ours has with its chain: USDT, USDT@56.
func symbol(want, have bson.RawValue) bool {
	a, ok := want.StringValueOK()
	b, both := have.StringValueOK()
	before, _, chain := strings.Cut(a, "@")
	return ok && both && chain && strings.EqualFold(before, strings.TrimSpace(b))
}

// bare fits a number where ours is {amount, currency}.
func bare(want, have bson.RawValue) bool {
	if want.Type != bsontype.EmbeddedDocument {
		return false
	}
	a, ok := numeric(want.Document().Lookup("amount"))
	b, both := numeric(have)
	return ok && both && a.Cmp(b) == 0
}

// spelled fits what is no text there and one here.
func spelled(want, have bson.RawValue) bool {
	return want.Type == bsontype.String && have.Type != bsontype.String && !nothing(have)
}

// amountAt are the explanations of an amount below a path.
func amountAt(path string) []explanation {
	return []explanation{
		{path, "a number without its currency", bare},
		{path + ".currency", "with its chain", symbol},
		{path + ".currency", "missing: the currency beside it", absent},
		{path + ".baseUnits", "only here", absent},
		{path + ".asset", "only here", absent},
		{path + ".display", "only here", absent},
	}
}

// explanations by collection; "" holds for all.
var explanations = map[string][]explanation{
	"": {
		{"createdAt", "missing: taken from the ObjectId", absent},
		{"updatedAt", "missing: when it was imported", absent},
		{"updatedAt", "another document that belongs to it was imported later", after},
	},
	"users": {
		{"email", "in lower case, without spaces", folded},
		{"firstName", "with the last name", within},
		{"role", "missing: buyer", absent},
		{"role", "in lower case", folded},
		{"roles", "made of role", absent},
		{"isEmailVerified", "missing: no", absent},
		{"status", "missing: as isActive says", absent},
		{"status", "isActive says otherwise", reads(map[string]string{"active": "suspended"})},
		{"isActive", "follows from the status", always},
		{"authProvider", "people sign in here by what was imported", always},
	},
	"categories": {
		{"slug", "missing: made of the name", absent},
		{"order", "missing: 0", absent},
		{"isActive", "missing: yes", absent},
	},
	"purchaserequests": {
		{"productType", "missing: empty", absent},
		{"quantity", "missing: 1", absent},
		{"urgency", "missing: medium", absent},
		{"urgency", "in lower case", folded},
		{"budget.currency", "missing: USD", absent},
		{"deliveryInfo.deliveryType", "missing: physical", absent},
		{"deliveryInfo.deliveryType", "in lower case", folded},
		{"deliveryInfo.address", "with its kind", within},
		{"revisions", "missing: 0", absent},
		{"selectedOfferId", "nothing is selected in this status", dropped},
		{"sellerId", "that of the selected offer", absent},
		{"sellerId", "nothing is selected in this status", dropped},
		{"disputeId", "the request is over", dropped},
		{"status", "another word for it, or what its offers and its money say", reads(map[string]string{
			"pending": "active", "pending_payment": "payment", "active": "received_offers", "confirming": "delivered", "delivered": "confirming",
		})},
	},
	"selleroffers": slices.Concat(amountAt("price"), []explanation{
		{"buyerId", "that of the request", absent},
		{"title", "missing: Offer", absent},
		{"revision", "only here", absent},
		{"deliveryTime", "as text", spelled},
		{"status", "another word for it", reads(map[string]string{"active": "pending"})},
		{"status", "accepted once its order is funded", reads(map[string]string{"accepted": "pending"})},
	}),
}

// explained says why a field differs; empty when nothing explains it.
func explained(collection, path string, want, have bson.RawValue) string {
	for _, e := range slices.Concat(explanations[collection], explanations[""]) {
		if e.path == path && e.fits(want, have) {
			return e.why
		}
	}
	return ""
}

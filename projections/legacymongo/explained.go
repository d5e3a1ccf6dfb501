package legacymongo

import (
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/bson"
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

// explanations by collection; "" holds for all.
var explanations = map[string][]explanation{
	"": {
		{"createdAt", "missing: taken from the ObjectId", absent},
		{"updatedAt", "missing: when it was imported", absent},
	},
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

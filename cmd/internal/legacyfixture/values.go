package legacyfixture

import (
	"math/rand/v2"
	"strconv"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
)

// amount is money of the old backend in ten-thousandths of a token: every one is exact, as a double
// and in base units of each asset.
type amount int64

func (a amount) text() string {
	s := strconv.FormatFloat(float64(a)/10_000, 'f', -1, 64)
	return s
}

// number is what the Node driver makes of a JavaScript number.
func (a amount) number() any {
	if a%10_000 == 0 {
		return int32(a / 10_000) //nolint:gosec // prices are small
	}
	return float64(a) / 10_000
}

// kindOf gives the number as one of the types that a collection with a past holds.
func (m *maker) kindOf(r *rand.Rand, a amount) any {
	switch {
	case a%10_000 == 0 && chance(r, 0.02):
		return int64(a / 10_000)
	case m.Decimal128 && chance(r, 0.02):
		d, err := primitive.ParseDecimal128(a.text())
		if err == nil {
			return d
		}
	}
	return a.number()
}

func date(t time.Time) primitive.DateTime { return primitive.NewDateTimeFromTime(t) }

// optional adds a field that has a value, or sometimes null, as Mongoose leaves fields out.
func optional(r *rand.Rand, doc bson.D, key string, there bool, value any) bson.D {
	switch {
	case there:
		return append(doc, bson.E{Key: key, Value: value})
	case chance(r, 1.0/3):
		return append(doc, bson.E{Key: key, Value: nil})
	}
	return doc
}

// stamp ends a document as Mongoose does.
func stamp(r *rand.Rand, doc bson.D, created, updated time.Time) bson.D {
	return append(doc, bson.E{Key: "createdAt", Value: date(created)}, bson.E{Key: "updatedAt", Value: date(updated)}, bson.E{Key: "__v", Value: int32(r.IntN(4))}) //nolint:gosec // small
}

// set replaces a field of a document, at the top or one below it.
func set(doc bson.D, value any, path ...string) {
	for i := range doc {
		if doc[i].Key != path[0] { //nolint:gosec // G602: callers name a field
			continue
		}
		if len(path) == 1 {
			doc[i].Value = value
			return
		}
		if below, ok := doc[i].Value.(bson.D); ok {
			set(below, value, path[1:]...) //nolint:gosec // G602: the same
		}
		return
	}
}

// without leaves a field out.
func without(doc bson.D, key string) bson.D {
	for i := range doc {
		if doc[i].Key == key {
			return append(doc[:i], doc[i+1:]...)
		}
	}
	return doc
}

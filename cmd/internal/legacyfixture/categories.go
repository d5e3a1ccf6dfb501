package legacyfixture

import (
	"strings"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
)

// shelves of the market: the first of each row is above the others.
var shelves = [][]string{
	{"Electronics", "Cameras", "Phones", "Computers"},
	{"Clothing", "Coats", "Shoes", "Children"},
	{"Home", "Kitchen", "Garden", "Tools"},
	{"Sport", "Bicycles", "Tents", "Winter"},
	{"Services", "Design", "Translation", "Repair"},
	{"Digital", "Subscriptions", "Games", "Licences"},
}

const perShelf = 4

func categoryCount() int { return perShelf * len(shelves) }

func (m *maker) categoryID(n int) primitive.ObjectID {
	return m.object("categories", m.From, n)
}

// category n; with dirt there is one more, of a shelf that is not there any more, and one of
// unknown place.
func (m *maker) category(n int) (bson.D, *Dirty) {
	r := m.random("category", n)
	id := m.categoryID(n)
	if n == categoryCount() {
		doc := stamp(r, bson.D{
			{Key: "_id", Value: id},
			{Key: "name", Value: "Lost"},
			{Key: "slug", Value: "lost"},
			{Key: "description", Value: ""},
			{Key: "parentId", Value: nil},
			{Key: "order", Value: int32(99)},
			{Key: "isActive", Value: true},
		}, m.From, m.From)
		return m.soil(doc, "categories", "dangling_parentId", true)
	}
	row := shelves[n/perShelf]
	name := row[n%perShelf]
	doc := bson.D{{Key: "_id", Value: id}, {Key: "name", Value: name}, {Key: "slug", Value: strings.ToLower(name)}, {Key: "description", Value: name + " of all kinds"}}
	if n%perShelf > 0 {
		doc = append(doc, bson.E{Key: "parentId", Value: m.categoryID(n - n%perShelf)})
	} else {
		doc = append(doc, bson.E{Key: "parentId", Value: nil})
	}
	doc = append(doc, bson.E{Key: "order", Value: int32(n)}, bson.E{Key: "isActive", Value: n != categoryCount()-1}) //nolint:gosec // small
	kind := ""
	if n == categoryCount()-2 && m.Dirt > 0 {
		kind = "missing_order"
	}
	return m.soil(stamp(r, doc, m.From, later(r, m.From, hour, 30*day)), "categories", kind, false)
}

package legacyfixture

import (
	"time"

	"go.mongodb.org/mongo-driver/bson"
)

// hasChat reports an order whose parties have talked.
func (m *maker) hasChat(o order) bool { return len(o.sellers) > 0 && o.n%4 == 0 }

func (m *maker) chat(o order) (bson.D, *Dirty) {
	r, at := m.random("chat", o.n), o.at.Add(5*hour)
	who := []any{m.userID(o.buyer), m.selectedSeller(o)}
	people := bson.A{}
	for i, role := range []string{"buyer", "seller"} {
		people = append(people, bson.D{{Key: "_id", Value: m.object("participants", at, o.n*2+i)}, {Key: "userId", Value: who[i]}, {Key: "role", Value: role}, {Key: "joinedAt", Value: date(at)}})
	}
	messages := bson.A{}
	var last bson.D
	for i := range 2 + r.IntN(9) {
		sent := at.Add(time.Duration(i) * 7 * time.Minute)
		text := pick(r, says...)
		messages = append(messages, bson.D{
			{Key: "_id", Value: m.object("messages", sent, o.n*16+i)},
			{Key: "senderId", Value: who[i%2]},
			{Key: "content", Value: text},
			{Key: "type", Value: "text"},
			{Key: "readBy", Value: bson.A{who[(i+1)%2]}},
			{Key: "createdAt", Value: date(sent)},
		})
		last = bson.D{{Key: "content", Value: text}, {Key: "senderId", Value: who[i%2]}, {Key: "at", Value: date(sent)}}
	}
	return stamp(r, bson.D{
		{Key: "_id", Value: m.object("chats", at, o.n)},
		{Key: "participants", Value: people},
		{Key: "type", Value: "direct"},
		{Key: "relatedTo", Value: bson.D{{Key: "type", Value: "PurchaseRequest"}, {Key: "id", Value: o.id}}},
		{Key: "messages", Value: messages},
		{Key: "lastMessage", Value: last},
		{Key: "isArchived", Value: chance(r, 0.1)},
	}, at, at.Add(2*hour)), nil
}

package legacydb

import (
	"context"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// Names reads a field that names another document: an ObjectId in hex, empty for none.
func Names(field string) func(raw []byte) string {
	return func(raw []byte) string {
		v := bson.Raw(raw).Lookup(field)
		if o, ok := v.ObjectIDOK(); ok {
			return o.Hex()
		}
		if s, ok := v.StringValueOK(); ok && primitive.IsValidObjectID(s) {
			return s
		}
		return ""
	}
}

// Naming gives the documents of a collection whose field names one of these, by what they name. A
// directory cannot be asked: it gives false.
func Naming(ctx context.Context, s Source, collection, field string, objectIDs []string) (all map[string][][]byte, ok bool, err error) {
	server, ok := s.(*server)
	if !ok || len(objectIDs) == 0 {
		return nil, ok, nil
	}
	var ids []any
	for _, id := range objectIDs {
		ids = append(ids, id)
		if o, err := primitive.ObjectIDFromHex(id); err == nil {
			ids = append(ids, o)
		}
	}
	all = map[string][][]byte{}
	named := Names(field)
	filter := bson.D{{Key: field, Value: bson.D{{Key: "$in", Value: ids}}}}
	for raw, err := range server.find(ctx, collection, filter, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}})) {
		if err != nil {
			return nil, true, err
		}
		all[named(raw)] = append(all[named(raw)], raw)
	}
	return all, true, nil
}

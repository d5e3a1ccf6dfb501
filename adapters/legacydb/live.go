package legacydb

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo/options"

	"holdfast/domain/migration"
)

// Live is a running Mongo whose changes are followed.
type Live interface {
	Source
	// Since gives the documents of a collection that a clock may have touched since a time: those
	// whose updatedAt is not earlier, and those whose _id was made no earlier. The order is none.
	Since(ctx context.Context, collection string, at time.Time) iter.Seq2[migration.Document, error]
	// Get gives the documents of some ObjectIds as they stand now; those that are not there are left
	// out.
	Get(ctx context.Context, collection string, objectIDs []string) ([]migration.Document, error)
	// Naming gives the documents of a collection in which a field names some ObjectIds, as they are or
	// as text.
	Naming(ctx context.Context, collection, field string, objectIDs []string) iter.Seq2[migration.Document, error]
	// Watch opens a stream of the changes of collections, after a token; nil begins now. Errors:
	// ErrNoChangeStreams, ErrTokenLost.
	Watch(ctx context.Context, collections []string, after []byte) (Changes, error)
}

// ErrNotLive: a directory does not change.
var ErrNotLive = errors.New("only a running server can be followed: name it as mongodb://…/<database>")

// OpenLive opens a server to follow it.
func OpenLive(ctx context.Context, from string) (Live, error) {
	if !strings.HasPrefix(from, "mongodb://") && !strings.HasPrefix(from, "mongodb+srv://") {
		return nil, ErrNotLive
	}
	s, err := Open(ctx, from)
	if err != nil {
		return nil, err
	}
	return s.(*server), nil //nolint:errcheck // that is what such an address opens
}

// Since implements Live.
func (s *server) Since(ctx context.Context, collection string, at time.Time) iter.Seq2[migration.Document, error] {
	filter := bson.D{{Key: "$or", Value: bson.A{
		bson.D{{Key: "updatedAt", Value: bson.D{{Key: "$gte", Value: primitive.NewDateTimeFromTime(at)}}}},
		bson.D{{Key: "_id", Value: bson.D{{Key: "$gte", Value: firstID(at)}}}},
	}}}
	return func(yield func(migration.Document, error) bool) {
		for raw, err := range s.find(ctx, collection, filter, options.Find()) {
			if !yield(migration.Document{Raw: raw, Cursor: idOf(raw)}, err) || err != nil {
				return
			}
		}
	}
}

// firstID is the smallest ObjectId that is made at a time.
func firstID(at time.Time) (o primitive.ObjectID) {
	if at.Unix() > 0 {
		o = primitive.NewObjectIDFromTimestamp(at)
		clear(o[4:])
	}
	return o
}

// Get implements Live.
func (s *server) Get(ctx context.Context, collection string, objectIDs []string) (all []migration.Document, err error) {
	ids := make(bson.A, len(objectIDs))
	for i, hex := range objectIDs {
		if ids[i], err = primitive.ObjectIDFromHex(hex); err != nil {
			return nil, fmt.Errorf("%q is no ObjectId: %w", hex, err)
		}
	}
	var filters []bson.D
	if len(ids) > few {
		filters = []bson.D{{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}}
	} else {
		for _, id := range ids {
			filters = append(filters, bson.D{{Key: "_id", Value: id}})
		}
	}
	for _, filter := range filters {
		for raw, err := range s.find(ctx, collection, filter, options.Find()) {
			if err != nil {
				return nil, err
			}
			all = append(all, migration.Document{Raw: raw, Cursor: idOf(raw)})
		}
	}
	return all, nil
}

// Naming implements Live.
func (s *server) Naming(ctx context.Context, collection, field string, objectIDs []string) iter.Seq2[migration.Document, error] {
	return func(yield func(migration.Document, error) bool) {
		names := bson.A{}
		for _, hex := range objectIDs {
			o, err := primitive.ObjectIDFromHex(hex)
			if err != nil {
				yield(migration.Document{}, fmt.Errorf("%q is no ObjectId: %w", hex, err))
				return
			}
			names = append(names, o, hex)
		}
		for raw, err := range s.find(ctx, collection, bson.D{{Key: field, Value: bson.D{{Key: "$in", Value: names}}}}, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}})) {
			if !yield(migration.Document{Raw: raw, Cursor: idOf(raw)}, err) || err != nil {
				return
			}
		}
	}
}

// few documents are looked up one by one: every server finds them by one _id. For more, FerretDB
// reads the whole collection once.
const few = 20

package legacydb

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
	"go.mongodb.org/mongo-driver/mongo/readpref"

	"holdfast/domain/migration"
)

// server is a running Mongo.
type server struct {
	name   string
	client *mongo.Client
	db     *mongo.Database
}

// patience is how long a server may take to be found.
const patience = 10 * time.Second

// batchSize is how many documents a server sends at once.
const batchSize = 500

func openMongo(ctx context.Context, uri string) (Source, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return nil, errors.New("the address of the Mongo server cannot be read") // the error would show the password
	}
	database := strings.Trim(u.Path, "/")
	if database == "" {
		return nil, fmt.Errorf("%s names no database: end it with /<database>", u.Redacted())
	}
	client, err := mongo.Connect(ctx, options.Client().ApplyURI(uri).SetServerSelectionTimeout(patience).SetConnectTimeout(patience).SetAppName("holdfast-import"))
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", u.Redacted(), err)
	}
	s := &server{name: "mongodb://" + u.Host + "/" + database, client: client, db: client.Database(database)}
	if err := client.Ping(ctx, readpref.Primary()); err != nil {
		return nil, errors.Join(fmt.Errorf("the Mongo server at %s does not answer: %w", u.Host, err), s.Close(ctx))
	}
	return s, nil
}

func (s *server) Name() string { return s.name }

func (s *server) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	return s.client.Disconnect(ctx)
}

// Count implements Source.
func (s *server) Count(ctx context.Context, collection string) (int64, error) {
	names, err := s.db.ListCollectionNames(ctx, bson.D{})
	if err != nil {
		return 0, fmt.Errorf("list the collections of %s: %w", s.name, err)
	}
	if !slices.Contains(names, collection) {
		return 0, nil
	}
	n, err := s.db.Collection(collection).EstimatedDocumentCount(ctx)
	if err != nil {
		return 0, fmt.Errorf("count %s: %w", collection, err)
	}
	return n, nil
}

// IDs implements Source.
func (s *server) IDs(ctx context.Context, collection string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for raw, err := range s.find(ctx, collection, bson.D{}, options.Find().SetProjection(bson.D{{Key: "_id", Value: 1}})) {
			if err != nil {
				yield("", err)
				return
			}
			if id := idOf(raw); id != "" && !yield(id, nil) {
				return
			}
		}
	}
}

// Read implements Source. Documents come by their _id, and the cursor is that of the last one.
func (s *server) Read(ctx context.Context, collection, after string) iter.Seq2[migration.Document, error] {
	return func(yield func(migration.Document, error) bool) {
		filter := bson.D{}
		if after != "" {
			o, err := primitive.ObjectIDFromHex(after)
			if err != nil {
				yield(migration.Document{}, fmt.Errorf("%q is no place to go on from in %s", after, collection))
				return
			}
			filter = bson.D{{Key: "_id", Value: bson.D{{Key: "$gt", Value: o}}}}
		}
		for raw, err := range s.find(ctx, collection, filter, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}})) {
			if !yield(migration.Document{Raw: raw, Cursor: idOf(raw)}, err) || err != nil {
				return
			}
		}
	}
}

func (s *server) find(ctx context.Context, collection string, filter bson.D, how *options.FindOptions) iter.Seq2[bson.Raw, error] {
	return func(yield func(bson.Raw, error) bool) {
		cursor, err := s.db.Collection(collection).Find(ctx, filter, how.SetBatchSize(batchSize))
		if err != nil {
			yield(nil, fmt.Errorf("read %s: %w", collection, err))
			return
		}
		defer func() { _ = cursor.Close(context.WithoutCancel(ctx)) }()
		for cursor.Next(ctx) {
			if !yield(slices.Clone(cursor.Current), nil) {
				return
			}
		}
		if err := cursor.Err(); err != nil {
			yield(nil, fmt.Errorf("read %s: %w", collection, err))
		}
	}
}

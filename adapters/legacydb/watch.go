package legacydb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"holdfast/domain/migration"
)

// How a stream of changes cannot be had.
var (
	// ErrNoChangeStreams: the server is no replica set, or does not know them at all.
	ErrNoChangeStreams = errors.New("the server has no change streams")
	// ErrTokenLost: the server does not remember the changes since the token, or does not understand it.
	ErrTokenLost = errors.New("the server has forgotten the changes since then")
)

// Changes is a stream of changes. What it says of a document is only that it has changed: who wants
// to know how, looks at the document, since an old change may be told after a newer one was seen.
type Changes interface {
	// Next waits for a change, at most as long as patience; ok is false when none came.
	Next(ctx context.Context, patience time.Duration) (change migration.Change, ok bool, err error)
	// Token is where to go on after everything that Next has given. It moves without changes, too.
	Token() []byte
	Close(ctx context.Context) error
}

// Watch implements Live.
func (s *server) Watch(ctx context.Context, collections []string, after []byte) (Changes, error) {
	how := options.ChangeStream().SetBatchSize(batchSize).SetMaxAwaitTime(time.Second)
	if len(after) > 0 {
		how.SetResumeAfter(bson.Raw(after))
	}
	pipeline := mongo.Pipeline{
		{{Key: "$match", Value: bson.D{{Key: "$or", Value: bson.A{
			bson.D{{Key: "ns.coll", Value: bson.D{{Key: "$in", Value: collections}}}},
			bson.D{{Key: "to.coll", Value: bson.D{{Key: "$in", Value: collections}}}}, // of a rename
			bson.D{{Key: "operationType", Value: bson.D{{Key: "$in", Value: bson.A{"dropDatabase", "invalidate"}}}}},
		}}}}},
		// Only the names are needed.
		{{Key: "$project", Value: bson.D{{Key: "fullDocument", Value: 0}, {Key: "updateDescription", Value: 0}}}},
	}
	stream, err := s.db.Watch(ctx, pipeline, how)
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", s.name, streamError(err, len(after) > 0))
	}
	return &changes{stream}, nil
}

// unsupported are the codes of servers without change streams.
var unsupported = []int{
	9,     // FailedToParse: FerretDB takes no pipeline for a whole database
	59,    // CommandNotFound
	115,   // CommandNotSupported
	238,   // NotImplemented: FerretDB
	40324, // unrecognized pipeline stage: MongoDB before 3.6
	40573, // only on replica sets
}

// forgotten are the codes of a token of which nothing can be made.
var forgotten = []int{
	136,   // CappedPositionLost
	222,   // CloseChangeStream
	260,   // InvalidResumeToken
	280,   // ChangeStreamFatalError
	286,   // ChangeStreamHistoryLost
	10334, // BSONObjectTooLarge: a change that can never be told
	9,     // FailedToParse: a token of another server's kind
}

// streamError says what an error means for following: without a token whether there are streams at
// all, with one whether it is still good.
func streamError(err error, token bool) error {
	var said mongo.ServerError
	if !errors.As(err, &said) {
		return err
	}
	means, codes := ErrNoChangeStreams, unsupported
	if token {
		means, codes = ErrTokenLost, forgotten
	}
	for _, code := range codes {
		if said.HasErrorCode(code) {
			return fmt.Errorf("%w: %w", means, err)
		}
	}
	return err
}

type changes struct{ stream *mongo.ChangeStream }

func (c *changes) Next(ctx context.Context, patience time.Duration) (change migration.Change, ok bool, err error) {
	until := time.Now().Add(patience)
	for {
		if c.stream.TryNext(ctx) {
			change, err = changeOf(c.stream.Current)
			return change, err == nil, err
		}
		if err := c.stream.Err(); err != nil {
			return change, false, fmt.Errorf("watch: %w", streamError(err, true))
		}
		if err := ctx.Err(); err != nil {
			return change, false, err
		}
		if c.stream.ID() == 0 { // the server has closed it: an invalidate came before
			return change, false, fmt.Errorf("%w: the stream has ended", ErrTokenLost)
		}
		if !time.Now().Before(until) {
			return change, false, nil
		}
	}
}

func (c *changes) Token() []byte { return slices.Clone(c.stream.ResumeToken()) }

func (c *changes) Close(ctx context.Context) error { return c.stream.Close(ctx) }

// changeOf reads one event of a change stream.
func changeOf(raw bson.Raw) (migration.Change, error) {
	var event struct {
		Operation string              `bson:"operationType"`
		Time      primitive.Timestamp `bson:"clusterTime"`
		Wall      time.Time           `bson:"wallTime"`
		Names     struct {
			Collection string `bson:"coll"`
		} `bson:"ns"`
		Key struct {
			ID bson.RawValue `bson:"_id"`
		} `bson:"documentKey"`
	}
	if err := bson.Unmarshal(raw, &event); err != nil {
		return migration.Change{}, fmt.Errorf("read a change: %w", err)
	}
	c := migration.Change{Collection: event.Names.Collection, At: event.Wall.UTC()}
	if event.Wall.IsZero() && event.Time.T > 0 {
		c.At = time.Unix(int64(event.Time.T), 0).UTC()
	}
	switch event.Operation {
	case "insert", "update", "replace", "delete":
		if o, ok := event.Key.ID.ObjectIDOK(); ok {
			c.ObjectID = o.Hex()
		}
	case "drop", "dropDatabase", "invalidate":
		c.Whole = true
	case "rename": // two collections are others now
		c.Whole, c.Collection = true, ""
	case "":
		return c, errors.New("read a change: it has no operationType")
	default: // shardCollection, createIndexes, modify …: no document changes
		c.Collection = ""
	}
	return c, nil
}

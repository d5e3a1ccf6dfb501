package legacymongo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
	"go.mongodb.org/mongo-driver/mongo/readconcern"
	"go.mongodb.org/mongo-driver/mongo/readpref"
	"go.mongodb.org/mongo-driver/mongo/writeconcern"
	"go.mongodb.org/mongo-driver/x/mongo/driver/connstring"

	"holdfast/eventstore"
)

// How a document is replaced. A server that finds documents by _id and more without reading them all
// compares the position in the update itself. FerretDB cannot: there the position is read before,
// and the checkpoint's lock is what keeps a second writer away.
const (
	unknown int32 = iota
	guarded
	byID
)

// What every document of ours carries.
const (
	markKey = "_src"
	mark    = "holdfast"
	posKey  = "_pos"
	viewKey = "_view"
)

// Store is the legacy database with our collections in it.
type Store struct {
	client      *mongo.Client
	db          *mongo.Database
	collections []Collection
	codec       *eventstore.Codec
	assets      Assets
	log         *slog.Logger
	// kind is what sort of server it is, once it has answered.
	kind atomic.Int32

	modes     *Modes
	owners    Owners
	hash      func(bson.Raw) (string, error)
	gaps      *Gaps
	questions chan question
}

// Options of a store.
type Options struct {
	URI    string // with the database's name; "nickapp" when it names none
	Codec  *eventstore.Codec
	Assets Assets
	Pool   *pgxpool.Pool // for gaps
	Modes  *Modes        // nil: nothing is served from here
	Owners Owners
	// Hash names what a document says, as the import does; nil: nothing is taken over.
	Hash func(bson.Raw) (string, error)
	Log  *slog.Logger
}

// patience bounds how long an operation waits for a server that is away.
const patience = 3 * time.Second

// defaultDatabase is the original's.
const defaultDatabase = "nickapp"

// Open makes a store. A server that is away is no error here: Ping tells.
func Open(ctx context.Context, o Options) (*Store, error) {
	cs, err := connstring.ParseAndValidate(o.URI)
	if err != nil {
		return nil, errors.New("MONGODB_URI is not a mongodb:// or mongodb+srv:// URI") // the error would show the password
	}
	if cs.Database == "" {
		cs.Database = defaultDatabase
	}
	client, err := mongo.Connect(ctx, options.Client().ApplyURI(o.URI).SetAppName("holdfast").
		SetServerSelectionTimeout(patience).SetConnectTimeout(patience).SetTimeout(3*patience).
		SetWriteConcern(writeconcern.Majority()).SetReadConcern(readconcern.Local()).SetReadPreference(readpref.Primary()))
	if err != nil {
		return nil, fmt.Errorf("open the legacy store: %w", err)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Store{
		client: client, db: client.Database(cs.Database), collections: Collections(), codec: o.Codec, assets: o.Assets, log: o.Log,
		modes: o.Modes, owners: o.Owners, hash: o.Hash, gaps: NewGaps(o.Pool), questions: make(chan question, waiting),
	}
	return s, nil
}

// Ping asks the server for a sign of life, and what it is.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var about bson.M
	if err := s.client.Database("admin").RunCommand(ctx, bson.D{{Key: "buildInfo", Value: 1}}).Decode(&about); err != nil {
		return fail("ask the legacy store", err)
	}
	if _, ferret := about["ferretdbVersion"]; ferret {
		s.kind.Store(byID)
	} else {
		s.kind.Store(guarded)
	}
	return nil
}

// Close ends the connections.
func (s *Store) Close(ctx context.Context) error { return s.client.Disconnect(ctx) }

// collection finds one of ours by name.
func (s *Store) collection(name string) (Collection, bool) {
	for _, c := range s.collections {
		if c.Name == name {
			return c, true
		}
	}
	return Collection{}, false
}

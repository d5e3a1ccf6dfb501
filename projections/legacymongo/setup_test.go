package legacymongo_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/offer"
	"holdfast/domain/order"
	"holdfast/domain/request"
	"holdfast/domain/scenariotest"
	"holdfast/domain/trezor"
	"holdfast/eventstore"
	"holdfast/eventstore/postgres"
	"holdfast/eventstore/postgres/pgtest"
	"holdfast/projections"
	"holdfast/projections/legacymongo"
	"holdfast/projections/legacymongo/mongotest"
	"holdfast/projections/views"
)

// world is a log with every read model in Postgres and every collection in Mongo.
type world struct {
	*scenariotest.World
	t      *testing.T
	pool   *pgxpool.Pool
	codec  *eventstore.Codec
	keys   *postgres.KeyRing
	uri    string
	db     *mongo.Database
	modes  *legacymongo.Modes
	owners legacymongo.Owners
	legacy *legacymongo.Store
	runner *projections.Runner // of both
	names  []string
	views  *views.Queries
}

// setup makes a world on a database that is dropped afterwards. slice is how many positions the
// runner takes at once.
func setup(t *testing.T, slice int) *world {
	t.Helper()
	uri := mongotest.URI(t)
	db := mongotest.Open(t, uri)
	t.Cleanup(func() { _ = db.Drop(context.Background()) })
	return setupOn(t, slice, uri)
}

// setupOn is setup on a database of one's own.
func setupOn(t *testing.T, slice int, uri string) *world {
	t.Helper()
	w := &world{t: t, pool: pgtest.New(t), uri: uri, modes: legacymongo.NewModes(nil), db: mongotest.Open(t, uri)}
	w.keys = postgres.NewKeyRing(w.pool, make([]byte, 32))
	var err error
	w.codec, err = eventstore.NewCodec(w.keys, append(scenariotest.Aggregates(), trezor.Aggregate())...)
	require.NoError(t, err)
	log, err := postgres.New(t.Context(), w.pool, w.codec, postgres.Options{})
	require.NoError(t, err)
	t.Cleanup(log.Close)
	w.World = scenariotest.NewWorld(t, log)
	w.legacy = w.open(w.uri)
	w.views = views.New(w.pool, w.codec)
	w.follow(slice)
	return w
}

// open makes a store on a server.
func (w *world) open(uri string) *legacymongo.Store {
	w.t.Helper()
	assets, err := network.Known()
	require.NoError(w.t, err)
	s, err := legacymongo.Open(w.t.Context(), legacymongo.Options{URI: uri, Codec: w.codec, Assets: assets, Pool: w.pool, Modes: w.modes, Owners: w.owners, Hash: hashOf})
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = s.Close(context.Background()) })
	return s
}

// hashOf names what a document says; the import's own does not look at the order of its fields.
func hashOf(raw bson.Raw) (string, error) {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:]), nil
}

// follow runs all projectors until the test ends.
func (w *world) follow(slice int) {
	w.t.Helper()
	all := append(views.Projectors(), w.legacy.Projectors()...)
	for _, p := range all {
		w.names = append(w.names, p.Name())
	}
	registry, err := projections.NewRegistry(all...)
	require.NoError(w.t, err)
	pool, err := pgxpool.New(context.Background(), w.pool.Config().ConnString()+"&pool_max_conns=24")
	require.NoError(w.t, err)
	w.t.Cleanup(pool.Close)
	w.runner, err = projections.New(pool, w.codec, registry, projections.Options{Poll: 50 * time.Millisecond, Linger: time.Millisecond, Slice: slice})
	require.NoError(w.t, err)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	require.NoError(w.t, w.runner.Register(ctx))
	go func() { ended <- w.runner.Run(ctx) }()
	w.t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			w.t.Errorf("the runner ended with %v", err)
		}
	})
}

func (w *world) caughtUp() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	for _, name := range w.names {
		for {
			short, cancel := context.WithTimeout(ctx, 2*time.Second)
			err := w.runner.WaitFor(short, name, w.Position())
			cancel()
			if err == nil {
				break
			}
			require.NoError(w.t, ctx.Err(), "%s never caught up", name)
			w.noneHalted()
		}
	}
}

func (w *world) noneHalted() {
	w.t.Helper()
	all, err := w.runner.Status(context.Background())
	require.NoError(w.t, err)
	for _, s := range all {
		require.Nil(w.t, s.Poison, "%s halted", s.Name)
	}
}

// dump gives the documents of a collection as they stand, byte for byte.
func (w *world) dump(collection string) map[string]string {
	w.t.Helper()
	cursor, err := w.db.Collection(collection).Find(context.Background(), bson.D{}, options.Find())
	require.NoError(w.t, err)
	all := map[string]string{}
	for cursor.Next(context.Background()) {
		all[cursor.Current.Lookup("_id").String()] = string(cursor.Current)
	}
	require.NoError(w.t, cursor.Err())
	return all
}

func (w *world) dumpAll() map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, c := range legacymongo.Collections() {
		all[c.Name] = w.dump(c.Name)
	}
	return all
}

// one gives a document by the thing's name.
func (w *world) one(collection, id string) bson.M {
	w.t.Helper()
	var doc bson.M
	err := w.db.Collection(collection).FindOne(context.Background(), bson.D{{Key: "_id", Value: legacymongo.ObjectID(collection, id)}}).Decode(&doc)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil
	}
	require.NoError(w.t, err)
	return doc
}

func (w *world) rebuild() {
	w.t.Helper()
	for _, c := range legacymongo.Collections() {
		require.NoError(w.t, w.legacy.Rebuild(w.t.Context(), w.pool, c.Name, nil), c.Name)
	}
}

// append writes events to a stream after a version, as they stand.
func (w *world) append(category, id string, after int64, events ...domain.Event) {
	w.t.Helper()
	_, err := w.Store.Append(context.Background(), eventstore.Append{
		Streams:  []domain.Staged{{Stream: domain.Stream{Type: category, ID: id}, Expected: after, Events: events}},
		Metadata: eventstore.Metadata{Actor: domain.Machine(domain.Process, "test"), Source: "test"},
	})
	require.NoError(w.t, err)
}

const usdt money.Asset = "USDT@56"

func (w *world) request(id domain.RequestID, buyer domain.UserID, min, max string) {
	w.Do(order.CreateRequest{Issue: w.By(domain.User(buyer, domain.Buyer)), Request: id, Buyer: buyer, Publish: true, Details: request.Details{
		Title: "A drill " + string(id), Description: domain.About(buyer, "as good as new, secretly"), CategoryID: "tools", Urgency: "low", Quantity: 1,
		DeliveryType: "physical", Delivery: domain.About(buyer, "Elm Street 1"), Budget: request.Budget{Min: min, Max: max, Currency: "USD"},
	}})
}

func (w *world) offer(id domain.OfferID, of domain.RequestID, seller domain.UserID, units uint64) {
	w.Do(order.SubmitOffer{Issue: w.By(domain.User(seller, domain.Seller)), Offer: id, Request: of, Seller: seller, Terms: offer.Terms{
		Title: "here it is", Description: domain.About(seller, "mint"), ValidUntil: w.Now().Add(time.Hour), DeliveryTime: "2 days", RequestRevision: 1,
		Price: offer.Price{Amount: money.Of(usdt, money.FromUint64(units)), Currency: "USDT", Display: "1"},
	}})
}

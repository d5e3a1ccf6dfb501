package wire

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"

	"holdfast/cmd/internal/config"
	"holdfast/domain"
	"holdfast/domain/account"
	legacy "holdfast/domain/migration"
	"holdfast/domain/offer"
	"holdfast/domain/request"
	"holdfast/eventstore"
	"holdfast/eventstore/postgres/pgtest"
	"holdfast/projections/legacymongo"
	"holdfast/projections/legacymongo/mongotest"
)

// followed is the old backend with its database, and a log that follows it.
type followed struct {
	*Core
	t        testing.TB
	settings map[string]string
	db       *mongo.Database
	said     *loud
}

// withOld makes a database of the old backend that owns these domains.
func withOld(t testing.TB, domains ...string) *followed {
	t.Helper()
	uri := mongotest.URI(t)
	db := mongotest.Open(t, uri)
	t.Cleanup(func() { _ = db.Drop(context.Background()) })
	w := &followed{t: t, db: db, said: &loud{}, settings: map[string]string{
		"HOLDFAST_ENV": "development", "HOLDFAST_DATA": t.TempDir(), "PG_URL": pgtest.URL(t), "MONGODB_URI": uri, "PG_POOL_HTTP": "8",
	}}
	for _, d := range domains {
		w.settings["LEGACY_OWNER_"+d] = "legacy"
	}
	w.Core = w.process(nil)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("said: %s", w.said)
		}
	})
	return w
}

// process is another process with its own settings; it ends with the test.
func (w *followed) process(change map[string]string) *Core {
	w.t.Helper()
	settings := maps.Clone(w.settings)
	maps.Copy(settings, change)
	cfg, err := config.From(settings)
	require.NoError(w.t, err)
	core, err := Open(w.t.Context(), cfg, slog.New(slog.NewTextHandler(w.said, nil)))
	require.NoError(w.t, err)
	w.t.Cleanup(func() { assert.NoError(w.t, core.Close(context.Background())) })
	return core
}

// quick looks often.
var quick = Follow{Poll: 100 * time.Millisecond, Overlap: 3 * time.Second, Sweep: 300 * time.Millisecond}

// follow runs a follower until stop.
func (w *followed) follow(how Follow) (stop func()) {
	w.t.Helper()
	how.From = w.settings["MONGODB_URI"]
	f, err := w.Follower(w.t.Context(), how)
	require.NoError(w.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	done := false
	stop = func() {
		if cancel(); !done {
			done = true
			assert.NoError(w.t, <-ended)
		}
	}
	w.t.Cleanup(stop)
	return stop
}

func (w *followed) until(what string, ok func() bool) {
	w.t.Helper()
	require.Eventually(w.t, ok, 60*time.Second, 50*time.Millisecond, what)
}

// What the old backend does.

func oldID(n int) primitive.ObjectID {
	o, err := primitive.ObjectIDFromHex(oid(n))
	if err != nil {
		panic(err)
	}
	return o
}

func now() primitive.DateTime { return primitive.NewDateTimeFromTime(time.Now()) }

func (w *followed) insert(in string, docs ...bson.D) {
	w.t.Helper()
	all := make([]any, len(docs))
	for i, d := range docs {
		all[i] = append(d, bson.E{Key: "createdAt", Value: now()}, bson.E{Key: "updatedAt", Value: now()}, bson.E{Key: "__v", Value: 0})
	}
	_, err := w.db.Collection(in).InsertMany(w.t.Context(), all)
	require.NoError(w.t, err)
}

// set changes a document as Mongoose does; of some fields alone when touch is false.
func (w *followed) set(in string, id primitive.ObjectID, touch bool, fields ...bson.E) {
	w.t.Helper()
	if touch {
		fields = append(fields, bson.E{Key: "updatedAt", Value: now()})
	}
	done, err := w.db.Collection(in).UpdateOne(w.t.Context(), bson.D{{Key: "_id", Value: id}}, bson.D{{Key: "$set", Value: fields}})
	require.NoError(w.t, err)
	require.EqualValues(w.t, 1, done.MatchedCount)
}

func (w *followed) remove(in string, id primitive.ObjectID) {
	w.t.Helper()
	_, err := w.db.Collection(in).DeleteOne(w.t.Context(), bson.D{{Key: "_id", Value: id}})
	require.NoError(w.t, err)
}

func field(name string, value any) bson.E { return bson.E{Key: name, Value: value} }

func oldUser(n int, role string) bson.D {
	return bson.D{
		{Key: "_id", Value: oldID(n)},
		{Key: "email", Value: fmt.Sprintf("person%d@old.test", n)},
		{Key: "firstName", Value: fmt.Sprintf("Person %d", n)},
		{Key: "role", Value: role},
		{Key: "isEmailVerified", Value: true},
		{Key: "status", Value: "active"},
		{Key: "isActive", Value: true},
		{Key: "authProvider", Value: "email"},
		{Key: "password", Value: "$2b$10$abcdefghijklmnopqrstuuqyYV9d1kPqk9v0dUZ6pSxkq8iQp4bWm"},
	}
}

func oldCategory(n int) bson.D {
	return bson.D{{Key: "_id", Value: oldID(n)}, {Key: "name", Value: fmt.Sprintf("Shelf %d", n)}, {Key: "slug", Value: fmt.Sprintf("shelf-%d", n)}, {Key: "order", Value: n}, {Key: "isActive", Value: true}}
}

func oldRequest(n, buyer, shelf int) bson.D {
	return bson.D{
		{Key: "_id", Value: oldID(n)},
		{Key: "buyerId", Value: oldID(buyer)},
		{Key: "categoryId", Value: oldID(shelf)},
		{Key: "title", Value: fmt.Sprintf("A lamp, number %d", n)},
		{Key: "description", Value: "To read by."},
		{Key: "productType", Value: "lamp"},
		{Key: "quantity", Value: int32(2)},
		{Key: "budget", Value: bson.D{{Key: "min", Value: int32(10)}, {Key: "max", Value: 20.5}, {Key: "currency", Value: "USD"}}},
		{Key: "urgency", Value: "high"},
		{Key: "deliveryInfo", Value: bson.D{{Key: "deliveryType", Value: "physical"}, {Key: "address", Value: "Main Street 1"}}},
		{Key: "status", Value: "active"},
		{Key: "publishedAt", Value: primitive.NewDateTimeFromTime(time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC))},
	}
}

func oldOffer(n, of, seller int, price float64) bson.D {
	return bson.D{
		{Key: "_id", Value: oldID(n)},
		{Key: "purchaseRequestId", Value: oldID(of)},
		{Key: "sellerId", Value: oldID(seller)},
		{Key: "title", Value: "Just what you look for"},
		{Key: "description", Value: "Hardly used."},
		{Key: "price", Value: bson.D{{Key: "amount", Value: price}, {Key: "currency", Value: "USDC"}}},
		{Key: "deliveryTime", Value: "3 days"},
		{Key: "validUntil", Value: primitive.NewDateTimeFromTime(time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC))},
		{Key: "status", Value: "pending"},
	}
}

// What we make of it.

func (w *followed) requestState(n int) (request.State, int64) {
	w.t.Helper()
	s, v, err := eventstore.FreshState(w.t.Context(), w.Executor, request.Decider, string(legacy.RequestID(oid(n))))
	require.NoError(w.t, err)
	return s, v
}

func (w *followed) accountState(n int) (account.State, int64) {
	w.t.Helper()
	s, v, err := eventstore.FreshState(w.t.Context(), w.Executor, account.Decider, legacy.ID(legacy.Users, oid(n)))
	require.NoError(w.t, err)
	return s, v
}

func (w *followed) offerState(n int) (offer.State, int64) {
	w.t.Helper()
	s, v, err := eventstore.FreshState(w.t.Context(), w.Executor, offer.Decider, legacy.ID(legacy.SellerOffers, oid(n)))
	require.NoError(w.t, err)
	return s, v
}

func (w *followed) gaps() map[string]legacymongo.Gap {
	w.t.Helper()
	all, err := legacymongo.NewGaps(w.HTTP).Open(w.t.Context(), "", 1000)
	require.NoError(w.t, err)
	by := map[string]legacymongo.Gap{}
	for _, g := range all {
		by[g.Kind+" "+g.Document] = g
	}
	return by
}

// verify compares every collection of some domains, as a process with its own settings does.
func (w *followed) verify(core *Core, domains ...string) (differences, explained int64) {
	w.t.Helper()
	l, err := core.Bridge(w.t.Context())
	require.NoError(w.t, err)
	all, err := l.Verify(w.t.Context(), domains, nil)
	require.NoError(w.t, err)
	for _, p := range all {
		differences, explained = differences+p.Differences, explained+p.Explained
		w.t.Logf("%s: %d documents, %d differences, explained %v", p.Collection, p.Documents, p.Differences, p.Reasons)
	}
	if differences > 0 {
		rows, err := w.HTTP.Query(w.t.Context(), `SELECT count(*), collection || ' ' || kind || ' ' || field, min(left(pg_value, 60)), min(left(mongo_value, 60)), min(error), min(document)
			FROM pg_dualwrite_gaps WHERE resolved_at IS NULL GROUP BY 2 ORDER BY 1 DESC LIMIT 60`)
		require.NoError(w.t, err)
		var n int
		var what, ours, theirs, why, document string
		_, err = pgx.ForEachRow(rows, []any{&n, &what, &ours, &theirs, &why, &document}, func() error {
			w.t.Logf("gaps: %d × %s: %s; %s; %s (%s)", n, what, ours, theirs, why, document)
			return nil
		})
		require.NoError(w.t, err)
	}
	return differences, explained
}

// ourFact lets something happen at our side to one of their requests: a process cancels it.
func (w *followed) ourFact(n int) {
	w.t.Helper()
	at, err := w.Store.Now(w.t.Context())
	require.NoError(w.t, err)
	_, err = w.Executor.Execute(w.t.Context(), eventstore.Metadata{Actor: domain.Machine(domain.Process, "test"), Source: "policy"}, nil, func(u *domain.Unit) (any, error) {
		return domain.Do(u, request.Decider, string(legacy.RequestID(oid(n))), request.Cancel{Issue: domain.Issue{By: domain.Machine(domain.Process, "test"), At: at}, Reason: "by itself"})
	})
	require.NoError(w.t, err)
}

func (w *followed) gapsOf() *legacymongo.Gaps { return legacymongo.NewGaps(w.HTTP) }

package main_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"holdfast/adapters/localmongo"
)

// oldBackend writes its database as long as it is let, and repeats what the server did not take.
type oldBackend struct {
	t      *testing.T
	db     *mongo.Database
	stop   chan struct{}
	done   sync.WaitGroup
	writes atomic.Int64
}

func (o *oldBackend) must(what func(ctx context.Context) error) bool {
	for {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		err := what(ctx)
		cancel()
		if err == nil || mongo.IsDuplicateKeyError(err) { // it was taken after all
			o.writes.Add(1)
			return true
		}
		select {
		case <-o.stop:
			return false
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// live is one of its clients: people, requests and offers, each changed again and again.
func (o *oldBackend) live(n uint64) {
	random := rand.New(rand.NewPCG(n, 1))
	now := func() primitive.DateTime { return primitive.NewDateTimeFromTime(time.Now()) }
	stamps := func(d bson.D) bson.D {
		return append(d, bson.E{Key: "createdAt", Value: now()}, bson.E{Key: "updatedAt", Value: now()}, bson.E{Key: "__v", Value: 0})
	}
	insert := func(in string, d bson.D) {
		o.must(func(ctx context.Context) error { _, err := o.db.Collection(in).InsertOne(ctx, stamps(d)); return err })
	}
	var requests, offers []primitive.ObjectID
	buyer, seller, shelf := primitive.NewObjectID(), primitive.NewObjectID(), primitive.NewObjectID()
	for i, who := range []primitive.ObjectID{buyer, seller} {
		insert("users", bson.D{{Key: "_id", Value: who}, {Key: "email", Value: fmt.Sprintf("p%d-%d@old.test", n, i)}, {Key: "firstName", Value: "Pat"}, {Key: "role", Value: []string{"buyer", "seller"}[i]}})
	}
	insert("categories", bson.D{{Key: "_id", Value: shelf}, {Key: "name", Value: fmt.Sprint("Shelf ", n)}, {Key: "slug", Value: fmt.Sprint("shelf-", n)}, {Key: "order", Value: 1}, {Key: "isActive", Value: true}})
	request := func(id primitive.ObjectID, i int) bson.D {
		return bson.D{
			{Key: "_id", Value: id},
			{Key: "buyerId", Value: buyer},
			{Key: "categoryId", Value: shelf},
			{Key: "title", Value: fmt.Sprint("A lamp ", i)},
			{Key: "description", Value: "To read by."},
			{Key: "productType", Value: "lamp"},
			{Key: "quantity", Value: int32(1 + i%5)},
			{Key: "budget", Value: bson.D{{Key: "min", Value: 1}, {Key: "max", Value: 20.5}, {Key: "currency", Value: "USD"}}},
			{Key: "urgency", Value: "low"},
			{Key: "deliveryInfo", Value: bson.D{{Key: "deliveryType", Value: "physical"}, {Key: "address", Value: "Main Street 1"}}},
			{Key: "status", Value: "active"},
		}
	}
	for i := 0; ; i++ {
		select {
		case <-o.stop:
			return
		case <-time.After(time.Duration(random.IntN(30)) * time.Millisecond):
		}
		any := func(ids []primitive.ObjectID) bson.D { return bson.D{{Key: "_id", Value: ids[random.IntN(len(ids))]}} }
		switch kind := random.IntN(10); {
		case len(requests) == 0 || kind == 0 && len(requests) < 60:
			id := primitive.NewObjectID()
			insert("purchaserequests", request(id, i))
			requests = append(requests, id)
		case len(offers) < 2*len(requests) && kind < 4:
			id := primitive.NewObjectID()
			insert("selleroffers", bson.D{
				{Key: "_id", Value: id},
				{Key: "purchaseRequestId", Value: any(requests)[0].Value},
				{Key: "sellerId", Value: seller},
				{Key: "title", Value: "Just what you look for"},
				{Key: "price", Value: bson.D{{Key: "amount", Value: float64(i%100) + 0.25}, {Key: "currency", Value: "USDC"}}},
				{Key: "deliveryTime", Value: "3 days"},
				{Key: "status", Value: "withdrawn"},
			})
			offers = append(offers, id)
		case kind < 6: // with its clock, as Mongoose does
			set := bson.D{{Key: "title", Value: fmt.Sprint("Changed ", i)}, {Key: "updatedAt", Value: now()}}
			where := any(requests)
			o.must(func(ctx context.Context) error {
				_, err := o.db.Collection("purchaserequests").UpdateOne(ctx, where, bson.D{{Key: "$set", Value: set}})
				return err
			})
		case kind < 7: // a script, without it
			where := any(requests)
			o.must(func(ctx context.Context) error {
				_, err := o.db.Collection("purchaserequests").UpdateOne(ctx, where, bson.D{{Key: "$set", Value: bson.D{{Key: "brand", Value: fmt.Sprint("Brand ", i)}}}})
				return err
			})
		case len(offers) > 0:
			where := any(offers)
			o.must(func(ctx context.Context) error {
				_, err := o.db.Collection("selleroffers").UpdateOne(ctx, where, bson.D{{Key: "$set", Value: bson.D{{Key: "notes", Value: fmt.Sprint("Note ", i)}, {Key: "updatedAt", Value: now()}}}})
				return err
			})
		}
	}
}

// legacyVerb is a verb of the bridge on the old backend's database, with arguments.
func (s *service) legacyVerb(ctx context.Context, uri string, args ...string) *exec.Cmd {
	c := s.command(ctx, "legacy")
	c.Args = append(c.Args, args...)
	c.Env = append(c.Env, "MONGODB_URI="+uri, "LEGACY_OWNER_USER=legacy", "LEGACY_OWNER_MARKETPLACE=legacy")
	return c
}

func (s *service) startFollower(uri string) {
	s.t.Helper()
	c := s.legacyVerb(context.Background(), uri, "follow", "--poll", "100ms", "--overlap", "5s", "--sweep", "1s")
	c.Stdout, c.Stderr = s.output, s.output
	require.NoError(s.t, c.Start())
	s.process, s.ended = c, make(chan struct{})
	go func(ended chan struct{}) {
		s.err = c.Wait()
		close(ended)
	}(s.ended)
}

// TestAFollowerIsKilledAtRandomMoments: the follower, its database and the old backend's are killed
// while the old backend writes. In the end every document is what it should be, and was taken once.
func TestAFollowerIsKilledAtRandomMoments(t *testing.T) {
	t.Parallel()
	kills, random := atRandom(t, 12)
	s := newService(t)
	mongoDir := filepath.Join(filepath.Dir(s.dir), "old")
	server, err := localmongo.Start(t.Context(), mongoDir, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Stop(context.Background()) })
	uri := server.URI("nickapp")
	client, err := mongo.Connect(t.Context(), options.Client().ApplyURI(uri).SetServerSelectionTimeout(2*time.Second))
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Disconnect(context.Background()) })

	old := &oldBackend{t: t, db: client.Database("nickapp"), stop: make(chan struct{})}
	for n := range 3 {
		old.done.Go(func() { old.live(uint64(n)) }) //nolint:gosec // small
	}
	s.startFollower(uri)
	s.letRun(6 * time.Second)
	counts := map[string]int{}
	for range kills {
		s.letRun(time.Duration(random.Int64N(int64(2500 * time.Millisecond))))
		switch random.IntN(3) {
		case 0:
			counts["follower"]++
			s.kill()
			s.startFollower(uri)
		case 1:
			counts["Postgres"]++ // the follower's own, which nobody starts again but a new one
			s.killPostgres()
			s.letRun(time.Duration(random.Int64N(int64(600 * time.Millisecond))))
			s.kill()
			s.startFollower(uri)
		case 2:
			counts["Mongo"]++
			require.NoError(t, server.Kill())
			require.NoError(t, server.Stop(t.Context()))
			s.letRun(time.Duration(random.Int64N(int64(600 * time.Millisecond))))
			server, err = localmongo.Start(t.Context(), mongoDir, slog.New(slog.DiscardHandler))
			require.NoError(t, err)
			require.Equal(t, uri, server.URI("nickapp"))
		}
	}
	close(old.stop)
	old.done.Wait()
	t.Logf("%d writes; killed: %v", old.writes.Load(), counts)

	select {
	case <-s.ended: // it began while Mongo was away, and said so
		s.startFollower(uri)
	default:
	}
	// It goes on by itself; in a while both sides agree, document by document.
	var out []byte
	for deadline := time.Now().Add(3 * time.Minute); ; {
		out, err = s.legacyVerb(t.Context(), uri, "verify", "USER", "MARKETPLACE").CombinedOutput()
		if err == nil || time.Now().After(deadline) {
			break
		}
	}
	require.NoError(t, err, string(out))
	t.Logf("\n%s", out)
	status, err := s.legacyVerb(t.Context(), uri, "status").CombinedOutput()
	require.NoError(t, err, string(status))
	assert.Contains(t, string(status), "poll, ")
	s.checkTakenOnce(old.db)
	out, err = s.command(t.Context(), "verify").CombinedOutput()
	require.NoError(t, err, string(out))
}

// checkTakenOnce looks through the log: nothing was taken twice, and everything was taken.
func (s *service) checkTakenOnce(db *mongo.Database) {
	s.t.Helper()
	file := filepath.Join(filepath.Dir(s.dir), "log.ndjson")
	c := s.command(s.t.Context(), "export")
	c.Args = append(c.Args, "-o", file)
	out, err := c.CombinedOutput()
	require.NoError(s.t, err, string(out))
	in, err := os.Open(file)
	require.NoError(s.t, err)
	defer func() { _ = in.Close() }()
	last, taken := map[string]string{}, map[string]int{}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e struct {
			Type string `json:"type"`
			Data string `json:"data"`
		}
		var said struct {
			Object string `json:"legacy_object_id"`
			Hash   string `json:"snapshot_hash"`
		}
		if json.Unmarshal(lines.Bytes(), &e) != nil || !strings.HasSuffix(e.Type, ".imported") {
			continue // the head of the file, or another event
		}
		require.NoError(s.t, json.Unmarshal([]byte(e.Data), &said))
		require.NotEqual(s.t, last[said.Object], said.Hash, "%s %s was taken twice in a row", e.Type, said.Object)
		last[said.Object] = said.Hash
		taken[e.Type]++
	}
	require.NoError(s.t, lines.Err())
	s.t.Logf("taken: %v", taken)
	for _, collection := range []string{"users", "purchaserequests", "selleroffers"} {
		cursor, err := db.Collection(collection).Find(s.t.Context(), bson.D{})
		require.NoError(s.t, err)
		for cursor.Next(s.t.Context()) {
			require.Contains(s.t, last, cursor.Current.Lookup("_id").ObjectID().Hex(), "a document of %s was never taken", collection)
		}
		require.NoError(s.t, cursor.Err())
	}
}

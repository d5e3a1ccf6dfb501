package legacymongo_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/bson"

	"holdfast/adapters/localmongo"
	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/domain/scenariotest"
	"holdfast/eventstore"
	"holdfast/projections"
	"holdfast/projections/legacymongo"
)

// apply gives events to every projector by hand, as a process would whose commit does not come.
func (w *world) apply(s *legacymongo.Store, events []eventstore.Recorded) {
	w.t.Helper()
	gone := errors.New("the process is gone")
	for _, p := range s.Projectors() {
		var mine []eventstore.Recorded
		for _, e := range events {
			if p.Categories() == nil || contains(p.Categories(), e.Stream.Type) {
				mine = append(mine, e)
			}
		}
		if len(mine) == 0 {
			continue
		}
		err := pgx.BeginFunc(w.t.Context(), w.pool, func(tx pgx.Tx) error {
			require.NoError(w.t, p.Apply(w.t.Context(), tx, mine), p.Name())
			return gone
		})
		require.ErrorIs(w.t, err, gone)
	}
}

func contains(all []string, one string) bool {
	for _, s := range all {
		if s == one {
			return true
		}
	}
	return false
}

// sealed reads the log as projectors see it.
func (w *world) sealed() []eventstore.Recorded {
	w.t.Helper()
	reader := projections.NewReader(w.pool, w.codec)
	s, err := reader.Slice(w.t.Context(), 0, 100_000)
	require.NoError(w.t, err)
	for i := range s.Events {
		require.NoError(w.t, reader.Decode(&s.Events[i]))
	}
	return s.Events
}

// scenario is one of the design's, with a dispute in it.
func scenario(t *testing.T, id string) scenariotest.Scenario {
	t.Helper()
	for _, s := range scenariotest.Scenarios(t) {
		if s.ID == id {
			return s
		}
	}
	t.Fatalf("there is no scenario %s", id)
	return scenariotest.Scenario{}
}

func TestWhatWasWrittenBeforeACrashIsWrittenAgain(t *testing.T) {
	t.Parallel()
	w := setup(t, 5)
	scenariotest.Play(w.World, scenario(t, "S9"))
	w.caughtUp()
	want := w.dumpAll()
	// Another process wrote a piece and died before its checkpoint moved, in the middle of a piece.
	events := w.sealed()
	w.apply(w.legacy, events[:len(events)/2])
	w.apply(w.legacy, events)
	require.Equal(t, want, w.dumpAll())
}

func TestALateWriterChangesNothing(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*legacymongo.Store){
		"the position is compared in the update": (*legacymongo.Store).CompareInUpdates,
		"the position is read before":            func(*legacymongo.Store) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t, 1000)
			scenariotest.Play(w.World, scenario(t, "S4"))
			w.caughtUp()
			want := w.dumpAll()
			late := w.open(w.uri)
			prepare(late)
			// It stands where it stood long ago: every event again, one by one.
			for _, e := range w.sealed() {
				w.apply(late, []eventstore.Recorded{e})
			}
			require.Equal(t, want, w.dumpAll())
		})
	}
}

func TestADocumentOfTheOldBackendIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := setup(t, 1000)
	id := legacymongo.ObjectID("purchaserequests", "r1")
	theirs := bson.D{{Key: "_id", Value: id}, {Key: "title", Value: "theirs"}, {Key: "_pos", Value: "not a number"}}
	_, err := w.db.Collection("purchaserequests").InsertOne(t.Context(), theirs)
	require.NoError(t, err)
	w.request("r1", "bea", "1", "2")
	w.request("r2", "bea", "1", "2")
	w.caughtUp()
	require.Equal(t, "theirs", w.one("purchaserequests", "r1")["title"])
	require.Equal(t, "A drill r2", w.one("purchaserequests", "r2")["title"], "the others go on")
	gaps, err := legacymongo.NewGaps(w.pool).Open(t.Context(), legacymongo.Marketplace, 10)
	require.NoError(t, err)
	require.Len(t, gaps, 1)
	require.Equal(t, "foreign", gaps[0].Kind)
	require.Equal(t, id.Hex(), gaps[0].Document)
}

func TestARebuildUndoesWhatWasDoneByHand(t *testing.T) {
	t.Parallel()
	w := setup(t, 1000)
	w.request("r1", "bea", "1", "2")
	w.request("r2", "bea", "3", "4")
	w.caughtUp()
	want := w.dump("purchaserequests")
	collection := w.db.Collection("purchaserequests")
	_, err := collection.UpdateOne(t.Context(), bson.D{{Key: "_id", Value: legacymongo.ObjectID("purchaserequests", "r1")}}, bson.D{{Key: "$set", Value: bson.D{{Key: "title", Value: "edited"}, {Key: "extra", Value: 1}}}})
	require.NoError(t, err)
	_, err = collection.DeleteOne(t.Context(), bson.D{{Key: "_id", Value: legacymongo.ObjectID("purchaserequests", "r2")}})
	require.NoError(t, err)
	made := legacymongo.ObjectID("purchaserequests", "nobody's")
	_, err = collection.InsertOne(t.Context(), bson.D{{Key: "_id", Value: made}, {Key: "_src", Value: "holdfast"}, {Key: "_pos", Value: int64(1)}})
	require.NoError(t, err)
	require.NoError(t, w.legacy.Rebuild(t.Context(), w.pool, "purchaserequests", nil))
	require.Equal(t, want, w.dump("purchaserequests"))
}

func TestErasedTextLeavesTheLegacyStore(t *testing.T) {
	t.Parallel()
	w := setup(t, 1000)
	w.Do(scenariotest.Act(account.Decider, "bea", account.Register{
		Issue: w.By(domain.Machine(domain.Process, "test")), User: "bea", Email: "bea@secretly.test", EmailKey: "k", Name: "Bea Secretly", Roles: []domain.Capacity{domain.Buyer}, Method: account.Seeded,
	}))
	w.request("r1", "bea", "1", "2")
	w.offer("o1", "r1", "ann", 5)
	w.caughtUp()
	require.Equal(t, "as good as new, secretly", w.one("purchaserequests", "r1")["description"])
	require.Equal(t, "bea@secretly.test", w.one("users", "bea")["email"])
	// The key is still there, in another process or for a moment: the fact is enough.
	w.Do(scenariotest.Act(account.Decider, "bea", account.RequestErasure{Issue: w.By(domain.User("bea", domain.Buyer)), Due: w.Now()}))
	w.Do(scenariotest.Act(account.Decider, "bea", account.Erase{Issue: w.By(domain.Machine(domain.Timer, "test"))}))
	w.caughtUp()
	require.Equal(t, "deleted", w.one("users", "bea")["status"])
	for collection, all := range w.dumpAll() {
		for id, raw := range all {
			require.NotContains(t, raw, "secretly", "%s %s", collection, id)
			require.NotContains(t, raw, "Elm Street", "%s %s", collection, id)
			require.NotContains(t, raw, "Secretly", "%s %s", collection, id)
		}
	}
	require.Equal(t, "mint", w.one("selleroffers", "o1")["description"], "the others' text stays")
}

func TestTheLegacyStoreGoesAndComesBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server, err := localmongo.Start(t.Context(), dir, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	w := setupOn(t, 20, server.URI("legacy"))
	w.request("r1", "bea", "1", "2")
	w.caughtUp()
	require.NoError(t, server.Kill())
	require.NoError(t, server.Stop(t.Context()))
	for _, id := range []domain.RequestID{"r2", "r3", "r4"} {
		w.request(id, "bea", "1", "2") // commands go on
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.NoError(t, w.runner.WaitFor(ctx, "requests", w.Position()), "so do the read models in Postgres")
	status, err := w.runner.Status(t.Context())
	require.NoError(t, err)
	for _, s := range status {
		require.Equal(t, projections.Running, s.State, "%s only lags", s.Name)
	}
	server, err = localmongo.Start(t.Context(), dir, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Stop(context.Background()) })
	w.caughtUp()
	require.Len(t, w.dump("purchaserequests"), 4)
	live := w.dumpAll()
	w.rebuild()
	require.Equal(t, live, w.dumpAll())
}

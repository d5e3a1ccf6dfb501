package legacymongo_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"

	"holdfast/domain"
	"holdfast/projections/legacymongo"
)

// old writes a request as the old backend has it and names it as an import does: what stands for r
// in the log is this document.
func (w *world) old(r domain.RequestID, fields ...bson.E) (id primitive.ObjectID) {
	w.t.Helper()
	id = primitive.NewObjectID()
	doc := append(bson.D{
		{Key: "_id", Value: id},
		{Key: "title", Value: "A drill " + string(r)},
		{Key: "buyerId", Value: legacymongo.ObjectID("users", "bea").Hex()},
		{Key: "quantity", Value: 1.0},
		{Key: "budget", Value: bson.D{{Key: "min", Value: 1}, {Key: "max", Value: 2.0}, {Key: "currency", Value: "USD"}}},
		{Key: "description", Value: "as good as new, secretly"},
		{Key: "categoryId", Value: legacymongo.ObjectID("categories", "tools")},
		{Key: "urgency", Value: "low"},
		{Key: "deliveryInfo", Value: bson.D{{Key: "deliveryType", Value: "physical"}, {Key: "address", Value: "Elm Street 1"}}},
		{Key: "status", Value: "active"},
		{Key: "revisions", Value: "0"},
		{Key: "isUrgentForSomebody", Value: true},
		{Key: "__v", Value: int32(3)},
	}, fields...)
	_, err := w.db.Collection("purchaserequests").InsertOne(w.t.Context(), doc)
	require.NoError(w.t, err)
	raw, err := w.db.Collection("purchaserequests").FindOne(w.t.Context(), bson.D{{Key: "_id", Value: id}}).Raw()
	require.NoError(w.t, err)
	hash, err := hashOf(raw)
	require.NoError(w.t, err)
	w.exec(`INSERT INTO id_map (object_id, id, collection, imported, snapshot_hash) VALUES ($1, $2, 'purchaserequests', true, $3)`, id.Hex(), string(r), hash)
	return id
}

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	_, err := w.pool.Exec(w.t.Context(), sql, args...)
	require.NoError(w.t, err)
}

func (w *world) stands(in string, id primitive.ObjectID) bson.M {
	w.t.Helper()
	var doc bson.M
	require.NoError(w.t, w.db.Collection(in).FindOne(w.t.Context(), bson.D{{Key: "_id", Value: id}}).Decode(&doc))
	return doc
}

func (w *world) set(in string, id primitive.ObjectID, set bson.D) {
	w.t.Helper()
	done, err := w.db.Collection(in).UpdateOne(w.t.Context(), bson.D{{Key: "_id", Value: id}}, bson.D{{Key: "$set", Value: set}})
	require.NoError(w.t, err)
	require.EqualValues(w.t, 1, done.MatchedCount)
}

func (w *world) openGaps(domain string) map[string][]legacymongo.Gap {
	w.t.Helper()
	all, err := legacymongo.NewGaps(w.pool).Open(w.t.Context(), domain, 100)
	require.NoError(w.t, err)
	by := map[string][]legacymongo.Gap{}
	for _, g := range all {
		by[g.Kind] = append(by[g.Kind], g)
	}
	return by
}

func TestImportedDocumentsAreTakenOver(t *testing.T) {
	t.Parallel()
	w := setup(t, 1000)
	untouched, changed, gone := w.old("r1"), w.old("r2"), w.old("r3")
	w.set("purchaserequests", changed, bson.D{{Key: "status", Value: "cancelled"}})
	_, err := w.db.Collection("purchaserequests").DeleteOne(t.Context(), bson.D{{Key: "_id", Value: gone}})
	require.NoError(t, err)
	for _, r := range []domain.RequestID{"r1", "r2", "r3"} {
		w.request(r, "bea", "1", "2")
	}
	w.caughtUp()

	doc := w.stands("purchaserequests", untouched)
	require.Equal(t, "holdfast", doc["_src"])
	require.Equal(t, "1", doc["budget"].(bson.M)["min"])
	require.NotContains(t, doc, "isUrgentForSomebody")
	require.Equal(t, "holdfast", w.stands("purchaserequests", gone)["_src"], "what is not there is written")
	theirs := w.stands("purchaserequests", changed)
	require.Equal(t, "cancelled", theirs["status"], "somebody has changed it since: it stays")
	require.NotContains(t, theirs, "_src")
	gaps := w.openGaps(legacymongo.Marketplace)
	require.Len(t, gaps["foreign"], 1)
	require.Equal(t, changed.Hex(), gaps["foreign"][0].Document)

	// It is ours from now on: whoever writes it is found out, and a rebuild puts it right.
	w.set("purchaserequests", untouched, bson.D{{Key: "title", Value: "theirs again"}})
	p, err := w.legacy.Verify(t.Context(), w.pool, "purchaserequests", nil)
	require.NoError(t, err)
	require.EqualValues(t, 2, p.Differences)
	require.NoError(t, w.legacy.Rebuild(t.Context(), w.pool, "purchaserequests", nil))
	require.Equal(t, "A drill r1", w.stands("purchaserequests", untouched)["title"])
	require.Equal(t, "cancelled", w.stands("purchaserequests", changed)["status"])
	// Put back as it was imported, or removed, it is taken over by the next look.
	w.set("purchaserequests", changed, bson.D{{Key: "status", Value: "active"}})
	require.NoError(t, w.legacy.Rebuild(t.Context(), w.pool, "purchaserequests", nil))
	require.Equal(t, "holdfast", w.stands("purchaserequests", changed)["_src"])
	p, err = w.legacy.Verify(t.Context(), w.pool, "purchaserequests", nil)
	require.NoError(t, err)
	require.Zero(t, p.Differences)
	require.Empty(t, w.openGaps(legacymongo.Marketplace))
}

func TestADocumentThatChangesWhileItIsTakenOverIsKept(t *testing.T) {
	t.Parallel()
	w := setup(t, 1000)
	const documents = 60
	ids := map[domain.RequestID]primitive.ObjectID{}
	for i := range documents {
		r := domain.RequestID("r" + string(rune('A'+i)))
		ids[r] = w.old(r)
	}
	// The old backend goes on writing, one field at a time, as Mongoose saves.
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan map[primitive.ObjectID]bool, 1)
	go func() {
		written := map[primitive.ObjectID]bool{}
		for ctx.Err() == nil {
			for _, id := range ids {
				done, err := w.db.Collection("purchaserequests").UpdateOne(context.WithoutCancel(ctx), bson.D{{Key: "_id", Value: id}, {Key: "_src", Value: bson.D{{Key: "$exists", Value: false}}}}, bson.D{{Key: "$inc", Value: bson.D{{Key: "views", Value: 1}}}})
				if err == nil && done.MatchedCount == 1 {
					written[id] = true
				}
				if ctx.Err() != nil {
					break
				}
			}
		}
		ended <- written
	}()
	for r := range ids {
		w.request(r, "bea", "1", "2")
	}
	w.caughtUp()
	stop()
	<-ended
	told := func() map[string]bool {
		foreign := map[string]bool{}
		for _, g := range w.openGaps(legacymongo.Marketplace)["foreign"] {
			foreign[g.Document] = true
		}
		return foreign
	}
	foreign := told()
	// FerretDB's updates are not atomic: the old backend's may put the document that it had read back in
	// the place of ours, a moment after that was written. Only who compares can see that.
	_, err := w.legacy.Verify(t.Context(), w.pool, "purchaserequests", nil)
	require.NoError(t, err)
	found := told()
	kept := 0
	for _, id := range ids {
		doc := w.stands("purchaserequests", id)
		if doc["_src"] == "holdfast" {
			require.False(t, foreign[id.Hex()])
			continue
		}
		kept++
		require.Contains(t, doc, "views")
		require.True(t, found[id.Hex()], "what was kept is told")
	}
	t.Logf("%d of %d were kept", kept, documents)
}

func TestDocumentsThatTheOldBackendOwnsAreComparedByValue(t *testing.T) {
	t.Parallel()
	w := setup(t, 1000)
	w.owners = legacymongo.Owners{legacymongo.Marketplace: true}
	reader := w.open(w.uri) // of a process to which the domain is not ours
	same, other, moved, gone := w.old("r1"), w.old("r2", bson.E{Key: "brand", Value: "Bosch"}), w.old("r3"), w.old("r4")
	w.pause("legacy_purchaserequests")
	for _, r := range []domain.RequestID{"r1", "r2", "r3", "r4", "ours"} {
		w.request(r, "bea", "1", "2")
	}
	w.set("purchaserequests", moved, bson.D{{Key: "title", Value: "another"}})
	_, err := w.db.Collection("purchaserequests").DeleteOne(t.Context(), bson.D{{Key: "_id", Value: gone}})
	require.NoError(t, err)
	unknown := primitive.NewObjectID()
	refused := primitive.NewObjectID()
	for _, id := range []primitive.ObjectID{unknown, refused} {
		_, err = w.db.Collection("purchaserequests").InsertOne(t.Context(), bson.D{{Key: "_id", Value: id}, {Key: "title", Value: "dirt"}})
		require.NoError(t, err)
	}
	raw, err := w.db.Collection("purchaserequests").FindOne(t.Context(), bson.D{{Key: "_id", Value: refused}}).Raw()
	require.NoError(t, err)
	hash, err := hashOf(raw)
	require.NoError(t, err)
	require.NoError(t, legacymongo.NewGaps(w.pool).Note(t.Context(), legacymongo.Gap{
		Domain: legacymongo.Marketplace, Collection: "purchaserequests", Document: refused.Hex(), Severity: "critical", Kind: "refused", Mongo: hash, Error: "no buyer",
	}))

	p, err := reader.Verify(t.Context(), w.pool, "purchaserequests", nil)
	require.NoError(t, err)
	gaps := w.openGaps(legacymongo.Marketplace)
	different := map[string]int{}
	for _, g := range gaps["different"] {
		different[g.Document+" "+g.Field]++
	}
	require.Equal(t, map[string]int{other.Hex() + " brand": 1, same.Hex() + " publishedAt": 1, other.Hex() + " publishedAt": 1}, different, "and no word about numbers, ids and defaults")
	require.ElementsMatch(t, []string{moved.Hex(), unknown.Hex()}, []string{gaps["foreign"][0].Document, gaps["foreign"][1].Document})
	require.Len(t, gaps["missing"], 1)
	require.Equal(t, gone.Hex(), gaps["missing"][0].Document)
	require.Len(t, gaps["refused"], 1, "verify does not close what the import has refused")
	require.EqualValues(t, 6, p.Differences)
	require.Equal(t, map[string]int64{
		"createdAt: missing: taken from the ObjectId": 2, "updatedAt: missing: when it was imported": 2,
		"made here: it is written once Holdfast owns the domain":          1,
		"refused by the import: it has a gap of its own, with the reason": 1,
	}, p.Reasons)
	require.EqualValues(t, 6, p.Explained)
	require.Equal(t, w.Position(), p.Position, "compared with the log's end, though the projector rests")
	for _, id := range []primitive.ObjectID{same, other, moved} {
		require.NotContains(t, w.stands("purchaserequests", id), "_src", "nothing was written")
	}
	require.ErrorIs(t, reader.Rebuild(t.Context(), w.pool, "purchaserequests", nil), legacymongo.ErrOwnedByLegacy)
}

func TestAProjectorOfAnOwnedDomainWritesNothing(t *testing.T) {
	t.Parallel()
	w := setup(t, 1000)
	w.pause("legacy_purchaserequests")
	w.owners = legacymongo.Owners{legacymongo.Marketplace: true}
	theirs := w.open(w.uri)
	w.request("r1", "bea", "1", "2")
	for _, p := range theirs.Projectors() {
		if p.Name() != "legacy_purchaserequests" {
			continue
		}
		tx, err := w.pool.Begin(t.Context())
		require.NoError(t, err)
		err = p.Apply(t.Context(), tx, w.sealed())
		require.ErrorIs(t, err, legacymongo.ErrOwnedByLegacy)
		require.NoError(t, tx.Rollback(t.Context()))
	}
	require.Empty(t, w.dump("purchaserequests"))
}

// TestADocumentThatIsBeingWrittenIsNotExtra holds a projector's transaction open: its document
// stands in Mongo, and its name is not known yet.
func TestADocumentThatIsBeingWrittenIsNotExtra(t *testing.T) {
	t.Parallel()
	w := setup(t, 1000)
	w.pause("legacy_purchaserequests")
	w.request("r1", "bea", "1", "2")
	tx, err := w.pool.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(context.Background()) }()
	_, err = tx.Exec(t.Context(), `SELECT FROM projection_checkpoints WHERE name = 'legacy_purchaserequests' FOR UPDATE`)
	require.NoError(t, err)
	for _, p := range w.legacy.Projectors() {
		if p.Name() == "legacy_purchaserequests" {
			require.NoError(t, p.Apply(t.Context(), tx, w.sealed()))
		}
	}
	require.Len(t, w.dump("purchaserequests"), 1, "it stands there")
	type outcome struct {
		p   legacymongo.Parity
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		p, err := w.legacy.CompareUnnamed(t.Context(), w.pool, "purchaserequests")
		done <- outcome{p, err}
	}()
	require.Eventually(t, func() bool { // it has seen the document and waits for the projector
		var waiting int
		err := w.pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%projection_checkpoints%'`).Scan(&waiting)
		return err == nil && waiting > 0
	}, 20*time.Second, 10*time.Millisecond)
	require.NoError(t, tx.Commit(t.Context()))
	got := <-done
	require.NoError(t, got.err)
	require.Zero(t, got.p.Differences)
	require.EqualValues(t, 1, got.p.Documents)
	require.Empty(t, w.openGaps(legacymongo.Marketplace))
}

func (w *world) pause(name string) {
	w.t.Helper()
	require.NoError(w.t, w.runner.Pause(w.t.Context(), name))
}

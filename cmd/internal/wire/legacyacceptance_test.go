package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"

	"holdfast/adapters/legacydb"
	"holdfast/cmd/internal/legacyfixture"
	"holdfast/projections/legacymongo"
	"holdfast/projections/legacymongo/mongotest"
	"holdfast/reactors/legacyimport"
)

// acceptanceSize is the size of the database in thousandths of the full one:
// HOLDFAST_LEGACY_ACCEPTANCE (make legacy-acceptance: 1000).
func acceptanceSize(t *testing.T) int {
	t.Helper()
	text := os.Getenv("HOLDFAST_LEGACY_ACCEPTANCE")
	if text == "" {
		return 4
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}

// A database of the old backend goes the whole way, on one server: it is imported, and the report says
// exactly what is wrong with it; our documents take the place of its own; nothing differs but what was
// refused; and they come back, byte for byte, in an empty Mongo.
func TestTheWholeWay(t *testing.T) {
	t.Parallel()
	uri := mongotest.URI(t)
	db := mongotest.Open(t, uri)
	t.Cleanup(func() { _ = db.Drop(context.Background()) })
	took := time.Now()
	step := func(what string) {
		t.Logf("%-40s %s", what, time.Since(took).Round(time.Millisecond))
		took = time.Now()
	}
	o := legacyfixture.Small(acceptanceSize(t), 11)
	o.Dirt = 0.02
	var out bytes.Buffer
	_, err := legacyfixture.Generate(t.Context(), o, &legacyfixture.Mongo{DB: db}, &out)
	require.NoError(t, err)
	var truth legacyfixture.Truth
	require.NoError(t, json.Unmarshal(out.Bytes(), &truth))
	step("made")
	refused := map[string]bool{}
	for _, d := range truth.Dirty {
		if d.Refuse {
			refused[d.Collection+d.ID] = true
		}
	}

	w := withImport(t)
	w.Config.MongoURI, w.Config.MongoConnect, w.Config.Repos = uri, "always", map[string]string{}
	for _, d := range legacymongo.Domains() {
		w.Config.Repos[d] = "dual"
	}
	importer, err := w.Importer(t.Context())
	require.NoError(t, err)
	source, err := legacydb.Open(t.Context(), uri)
	require.NoError(t, err)
	sink := legacydb.NewRefusals(w.refused)
	runs, err := importer.Run(t.Context(), legacyimport.Wish{Source: source, Sink: sink, Progress: importer.Progress})
	require.NoError(t, err)
	require.NoError(t, sink.Close())
	require.NoError(t, source.Close(t.Context()))
	step("imported")
	for _, r := range runs {
		w.agrees(r, truth)
	}

	bridge, err := w.Bridge(t.Context())
	require.NoError(t, err)
	w.catchUp(bridge)
	step("taken over")
	for _, c := range legacymongo.Collections() {
		parity, err := bridge.Store.Verify(t.Context(), bridge.Pool, c.Name, nil)
		require.NoError(t, err, c.Name)
		// What was refused stands where it stood, and nothing else differs.
		want := truth.Collections[c.Name].Refused
		assert.EqualValues(t, want, parity.Differences, c.Name)
		gaps, err := bridge.Gaps.Open(t.Context(), c.Domain, 100_000)
		require.NoError(t, err)
		for _, g := range gaps {
			if g.Collection == c.Name && !refused[c.Name+g.Document] {
				t.Errorf("%s %s: %s %s: %q and %q: %s", c.Name, g.Document, g.Kind, g.Field, g.Postgres, g.Mongo, g.Error)
			}
		}
	}
	step("compared")

	ours := dumpOurs(t, db)
	require.NoError(t, db.Drop(t.Context()))
	for _, c := range legacymongo.Collections() {
		require.NoError(t, bridge.Store.Rebuild(t.Context(), bridge.Pool, c.Name, nil), c.Name)
	}
	step("rebuilt in an empty store")
	again := dumpOurs(t, db)
	for _, c := range legacymongo.Collections() {
		require.Equal(t, len(ours[c.Name]), len(again[c.Name]), c.Name)
		for id, raw := range ours[c.Name] {
			require.Equal(t, raw, again[c.Name][id], "%s %s", c.Name, id)
		}
	}
	require.NotEmpty(t, ours["purchaserequests"])
	require.NotEmpty(t, ours["payments"])
}

// agrees compares the report on a collection with the truth about it.
func (w *importWorld) agrees(r legacyimport.Run, truth legacyfixture.Truth) {
	w.t.Helper()
	want := truth.Collections[r.Collection]
	assert.EqualValues(w.t, want.Documents, r.Read, "%s: read", r.Collection)
	refused, why := w.refusedIDs(r.Collection)
	wanted := []string{}
	for _, d := range truth.Dirty {
		if d.Collection != r.Collection || !d.Refuse {
			continue
		}
		wanted = append(wanted, d.ID)
		if !slices.Contains(refused, d.ID) {
			w.t.Errorf("%s %s was taken: %s", r.Collection, d.ID, d.Kind)
		}
	}
	for _, id := range refused {
		if !slices.Contains(wanted, id) {
			w.t.Errorf("%s %s was refused: %s", r.Collection, id, why[id])
		}
	}
	assert.EqualValues(w.t, want.Documents-want.Refused, r.Taken, "%s: taken", r.Collection)
}

// catchUp lets the projectors come to the log's end, and the collections of plain rows be written.
func (w *importWorld) catchUp(l *Legacy) {
	w.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Runner.Run(ctx) }()
	defer func() {
		stop()
		assert.NoError(w.t, <-done)
	}()
	require.NoError(w.t, l.Store.Rebuild(w.t.Context(), l.Pool, "categories", nil))
	for deadline := time.Now().Add(time.Hour); ; time.Sleep(50 * time.Millisecond) {
		all, err := l.Runner.Status(w.t.Context())
		require.NoError(w.t, err)
		behind := int64(0)
		for _, s := range all {
			require.Nil(w.t, s.Poison, "%s halted", s.Name)
			behind = max(behind, s.Lag)
		}
		if behind == 0 {
			return
		}
		require.True(w.t, time.Now().Before(deadline), "still %d events behind", behind)
	}
}

// dumpOurs gives the documents with our mark, as they stand.
func dumpOurs(t *testing.T, db *mongo.Database) map[string]map[string]string {
	t.Helper()
	all := map[string]map[string]string{}
	for _, c := range legacymongo.Collections() {
		all[c.Name] = map[string]string{}
		cursor, err := db.Collection(c.Name).Find(t.Context(), bson.D{{Key: "_src", Value: "holdfast"}})
		require.NoError(t, err)
		for cursor.Next(t.Context()) {
			all[c.Name][cursor.Current.Lookup("_id").String()] = string(cursor.Current)
		}
		require.NoError(t, cursor.Err())
	}
	return all
}

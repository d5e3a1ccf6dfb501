package legacymongo_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"holdfast/domain"
)

// TestHowFastTheWriterIs writes many documents by a rebuild into an empty collection and by a bare
// bulk insert of the same bytes, in one run on one server. It is a measurement, not a check:
// HOLDFAST_BENCH=1 runs it.
func TestHowFastTheWriterIs(t *testing.T) {
	if os.Getenv("HOLDFAST_BENCH") == "" {
		t.Skip("a measurement: HOLDFAST_BENCH=1")
	}
	w := setup(t, 1000)
	const n = 3000
	for i := range n {
		w.request(domain.RequestID(fmt.Sprintf("r%d", i)), domain.UserID(fmt.Sprintf("u%d", i%50)), "1", "2")
	}
	w.caughtUp()
	bodies := []any{}
	for _, raw := range w.dump("purchaserequests") {
		bodies = append(bodies, bson.Raw(raw))
	}
	require.Len(t, bodies, n)
	for round := range 2 {
		require.NoError(t, w.db.Collection("purchaserequests").Drop(t.Context()))
		start := time.Now()
		require.NoError(t, w.legacy.Rebuild(t.Context(), w.pool, "purchaserequests", nil))
		ours := time.Since(start)
		bare := w.db.Collection(fmt.Sprintf("bare%d", round))
		start = time.Now()
		for i := 0; i < n; i += 500 {
			_, err := bare.InsertMany(t.Context(), bodies[i:i+500], options.InsertMany().SetOrdered(false))
			require.NoError(t, err)
		}
		inserts := time.Since(start)
		start = time.Now()
		require.NoError(t, w.legacy.Rebuild(t.Context(), w.pool, "purchaserequests", nil))
		again := time.Since(start)
		start = time.Now()
		for i := 0; i < n; i += 50 {
			var models []mongo.WriteModel
			for _, b := range bodies[i : i+50] {
				models = append(models, mongo.NewReplaceOneModel().SetUpsert(true).SetReplacement(b).SetFilter(bson.D{{Key: "_id", Value: b.(bson.Raw).Lookup("_id")}}))
			}
			_, err := bare.BulkWrite(t.Context(), models, options.BulkWrite().SetOrdered(false))
			require.NoError(t, err)
		}
		upserts := time.Since(start)
		start = time.Now()
		_, err := w.legacy.Verify(t.Context(), w.pool, "purchaserequests", nil)
		require.NoError(t, err)
		t.Logf("round %d: into empty %.0f/s, bare insert %.0f/s (%.0f %%); over the same %.0f/s, bare upsert %.0f/s (%.0f %%); verify %.0f/s", round,
			n/ours.Seconds(), n/inserts.Seconds(), 100*inserts.Seconds()/ours.Seconds(), n/again.Seconds(), n/upserts.Seconds(), 100*upserts.Seconds()/again.Seconds(), n/time.Since(start).Seconds())
	}
}

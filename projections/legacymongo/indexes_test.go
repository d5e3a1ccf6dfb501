package legacymongo_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/bson"

	"holdfast/projections/legacymongo"
)

// Every key of an index is a field of the collection's page or a column of its queries; making them
// twice, or beside the old backend's own, changes nothing, and a rebuild makes them again.
func TestCollectionsAreIndexed(t *testing.T) {
	t.Parallel()
	w := setup(t, 1000)
	w.legacy.CompareInUpdates() // as a server that asks its indexes
	for _, c := range legacymongo.Collections() {
		require.NotEmpty(t, c.Indexes(), c.Name)
		fields := []string{"createdAt"}
		for _, f := range c.Fields {
			fields = append(fields, f.Name)
		}
		for column := range c.Columns {
			fields = append(fields, "_view.columns."+column)
		}
		fields = append(fields, "_view.id", "_view.first")
		for _, keys := range c.Indexes() {
			for _, k := range keys {
				require.True(t, slices.Contains(fields, k.Key), "%s has no field %s", c.Name, k.Key)
			}
		}
	}
	names := func() (all []string) {
		cursor, err := w.db.Collection("payments").Indexes().List(t.Context())
		require.NoError(t, err)
		var found []struct{ Name string }
		require.NoError(t, cursor.All(t.Context(), &found))
		for _, f := range found {
			all = append(all, f.Name)
		}
		slices.Sort(all)
		return all
	}
	payments, _ := legacymongo.ByView("payments")
	for range 2 {
		require.NoError(t, w.legacy.Rebuild(t.Context(), w.pool, "payments", nil))
		require.Len(t, names(), len(payments.Indexes())+1)
		require.Contains(t, names(), "buyerId_1_createdAt_-1")
		require.Contains(t, names(), "_view.columns.buyer_1__view.first_-1")
	}
	require.NoError(t, w.db.Collection("payments").Drop(t.Context()))
	require.NoError(t, w.legacy.Rebuild(t.Context(), w.pool, "payments", nil))
	require.Len(t, names(), len(payments.Indexes())+1)
	n, err := w.db.Collection("payments").CountDocuments(t.Context(), bson.D{})
	require.NoError(t, err)
	require.Zero(t, n)
}

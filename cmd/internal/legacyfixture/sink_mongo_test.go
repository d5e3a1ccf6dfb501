package legacyfixture_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/bson"

	"holdfast/cmd/internal/legacyfixture"
	"holdfast/projections/legacymongo/mongotest"
)

// A server that has held a database before holds the new one alone.
func TestIntoAServer(t *testing.T) {
	t.Parallel()
	db := mongotest.New(t)
	for _, seed := range []uint64{1, 2} {
		counts, err := legacyfixture.Generate(t.Context(), legacyfixture.Small(4, seed), &legacyfixture.Mongo{DB: db}, &bytes.Buffer{})
		require.NoError(t, err)
		for _, name := range legacyfixture.Collections() {
			n, err := db.Collection(name).CountDocuments(t.Context(), bson.D{})
			require.NoError(t, err)
			require.EqualValues(t, counts[name].Documents, n, name)
		}
	}
}

package legacymongo_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/bson"

	"holdfast/domain/scenariotest"
	"holdfast/projections/legacymongo"
)

func TestVerifyFindsWhatDiffersInBothDirections(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*legacymongo.Store){"by one command": (*legacymongo.Store).CompareInUpdates, "one by one": func(*legacymongo.Store) {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t, 1000)
			prepare(w.legacy)
			scenariotest.Play(w.World, scenario(t, "S9"))
			w.request("r1", "bea", "1", "2")
			w.request("r2", "bea", "1", "2")
			w.caughtUp()
			gaps := legacymongo.NewGaps(w.pool)
			verify := func(collection string) legacymongo.Parity {
				p, err := w.legacy.Verify(t.Context(), w.pool, collection, nil)
				require.NoError(t, err)
				return p
			}
			for _, c := range legacymongo.Collections() {
				p := verify(c.Name)
				require.Zero(t, p.Differences, c.Name)
				require.EqualValues(t, len(w.dump(c.Name)), p.Documents, c.Name)
			}
			requests, payments := w.db.Collection("purchaserequests"), w.db.Collection("payments")
			edit := func(set bson.D, in string, id any) {
				_, err := w.db.Collection(in).UpdateOne(t.Context(), bson.D{{Key: "_id", Value: id}}, bson.D{{Key: "$set", Value: set}})
				require.NoError(t, err)
			}
			edit(bson.D{{Key: "description", Value: "about somebody"}}, "purchaserequests", legacymongo.ObjectID("purchaserequests", "r1"))
			_, err := requests.DeleteOne(t.Context(), bson.D{{Key: "_id", Value: legacymongo.ObjectID("purchaserequests", "r2")}})
			require.NoError(t, err)
			_, err = requests.InsertOne(t.Context(), bson.D{{Key: "_id", Value: legacymongo.ObjectID("x", "theirs")}, {Key: "title", Value: "theirs"}})
			require.NoError(t, err)
			_, err = requests.InsertOne(t.Context(), bson.D{{Key: "_id", Value: legacymongo.ObjectID("x", "forged")}, {Key: "_src", Value: "holdfast"}})
			require.NoError(t, err)
			var paid bson.M
			require.NoError(t, payments.FindOne(t.Context(), bson.D{}).Decode(&paid))
			edit(bson.D{{Key: "status", Value: "failed"}, {Key: "surplus", Value: 1}}, "payments", paid["_id"])

			require.EqualValues(t, 4, verify("purchaserequests").Differences)
			require.EqualValues(t, 2, verify("payments").Differences)
			require.EqualValues(t, 4, verify("purchaserequests").Differences, "found again, not doubled")
			open, err := gaps.Open(t.Context(), "", 100)
			require.NoError(t, err)
			kinds := map[string]int{}
			first := open[len(open)-1].ID // of the requests
			for _, g := range open {
				kinds[g.Kind+" "+g.Field]++
				require.NotContains(t, g.Mongo, "somebody", "text about people is not copied into the table")
			}
			require.Equal(t, map[string]int{"different description": 1, "missing ": 1, "foreign ": 1, "extra ": 1, "different status": 1, "different surplus": 1}, kinds)

			require.NoError(t, w.legacy.Rebuild(t.Context(), w.pool, "payments", nil))
			require.Zero(t, verify("payments").Differences)
			open, err = gaps.Open(t.Context(), legacymongo.Payment, 100)
			require.NoError(t, err)
			require.Empty(t, open, "gone, and closed")
			_, ok, err := gaps.Resolve(t.Context(), first, "root", "looked at")
			require.NoError(t, err)
			require.True(t, ok)
			runs, err := gaps.Runs(t.Context(), legacymongo.Payment)
			require.NoError(t, err)
			require.Len(t, runs, len(legacymongo.Of(legacymongo.Payment)))
		})
	}
}

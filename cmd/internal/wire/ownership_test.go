package wire

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/bson"

	"holdfast/domain/request"
	"holdfast/projections/legacymongo"
)

// document reads what stands in the old backend's database.
func (w *followed) document(in string, n int) (doc bson.M) {
	w.t.Helper()
	require.NoError(w.t, w.db.Collection(in).FindOne(w.t.Context(), bson.D{{Key: "_id", Value: oldID(n)}}).Decode(&doc))
	return doc
}

// TestOwnershipMovesWithARestart is the whole way of a domain: followed by a service, then owned by
// it, its documents taken over, and back again.
func TestOwnershipMovesWithARestart(t *testing.T) {
	t.Parallel()
	w := withOld(t, marketAndPeople...)
	w.insert("users", oldUser(1, "buyer"), oldUser(2, "seller"))
	w.insert("categories", oldCategory(11))
	w.insert("purchaserequests", oldRequest(21, 1, 11), oldRequest(22, 1, 11))
	w.insert("selleroffers", oldOffer(31, 21, 2, 12.5))
	theirs := maps.Clone(w.settings)
	maps.Copy(theirs, map[string]string{"LEGACY_FOLLOW": "true", "LEGACY_FOLLOW_POLL": "100ms", "REPO_MARKETPLACE": "mongo"})
	ours := map[string]string{"MONGODB_URI": w.settings["MONGODB_URI"], "PG_URL": w.settings["PG_URL"], "HOLDFAST_DATA": w.settings["HOLDFAST_DATA"], "REPO_MARKETPLACE": "mongo", "REPO_USER": "mongo"}

	t.Run("while the old backend owns it", func(t *testing.T) {
		s := settle(t, theirs)
		admin, buyer := s.as("admin"), s.as("buyer")
		w.until("what was there", func() bool { o, _ := w.offerState(31); return o.Seller != "" })
		state := s.anybody().get("/health").raw
		assert.Contains(t, state, `"owner":"legacy"`)
		assert.Contains(t, state, `"way":"poll"`)
		assert.Contains(t, state, "MARKETPLACE is read from Postgres although its mode is mongo")
		assert.Contains(t, s.anybody().get("/metrics").raw, `legacy_follow_up{domain="marketplace"} 1`)
		// It is read here, by either name, and written there.
		w.until("the read model", func() bool { return admin.get("/api/marketplace/requests/"+oid(21)).status == 200 })
		h := buyer.post("/api/marketplace/requests", map[string]any{
			"title": "A drill of mine", "description": "As new.", "categoryId": w.cellOf(`SELECT id::text FROM categories LIMIT 1`), "productType": "goods", "publish": true,
			"budget": map[string]string{"min": "50", "max": "100", "currency": "USDC"}, "deliveryInfo": map[string]string{"deliveryType": "physical", "address": "1 Demo Street"},
		})
		assert.Equal(t, 409, h.status, h.raw)
		assert.Equal(t, "DOMAIN_OWNED_BY_LEGACY", h.code)
		assert.Equal(t, "DOMAIN_OWNED_BY_LEGACY", admin.post("/api/admin/migration/cutover/marketplace", map[string]any{"mode": "dual", "reason": "too early for that"}).code)
		assert.NotContains(t, w.document("purchaserequests", 21), "_src")
		// One that is changed at the last moment, and one by us: only the first comes over.
		w.set("purchaserequests", oldID(21), true, field("title", "A better lamp"))
		w.until("the last change", func() bool { r, _ := w.requestState(21); return r.Details.Title == "A better lamp" })
	})
	require.False(t, t.Failed())
	// Nobody follows; somebody still writes.
	w.set("purchaserequests", oldID(22), true, field("title", "written too late"))

	s := settle(t, ours)
	admin := s.as("admin")
	w.until("the take-over", func() bool {
		return w.document("selleroffers", 31)["_src"] == "holdfast" && w.document("users", 1)["_src"] == "holdfast"
	})
	assert.Equal(t, "holdfast", w.document("categories", 11)["_src"])
	taken := w.document("purchaserequests", 21)
	assert.Equal(t, "A better lamp", taken["title"])
	assert.Equal(t, "20.5", taken["budget"].(bson.M)["max"])
	assert.NotContains(t, w.document("users", 1), "password", "we keep it, and Mongo does not")
	late := w.document("purchaserequests", 22)
	assert.Equal(t, "written too late", late["title"], "it stays")
	assert.Equal(t, "foreign", w.gaps()["foreign "+oid(22)].Kind)
	h := admin.get("/api/marketplace/requests/" + oid(21))
	assert.Equal(t, 200, h.status, h.raw)
	var taken21 int
	require.NoError(t, w.HTTP.QueryRow(t.Context(), `SELECT count(*) FROM id_map WHERE taken_at IS NOT NULL`).Scan(&taken21))
	assert.Equal(t, 5, taken21)

	// Put right by hand, it is taken too, and both sides agree.
	_, err := w.db.Collection("purchaserequests").DeleteOne(t.Context(), bson.D{{Key: "_id", Value: oldID(22)}})
	require.NoError(t, err)
	require.NoError(t, s.Legacy.Store.Rebuild(t.Context(), s.Legacy.Pool, "purchaserequests", nil))
	_, err = s.Legacy.Verify(t.Context(), marketAndPeople, nil)
	require.NoError(t, err)
	assert.Empty(t, w.gaps())
	r, _ := w.requestState(22)
	assert.Equal(t, request.Open, r.Phase)
	assert.Equal(t, "holdfast", s.Legacy.owner(legacymongo.Marketplace))
}

func (w *followed) cellOf(sql string) (text string) {
	w.t.Helper()
	require.NoError(w.t, w.HTTP.QueryRow(w.t.Context(), sql).Scan(&text))
	return text
}

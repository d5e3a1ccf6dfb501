package wire

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/bson"

	"holdfast/projections/legacymongo"
	"holdfast/projections/legacymongo/mongotest"
)

// market makes requests with offers and gives the paths of every query about them.
func (w *town) market(buyer, seller *citizen) (paths []string, request string) {
	w.t.Helper()
	category := w.cell(`SELECT id::text FROM categories WHERE active ORDER BY id LIMIT 1`)
	paths = []string{
		"/api/marketplace/requests", "/api/marketplace/requests?sort=oldest&limit=2", "/api/marketplace/requests?search=DRILL", "/api/marketplace/requests?limit=1",
		"/api/payment",
	}
	for i := range 3 {
		a := buyer.post("/api/marketplace/requests", map[string]any{
			"title": fmt.Sprintf("A drill, number %d", i), "description": "As new.", "categoryId": category, "productType": "goods", "publish": true,
			"budget": map[string]string{"min": "50", "max": fmt.Sprintf("%d.5", 100+i), "currency": "USDC"}, "deliveryInfo": map[string]string{"deliveryType": "physical", "address": "1 Demo Street"},
		})
		require.Equal(w.t, 201, a.status, a.raw)
		request = a.field("request")
		a = seller.post("/api/marketplace/offers", map[string]any{
			"purchaseRequestId": request, "title": "Just what you look for", "price": map[string]string{"asset": "USDC@1337", "display": "90.25"},
			"deliveryTime": map[string]any{"amount": 3, "unit": "days"}, "validUntil": time.Now().Add(24 * time.Hour).UTC(),
		})
		require.Equal(w.t, 201, a.status, a.raw)
		paths = append(paths, "/api/marketplace/requests/"+request, "/api/marketplace/requests/"+request+"/offers")
	}
	return paths, request
}

func TestADomainIsMovedThereAndBackUnderLoad(t *testing.T) {
	t.Parallel()
	uri := mongotest.URI(t)
	db := mongotest.Open(t, uri)
	t.Cleanup(func() { _ = db.Drop(context.Background()) })
	w := settle(t, map[string]string{"MONGODB_URI": uri, "REPO_DEFAULT": "mongo"})
	buyer, seller, admin := w.as("buyer"), w.as("seller"), w.as("admin")
	paths, request := w.market(buyer, seller)
	answers := func() map[string]string {
		all := map[string]string{}
		for _, p := range paths {
			h := buyer.get(p)
			require.Equal(t, 200, h.status, "%s: %s", p, h.raw)
			all[p] = h.raw
		}
		return all
	}
	want := answers()
	mode := func() string {
		return admin.get("/api/admin/migration/parity?domain=marketplace").list()[0]["mode"].(string)
	}
	require.Equal(t, "mongo", mode())
	move := func(to string, status int) heard {
		h := admin.post("/api/admin/migration/cutover/marketplace", map[string]any{"mode": to, "reason": "the way over"})
		require.Equal(t, status, h.status, h.raw)
		return h
	}
	require.Equal(t, "CUTOVER_NOT_READY", move("dual", 409).code, "never compared")
	require.Equal(t, 202, admin.post("/api/admin/migration/parity", map[string]any{}).status)
	w.until("the comparison", func() bool {
		at, err := w.Legacy.compared(t.Context(), w.Store, legacymongo.Marketplace)
		return err == nil && at != nil
	})

	var readers sync.WaitGroup
	var asked, failed atomic.Int64
	stop := make(chan struct{})
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				for _, p := range paths {
					h := buyer.get(p)
					asked.Add(1)
					if h.status != 200 || h.raw != want[p] {
						failed.Add(1)
						t.Errorf("%s while it moves: %d %s, wanted %s", p, h.status, h.raw, want[p])
						return
					}
				}
			}
		})
	}
	require.Equal(t, "CUTOVER_STEP", move("pg", 409).code)
	for _, to := range []string{"dual", "pg", "dual", "mongo"} {
		move(to, 200)
		assert.Equal(t, to, mode())
		assert.Equal(t, want, answers(), "in %s", to)
	}
	close(stop)
	readers.Wait()
	require.Zero(t, failed.Load())
	require.Positive(t, asked.Load())

	// Either name finds it.
	object := legacymongo.ObjectID("purchaserequests", request).Hex()
	require.Equal(t, want["/api/marketplace/requests/"+request], buyer.get("/api/marketplace/requests/"+object).raw)
	require.Equal(t, 404, buyer.get("/api/marketplace/requests/0123456789abcdef01234567").status)

	// What somebody changed in Mongo is served (that is where the domain reads), found, and shown.
	_, err := db.Collection("purchaserequests").UpdateOne(t.Context(), bson.D{{Key: "_id", Value: legacymongo.ObjectID("purchaserequests", request)}}, bson.D{{Key: "$set", Value: bson.D{{Key: "title", Value: "edited"}}}})
	require.NoError(t, err)
	require.Equal(t, 202, admin.post("/api/admin/migration/parity", map[string]any{"domain": "marketplace"}).status)
	var gaps []any
	w.until("the gap", func() bool {
		gaps, _ = admin.get("/api/admin/migration/parity?domain=marketplace").list()[0]["gaps"].([]any)
		return len(gaps) == 1
	})
	gap := gaps[0].(map[string]any)
	require.Equal(t, "title", gap["field"])
	require.Equal(t, "CUTOVER_NOT_READY", move("dual", 409).code)
	require.Equal(t, 200, admin.post(fmt.Sprintf("/api/admin/migration/parity/%.0f/resolve", gap["id"]), map[string]any{"reason": "rebuilt by hand"}).status)
	require.Equal(t, 403, buyer.post("/api/admin/migration/cutover/marketplace", map[string]any{"mode": "dual", "reason": "not his to move"}).status)
}

func TestDomainsThatReadALostStoreSaySo(t *testing.T) {
	t.Parallel()
	w := settle(t, map[string]string{"MONGODB_URI": "mongodb://127.0.0.1:1/nickapp", "REPO_MARKETPLACE": "dual"})
	buyer := w.as("buyer")
	start := time.Now()
	h := buyer.do("GET", "/api/marketplace/requests", nil, "X-Min-Position", "0")
	require.Equal(t, 503, h.status, h.raw)
	require.Equal(t, "LEGACY_STORE_UNAVAILABLE", h.code)
	require.Less(t, time.Since(start), 20*time.Second)
	require.Equal(t, 200, buyer.get("/api/payment").status, "the others go on")
	health := w.anybody().get("/health")
	require.Equal(t, 503, health.status)
	require.Contains(t, health.raw, "the legacy store does not answer")
	require.Equal(t, 200, w.anybody().get("/health/ready").status, "everything else can be had")
}

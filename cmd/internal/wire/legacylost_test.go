package wire

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/bson"

	"holdfast/projections/legacymongo"
	"holdfast/projections/legacymongo/mongotest"
)

// disturbed puts a proxy between the service and its legacy store.
func disturbed(t *testing.T) (uri string, p *toxiproxy.Proxy) {
	t.Helper()
	direct := mongotest.URI(t)
	db := mongotest.Open(t, direct)
	t.Cleanup(func() { _ = db.Drop(context.Background()) })
	u, err := url.Parse(direct)
	require.NoError(t, err)
	p = toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), "mongo", "127.0.0.1:0", u.Host)
	require.NoError(t, p.Start())
	t.Cleanup(p.Stop)
	u.Host = p.Listen
	return u.String(), p
}

// served are queries that are answered from the legacy store alone, by domain.
func (c *cast) served() map[string]question {
	return map[string]question{
		"marketplace":         {c.buyer, "/api/marketplace/requests"},
		"payment":             {c.buyer, "/api/payment"},
		"release_hold":        {c.buyer, "/api/disputes/pr/" + c.held.request},
		"dispute":             {c.buyer, "/api/disputes/mine"},
		"trezor":              {c.seller, "/api/trezor/addresses"},
		"derived_destination": {c.admin, "/api/payment/derived-destinations"},
	}
}

// Faults 12 and 13 over HTTP: the legacy store is away, hangs, is slow, and comes back, while every
// domain is read there.
func TestALostLegacyStoreTakesNothingElseAway(t *testing.T) {
	t.Parallel()
	uri, way := disturbed(t)
	w := settle(t, map[string]string{"MONGODB_URI": uri, "REPO_DEFAULT": "dual"})
	c := stage(w)
	all := func() map[string]string {
		answers, mu, asks := map[string]string{}, sync.Mutex{}, sync.WaitGroup{}
		for domain, q := range c.served() {
			asks.Go(func() {
				h := q.who.do("GET", q.path, nil, "X-Min-Position", "0")
				mu.Lock()
				defer mu.Unlock()
				answers[domain] = answer(h)
				if h.status == 503 {
					assert.NotEmpty(t, h.header.Get("Retry-After"))
				}
			})
		}
		asks.Wait()
		return answers
	}
	each := func(said string) map[string]string {
		want := map[string]string{}
		for domain := range c.served() {
			want[domain] = said
		}
		return want
	}
	w.until("everything is served", func() bool { return assert.ObjectsAreEqual(each("200 "), all()) })

	n := 0
	othersGoOn := func() {
		t.Helper()
		for _, r := range c.realms() {
			r.write(n) // panics on a refusal
		}
		n++
		assert.Equal(t, 200, c.buyer.get("/api/auth/me").status)
		assert.Equal(t, 200, c.admin.get("/api/audit/events?limit=5").status)
		assert.Equal(t, "200 ", answer(w.anybody().get("/health/ready")))
		assert.NotEqual(t, "LEGACY_STORE_UNAVAILABLE", c.seller.post("/api/payouts", map[string]any{"amount": map[string]string{"asset": "USDC@1337", "display": "1"}}).code, "commands read Postgres")
	}
	way.Stop()
	assert.Equal(t, each("503 LEGACY_STORE_UNAVAILABLE"), all(), "it is away")
	assert.Contains(t, w.anybody().get("/health").raw, "the legacy store does not answer")
	othersGoOn()

	require.NoError(t, way.Start())
	_, err := way.Toxics.AddToxicJson(strings.NewReader(`{"name":"hangs","type":"timeout","stream":"downstream","attributes":{"timeout":0}}`))
	require.NoError(t, err)
	begun := time.Now()
	assert.Equal(t, each("503 LEGACY_STORE_UNAVAILABLE"), all(), "it hangs")
	assert.Less(t, time.Since(begun), 20*time.Second)
	othersGoOn()
	require.NoError(t, way.Toxics.RemoveToxic(t.Context(), "hangs"))

	_, err = way.Toxics.AddToxicJson(strings.NewReader(`{"name":"slow","type":"latency","stream":"downstream","attributes":{"latency":200,"jitter":50}}`))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return assert.ObjectsAreEqual(each("200 "), all()) }, time.Minute, 100*time.Millisecond, "it is slow")
	othersGoOn()
	require.NoError(t, way.Toxics.RemoveToxic(t.Context(), "slow"))

	require.Eventually(t, func() bool {
		states, err := w.Legacy.States(t.Context())
		require.NoError(t, err)
		for d, s := range states {
			require.Empty(t, s.Halted, d)
			if s.Lag > 0 {
				return false
			}
		}
		return true
	}, time.Minute, 100*time.Millisecond, "it catches up by itself")
	found, err := w.Legacy.Verify(t.Context(), nil, nil)
	require.NoError(t, err)
	for _, one := range found {
		assert.Zero(t, one.Differences, one.Collection)
	}
	assert.Equal(t, each("200 "), all())
}

// What somebody edits by hand is found by the comparison, keeps the domain where it is, and is gone
// after a rebuild.
func TestADocumentEditedByHandKeepsADomainUntilItIsRebuilt(t *testing.T) {
	t.Parallel()
	uri := mongotest.URI(t)
	db := mongotest.Open(t, uri)
	t.Cleanup(func() { _ = db.Drop(context.Background()) })
	w := settle(t, map[string]string{"MONGODB_URI": uri, "REPO_DEFAULT": "mongo"})
	c := stage(w)
	place := bson.D{{Key: "_id", Value: legacymongo.ObjectID("payments", c.held.payment)}}
	was := c.buyer.get("/api/payment/" + c.held.payment).raw
	raw, err := db.Collection("payments").FindOne(t.Context(), place).Raw()
	require.NoError(t, err)
	_, err = db.Collection("payments").UpdateOne(t.Context(), place, bson.D{{Key: "$set", Value: bson.D{{Key: "status", Value: "refunded"}, {Key: "_view.state", Value: `{}`}}}})
	require.NoError(t, err)
	require.NotEqual(t, was, c.buyer.get("/api/payment/"+c.held.payment).raw, "that is where it is read")
	c.compare("payment")
	gaps := c.parity("payment")["gaps"].([]any)
	require.Len(t, gaps, 2, gaps)
	require.Equal(t, "409 CUTOVER_NOT_READY", answer(c.move("payment", "dual", nil)))
	require.NoError(t, w.Legacy.Store.Rebuild(t.Context(), w.Legacy.Pool, "payments", nil))
	c.compare("payment")
	require.Zero(t, c.parity("payment")["openGaps"])
	again, err := db.Collection("payments").FindOne(t.Context(), place).Raw()
	require.NoError(t, err)
	require.Equal(t, raw, again, "the same bytes")
	require.Equal(t, was, c.buyer.get("/api/payment/"+c.held.payment).raw)
	require.Equal(t, "200 ", answer(c.move("payment", "dual", nil)))
}

package wire

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/eventstore/postgres/pgtest"
	"holdfast/projections"
	"holdfast/projections/legacymongo"
	"holdfast/projections/legacymongo/mongotest"
)

// followedWithin is what a process may take to follow a move of another one on a busy machine; it
// asks twice a second.
const followedWithin = 5 * time.Second

// Two processes of the service on one database: whichever moves a domain, the other follows, each
// time, and neither refuses a query meanwhile.
func TestTwoProcessesFollowEachOthersMoves(t *testing.T) {
	t.Parallel()
	uri := mongotest.URI(t)
	db := mongotest.Open(t, uri)
	t.Cleanup(func() { _ = db.Drop(context.Background()) })
	settings := map[string]string{
		"MONGODB_URI": uri, "PG_URL": pgtest.New(t).Config().ConnString(), "JWT_SECRET": "between-two-processes-of-one-service-0123456789", "PG_POOL_HTTP": "6",
		"PII_MASTER_KEY": strings.Repeat("11", 32), "LOG_SIGNING_KEY": strings.Repeat("22", 32),
	}
	a := settle(t, settings)
	b := settle(t, settings)
	here := &cast{w: a, buyer: a.as("buyer"), seller: a.as("seller"), admin: a.as("admin")}
	here.category = a.cell(`SELECT id::text FROM categories WHERE active ORDER BY id LIMIT 1`)
	here.held, here.unpaid = here.sold("held"), here.sold("unpaid")
	there := &cast{w: b, buyer: b.as("buyer"), seller: b.as("seller"), admin: b.as("admin"), category: here.category, held: here.held, unpaid: here.unpaid}

	here.move("marketplace", "dual", nil) // begins to keep the collections
	here.compare("marketplace")
	one, two := here.press(here.market()), there.press(there.market())
	for n, to := range []string{"dual", "mongo", "dual", "pg"} {
		mover, other := here, b
		if n%2 == 1 {
			mover, other = there, a
		}
		h := mover.move("marketplace", to, nil)
		require.Equal(t, 200, h.status, h.raw)
		moved := time.Now()
		require.Eventually(t, func() bool { return other.Legacy.Modes.Of(legacymongo.Marketplace) == legacymongo.Mode(to) }, followedWithin, 10*time.Millisecond, to)
		t.Logf("%s was followed within %s", to, time.Since(moved).Round(time.Millisecond))
		one.goesOn()
		two.goesOn()
	}
	for _, p := range []*pressure{one, two} {
		reads, writes := p.end()
		t.Logf("%d reads and %d writes, none refused", reads, writes)
	}
	require.Equal(t, "4", a.cell(`SELECT count(*)::text FROM events WHERE stream_type = 'domain_cutover'`))
	a.until("the collections rest", func() bool {
		status, err := a.Legacy.Runner.Status(t.Context())
		require.NoError(t, err)
		for _, s := range status {
			if contained(a.Legacy.names[legacymongo.Marketplace], s.Name) && s.State != projections.Paused {
				return false
			}
		}
		return true
	})
}

// The follower of moves is never ended by a database that is away: it goes on where it was, and
// takes in what was decided before it could ask.
func TestFollowingMovesOutlivesTheDatabase(t *testing.T) {
	t.Parallel()
	uri := mongotest.URI(t)
	w := settle(t, map[string]string{"MONGODB_URI": uri, "REPO_DEFAULT": "mongo"})
	c := &cast{w: w, admin: w.as("admin")}
	require.Equal(t, "200 ", answer(c.move("payment", "pg", map[string]any{"force": true})))
	// This process is made to be wrong, and a follower begins while it cannot ask.
	w.exec(`ALTER TABLE log_head RENAME TO log_head_away`)
	w.Legacy.Modes.Set(legacymongo.Payment, legacymongo.Mongo)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.followCutovers(ctx) }()
	w.until("it has failed", func() bool { return strings.Contains(w.said.String(), "moves of domains could not be followed") })
	w.exec(`ALTER TABLE log_head_away RENAME TO log_head`)
	w.until("it knows where the domain is", func() bool { return w.Legacy.Modes.Of(legacymongo.Payment) == legacymongo.Postgres })
	stop()
	require.NoError(t, <-ended)
}

// A forced move waits for nothing of a store that is away, and what was read there is answered by
// Postgres at once.
func TestAForcedMoveDoesNotWaitForALostStore(t *testing.T) {
	t.Parallel()
	w := settle(t, map[string]string{"MONGODB_URI": "mongodb://127.0.0.1:1/nickapp", "REPO_DEFAULT": "mongo"})
	c := &cast{w: w, admin: w.as("admin")}
	buyer := w.as("buyer")
	assert.Equal(t, "503 LEGACY_STORE_UNAVAILABLE", answer(buyer.do("GET", "/api/payment", nil, "X-Min-Position", "0")))
	assert.Equal(t, "503 LEGACY_STORE_UNAVAILABLE", answer(c.move("payment", "dual", nil)), "it cannot be compared")
	start := time.Now()
	require.Equal(t, "200 ", answer(c.move("payment", "pg", map[string]any{"force": true})))
	assert.Less(t, time.Since(start), 2*time.Second)
	assert.Equal(t, 200, buyer.get("/api/payment").status)
	assert.Equal(t, "503 LEGACY_STORE_UNAVAILABLE", answer(buyer.do("GET", "/api/marketplace/requests", nil, "X-Min-Position", "0")), "the others stay where they are")
}

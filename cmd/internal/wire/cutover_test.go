package wire

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/projections/legacymongo"
	"holdfast/projections/legacymongo/mongotest"
)

// move asks for a step of a domain's way.
func (c *cast) move(domain, to string, more map[string]any) heard {
	body := map[string]any{"mode": to, "reason": "the way over, by test"}
	for k, v := range more {
		body[k] = v
	}
	return c.admin.post("/api/admin/migration/cutover/"+domain, body)
}

// parity is a domain's row of the migration's page.
func (c *cast) parity(domain string) map[string]any {
	return c.admin.get("/api/admin/migration/parity?domain=" + domain).list()[0]
}

// compare waits until a domain's collections were compared with the log.
func (c *cast) compare(domain string) {
	c.w.t.Helper()
	before := c.w.cell(`SELECT count(*)::text FROM legacy_parity_runs WHERE domain = upper($1)`, domain)
	c.w.until("no other comparison runs", func() bool {
		return c.admin.post("/api/admin/migration/parity", map[string]any{"domain": domain}).status == 202
	})
	want := len(legacymongo.Of(strings.ToUpper(domain)))
	c.w.until("the comparison of "+domain, func() bool {
		return c.w.cell(`SELECT (count(*) - $2)::text FROM legacy_parity_runs WHERE domain = upper($1)`, domain, want) == before
	})
}

// pressure is what people do with a domain meanwhile: everybody reads, somebody writes and looks
// at once whether it can be seen.
type pressure struct {
	*cast
	realm
	want          map[question]string
	quiet         sync.RWMutex // who writes holds it for reading
	reads, writes atomic.Int64
	stop          chan struct{}
	workers       sync.WaitGroup
}

func (c *cast) press(r realm) *pressure {
	p := &pressure{cast: c, realm: r, want: map[question]string{}, stop: make(chan struct{})}
	for _, q := range r.steady {
		p.want[q] = p.ask(q)
	}
	for range 2 {
		p.workers.Go(func() { p.forever(p.read) })
	}
	p.workers.Go(func() { p.forever(p.change) })
	return p
}

func (p *pressure) forever(work func(n int)) {
	for n := 0; ; n++ {
		select {
		case <-p.stop:
			return
		default:
			work(n)
		}
	}
}

// goesOn waits until everybody has read everything and somebody has written, since now.
func (p *pressure) goesOn() {
	p.w.t.Helper()
	reads, writes := p.reads.Load()+int64(3*len(p.steady)+3*len(p.moving)), p.writes.Load()+2
	p.w.until("reads and writes of "+p.domain, func() bool { return p.reads.Load() >= reads && p.writes.Load() >= writes })
}

// end gives how much was done.
func (p *pressure) end() (reads, writes int64) {
	close(p.stop)
	p.workers.Wait()
	return p.reads.Load(), p.writes.Load()
}

func (p *pressure) ask(q question) string {
	h := q.who.get(q.path)
	assert.Equal(p.w.t, 200, h.status, "%s %s: %s", p.domain, q.path, h.raw)
	return h.raw
}

func (p *pressure) read(int) {
	for _, q := range p.steady {
		assert.Equal(p.w.t, p.want[q], p.ask(q), "%s: %s while it moves", p.domain, q.path)
		p.reads.Add(1)
	}
	for _, q := range p.moving {
		p.ask(q)
		p.reads.Add(1)
	}
}

func (p *pressure) change(n int) {
	p.quiet.RLock()
	defer p.quiet.RUnlock()
	q, shows := p.write(n)
	assert.Contains(p.w.t, p.ask(q), shows, "%s: %s does not show what was just written", p.domain, q.path)
	p.writes.Add(1)
}

// same demands the same bytes from either store, of one moment: nobody writes meanwhile, and the
// follower of moves waits.
func (p *pressure) same() {
	p.w.t.Helper()
	p.quiet.Lock()
	defer p.quiet.Unlock()
	l, d := p.w.Legacy, strings.ToUpper(p.domain)
	l.moving.Lock()
	defer l.moving.Unlock()
	mode, answers := l.Modes.Of(d), map[legacymongo.Mode]map[string]string{}
	for _, m := range []legacymongo.Mode{legacymongo.Mongo, legacymongo.Postgres} {
		l.Modes.Set(d, m)
		answers[m] = map[string]string{}
		for _, q := range append(p.steady, p.moving...) {
			answers[m][q.path] = p.ask(q)
		}
	}
	l.Modes.Set(d, mode)
	assert.Equal(p.w.t, answers[legacymongo.Postgres], answers[legacymongo.Mongo], "%s, in %s", p.domain, mode)
}

func TestEveryDomainIsMovedThereAndBackUnderLoad(t *testing.T) {
	t.Parallel()
	uri := mongotest.URI(t)
	db := mongotest.Open(t, uri)
	t.Cleanup(func() { _ = db.Drop(context.Background()) })
	w := settle(t, map[string]string{"MONGODB_URI": uri, "REPO_DEFAULT": "pg"})
	c := stage(w)
	var names []string
	for _, r := range c.realms() {
		names = append(names, strings.ToUpper(r.domain))
		t.Run(r.domain, func(t *testing.T) {
			c.refusals(t, r)
			p := c.press(r)
			for _, to := range []string{"dual", "mongo", "dual", "pg"} {
				h := c.move(r.domain, to, nil)
				require.Equal(t, 200, h.status, "%s to %s: %s", r.domain, to, h.raw)
				require.Equal(t, to, c.parity(r.domain)["mode"])
				p.goesOn()
				p.same()
			}
			reads, writes := p.end()
			t.Logf("%d reads and %d writes, none refused", reads, writes)
			require.Positive(t, reads)
			require.Positive(t, writes)
			require.Equal(t, "4", w.cell(`SELECT count(*)::text FROM events WHERE stream_type = 'domain_cutover' AND stream_id = $1`, r.domain), "each step is one event")
			require.Zero(t, c.parity(r.domain)["openGaps"])
			all, err := w.Legacy.Verify(t.Context(), []string{strings.ToUpper(r.domain)}, nil)
			require.NoError(t, err)
			for _, one := range all {
				require.Zero(t, one.Differences, one.Collection)
			}
		})
	}
	for _, d := range legacymongo.Domains() {
		require.Equal(t, len(legacymongo.Of(d)) > 0, contained(names, d), "%s has collections and is in the table, or has neither", d)
	}
}

func contained(all []string, one string) bool {
	for _, s := range all {
		if s == one {
			return true
		}
	}
	return false
}

// refusals walks through what keeps a domain in pg from moving, each with its code, until nothing
// does.
func (c *cast) refusals(t *testing.T, r realm) {
	t.Helper()
	refused := func(to string, status int, code, says string, more map[string]any) {
		t.Helper()
		before := c.w.cell(`SELECT count(*)::text FROM events WHERE stream_type = 'domain_cutover'`)
		h := c.move(r.domain, to, more)
		require.Equal(t, fmt.Sprint(status, " ", code), fmt.Sprint(h.status, " ", h.code), h.raw)
		require.Contains(t, h.raw, says)
		require.Equal(t, before, c.w.cell(`SELECT count(*)::text FROM events WHERE stream_type = 'domain_cutover'`))
		require.Equal(t, "pg", c.parity(r.domain)["mode"])
	}
	c.compare(r.domain)                                // while the collections rest: that counts for nothing
	refused("dual", 409, "CUTOVER_NOT_READY", "", nil) // and sets them going
	c.compare(r.domain)
	refused("mongo", 409, "CUTOVER_STEP", `"from":"pg"`, nil)
	refused("dual", 422, "CUTOVER_FORCE", "", map[string]any{"force": true})
	refused("postgres", 400, "VALIDATION_FAILED", "", nil)

	d := strings.ToUpper(r.domain)
	collection := legacymongo.Of(d)[0].Name
	require.NoError(t, c.w.Legacy.Gaps.Note(t.Context(), legacymongo.Gap{Domain: d, Collection: collection, Document: "0123456789abcdef01234567", Severity: "critical", Kind: "different", Field: "made up"}))
	refused("dual", 409, "CUTOVER_NOT_READY", `"openGaps":"1"`, nil)
	gap := c.parity(r.domain)["gaps"].([]any)[0].(map[string]any)
	require.Equal(t, 200, c.admin.post(fmt.Sprintf("/api/admin/migration/parity/%.0f/resolve", gap["id"]), map[string]any{"reason": "made up by a test"}).status)

	c.w.exec(`UPDATE legacy_parity_runs SET finished_at = finished_at - interval '2 hours' WHERE domain = $1 AND collection = $2`, d, collection)
	refused("dual", 409, "CUTOVER_NOT_READY", `"comparedAt"`, nil)
	c.compare(r.domain)

	projector := c.w.Legacy.names[d][len(c.w.Legacy.names[d])-1]
	c.w.exec(`UPDATE projection_checkpoints SET state = 'halted', halted_at = clock_timestamp(), poison_position = position + 1, poison_type = '', poison_error = 'by a test' WHERE name = $1`, projector)
	r.write(1000)
	r.write(1001)
	h := c.move(r.domain, "dual", nil)
	require.Equal(t, "409 CUTOVER_NOT_READY", fmt.Sprint(h.status, " ", h.code), h.raw)
	require.NotContains(t, h.raw, `"lag":"0"`)
	require.NoError(t, c.w.Legacy.Runner.Retry(t.Context(), projector))
}

// Domains that come later have nothing to move, and say so.
func TestADomainWithoutCollectionsHasNothingToMove(t *testing.T) {
	t.Parallel()
	w := settle(t, map[string]string{"MONGO_CONNECT_MODE": "never"})
	c := &cast{w: w, admin: w.as("admin")}
	for _, d := range legacymongo.Domains() {
		if len(legacymongo.Of(d)) > 0 {
			assert.Equal(t, "503 NOT_CONFIGURED", answer(c.move(domainName(d), "dual", nil)), d)
			continue
		}
		w.untouched(func() {
			assert.Equal(t, "409 CUTOVER_NO_COLLECTIONS", answer(c.move(domainName(d), "dual", nil)), d)
			assert.Equal(t, "409 CUTOVER_NO_COLLECTIONS", answer(c.move(domainName(d), "pg", map[string]any{"force": true})), d)
		})
		assert.Empty(t, c.parity(domainName(d))["collections"])
	}
	assert.Equal(t, "404 NOT_FOUND", answer(c.move("weather", "dual", nil)))
}

func answer(h heard) string { return fmt.Sprint(h.status, " ", h.code) }

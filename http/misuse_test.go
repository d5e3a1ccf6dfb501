package http_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/domain"
	apihttp "holdfast/http"
)

// lines is a log in memory.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *lines) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// TestRefusalsComeInOrder: of everything that is wrong with a request, the first of size, media
// type, identity, rate, role, syntax and object is what it is refused for.
func TestRefusalsComeInOrder(t *testing.T) {
	t.Parallel()
	w := setup(t, func(w *world) {
		w.config.Budgets, w.deps.Limiter = apihttp.Budgets{Payment: 2, Auth: 100}, counting(nil)
	})
	spent, admin := w.as(w.users.named("seller")), w.as(w.users.named("admin"))
	path := "/api/payment/payouts/" + nobody + "/approve"
	for range 2 {
		spent.post(path, `{"revision":1}`)
	}
	large := strings.Repeat("x", 64<<10+1)
	xml := header("Content-Type", "text/xml")
	w.untouched(func() {
		for i, c := range []struct {
			who    *client
			body   string
			media  func(*http.Request)
			status int
			code   string
		}{
			{w.anybody(), large, xml, 413, "PAYLOAD_TOO_LARGE"},
			{w.anybody(), "x", xml, 415, "UNSUPPORTED_MEDIA_TYPE"},
			{w.anybody(), "x", nil, 401, "UNAUTHENTICATED"},
			{spent, "x", nil, 429, "RATE_LIMITED"},
			{w.as(w.users.named("buyer")), "x", nil, 403, "FORBIDDEN"},
			{admin, "x", nil, 400, "INVALID_JSON"},
			{admin, `{"revision":1}`, nil, 404, "NOT_FOUND"},
		} {
			var options []func(*http.Request)
			if c.media != nil {
				options = append(options, c.media)
			}
			a := c.who.post(path, c.body, options...)
			assert.Equal(t, c.status, a.status, "%d: %s", i, a.raw)
			assert.Equal(t, c.code, a.code, i)
		}
	})
}

// TestNoRouteTakesWhatItDoesNotKnow (58): a field that nobody asked for is refused by every
// route that takes a body, so that no one can hand himself a role or a balance.
func TestNoRouteTakesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	w := setup(t)
	all := w.holding(everyRole...)
	asked := 0
	w.untouched(func() {
		for _, r := range apihttp.Routes() {
			if r.Method == http.MethodGet || r.Raw || strings.HasPrefix(r.Path, "/api/auth/logout") {
				continue
			}
			for _, field := range []string{"role", "roles", "emailVerified", "balance", "points", "walletVerified", "createdAt", "__proto__"} {
				a := all.send(r.Method, concrete(r, r.Path), `{"`+field+`":"admin"}`)
				if a.code == "NOT_CONFIGURED" {
					continue // what its adapter would refuse is tested with the adapter
				}
				assert.Equal(t, 400, a.status, "%s %s with %s: %s", r.Method, r.Path, field, a.raw)
				asked++
			}
		}
	})
	assert.Greater(t, asked, 400)
}

// operation is what the OpenAPI document says of one.
type operation struct {
	Parameters []struct {
		Name string `json:"name"`
		In   string `json:"in"`
	} `json:"parameters"`
}

// TestEveryListIsStrict (16, 17): each list of the document refuses limits, repeated
// parameters and cursors that it did not give out: garbage, cut, altered, another list's.
func TestEveryListIsStrict(t *testing.T) {
	t.Parallel()
	w := setup(t, checkingOut, onPostgres)
	o := selected(t, w)
	second := o.buyer.post(requestsPath, wish())
	require.Equal(t, 201, second.status)
	w.seen(o.buyer, o.path(""))
	page := o.buyer.get(requestsPath + "?limit=1")
	meta, _ := page.body["meta"].(map[string]any)
	genuine, _ := meta["next_cursor"].(string)
	require.NotEmpty(t, genuine, string(page.raw))
	require.Equal(t, 200, o.buyer.get(requestsPath+"?limit=1&cursor="+genuine).status)

	var doc struct {
		Paths map[string]map[string]operation `json:"paths"`
	}
	require.NoError(t, json.Unmarshal(w.anybody().get("/openapi.json").raw, &doc))
	all := w.holding(everyRole...)
	lists := 0
	w.untouched(func() {
		for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
			has := map[string]bool{}
			for _, p := range doc.Paths[path]["get"].Parameters {
				has[p.Name] = p.In == "query"
			}
			plain := all.get(fillAll(path))
			if len(has) > 0 && plain.code == "NOT_CONFIGURED" {
				continue
			}
			refused := func(query, code string) {
				a := all.get(fillAll(path) + "?" + query)
				assert.Equal(t, 400, a.status, "%s?%s: %s", path, query, a.raw)
				assert.Equal(t, code, a.code, "%s?%s", path, query)
			}
			if has["limit"] {
				lists++
				for _, q := range []string{"limit=-1", "limit=0", "limit=1000000000", "limit=abc", "limit=1&limit=2", "limit=%zz", "limit=9223372036854775808", "limit=1%00"} {
					refused(q, "VALIDATION_FAILED")
				}
			}
			if has["sort"] {
				refused("sort=;drop", "VALIDATION_FAILED")
				refused("sort=%3Bdrop%20table", "VALIDATION_FAILED")
			}
			if has["cursor"] && !pathParam.MatchString(path) && plain.status == 200 {
				altered := []byte(genuine)
				altered[len(altered)/2]++
				for _, c := range []string{"x", "Zm9v", "%00", genuine[:len(genuine)-3], string(altered), strings.Repeat("A", 3000), "' or 1=1"} {
					if c = strings.ReplaceAll(c, " ", "%20"); c != "%00" {
						refused("cursor="+c, "INVALID_CURSOR")
					}
				}
				if path != requestsPath && path != "/api/marketplace/purchase-requests" {
					refused("cursor="+genuine, "INVALID_CURSOR")
				}
			}
		}
	})
	assert.Greater(t, lists, 15)
}

// fillAll names nothing in every parameter of a path of the document.
func fillAll(path string) string {
	return pathParam.ReplaceAllStringFunc(path, func(p string) string {
		switch p {
		case "{account}":
			return "seller:nobody:available"
		case "{position}", "{chainId}":
			return "999999"
		}
		return nobody
	})
}

// TestWhoHangsUpGetsOneOutcome (26): a client that goes away in the middle of a command finds
// it wholly done or not at all, and its key says which.
func TestWhoHangsUpGetsOneOutcome(t *testing.T) {
	t.Parallel()
	w := setup(t, checkingOut, onLog)
	c := w.as(w.users.named("buyer"))
	raw, err := json.Marshal(wish())
	require.NoError(t, err)
	before := w.events()
	one := c.post(requestsPath, wish(), key("the-first"))
	require.Equal(t, 201, one.status)
	perRequest := w.events() - before
	const times = 40
	for i := range times {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*150*time.Microsecond)
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.http.URL+requestsPath, bytes.NewReader(raw))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+c.token)
		req.Header.Set("Idempotency-Key", fmt.Sprintf("hung-up-%d", i))
		if res, err := w.http.Client().Do(req); err == nil {
			_ = res.Body.Close()
		}
		cancel()
	}
	for i := range times {
		require.Eventually(t, func() bool {
			a := c.post(requestsPath, wish(), key(fmt.Sprintf("hung-up-%d", i)))
			return a.status == 201
		}, 10*time.Second, 10*time.Millisecond)
	}
	assert.Equal(t, before+perRequest*(times+1), w.events(), "each of them once")
}

// TestPanicsAnywhereAreAnswered (28): a panic while a command is decided or a view is read is a
// 500 without a word about it, the log is as it was, and the process lives.
func TestPanicsAnywhereAreAnswered(t *testing.T) {
	t.Parallel()
	log := &lines{}
	w := setup(t, func(w *world) { w.deps.Categories, w.deps.Log = exploding{}, log.logger() })
	c := w.as(w.users.named("buyer"))
	w.untouched(func() {
		for range 3 {
			a := c.post(requestsPath, wish())
			assert.Equal(t, 500, a.status)
			assert.Equal(t, "INTERNAL", a.code)
			for _, secret := range []string{"secret detail", "goroutine", ".go:", "panic"} {
				assert.NotContains(t, string(a.raw), secret)
			}
		}
	})
	assert.Contains(t, log.text(), "secret detail", "it is logged with its stack")
	assert.Equal(t, 200, c.get(mePath).status)
}

type exploding struct{}

func (exploding) Active(context.Context, string) (bool, error) { panic("secret detail") }

// TestNobodyPaysHimself (62): an admin who is a party of the matter is refused where he would
// act on his own money, although the role admits him.
func TestNobodyPaysHimself(t *testing.T) {
	t.Parallel()
	w := setup(t, checkingOut, onPostgres)
	have := w.own()
	other := selected(t, w)
	otherPayment := other.pay(t)
	other.arrive(otherPayment, eighty)
	waiting := other.buyer.post("/api/payment/"+otherPayment+"/refund", map[string]any{"mode": "partial", "amount": map[string]any{"display": "1"}, "reason": "a scratch"})
	require.Equal(t, 201, waiting.status, string(waiting.raw))
	both := func(c *client, role domain.Capacity) {
		w.users.change(c.id, func(u *apihttp.User) { u.Roles = []domain.Capacity{role, domain.Admin, domain.Resolver, domain.Guard} })
		require.Eventually(t, func() bool { return c.get("/api/ledger/solvency").status == 200 }, 30*time.Second, time.Millisecond)
	}
	both(have.buyer, domain.Buyer)
	both(have.seller, domain.Seller)
	payment, refund, payout := have.ids[apihttp.OfPayment], have.ids[apihttp.OfRefund], have.ids[apihttp.OfPayout]
	dispute, order := have.ids[apihttp.OfDispute], have.ids[apihttp.OfHold]
	w.untouched(func() {
		for _, c := range []struct {
			who          *client
			method, path string
			body         any
			code         string
		}{
			{have.seller, "POST", "/api/payment/" + payment + "/release", "{}", "CONFLICT_OF_INTEREST"},
			{have.seller, "POST", payoutsPath + "/" + payout + "/approve", `{"revision":1}`, "SELF_APPROVAL"},
			{have.seller, "POST", payoutsPath + "/" + payout + "/instruction", "{}", "CONFLICT_OF_INTEREST"},
			{have.seller, "POST", payoutsPath + "/" + payout + "/signed", `{"signedTx":"0x00"}`, "CONFLICT_OF_INTEREST"},
			{have.buyer, "POST", "/api/payment/refunds/" + waiting.text("refund") + "/approve", "{}", "SELF_APPROVAL"},
			{have.buyer, "GET", "/api/payment/refunds/" + refund + "/instruction", nil, "CONFLICT_OF_INTEREST"},
			{have.buyer, "POST", "/api/payment/" + payment + "/refund/confirm", `{"refundId":"` + refund + `","txHash":"0x` + repeat("a", 64) + `"}`, "CONFLICT_OF_INTEREST"},
			{have.buyer, "POST", "/api/payment/" + payment + "/review", `{"decision":"clear","reason":"because"}`, "CONFLICT_OF_INTEREST"},
			{have.buyer, "POST", "/api/disputes/" + dispute + "/decide", `{"action":"refund","reason":"because it is mine"}`, "CONFLICT_OF_INTEREST"},
			{have.seller, "POST", "/api/disputes/pr/" + order + "/release-hold", `{"kind":"admin","reason":"because"}`, "CONFLICT_OF_INTEREST"},
			{have.buyer, "POST", "/api/disputes/pr/" + order + "/inspection", `{"endsAt":"2100-01-01T00:00:00Z"}`, "CONFLICT_OF_INTEREST"},
		} {
			a := c.who.send(c.method, c.path, c.body)
			assert.Equal(t, 403, a.status, "%s %s: %s", c.method, c.path, a.raw)
			assert.Equal(t, c.code, a.code, "%s %s: %s", c.method, c.path, a.raw)
		}
	})
}

package http_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/domain/apikey"
	apihttp "holdfast/http"
)

// sharing is a Redis, and the option that has a world count in it.
func sharing(t *testing.T) (*miniredis.Miniredis, *redis.Client) {
	t.Helper()
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = client.Close() })
	return server, client
}

// TestTwoInstancesShareTheLimits (docs/fault-model.md, input 25): whichever of two servers is
// asked, the 101st request of the window is one too many, also after both were started anew.
func TestTwoInstancesShareTheLimits(t *testing.T) {
	t.Parallel()
	_, client := sharing(t)
	w := setup(t, func(w *world) { w.deps.Limiter = counting(client) })
	other := w.beside(nil, func(d *apihttp.Deps) { d.Limiter = counting(client) })
	c := w.as(w.users.named("buyer"))
	there := &client2{c, other}
	for i := range 100 {
		a := there.get(mePath, i%2 == 0)
		require.Equal(t, 200, a.status, i)
		assert.Equal(t, strconv.Itoa(99-i), a.header.Get("RateLimit-Remaining"))
		assert.Equal(t, "100", a.header.Get("RateLimit-Limit"))
	}
	w.untouched(func() {
		for _, here := range []bool{true, false} {
			a := there.get(mePath, here)
			assert.Equal(t, 429, a.status)
			assert.Equal(t, "RATE_LIMITED", a.code)
			after, err := strconv.Atoi(a.header.Get("Retry-After"))
			require.NoError(t, err)
			assert.Greater(t, after, 60)
			assert.LessOrEqual(t, after, 900)
			assert.Equal(t, a.header.Get("RateLimit-Reset"), a.header.Get("Retry-After"))
			assert.Contains(t, a.header.Get("RateLimit-Policy"), "w=900")
		}
	})
	restarted := w.beside(nil, func(d *apihttp.Deps) { d.Limiter = counting(client) })
	assert.Equal(t, 429, (&client2{c, restarted}).get(mePath, false).status)
	assert.Equal(t, 200, w.as(w.users.named("seller")).get(mePath).status, "everybody for himself, behind one address too")
	assert.Equal(t, 401, w.anybody().get(mePath).status, "who is not signed in learns that first")
}

type client2 struct {
	here  *client
	other *world
}

func (c *client2) get(path string, here bool) answer {
	if here {
		return c.here.get(path)
	}
	return (&client{w: c.other, token: c.here.token}).get(path)
}

// TestEachClassHasItsBudget counts requests of every class until one is refused.
func TestEachClassHasItsBudget(t *testing.T) {
	t.Parallel()
	few := apihttp.Budgets{Global: 40, Auth: 3, Payment: 5, Key: 7, Webhook: 4, Window: time.Hour}
	w := setup(t, func(w *world) { w.config.Budgets, w.deps.Limiter = few, counting(nil) })
	until := func(ask func() answer) (n int) {
		for ; n < 60; n++ {
			if ask().status == 429 {
				return n
			}
		}
		return -1
	}
	buyer := w.as(w.users.named("buyer"))
	admin := w.as(w.users.named("admin"))
	_, holder := w.newKey(admin, apikey.Auditor)
	assert.Equal(t, 7, until(func() answer { return holder.get("/api/ledger/trial-balance") }), "a key has its own")
	assert.Equal(t, 200, admin.get("/api/ledger/trial-balance").status, "which is not its maker's")
	payment := func() answer { return buyer.post("/api/payment", map[string]any{}) }
	assert.Equal(t, 5, until(payment))
	look := "/api/payment/" + nobody
	assert.NotEqual(t, 429, buyer.get(look).status, "looking at a payment is exempt from that class")
	assert.Equal(t, 40-6-1, until(func() answer { return buyer.get(look) }), "and counts in the global one")
	seller := w.as(w.users.named("seller")) // the third sign-in of this address
	login := func() answer {
		return w.anybody().post(loginPath, map[string]string{"email": "x@y.zz", "password": "wrong"})
	}
	assert.Equal(t, 0, until(login), "three tries an address")
	assert.Equal(t, 200, seller.get(mePath).status)
	body := []byte(`{"event":"payment.confirmed"}`)
	hook := func() answer {
		return w.anybody().post("/api/payment/request-network/webhook", body, header("X-Request-Network-Signature", signature(body)))
	}
	for range 40 {
		w.anybody().get("/api/version")
	}
	assert.Equal(t, 429, w.anybody().get("/api/version").status)
	assert.Equal(t, 4, until(hook), "notices are exempt from the global budget and have their own")
	assert.Equal(t, 200, w.anybody().get("/health/live").status)
}

// TestWhoIsBelievedAboutAddresses: X-Forwarded-For is what a caller likes to write unless a
// proxy of ours wrote it, and even then only what that proxy added.
func TestWhoIsBelievedAboutAddresses(t *testing.T) {
	t.Parallel()
	ask := func(w *world, forwarded ...string) int {
		return w.anybody().get("/api/version", func(r *http.Request) { r.Header["X-Forwarded-For"] = forwarded }).status
	}
	with := func(change func(*apihttp.Config)) *world {
		return setup(t, func(w *world) {
			change(&w.config)
			w.config.Budgets = apihttp.Budgets{Global: 2}
			w.deps.Limiter = counting(nil)
		})
	}
	t.Run("nobody", func(t *testing.T) {
		t.Parallel()
		w := with(func(*apihttp.Config) {})
		assert.Equal(t, []int{200, 200, 429}, []int{ask(w, "1.1.1.1"), ask(w, "1.1.1.2"), ask(w, "1.1.1.3")}, "ever new addresses are one caller")
	})
	t.Run("a network", func(t *testing.T) {
		t.Parallel()
		w := with(func(c *apihttp.Config) { c.Proxies = []string{"127.0.0.0/8", "::1/128"} })
		assert.Equal(t, []int{200, 200, 429}, []int{ask(w, "9.9.9.9, 1.1.1.1"), ask(w, "8.8.8.8,1.1.1.1"), ask(w, "7.7.7.7", "1.1.1.1")}, "what stands left of the proxy's word is the caller's")
		assert.Equal(t, 200, ask(w, "1.1.1.1, 2.2.2.2"))
		assert.Equal(t, []int{200, 429}, []int{ask(w, "2.2.2.2, 127.0.0.5"), ask(w, "3.3.3.3, 2.2.2.2, 127.0.0.5, 127.0.0.6")}, "through two of ours")
		assert.Equal(t, []int{200, 200, 429}, []int{ask(w, "4.4.4.4, nonsense"), ask(w, "5.5.5.5, '; drop"), ask(w)}, "nonsense is the proxy's own address")
		assert.Equal(t, []int{200, 200, 429}, []int{ask(w, "2001:db8:1:2::1"), ask(w, "2001:db8:1:2:ffff::2"), ask(w, "2001:db8:1:2:3:4:5:6")}, "one customer has a whole /64")
		assert.Equal(t, 200, ask(w, "2001:db8:1:3::1"))
	})
	t.Run("another network", func(t *testing.T) {
		t.Parallel()
		w := with(func(c *apihttp.Config) { c.Proxies = []string{"10.0.0.0/8"} })
		assert.Equal(t, []int{200, 200, 429}, []int{ask(w, "1.1.1.1, 10.0.0.1"), ask(w, "1.1.1.2"), ask(w, "10.0.0.1")}, "we are not behind it")
	})
	t.Run("two hops", func(t *testing.T) {
		t.Parallel()
		w := with(func(c *apihttp.Config) { c.ProxyHops = 2 })
		assert.Equal(t, []int{200, 200, 429}, []int{ask(w, "9.9.9.9, 1.1.1.1, 5.5.5.5"), ask(w, "8.8.8.8, 1.1.1.1, 6.6.6.6"), ask(w, "1.1.1.1, 6.6.6.6")})
		assert.Equal(t, 200, ask(w, "1.1.1.1, 2.2.2.2, 5.5.5.5"))
	})
}

// TestHTTPSIsPromisedOnlyBehindIt: HSTS is sent where the caller speaks https to a proxy of
// ours, and nowhere else.
func TestHTTPSIsPromisedOnlyBehindIt(t *testing.T) {
	t.Parallel()
	w := setup(t)
	asked := func(w *world, proto string) string {
		return w.anybody().get("/api/version", header("X-Forwarded-Proto", proto)).header.Get("Strict-Transport-Security")
	}
	assert.Empty(t, asked(w, ""))
	assert.Empty(t, asked(w, "https"), "anybody can write that")
	behind := w.beside(func(c *apihttp.Config) { c.Proxies = []string{"127.0.0.1/32"} })
	assert.NotEmpty(t, asked(behind, "https"))
	assert.Empty(t, asked(behind, "http"))
	hops := w.beside(func(c *apihttp.Config) { c.ProxyHops = 1 })
	assert.NotEmpty(t, asked(hops, "HTTPS"))
}

// TestRedisMayFail (docs/fault-model.md, 14): without it requests are answered, and fewer.
func TestRedisMayFail(t *testing.T) {
	t.Parallel()
	server, client := sharing(t)
	w := setup(t, func(w *world) { w.deps.Limiter = counting(client) })
	c := w.as(w.users.named("buyer"))
	for range 30 {
		require.Equal(t, 200, c.get(mePath).status)
	}
	server.Close()
	allowed := 0
	for range 100 {
		if c.get(mePath).status == 200 {
			allowed++
		}
	}
	assert.LessOrEqual(t, allowed, 20, "half of a hundred, of which thirty were used")
	assert.Greater(t, allowed, 10)
	a := c.get(mePath)
	assert.Equal(t, 429, a.status)
	assert.NotEmpty(t, a.header.Get("Retry-After"))
	assert.Equal(t, 200, w.anybody().post(loginPath, map[string]string{"email": "seller@holdfast.test", "password": password}).status)
}

package http_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	apihttp "holdfast/http"
)

const (
	loginPath  = "/api/auth/login"
	replayPath = "/api/payment/request-network/webhook/replay"
)

// TestBodies sends what no client should (docs/fault-model.md, inputs 4–13) to a route
// without a token, so that nothing but the body can be refused.
func TestBodies(t *testing.T) {
	t.Parallel()
	w := setup(t)
	good := `{"email":"buyer@holdfast.test","password":"` + password + `"}`
	for name, c := range map[string]struct {
		body, media string
		status      int
		code        string
	}{
		"good":               {good, "application/json", 200, ""},
		"good with charset":  {good, "application/json; charset=UTF-8", 200, ""},
		"no media type":      {good, "", 415, "UNSUPPORTED_MEDIA_TYPE"},
		"text":               {good, "text/plain", 415, "UNSUPPORTED_MEDIA_TYPE"},
		"utf-16":             {good, "application/json; charset=utf-16", 415, "UNSUPPORTED_MEDIA_TYPE"},
		"xml":                {"<a/>", "application/xml", 415, "UNSUPPORTED_MEDIA_TYPE"},
		"truncated":          {good[:20], "application/json", 400, "INVALID_JSON"},
		"trailing comma":     {`{"email":"a@b.c","password":"x",}`, "application/json", 400, "INVALID_JSON"},
		"comment":            {good + " // hi", "application/json", 400, "INVALID_JSON"},
		"single quotes":      {`{'email':'a'}`, "application/json", 400, "INVALID_JSON"},
		"bom":                {"\ufeff" + good, "application/json", 400, "INVALID_JSON"},
		"null":               {"null", "application/json", 400, "INVALID_JSON"},
		"array":              {"[]", "application/json", 400, "INVALID_JSON"},
		"text value":         {`"x"`, "application/json", 400, "INVALID_JSON"},
		"number":             {"1", "application/json", 400, "INVALID_JSON"},
		"empty":              {"", "application/json", 400, "INVALID_JSON"},
		"two values":         {good + good, "application/json", 400, "INVALID_JSON"},
		"duplicate":          {`{"email":"a@b.co","email":"c@d.co","password":"x"}`, "application/json", 400, "DUPLICATE_FIELD"},
		"differs in case":    {`{"email":"a@b.co","Email":"c@d.co","password":"x"}`, "application/json", 400, "DUPLICATE_FIELD"},
		"only in other case": {`{"Email":"a@b.co","password":"x"}`, "application/json", 400, "VALIDATION_FAILED"},
		"deep":               {`{"email":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `}`, "application/json", 400, "INVALID_JSON"},
		"nul":                {`{"email":"a\u0000@b.co","password":"x"}`, "application/json", 400, "INVALID_STRING"},
		"object for text":    {`{"email":{"$gt":""},"password":"x"}`, "application/json", 400, "VALIDATION_FAILED"},
		"array for text":     {`{"email":["a@b.co"],"password":"x"}`, "application/json", 400, "VALIDATION_FAILED"},
		"number for text":    {`{"email":1,"password":2}`, "application/json", 400, "VALIDATION_FAILED"},
		"unknown field":      {`{"email":"a@b.co","password":"x","role":"admin"}`, "application/json", 400, "UNKNOWN_FIELD"},
		"missing field":      {`{}`, "application/json", 400, "VALIDATION_FAILED"},
		"too long":           {`{"email":"` + strings.Repeat("a", 1<<20) + `@b.co","password":"x"}`, "application/json", 400, "VALIDATION_FAILED"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := w.anybody().post(loginPath, c.body, header("Content-Type", c.media))
			assert.Equal(t, c.status, a.status, string(a.raw))
			assert.Equal(t, c.code, a.code, string(a.raw))
			assert.Contains(t, a.header.Get("Content-Type"), "application/json")
			if c.status >= 400 {
				assert.Equal(t, false, a.body["success"])
			}
		})
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	a := w.anybody().post(loginPath, `{"email":7,"extra":1}`)
	assert.Equal(t, "VALIDATION_FAILED", a.code)
	var paths []string
	for _, d := range a.body["error"].(map[string]any)["details"].([]any) {
		paths = append(paths, d.(map[string]any)["path"].(string))
	}
	assert.ElementsMatch(t, []string{"email", "extra", "password"}, trimmed(paths))
}

func trimmed(paths []string) []string {
	for i, p := range paths {
		if p == "body" {
			paths[i] = "password" // a missing field is reported at its object
		}
	}
	return paths
}

func TestTooLarge(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.untouched(func() {
		body := strings.Repeat("x", 10<<20+1)
		a := w.anybody().post(loginPath, body)
		assert.Equal(t, 413, a.status)
		assert.Equal(t, "PAYLOAD_TOO_LARGE", a.code)
		// Without a length: an endless body, chunked.
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.http.URL+loginPath, io.LimitReader(endless{}, 11<<20))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		res, err := w.http.Client().Do(req)
		if err != nil {
			return // the connection was closed while we were still sending
		}
		defer res.Body.Close()
		assert.Equal(t, 413, res.StatusCode)
	})
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestRoutesThatAreNot(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for _, c := range []struct {
		method, path string
		status       int
		code         string
	}{
		{"GET", "/api/nothing", 404, "NOT_FOUND"},
		{"GET", "/", 404, "NOT_FOUND"},
		{"GET", loginPath, 405, "METHOD_NOT_ALLOWED"},
		{"TRACE", loginPath, 405, "METHOD_NOT_ALLOWED"},
		{"GET", "/api/payment/request-network/webhook", 405, "METHOD_NOT_ALLOWED"},
	} {
		a := w.anybody().send(c.method, c.path, nil, header("X-HTTP-Method-Override", "POST"))
		assert.Equal(t, c.status, a.status, c.path)
		assert.Equal(t, c.code, a.code, c.path)
	}
}

func TestRequestIDs(t *testing.T) {
	t.Parallel()
	w := setup(t)
	good := w.anybody().get("/api/version", header("X-Request-Id", "client-id-12345"))
	assert.Equal(t, "client-id-12345", good.header.Get("X-Request-Id"))
	for _, bad := range []string{strings.Repeat("a", 10000), `{"a":1}`, "short", "with space 123"} {
		a := w.anybody().get("/api/version", header("X-Request-Id", bad))
		assert.NotEqual(t, bad, a.header.Get("X-Request-Id"))
	}
}

func TestOrigins(t *testing.T) {
	t.Parallel()
	w := setup(t)
	good := w.anybody().get("/api/version", header("Origin", frontend))
	assert.Equal(t, frontend, good.header.Get("Access-Control-Allow-Origin"))
	assert.Equal(t, "true", good.header.Get("Access-Control-Allow-Credentials"))
	for _, bad := range []string{"https://evil.example", "null", frontend + ".evil", "http://front.example", "https://front.example:443", "https://FRONT.example.evil"} {
		a := w.anybody().get("/api/version", header("Origin", bad))
		assert.Empty(t, a.header.Get("Access-Control-Allow-Origin"), bad)
		p := w.anybody().send(http.MethodOptions, loginPath, nil, header("Origin", bad), header("Access-Control-Request-Method", "POST"))
		assert.Empty(t, p.header.Get("Access-Control-Allow-Methods"), bad)
	}
	p := w.anybody().send(http.MethodOptions, loginPath, nil, header("Origin", frontend), header("Access-Control-Request-Method", "POST"))
	assert.Equal(t, 204, p.status)
	assert.Contains(t, p.header.Get("Access-Control-Allow-Headers"), "Idempotency-Key")
	for _, h := range []string{"X-Content-Type-Options", "X-Frame-Options", "Content-Security-Policy", "Referrer-Policy", "Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy"} {
		assert.NotEmpty(t, good.header.Get(h), h)
	}
}

func TestQueriesAreStrict(t *testing.T) {
	t.Parallel()
	w := setup(t)
	admin := w.as(w.users.named("admin"))
	for _, q := range []string{"limit=-1", "limit=0", "limit=1000000000", "limit=abc", "page=9223372036854775808", "limit=1&limit=2", "account=%3Bdrop", "asset=NOPE", "limit=%zz", "account=%00"} {
		a := admin.get("/api/ledger/entries?" + q)
		assert.Equal(t, 400, a.status, q)
		assert.Equal(t, "VALIDATION_FAILED", a.code, q)
	}
	for _, c := range []string{"x", "ZW50cmllczot", "b3RoZXI6NQ", "ZW50cmllczowNQ", "%3D%3D", strings.Repeat("A", 2000)} {
		a := admin.get("/api/ledger/entries?cursor=" + c)
		assert.Equal(t, 400, a.status, c)
		assert.Equal(t, "INVALID_CURSOR", a.code, c)
	}
}

func TestSlowClientsAreClosed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.server.ServeOn(ctx, l) }()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", l.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "GET /api/version HTTP/1.1\r\nHost: x\r\n")
	require.NoError(t, err)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
	_, err = bufio.NewReader(conn).ReadString('\n')
	assert.ErrorIs(t, err, io.EOF, "a header that never ends is cut off")
	stop()
	require.NoError(t, <-done)
}

func TestPanicsAreAnswered(t *testing.T) {
	t.Parallel()
	w := setup(t, func(w *world) { w.deps.Sessions = panicking{w.users} })
	before := w.events()
	a := w.anybody().post(loginPath, map[string]string{"email": "buyer@holdfast.test", "password": password})
	assert.Equal(t, 500, a.status)
	assert.Equal(t, "INTERNAL", a.code)
	assert.NotContains(t, string(a.raw), "secret detail")
	assert.Equal(t, before, w.events())
	assert.Equal(t, 200, w.anybody().get("/health/live").status)
}

type panicking struct{ *people }

func (panicking) Open(context.Context, apihttp.NewSession) (apihttp.Opened, error) {
	panic("secret detail")
}

func TestBrokenPartsDoNotLeak(t *testing.T) {
	t.Parallel()
	w := setup(t, func(w *world) { w.deps.Sessions = broken{w.users} })
	a := w.anybody().post(loginPath, map[string]string{"email": "buyer@holdfast.test", "password": password})
	assert.Equal(t, 500, a.status)
	assert.NotContains(t, string(a.raw), "SELECT")
}

type broken struct{ *people }

func (broken) Open(context.Context, apihttp.NewSession) (apihttp.Opened, error) {
	return apihttp.Opened{}, fmt.Errorf("SELECT * FROM sessions: /var/lib/postgresql")
}

func TestHealthAndDocs(t *testing.T) {
	t.Parallel()
	w := setup(t, func(w *world) {
		w.deps.Health = []apihttp.HealthCheck{{Name: "redis", Ask: func(context.Context) error { return fmt.Errorf("no answer") }}}
	})
	assert.Equal(t, 200, w.anybody().get("/health/live").status)
	ready := w.anybody().get("/health/ready")
	assert.Equal(t, 503, ready.status)
	assert.Contains(t, string(ready.raw), "no answer")
	assert.NotEmpty(t, ready.header.Get("Retry-After"))
	assert.Equal(t, 503, w.anybody().get("/health").status)
	assert.Equal(t, "holdfast", w.anybody().get("/api/version").text("name"))
	assert.Contains(t, string(w.anybody().get("/metrics").raw), "http_requests_total")
	docs := w.anybody().get("/docs")
	assert.Equal(t, 200, docs.status)
	assert.NotContains(t, string(docs.raw), "http", "the page calls no other host")
	assert.Equal(t, 200, w.anybody().get("/docs/swagger-ui-bundle.js").status)
}

func TestBudgets(t *testing.T) {
	t.Parallel()
	w := setup(t, func(w *world) { w.deps.Limiter = counting(nil) })
	for i := range 100 {
		require.Equal(t, 200, w.anybody().get("/api/version").status, i)
	}
	a := w.anybody().get("/api/version")
	assert.Equal(t, 429, a.status)
	assert.Equal(t, "RATE_LIMITED", a.code)
	assert.NotEmpty(t, a.header.Get("Retry-After"))
	assert.Equal(t, 200, w.anybody().get("/health/live").status, "health has no budget")
}

func TestFloodLeavesRoomForHealthAndWebhooks(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	w := setup(t, func(w *world) {
		w.config.MaxInFlight = 1
		w.deps.Sessions = waiting{w.users, gate}
	})
	first := make(chan answer, 1)
	go func() {
		a := answer{code: "TOO_MANY_IN_FLIGHT"}
		for a.code == "TOO_MANY_IN_FLIGHT" { // our own question below may have the only room
			a = w.anybody().post(loginPath, map[string]string{"email": "buyer@holdfast.test", "password": password})
		}
		first <- a
	}()
	require.Eventually(t, func() bool { return w.anybody().get("/api/version").code == "TOO_MANY_IN_FLIGHT" }, 30*time.Second, 5*time.Millisecond)
	assert.Equal(t, 200, w.anybody().get("/health/live").status)
	body := []byte(`{"event":"payment.confirmed"}`)
	hook := w.anybody().post("/api/payment/request-network/webhook", body, header("X-Request-Network-Signature", signature(body)))
	assert.Equal(t, 200, hook.status, string(hook.raw))
	close(gate)
	assert.Equal(t, 200, (<-first).status)
}

type waiting struct {
	*people
	gate chan struct{}
}

func (w waiting) Open(ctx context.Context, n apihttp.NewSession) (apihttp.Opened, error) {
	<-w.gate
	return w.people.Open(ctx, n)
}

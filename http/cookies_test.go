package http_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// browser keeps what the server tells it to keep, as a browser would, and sends it along.
type browser struct {
	*client
	jar map[string]string
}

func (b *browser) send(method, path string, body any, options ...func(*http.Request)) answer {
	b.w.t.Helper()
	a := b.client.send(method, path, body, append([]func(*http.Request){func(r *http.Request) {
		for name, value := range b.jar {
			if name != "__Secure-hf_refresh" || strings.HasPrefix(path, "/api/auth") {
				r.AddCookie(&http.Cookie{Name: name, Value: value})
			}
		}
	}}, options...)...)
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if b.jar[c.Name] = c.Value; c.MaxAge < 0 {
			delete(b.jar, c.Name)
		}
	}
	return a
}

func TestSessionsInCookies(t *testing.T) {
	t.Parallel()
	w := setup(t)
	b := &browser{client: w.anybody(), jar: map[string]string{}}
	from := header("Origin", frontend)
	signed := b.send(http.MethodPost, loginPath, map[string]string{"email": "buyer@holdfast.test", "password": password}, header("X-Session", "cookie"), from)
	require.Equal(t, 200, signed.status, string(signed.raw))
	assert.NotContains(t, string(signed.raw), "Token", "scripts see none")
	cookies := (&http.Response{Header: signed.header}).Cookies()
	require.Len(t, cookies, 2)
	for _, c := range cookies {
		assert.True(t, c.HttpOnly && c.Secure, c.Name)
		assert.Equal(t, http.SameSiteLaxMode, c.SameSite)
		assert.Positive(t, c.MaxAge)
		assert.Empty(t, c.Domain)
	}
	me := b.send(http.MethodGet, mePath, nil)
	assert.Equal(t, "buyer@holdfast.test", me.text("email"))
	assert.Equal(t, "no-store", me.header.Get("Cache-Control"))
	assert.Equal(t, 401, w.anybody().get(mePath, header("Cookie", "__Host-hf_access="+b.jar["__Host-hf_access"]+"; __Host-hf_access=x")).status, "one that came twice is none")

	wish := wish()
	create := func(options ...func(*http.Request)) answer {
		return b.send(http.MethodPost, requestsPath, wish, options...)
	}
	w.untouched(func() {
		for name, forged := range map[string][]func(*http.Request){
			"silent":         nil,
			"foreign":        {header("Origin", "https://evil.example")},
			"null":           {header("Origin", "null")},
			"suffix trick":   {header("Origin", frontend+".evil")},
			"cross-site":     {header("Sec-Fetch-Site", "cross-site")},
			"same-site":      {header("Sec-Fetch-Site", "same-site"), header("Origin", "https://other.example")},
			"a lying method": {header("Origin", "https://evil.example"), header("X-HTTP-Method-Override", "GET")},
		} {
			a := create(forged...)
			assert.Equal(t, 403, a.status, "%s: %s", name, a.raw)
			assert.Equal(t, "CSRF_REFUSED", a.code, name)
			r := b.send(http.MethodPost, "/api/auth/refresh", "{}", forged...)
			assert.Equal(t, "CSRF_REFUSED", r.code, "refresh, %s", name)
			assert.Equal(t, "CSRF_REFUSED", b.send(http.MethodPost, "/api/auth/logout", nil, forged...).code, "logout, %s", name)
		}
	})
	assert.Equal(t, 201, create(from).status)
	assert.Equal(t, 201, create(header("Sec-Fetch-Site", "same-origin")).status)
	assert.Equal(t, 201, create(header("Origin", w.http.URL)).status, "our own pages")
	c := w.as(w.users.named("buyer"))
	assert.Equal(t, 201, c.post(requestsPath, wish, header("Origin", "https://evil.example")).status, "a bearer token never needs it")

	before := b.jar["__Host-hf_access"]
	again := b.send(http.MethodPost, "/api/auth/refresh", "{}", from)
	require.Equal(t, 200, again.status, string(again.raw))
	assert.NotContains(t, string(again.raw), "Token")
	assert.NotEqual(t, before, b.jar["__Host-hf_access"])
	assert.Equal(t, 401, w.anybody().post("/api/auth/refresh", "{}").status, "no token anywhere")

	stolen := b.jar["__Host-hf_access"]
	require.Equal(t, 200, b.send(http.MethodPost, "/api/auth/logout", nil, from).status)
	assert.Empty(t, b.jar)
	assert.Equal(t, "SESSION_REVOKED", w.anybody().get(mePath, header("Cookie", "__Host-hf_access="+stolen)).code)
}

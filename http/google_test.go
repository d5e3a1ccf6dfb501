package http_test

import (
	"context"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/oidc"
	"holdfast/adapters/oidc/oidcdouble"
	apihttp "holdfast/http"
)

const googlePath = "/api/auth/google"

type openID struct {
	*oidc.Provider
	callback string
}

func (p openID) CallbackURL() string { return p.callback }

func (p openID) Exchange(ctx context.Context, code, nonce, verifier string) (apihttp.OpenIdentity, error) {
	who, err := p.Provider.Exchange(ctx, code, nonce, verifier)
	return apihttp.OpenIdentity(who), err
}

func (p openID) Verify(ctx context.Context, token string) (apihttp.OpenIdentity, error) {
	who, err := p.Provider.Verify(ctx, token)
	return apihttp.OpenIdentity(who), err
}

// google is a world with a provider beside it.
type google struct {
	*world
	issuer *oidcdouble.Issuer
}

func withGoogle(t *testing.T, more ...option) google {
	t.Helper()
	issuer, err := oidcdouble.Start("client", "client secret")
	require.NoError(t, err)
	t.Cleanup(func() { _ = issuer.Close() })
	const callback = "http://api.example" + googlePath + "/callback"
	w := setup(t, append([]option{withPasskeys, func(w *world) {
		p := oidc.New(oidc.Options{Issuer: issuer.URL(), ClientID: "client", ClientSecret: "client secret", RedirectURL: callback})
		w.deps.SignIn.Google = openID{p, callback}
	}}, more...)...)
	return google{w, issuer}
}

func (g google) person(subject, email string, verified bool) jwt.MapClaims {
	c := g.issuer.Claims(oidcdouble.Person{Subject: subject, Email: email, Verified: verified, Name: "Ana"}, "")
	c["jti"] = uuid.NewString() // two tokens of one second are two tokens
	return c
}

func (g google) token(c *client, claims jwt.MapClaims) answer {
	return c.post(googlePath, map[string]string{"idToken": g.issuer.Sign(claims)})
}

func TestANewPersonSignsInWithGoogle(t *testing.T) {
	t.Parallel()
	g := withGoogle(t)
	before := g.events()
	a := g.token(g.anybody(), g.person("108", "Ana@Gmail.com", true))
	require.Equal(t, 200, a.status, string(a.raw))
	assert.Equal(t, before+2, g.events(), "registered, and linked")
	assert.Equal(t, "ana@gmail.com", a.text("user.email"))
	assert.Contains(t, string(a.raw), `"roles":["buyer"]`)
	g.untouched(func() {
		again := g.token(g.anybody(), g.person("108", "new-address@gmail.com", true))
		require.Equal(t, 200, again.status)
		assert.Equal(t, a.text("user.id"), again.text("user.id"), "known by the subject, whatever the address is now")
	})
	other := g.token(g.anybody(), g.person("109", "", false))
	require.Equal(t, 200, other.status, "somebody without an address: %s", other.raw)
	assert.NotEqual(t, a.text("user.id"), other.text("user.id"))
}

func TestAnAddressAloneOpensNobodysAccount(t *testing.T) {
	t.Parallel()
	g := withGoogle(t)
	_, err := g.pool.Exec(t.Context(), `UPDATE users SET email = 'victim@gmail.com' WHERE email = 'buyer@holdfast.test'`)
	require.NoError(t, err)
	taken := func(name string, a answer) {
		t.Helper()
		assert.Equal(t, 409, a.status, "%s: %s", name, a.raw)
		assert.Equal(t, "EMAIL_IN_USE", a.code, name)
		assert.Empty(t, a.text("accessToken"))
	}
	g.untouched(func() {
		taken("the provider does not run the mailbox", g.token(g.anybody(), g.person("1", "seller@holdfast.test", true)))
		_, err := g.pool.Exec(t.Context(), `UPDATE users SET email_verified_at = NULL WHERE email = 'victim@gmail.com'`)
		require.NoError(t, err)
		taken("who registered here has not proved the address", g.token(g.anybody(), g.person("2", "victim@gmail.com", true)))
		_, err = g.pool.Exec(t.Context(), `UPDATE users SET email_verified_at = clock_timestamp(), status = 'suspended' WHERE email = 'victim@gmail.com'`)
		require.NoError(t, err)
		taken("suspended", g.token(g.anybody(), g.person("3", "victim@gmail.com", true)))
	})
	_, err = g.pool.Exec(t.Context(), `UPDATE users SET status = 'active' WHERE email = 'victim@gmail.com'`)
	require.NoError(t, err)
	ownerless := g.token(g.anybody(), g.person("4", "victim@gmail.com", false))
	require.Equal(t, 200, ownerless.status, string(ownerless.raw))
	assert.Empty(t, ownerless.text("user.email"), "an address that was not verified is no address")
	before := g.events()
	found := g.token(g.anybody(), g.person("5", "victim@gmail.com", true))
	require.Equal(t, 200, found.status, string(found.raw))
	assert.Equal(t, before+1, g.events(), "both sides have proved it: linked")
	assert.Equal(t, "victim@gmail.com", found.text("user.email"))
	g.untouched(func() {
		second := g.token(g.anybody(), g.person("6", "victim@gmail.com", true))
		assert.Equal(t, 409, second.status, "another Google account with the address: %s", second.raw)
	})
}

func TestTokensThatDoNotCount(t *testing.T) {
	t.Parallel()
	g := withGoogle(t)
	change := func(name string, v any) jwt.MapClaims {
		c := g.person("108", "ana@gmail.com", true)
		c[name] = v
		return c
	}
	old := change("iat", time.Now().Add(-6*time.Minute).Unix())
	g.untouched(func() {
		for name, claims := range map[string]jwt.MapClaims{
			"another audience": change("aud", "other"), "another issuer": change("iss", "https://evil.example"), "expired": change("exp", time.Now().Add(-time.Minute).Unix()),
			"another's nonce": change("nonce", "not one of ours"), "too old without a nonce": old,
		} {
			a := g.token(g.anybody(), claims)
			assert.Equal(t, 401, a.status, "%s: %s", name, a.raw)
			assert.Equal(t, "OAUTH_INVALID", a.code, name)
		}
		for name, body := range map[string]any{"no token": map[string]string{}, "empty": map[string]string{"idToken": ""}, "a number": map[string]any{"idToken": 5}} {
			assert.Equal(t, 400, g.anybody().post(googlePath, body).status, name)
		}
		g.issuer.Down(true)
		require.NoError(t, g.issuer.Rotate(true))
		a := g.token(g.anybody(), g.person("108", "ana@gmail.com", true))
		assert.Equal(t, 503, a.status, string(a.raw))
		assert.Equal(t, "OAUTH_UNAVAILABLE", a.code)
		assert.NotEmpty(t, a.header.Get("Retry-After"))
		g.issuer.Down(false)
	})
	once := map[string]string{"idToken": g.issuer.Sign(g.person("108", "ana@gmail.com", true))}
	require.Equal(t, 200, g.anybody().post(googlePath, once).status)
	assert.Equal(t, "OAUTH_INVALID", g.anybody().post(googlePath, once).code, "the same token again")
	options := g.anybody().post(googlePath+"/options", nil)
	require.Equal(t, 200, options.status, string(options.raw))
	assert.Equal(t, "client", options.text("clientId"))
	withNonce := change("nonce", options.text("nonce"))
	withNonce["iat"] = old["iat"]
	require.Equal(t, 200, g.token(g.anybody(), withNonce).status, "its nonce says when it was asked for")
	assert.Equal(t, "OAUTH_INVALID", g.token(g.anybody(), withNonce).code, "a nonce counts once")
}

func TestGoogleIsLinkedByWhoIsSignedIn(t *testing.T) {
	t.Parallel()
	g := withGoogle(t)
	buyer, seller := g.world.person("buyer"), g.world.person("seller")
	linked := g.token(buyer, g.person("108", "ana@gmail.com", true))
	require.Equal(t, 200, linked.status, string(linked.raw))
	assert.Empty(t, linked.text("accessToken"), "they are signed in already")
	g.untouched(func() {
		assert.Equal(t, string(buyer.id), g.token(g.anybody(), g.person("108", "", false)).text("user.id"))
		a := g.token(seller, g.person("108", "ana@gmail.com", true))
		assert.Equal(t, 409, a.status)
		assert.Equal(t, "SIGN_IN_IN_USE", a.code)
		second := g.token(buyer, g.person("109", "other@gmail.com", true))
		assert.Equal(t, "SIGN_IN_IN_USE", second.code, "one Google account a person: %s", second.raw)
		require.Equal(t, 200, g.token(buyer, g.person("108", "ana@gmail.com", true)).status, "a repeat changes nothing")
		assert.Equal(t, 401, g.token(&client{w: g.world, token: "garbage"}, g.person("110", "", false)).status, "a bad token is no anonymous caller")
	})
	list := buyer.get("/api/auth/methods")
	require.Contains(t, string(list.raw), "ana@gmail.com")
	id := list.body["data"].([]any)[0].(map[string]any)["id"].(string)
	g.untouched(func() {
		assert.Equal(t, 404, seller.send("DELETE", "/api/auth/methods/"+id, nil).status, "another's")
	})
	require.Equal(t, 200, buyer.send("DELETE", "/api/auth/methods/"+id, nil).status)
	require.Equal(t, 200, g.token(seller, g.person("108", "ana@gmail.com", true)).status, "it is free again")
}

func TestTheLastMeansOfSigningInStays(t *testing.T) {
	t.Parallel()
	g := withGoogle(t)
	a := g.token(g.anybody(), g.person("108", "ana@gmail.com", true))
	ana := &client{w: g.world, token: a.text("accessToken")}
	id := ana.get("/api/auth/methods").body["data"].([]any)[0].(map[string]any)["id"].(string)
	stays := func(path string) {
		t.Helper()
		g.untouched(func() {
			a := ana.send("DELETE", path, nil)
			assert.Equal(t, 409, a.status, string(a.raw))
			assert.Equal(t, "LAST_LOGIN_METHOD", a.code)
		})
	}
	stays("/api/auth/methods/" + id)
	one, two := newAuthenticator(), newAuthenticator()
	first, second := one.register(t, ana), two.register(t, ana)
	require.Equal(t, 200, ana.send("DELETE", "/api/auth/methods/"+id, nil).status)
	require.Equal(t, 200, ana.send("DELETE", passkeyPath+"/"+first.text("id"), nil).status)
	stays(passkeyPath + "/" + second.text("id"))
	assert.Equal(t, 200, two.login(t, g.world).status)
}

// visitor goes where it is sent, but not to the front end, which is not there.
type visitor struct {
	t    *testing.T
	http *http.Client
}

func (g google) browser(t *testing.T) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	b := &visitor{t: t}
	b.http = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return b
}

// cookies are what the browser would send along to our exchange.
func (b *visitor) cookies(t *testing.T, server string) func(*http.Request) {
	t.Helper()
	at, err := url.Parse(server + googlePath + "/exchange")
	require.NoError(t, err)
	return func(r *http.Request) {
		for _, c := range b.http.Jar.Cookies(at) {
			r.AddCookie(c)
		}
	}
}

// visit opens a page of ours, and gives where it sends to.
func (b *visitor) visit(at string) (status int, location *url.URL, code string) {
	b.t.Helper()
	resp, err := b.http.Get(at)
	require.NoError(b.t, err)
	defer resp.Body.Close()
	location, _ = resp.Location()
	raw := make([]byte, 4096)
	n, _ := resp.Body.Read(raw)
	return resp.StatusCode, location, read(resp, raw[:n]).code
}

// signIn begins at ours, signs in at the provider and gives the way back to ours.
func (g google) signIn(t *testing.T, b *visitor, redirect string) *url.URL {
	t.Helper()
	status, at, code := b.visit(g.http.URL + googlePath + "/start?redirect=" + url.QueryEscape(redirect))
	require.Equal(t, 302, status, code)
	q := at.Query()
	assert.NotEmpty(t, q.Get("state"))
	assert.NotEmpty(t, q.Get("nonce"))
	assert.Equal(t, "S256", q.Get("code_challenge_method"))
	q.Set("email", "ana@gmail.com")
	at.RawQuery = q.Encode()
	status, back, _ := b.visit(at.String())
	require.Equal(t, 302, status)
	require.Equal(t, googlePath+"/callback", back.Path)
	return back
}

func (g google) back(at *url.URL) string {
	return g.http.URL + at.Path + "?" + at.RawQuery + "&scope=openid&authuser=0&prompt=consent"
}

func TestABrowserSignsInWithGoogle(t *testing.T) {
	t.Parallel()
	g := withGoogle(t)
	b := g.browser(t)
	at := g.back(g.signIn(t, b, "/orders?tab=open"))
	status, page, code := b.visit(at)
	require.Equal(t, 302, status, code)
	require.True(t, strings.HasPrefix(page.String(), frontend+"/orders?tab=open#code="), page.String())
	assert.NotContains(t, page.String(), "ey", "no token in an address")
	handover := map[string]string{"code": strings.TrimPrefix(page.Fragment, "code=")}
	jar := b.cookies(t, g.http.URL)
	a := g.anybody().post(googlePath+"/exchange", handover, jar)
	require.Equal(t, 200, a.status, string(a.raw))
	assert.Equal(t, "ana@gmail.com", a.text("user.email"))
	g.untouched(func() {
		again := g.anybody().post(googlePath+"/exchange", handover, jar)
		assert.Equal(t, 401, again.status, "once")
		status, _, code = b.visit(at)
		assert.Equal(t, 401, status, "the state has been used")
		assert.Equal(t, "OAUTH_INVALID", code)
	})
}

// Somebody signs in as himself and sends another one, who may be signed in, to the page with his
// code: it neither signs them in as him nor links his account to theirs.
func TestACodeIsGoodOnlyWhereTheWayBegan(t *testing.T) {
	t.Parallel()
	g := withGoogle(t)
	mine := g.browser(t)
	for _, victim := range []*client{g.anybody(), g.as(g.users.named("buyer"))} {
		_, page, code := mine.visit(g.back(g.signIn(t, mine, "/")))
		require.Empty(t, code)
		g.untouched(func() {
			a := victim.post(googlePath+"/exchange", map[string]string{"code": strings.TrimPrefix(page.Fragment, "code=")})
			assert.Equal(t, 401, a.status)
			assert.Equal(t, "OAUTH_INVALID", a.code)
		})
	}
}

func TestABrowserThatDidNotBeginComesBackForNothing(t *testing.T) {
	t.Parallel()
	g := withGoogle(t)
	mine, victim := g.browser(t), g.browser(t)
	g.untouched(func() {
		at := g.back(g.signIn(t, mine, "/"))
		status, _, code := victim.visit(at)
		assert.Equal(t, 401, status, "another browser: nobody is put into another's account")
		assert.Equal(t, "OAUTH_INVALID", code)
		status, _, _ = mine.visit(at)
		assert.Equal(t, 401, status, "and the state is used up")
		for _, bad := range []string{"?code=x", "?code=x&state=", "?code=x&state=invented", ""} {
			status, _, code = mine.visit(g.http.URL + googlePath + "/callback" + bad)
			assert.Equal(t, 401, status, bad)
			assert.Equal(t, "OAUTH_INVALID", code, bad)
		}
		status, at2, _ := mine.visit(g.http.URL + googlePath + "/start")
		require.Equal(t, 302, status)
		status, page, _ := mine.visit(g.http.URL + googlePath + "/callback?error=access_denied&state=" + at2.Query().Get("state"))
		assert.Equal(t, 302, status)
		assert.Equal(t, frontend+"/#error=OAUTH_DENIED", page.String(), "who says no at the provider is told so by the page")
		status, at2, _ = mine.visit(g.http.URL + googlePath + "/start")
		require.Equal(t, 302, status)
		_, page, _ = mine.visit(g.http.URL + googlePath + "/callback?code=invented&state=" + at2.Query().Get("state"))
		assert.Equal(t, frontend+"/#error=OAUTH_INVALID", page.String())
	})
}

// Row 52 of faults.md.
func TestRedirectsToForeignPages(t *testing.T) {
	t.Parallel()
	g := withGoogle(t)
	b := g.browser(t)
	g.untouched(func() {
		for _, foreign := range []string{
			"//evil.example", "///evil.example", "https:evil.example", "https:/evil.example", "https://evil.example", "http://front.example/", "https://front.example@evil.example/", "https://front.example.evil.example",
			"https://front.example:8443/", `/\evil.example`, `\\evil.example`, `\/evil.example`, "/%2F%2Fevil.example", "/%2Fevil.example", "%2F%2Fevil.example", "/%5Cevil.example", "/%252Fevil.example", "/a%0d%0aSet-Cookie:x", "/\tevil", " /x", "/x y", "javascript:alert(1)",
			"evil.example", "@evil.example", "https://front.example//evil.example", "https://front.example\\@evil.example", "/ok#code=mine", "/%zz", "https://evil@front.example/", "data:text/html,x",
		} {
			status, at, code := b.visit(g.http.URL + googlePath + "/start?redirect=" + url.QueryEscape(foreign))
			assert.Equal(t, 400, status, "%q goes to %v", foreign, at)
			assert.Equal(t, "INVALID_REDIRECT", code, foreign)
		}
		for _, own := range []string{"", "/", "/orders/5?x=1&y=%20", frontend, frontend + "/", frontend + "/orders", frontend + "?x=1", "/@ana"} {
			status, _, code := b.visit(g.http.URL + googlePath + "/start?redirect=" + url.QueryEscape(own))
			assert.Equal(t, 302, status, "%q: %s", own, code)
		}
	})
}

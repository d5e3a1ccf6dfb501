package http_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/domain"
	apihttp "holdfast/http"
)

const mePath = "/api/auth/me"

func forge(t *testing.T, method jwt.SigningMethod, key any, edit func(jwt.MapClaims, map[string]any)) string {
	t.Helper()
	now := time.Now()
	c := jwt.MapClaims{
		"iss": "holdfast", "aud": "holdfast-api", "sub": "11111111-1111-4111-8111-111111111111", "sid": "s",
		"use": "access", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "role": "admin",
	}
	token := jwt.NewWithClaims(method, c)
	token.Header["kid"] = keyName(secret)
	if edit != nil {
		edit(c, token.Header)
	}
	s, err := token.SignedString(key)
	require.NoError(t, err)
	return s
}

// keyName is the kid of a secret, as docs/access-control.md says it is made.
func keyName(secret string) string {
	sum := sha256.Sum256([]byte("holdfast token key\x00" + secret))
	return hex.EncodeToString(sum[:8])
}

func TestTokensThatAreNot(t *testing.T) {
	t.Parallel()
	w := setup(t)
	good := w.as(w.users.named("buyer"))
	parts := strings.Split(good.token, ".")
	none := func(alg string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"`+alg+`","typ":"JWT"}`)) + "." + parts[1] + "."
	}
	hs := func(edit func(jwt.MapClaims, map[string]any)) string {
		return forge(t, jwt.SigningMethodHS256, []byte(secret), edit)
	}
	for name, c := range map[string]struct{ token, code string }{
		"alg none":        {none("none"), "INVALID_TOKEN"},
		"alg None":        {none("None"), "INVALID_TOKEN"},
		"alg nOnE":        {none("nOnE"), "INVALID_TOKEN"},
		"unsigned":        {parts[0] + "." + parts[1] + ".", "INVALID_TOKEN"},
		"one bit":         {parts[0] + "." + parts[1] + "." + strings.ToUpper(parts[2]), "INVALID_TOKEN"},
		"own key":         {forge(t, jwt.SigningMethodHS256, []byte("another secret of thirty-two bytes!!"), nil), "INVALID_TOKEN"},
		"HS512":           {forge(t, jwt.SigningMethodHS512, []byte(secret), nil), "INVALID_TOKEN"},
		"kid":             {hs(func(_ jwt.MapClaims, h map[string]any) { h["kid"] = "../../dev/null" }), "INVALID_TOKEN"},
		"no kid":          {hs(func(_ jwt.MapClaims, h map[string]any) { delete(h, "kid") }), "INVALID_TOKEN"},
		"kid as a list":   {hs(func(_ jwt.MapClaims, h map[string]any) { h["kid"] = []string{keyName(secret)} }), "INVALID_TOKEN"},
		"kid of another":  {hs(func(_ jwt.MapClaims, h map[string]any) { h["kid"] = keyName("another secret of thirty-two bytes!!") }), "INVALID_TOKEN"},
		"x5u":             {hs(func(_ jwt.MapClaims, h map[string]any) { h["x5u"] = "http://169.254.169.254/" }), "INVALID_TOKEN"},
		"two audiences":   {hs(func(c jwt.MapClaims, _ map[string]any) { c["aud"] = []string{"holdfast-api", "other"} }), "INVALID_TOKEN"},
		"no issue time":   {hs(func(c jwt.MapClaims, _ map[string]any) { delete(c, "iat") }), "INVALID_TOKEN"},
		"from tomorrow":   {hs(func(c jwt.MapClaims, _ map[string]any) { c["nbf"] = time.Now().Add(time.Hour).Unix() }), "INVALID_TOKEN"},
		"issued tomorrow": {hs(func(c jwt.MapClaims, _ map[string]any) { c["iat"] = time.Now().Add(time.Hour).Unix() }), "INVALID_TOKEN"},
		"kid sql":         {hs(func(_ jwt.MapClaims, h map[string]any) { h["kid"] = "' or 1=1" }), "INVALID_TOKEN"},
		"jku":             {hs(func(_ jwt.MapClaims, h map[string]any) { h["jku"] = "http://169.254.169.254/" }), "INVALID_TOKEN"},
		"jwk":             {hs(func(_ jwt.MapClaims, h map[string]any) { h["jwk"] = map[string]any{"kty": "oct"} }), "INVALID_TOKEN"},
		"typ":             {hs(func(_ jwt.MapClaims, h map[string]any) { h["typ"] = "at+jwt" }), "INVALID_TOKEN"},
		"issuer":          {hs(func(c jwt.MapClaims, _ map[string]any) { c["iss"] = "evil" }), "INVALID_TOKEN"},
		"audience":        {hs(func(c jwt.MapClaims, _ map[string]any) { c["aud"] = "other" }), "INVALID_TOKEN"},
		"no expiry":       {hs(func(c jwt.MapClaims, _ map[string]any) { delete(c, "exp") }), "INVALID_TOKEN"},
		"expired":         {hs(func(c jwt.MapClaims, _ map[string]any) { c["exp"] = time.Now().Add(-time.Minute).Unix() }), "TOKEN_EXPIRED"},
		"reset token":     {hs(func(c jwt.MapClaims, _ map[string]any) { c["use"] = "reset" }), "WRONG_TOKEN_TYPE"},
		"unknown session": {hs(nil), "SESSION_REVOKED"},
		"refresh token":   {"hfr_something", "WRONG_TOKEN_TYPE"},
		"garbage":         {"x", "INVALID_TOKEN"},
		"long":            {strings.Repeat("a", 5000), "INVALID_TOKEN"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := (&client{w: w, token: c.token}).get(mePath)
			assert.Equal(t, 401, a.status, string(a.raw))
			assert.Equal(t, c.code, a.code)
		})
	}
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		assert.Equal(t, "UNAUTHENTICATED", w.anybody().get(mePath).code)
		assert.Equal(t, "UNAUTHENTICATED", w.anybody().get(mePath, header("Authorization", "Basic eDp5")).code)
		assert.Equal(t, "buyer@holdfast.test", good.get(mePath).text("email"))
	})
}

func TestFreshRolesAndRevocation(t *testing.T) {
	t.Parallel()
	w := setup(t)
	u := w.users.named("buyer")
	c := w.as(u)
	assert.Equal(t, "FORBIDDEN", c.get("/api/ledger/solvency").code)
	w.users.change(u.ID, func(u *apihttp.User) { u.Roles = []domain.Capacity{domain.Admin} })
	require.Eventually(t, func() bool { return c.get("/api/ledger/solvency").status == 200 }, 30*time.Second, time.Millisecond)
	w.users.change(u.ID, func(u *apihttp.User) { u.Status = apihttp.StatusSuspended })
	require.Eventually(t, func() bool { return c.get(mePath).code == "SESSION_REVOKED" }, 30*time.Second, time.Millisecond)
	assert.Equal(t, "ACCOUNT_SUSPENDED", w.anybody().post(loginPath, map[string]string{"email": u.Email, "password": password}).code)
}

func TestLoginTellsNothing(t *testing.T) {
	t.Parallel()
	w := setup(t)
	wrong := w.anybody().post(loginPath, map[string]string{"email": "buyer@holdfast.test", "password": "wrong"})
	unknown := w.anybody().post(loginPath, map[string]string{"email": "nobody@holdfast.test", "password": "wrong"})
	assert.Equal(t, 401, wrong.status)
	assert.Equal(t, string(wrong.raw), string(unknown.raw))
	ok := w.anybody().post(loginPath, map[string]string{"email": "buyer@holdfast.test", "password": password})
	assert.NotContains(t, string(ok.raw), password)
	assert.NotContains(t, strings.ToLower(string(ok.raw)), `"password"`)
}

func TestRefreshRotatesOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.do(w.users.register)
	login := w.anybody().post(loginPath, map[string]string{"email": "seller@holdfast.test", "password": password})
	first := login.text("refreshToken")
	next := w.anybody().post("/api/auth/refresh-token", map[string]string{"refreshToken": first})
	require.Equal(t, 200, next.status, string(next.raw))
	assert.Equal(t, "WRONG_TOKEN_TYPE", w.anybody().post("/api/auth/refresh", map[string]string{"refreshToken": login.text("accessToken")}).code)
	assert.Equal(t, "REFRESH_REUSED", w.anybody().post("/api/auth/refresh", map[string]string{"refreshToken": first}).code)
	assert.Equal(t, "INVALID_TOKEN", w.anybody().post("/api/auth/refresh", map[string]string{"refreshToken": next.text("refreshToken")}).code, "the family is revoked")
	c := &client{w: w, token: next.text("accessToken")}
	require.Eventually(t, func() bool { return c.get(mePath).code == "SESSION_REVOKED" }, 30*time.Second, time.Millisecond)
}

func TestLogout(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.as(w.users.named("seller"))
	assert.Equal(t, 200, c.post("/api/auth/logout", nil).status)
	assert.Equal(t, "SESSION_REVOKED", c.get(mePath).code)
}

func TestShortSecretsDoNotStart(t *testing.T) {
	t.Parallel()
	_, err := apihttp.New(apihttp.Config{Secret: []byte("short")}, apihttp.Deps{})
	assert.Error(t, err)
}

// TestSecretsRotate (docs/fault-model.md, 31): a token signed before the rotation is believed
// until the declared time and not a moment longer, also where it was checked before; the old
// secret signs nothing any more.
func TestSecretsRotate(t *testing.T) {
	t.Parallel()
	const next = "the next secret of thirty-two bytes!"
	w := setup(t)
	old := w.as(w.users.named("buyer"))
	until := time.Now().Add(3 * time.Second)
	rotated := w.beside(func(c *apihttp.Config) {
		c.Secret, c.PreviousSecret, c.PreviousUntil = []byte(next), []byte(secret), until
	})
	before := (&client{w: rotated, token: old.token}).get(mePath)
	require.Equal(t, 200, before.status, string(before.raw))
	fresh := rotated.as(w.users.named("seller"))
	header, _, err := jwt.NewParser().ParseUnverified(fresh.token, jwt.MapClaims{})
	require.NoError(t, err)
	assert.Equal(t, keyName(next), header.Header["kid"])
	assert.Equal(t, 401, (&client{w: w, token: fresh.token}).get(mePath).status, "who does not know the new secret does not believe it")
	require.Eventually(t, func() bool { return (&client{w: rotated, token: old.token}).get(mePath).code == "INVALID_TOKEN" }, 10*time.Second, 10*time.Millisecond)
	assert.False(t, time.Now().Before(until))
	assert.Equal(t, 200, fresh.get(mePath).status)

	for name, c := range map[string]apihttp.Config{
		"a previous secret without an end": {Secret: []byte(next), PreviousSecret: []byte(secret)},
		"a short previous secret":          {Secret: []byte(next), PreviousSecret: []byte("short"), PreviousUntil: until},
	} {
		_, err := apihttp.New(c, w.deps)
		assert.Error(t, err, name)
	}
}

// Guesses that were let in together wait for their turn to be compared; the lock that the first of
// them set holds for those behind them, right or wrong.
func TestALockHoldsForGuessesThatWaited(t *testing.T) {
	t.Parallel()
	w := setup(t)
	waits, compared := make(chan struct{}), make(chan time.Time)
	w.users.slow = func(typed string) <-chan time.Time {
		if typed == password {
			close(waits)
			return compared
		}
		return time.After(0)
	}
	guess := func(typed string) answer {
		return w.anybody().post(loginPath, map[string]string{"email": "buyer@holdfast.test", "password": typed})
	}
	right := make(chan answer)
	go func() { right <- guess(password) }()
	<-waits
	require.Eventually(t, func() bool { return guess("wrong").code == "ACCOUNT_LOCKED" }, 20*time.Second, time.Millisecond)
	close(compared)
	late := <-right
	assert.Equal(t, 423, late.status)
	assert.Equal(t, "ACCOUNT_LOCKED", late.code)
}

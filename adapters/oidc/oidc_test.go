package oidc_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"holdfast/adapters/oidc"
	"holdfast/adapters/oidc/oidcdouble"
	"holdfast/domain/fault"
)

const callback = "http://127.0.0.1/callback"

var ana = oidcdouble.Person{Subject: "108", Email: "Ana@Gmail.com", Verified: true, Name: "Ana"}

func setup(t *testing.T) (*oidcdouble.Issuer, *oidc.Provider) {
	t.Helper()
	i, err := oidcdouble.Start("client", "client secret")
	require.NoError(t, err)
	t.Cleanup(func() { _ = i.Close() })
	return i, provider(i)
}

func provider(i *oidcdouble.Issuer) *oidc.Provider {
	return oidc.New(oidc.Options{Issuer: i.URL(), ClientID: "client", ClientSecret: "client secret", RedirectURL: callback})
}

func refused(t *testing.T, err error, code, name string) {
	t.Helper()
	f, ok := fault.From(err)
	if assert.True(t, ok, "%s: %v", name, err) {
		assert.Equal(t, code, f.Code, "%s: %v", name, err)
	}
}

func TestATokenOfTheProviderSaysWhoItIs(t *testing.T) {
	t.Parallel()
	i, p := setup(t)
	who, err := p.Verify(t.Context(), i.Sign(i.Claims(ana, "n-1")))
	require.NoError(t, err)
	assert.Equal(t, "108", who.Subject)
	assert.Equal(t, "ana@gmail.com", who.Email)
	assert.True(t, who.Authoritative)
	assert.Equal(t, "n-1", who.Nonce)
	assert.WithinDuration(t, time.Now(), who.IssuedAt, time.Minute)
}

func TestATokenThatIsNotGoodIsRefused(t *testing.T) {
	t.Parallel()
	i, p := setup(t)
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	with := func(name string, v any) jwt.MapClaims {
		c := i.Claims(ana, "")
		if v == nil {
			delete(c, name)
		} else {
			c[name] = v
		}
		return c
	}
	der, err := x509.MarshalPKIXPublicKey(i.PublicKey())
	require.NoError(t, err)
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	good := i.Sign(i.Claims(ana, ""))
	parts := strings.Split(good, ".")
	other := strings.Split(i.Sign(with("sub", "109")), ".")
	for name, token := range map[string]string{
		"another audience":    i.Sign(with("aud", "another client")),
		"two audiences":       i.Sign(with("aud", []string{"client", "another client"})),
		"no audience":         i.Sign(with("aud", nil)),
		"another issuer":      i.Sign(with("iss", "https://accounts.evil.example")),
		"expired":             i.Sign(with("exp", time.Now().Add(-time.Minute).Unix())),
		"no expiry":           i.Sign(with("exp", nil)),
		"not yet":             i.Sign(with("nbf", time.Now().Add(time.Hour).Unix())),
		"no subject":          i.Sign(with("sub", nil)),
		"a very long subject": i.Sign(with("sub", strings.Repeat("1", 256))),
		"a stranger's key":    i.SignAs(jwt.SigningMethodRS256, stranger, i.Claims(ana, "")),
		"HMAC by modulus":     i.SignAs(jwt.SigningMethodHS256, i.PublicKey().N.Bytes(), i.Claims(ana, "")),
		"HMAC by PEM":         i.SignAs(jwt.SigningMethodHS256, public, i.Claims(ana, "")),
		"no algorithm":        i.SignAs(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, i.Claims(ana, "")),
		"PS256":               i.SignAs(jwt.SigningMethodPS256, stranger, i.Claims(ana, "")),
		"another's claims":    parts[0] + "." + other[1] + "." + parts[2],
		"without signature":   parts[0] + "." + parts[1] + ".",
		"a word":              "token",
		"nothing":             "",
		"a very long one":     strings.Repeat("x", 20<<10),
	} {
		_, err := p.Verify(t.Context(), token)
		refused(t, err, "OAUTH_INVALID", name)
	}
	azp := with("aud", []string{"client", "another client"})
	azp["azp"] = "client"
	_, err = p.Verify(t.Context(), i.Sign(azp))
	assert.NoError(t, err, "it was made for us, and others may read it")
}

func TestAnAddressCountsOnlyWhenTheProviderHasVerifiedIt(t *testing.T) {
	t.Parallel()
	i, p := setup(t)
	for name, test := range map[string]struct {
		email         string
		verified      any
		hd            string
		want          string
		authoritative bool
	}{
		"not verified":        {"ana@gmail.com", false, "", "", false},
		"nothing said":        {"ana@gmail.com", nil, "", "", false},
		"as a word":           {"ana@gmail.com", "true", "", "ana@gmail.com", true},
		"no as a word":        {"ana@gmail.com", "false", "", "", false},
		"a number":            {"ana@gmail.com", 1, "", "", false},
		"another's mailbox":   {"ana@shop.example", true, "", "ana@shop.example", false},
		"a Workspace mailbox": {"ana@shop.example", true, "Shop.example", "ana@shop.example", true},
		"another Workspace":   {"ana@shop.example", true, "evil.example", "ana@shop.example", false},
		"gmail in the middle": {"ana@gmail.com.evil.example", true, "", "ana@gmail.com.evil.example", false},
	} {
		c := i.Claims(ana, "")
		c["email"] = test.email
		delete(c, "email_verified")
		if test.verified != nil {
			c["email_verified"] = test.verified
		}
		if test.hd != "" {
			c["hd"] = test.hd
		}
		who, err := p.Verify(t.Context(), i.Sign(c))
		require.NoError(t, err, name)
		assert.Equal(t, test.want, who.Email, name)
		assert.Equal(t, test.authoritative, who.Authoritative, name)
	}
}

func TestKeysRotate(t *testing.T) {
	t.Parallel()
	i, p := setup(t)
	before := i.Sign(i.Claims(ana, ""))
	_, err := p.Verify(t.Context(), before)
	require.NoError(t, err)
	require.NoError(t, i.Rotate(false))
	_, err = p.Verify(t.Context(), i.Sign(i.Claims(ana, "")))
	require.NoError(t, err, "a new key is fetched")
	_, err = p.Verify(t.Context(), before)
	require.NoError(t, err, "the old one is published still")
	require.NoError(t, i.Rotate(true))
	_, err = p.Verify(t.Context(), i.Sign(i.Claims(ana, "")))
	require.NoError(t, err)
	_, err = p.Verify(t.Context(), before)
	refused(t, err, "OAUTH_INVALID", "a key that is published no more")
}

func TestAProviderThatIsDownIsNoVerdict(t *testing.T) {
	t.Parallel()
	i, p := setup(t)
	token := i.Sign(i.Claims(ana, ""))
	i.Down(true)
	_, err := p.Verify(t.Context(), token)
	refused(t, err, "OAUTH_UNAVAILABLE", "no discovery")
	_, err = p.AuthURL(t.Context(), "s", "n", "v")
	refused(t, err, "OAUTH_UNAVAILABLE", "no page")
	i.Down(false)
	_, err = p.Verify(t.Context(), token)
	require.NoError(t, err, "it is asked again")
	require.NoError(t, i.Rotate(true))
	fresh := i.Sign(i.Claims(ana, ""))
	i.Down(true)
	_, err = p.Verify(t.Context(), fresh)
	refused(t, err, "OAUTH_UNAVAILABLE", "no keys")
	_, err = p.Exchange(t.Context(), "code", "n", "v")
	refused(t, err, "OAUTH_UNAVAILABLE", "no exchange")
	silent := oidc.New(oidc.Options{Issuer: "http://127.0.0.1:1", ClientID: "client"})
	_, err = silent.Verify(t.Context(), token)
	refused(t, err, "OAUTH_UNAVAILABLE", "nobody there")
}

// signIn goes to the provider's page as a browser would, and gives what comes back.
func signIn(t *testing.T, p *oidc.Provider, nonce, verifier string) (code, state string) {
	t.Helper()
	at, err := p.AuthURL(t.Context(), "a state", nonce, verifier)
	require.NoError(t, err)
	assert.NotContains(t, at, verifier, "the verifier stays here")
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := browser.Get(at + "&email=ana@gmail.com")
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, 302, resp.StatusCode)
	back, err := url.Parse(resp.Header.Get("Location"))
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(back.String(), callback))
	return back.Query().Get("code"), back.Query().Get("state")
}

func TestTheCodeFlow(t *testing.T) {
	t.Parallel()
	_, p := setup(t)
	verifier := oauth2.GenerateVerifier()
	code, state := signIn(t, p, "nonce-1", verifier)
	assert.Equal(t, "a state", state)
	who, err := p.Exchange(t.Context(), code, "nonce-1", verifier)
	require.NoError(t, err)
	assert.Equal(t, "ana@gmail.com", who.Email)
	_, err = p.Exchange(t.Context(), code, "nonce-1", verifier)
	refused(t, err, "OAUTH_INVALID", "a code twice")
	code, _ = signIn(t, p, "nonce-2", verifier)
	_, err = p.Exchange(t.Context(), code, "nonce-2", oauth2.GenerateVerifier())
	refused(t, err, "OAUTH_INVALID", "another verifier: a stolen code")
	code, _ = signIn(t, p, "nonce-3", verifier)
	_, err = p.Exchange(t.Context(), code, "nonce-1", verifier)
	refused(t, err, "OAUTH_INVALID", "another sign-in's nonce")
	_, err = p.Exchange(t.Context(), "no code", "nonce-1", verifier)
	refused(t, err, "OAUTH_INVALID", "no code")
}

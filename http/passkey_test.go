package http_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/descope/virtualwebauthn"
	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/webauthn"
)

var relyingParty = virtualwebauthn.RelyingParty{ID: "front.example", Name: "Holdfast", Origin: frontend}

func withPasskeys(w *world) {
	withRecords(w)
	p, err := webauthn.New(webauthn.Options{RPID: relyingParty.ID, Origins: []string{relyingParty.Origin}, Name: relyingParty.Name})
	require.NoError(w.t, err)
	w.deps.SignIn.Passkeys, w.deps.SignIn.PasskeyRows = ceremonies{p}, recordPasskeys{w.records.Passkeys}
}

// authenticator is a device with one passkey.
type authenticator struct {
	device     virtualwebauthn.Authenticator
	credential virtualwebauthn.Credential
	rp         virtualwebauthn.RelyingParty
}

func newAuthenticator() *authenticator {
	return &authenticator{device: virtualwebauthn.NewAuthenticator(), credential: newCredential(), rp: relyingParty}
}

// newCredential draws until both coordinates of the key are whole: virtualwebauthn writes them
// without leading zeros, which go-webauthn rightly refuses.
func newCredential() virtualwebauthn.Credential {
	for {
		c := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
		var key struct {
			X []byte `cbor:"-2,keyasint"`
			Y []byte `cbor:"-3,keyasint"`
		}
		if cbor.Unmarshal(c.Key.AttestationData(), &key) == nil && len(key.X) == 32 && len(key.Y) == 32 {
			return c
		}
	}
}

// created answers the options of a registration; the device remembers whose passkey it is.
func (d *authenticator) created(t *testing.T, options answer) string {
	t.Helper()
	require.Equal(t, 200, options.status, string(options.raw))
	o, err := virtualwebauthn.ParseAttestationOptions(dataOf(t, options))
	require.NoError(t, err)
	d.device.Options.UserHandle = []byte(o.UserID)
	return virtualwebauthn.CreateAttestationResponse(d.rp, d.device, d.credential, *o)
}

// asserted answers the options of a login; the device counts.
func (d *authenticator) asserted(t *testing.T, options answer) string {
	t.Helper()
	require.Equal(t, 200, options.status, string(options.raw))
	o, err := virtualwebauthn.ParseAssertionOptions(dataOf(t, options))
	require.NoError(t, err)
	d.credential.Counter++
	return virtualwebauthn.CreateAssertionResponse(d.rp, d.device, d.credential, *o)
}

func dataOf(t *testing.T, a answer) string {
	t.Helper()
	var doc struct{ Data json.RawMessage }
	require.NoError(t, json.Unmarshal(a.raw, &doc))
	return string(doc.Data)
}

const passkeyPath = "/api/auth/passkey"

func (d *authenticator) register(t *testing.T, c *client) answer {
	t.Helper()
	a := c.post(passkeyPath+"/register/verify", d.created(t, c.post(passkeyPath+"/register/options", "{}")))
	require.Equal(t, 201, a.status, string(a.raw))
	return a
}

func (d *authenticator) login(t *testing.T, w *world) answer {
	t.Helper()
	return w.anybody().post(passkeyPath+"/login/verify", d.asserted(t, w.anybody().post(passkeyPath+"/login/options", "{}")))
}

func TestAPersonSignsInWithAPasskey(t *testing.T) {
	t.Parallel()
	w := setup(t, withPasskeys)
	buyer, d := w.person("buyer"), newAuthenticator()
	before := w.events()
	made := d.register(t, buyer)
	assert.Equal(t, before+1, w.events(), "one fact: a means of signing in was linked")
	assert.NotEmpty(t, made.text("id"))
	a := d.login(t, w)
	require.Equal(t, 200, a.status, string(a.raw))
	assert.Equal(t, string(buyer.id), a.text("user.id"))
	again := &client{w: w, token: a.text("accessToken"), id: buyer.id}
	assert.Equal(t, 200, again.get("/api/auth/me").status)
	list := again.get(passkeyPath)
	assert.Contains(t, string(list.raw), made.text("id"))
	assert.NotContains(t, string(list.raw), "publicKey", "the key is nobody's business")
	w.untouched(func() {
		assert.Equal(t, 404, w.person("seller").send("DELETE", passkeyPath+"/"+made.text("id"), nil).status, "another's")
	})
	require.Equal(t, 200, again.send("DELETE", passkeyPath+"/"+made.text("id"), nil).status)
	w.untouched(func() {
		gone := d.login(t, w)
		assert.Equal(t, 401, gone.status)
		assert.Equal(t, "PASSKEY_REJECTED", gone.code)
		assert.Equal(t, 404, again.send("DELETE", passkeyPath+"/"+made.text("id"), nil).status)
	})
	d.register(t, buyer) // the credential is free again
}

// Row 53 of faults.md: challenge twice, challenge of another user, wrong origin or rpId, counter going
// back, user not verified.
func TestPasskeysThatAreRejected(t *testing.T) {
	t.Parallel()
	w := setup(t, withPasskeys)
	buyer, seller := w.person("buyer"), w.person("seller")
	options := func() answer { return w.anybody().post(passkeyPath+"/login/options", "{}") }
	verify := func(body string) answer { return w.anybody().post(passkeyPath+"/login/verify", body) }
	rejected := func(name string, a answer) {
		t.Helper()
		assert.Equal(t, 401, a.status, "%s: %s", name, a.raw)
		assert.Equal(t, "PASSKEY_REJECTED", a.code, name)
		assert.Empty(t, a.text("accessToken"))
	}
	d := newAuthenticator()
	d.register(t, buyer)
	w.untouched(func() {
		shown := d.asserted(t, options())
		require.Equal(t, 200, verify(shown).status)
		rejected("challenge twice", verify(shown))
		for name, change := range map[string]func(*authenticator){
			"wrong origin":      func(d *authenticator) { d.rp.Origin = "https://evil.example" },
			"wrong rpId":        func(d *authenticator) { d.rp.ID = "evil.example" },
			"user not verified": func(d *authenticator) { d.device.Options.UserNotVerified = true },
			"user not present":  func(d *authenticator) { d.device.Options.UserNotPresent = true },
			"another key":       func(d *authenticator) { d.credential.Key = newAuthenticator().credential.Key },
			"another handle":    func(d *authenticator) { d.device.Options.UserHandle = []byte("somebody else's handle, 32 bytes") },
			"no handle":         func(d *authenticator) { d.device.Options.UserHandle = nil },
			"unknown passkey":   func(d *authenticator) { d.credential = newAuthenticator().credential },
			"counter goes back": func(d *authenticator) { d.credential.Counter = 0 },
		} {
			bad := *d
			change(&bad)
			o := options()
			rejected(name, verify(bad.asserted(t, o)))
			good := *d
			rejected(name+": the challenge is used up", verify(good.asserted(t, o)))
		}
		mine := newAuthenticator()
		for name, answered := range map[string]string{
			"a login's challenge":      mine.created(t, buyer.post(passkeyPath+"/register/options", "{}")),
			"another user's challenge": mine.created(t, seller.post(passkeyPath+"/register/options", "{}")),
			"a challenge of nobody":    mine.created(t, answer{status: 200, raw: []byte(`{"data":{"challenge":"` + base64.RawURLEncoding.EncodeToString(make([]byte, 32)) + `","rp":{"id":"front.example"},"user":{"id":"YWJj"}}}`)}),
		} {
			if name == "a login's challenge" {
				rejected(name, verify(d.asserted(t, answer{status: 200, raw: []byte(`{"data":` + optionsOf(t, buyer.post(passkeyPath+"/register/options", "{}")) + `}`)})))
				continue
			}
			rejected(name, buyer.post(passkeyPath+"/register/verify", answered))
		}
		for name, change := range map[string]func(*authenticator){
			"wrong origin":      func(d *authenticator) { d.rp.Origin = "http://front.example" },
			"wrong rpId":        func(d *authenticator) { d.rp.ID = "example" },
			"user not verified": func(d *authenticator) { d.device.Options.UserNotVerified = true },
		} {
			bad := newAuthenticator()
			change(bad)
			rejected("registration: "+name, buyer.post(passkeyPath+"/register/verify", bad.created(t, buyer.post(passkeyPath+"/register/options", "{}"))))
		}
	})
}

// optionsOf makes login options with the challenge of a registration.
func optionsOf(t *testing.T, a answer) string {
	t.Helper()
	return `{"challenge":"` + a.text("challenge") + `","rpId":"front.example"}`
}

func TestAPasskeyIsOnePersons(t *testing.T) {
	t.Parallel()
	w := setup(t, withPasskeys)
	buyer, seller, d := w.person("buyer"), w.person("seller"), newAuthenticator()
	d.register(t, buyer)
	w.untouched(func() {
		a := seller.post(passkeyPath+"/register/verify", d.created(t, seller.post(passkeyPath+"/register/options", "{}")))
		assert.Equal(t, 409, a.status, string(a.raw))
		assert.Equal(t, "SIGN_IN_IN_USE", a.code)
		assert.Equal(t, "[]", dataOf(t, seller.get(passkeyPath)))
	})
}

func TestWhatIsNoAnswerOfAnAuthenticator(t *testing.T) {
	t.Parallel()
	w := setup(t, withPasskeys)
	buyer, d := w.person("buyer"), newAuthenticator()
	d.register(t, buyer)
	good := d.asserted(t, w.anybody().post(passkeyPath+"/login/options", "{}"))
	w.untouched(func() {
		for name, test := range map[string]struct{ body, code string }{
			"no fields":      {`{}`, "VALIDATION_FAILED"},
			"not JSON":       {`passkey`, "INVALID_JSON"},
			"numbers":        {`{"id":1,"rawId":2,"type":"public-key","response":{}}`, "VALIDATION_FAILED"},
			"no client data": {`{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"AA"}}`, "PASSKEY_INVALID"},
			"no base64":      {strings.Replace(good, `"signature":"`, `"signature":"!!`, 1), "PASSKEY_INVALID"},
			"a megabyte":     {strings.Replace(good, `"signature":"`, `"signature":"`+strings.Repeat("A", 1<<20), 1), "VALIDATION_FAILED"},
		} {
			a := w.anybody().post(passkeyPath+"/login/verify", test.body)
			assert.Equal(t, 400, a.status, "%s: %.200s", name, a.raw)
			assert.Equal(t, test.code, a.code, name)
		}
		for _, path := range []string{"/register/options", "/register/verify"} {
			assert.Equal(t, 401, w.anybody().post(passkeyPath+path, "{}").status, "nobody is signed in")
		}
	})
	assert.NotContains(t, string(w.anybody().post(passkeyPath+"/login/verify", good).raw), "accessToken", "an unreadable copy has used the challenge up")
}

func TestAnExpiredChallengeIsCalledThat(t *testing.T) {
	t.Parallel()
	w := setup(t, withPasskeys)
	buyer, d := w.person("buyer"), newAuthenticator()
	d.register(t, buyer)
	shown := d.asserted(t, w.anybody().post(passkeyPath+"/login/options", "{}"))
	_, err := w.pool.Exec(t.Context(), `UPDATE signin_challenges SET expires_at = clock_timestamp() - interval '1 second'`)
	require.NoError(t, err)
	w.untouched(func() {
		a := w.anybody().post(passkeyPath+"/login/verify", shown)
		assert.Equal(t, 401, a.status)
		assert.Equal(t, "CHALLENGE_EXPIRED", a.code)
	})
}

// Two devices with one key show the same count at the same moment: one of them is in.
func TestOfTwoWhoShowTheSameCountOneIsTaken(t *testing.T) {
	t.Parallel()
	w := setup(t, withPasskeys)
	buyer, d := w.person("buyer"), newAuthenticator()
	d.register(t, buyer)
	var shown []string
	for range 6 {
		clone := *d
		shown = append(shown, clone.asserted(t, w.anybody().post(passkeyPath+"/login/options", "{}")))
	}
	var mu sync.Mutex
	codes := map[int]int{}
	var all sync.WaitGroup
	for _, body := range shown {
		all.Go(func() {
			a := w.anybody().post(passkeyPath+"/login/verify", body)
			mu.Lock()
			defer mu.Unlock()
			codes[a.status]++
		})
	}
	all.Wait()
	assert.Equal(t, map[int]int{200: 1, 401: 5}, codes)
}

func TestWhoIsSuspendedDoesNotSignInByAPasskey(t *testing.T) {
	t.Parallel()
	w := setup(t, withPasskeys)
	buyer, d := w.person("buyer"), newAuthenticator()
	d.register(t, buyer)
	_, err := w.pool.Exec(t.Context(), `UPDATE users SET status = 'suspended', active = false WHERE id = $1`, string(buyer.id))
	require.NoError(t, err)
	w.untouched(func() {
		a := d.login(t, w)
		assert.Equal(t, 403, a.status)
		assert.Equal(t, "ACCOUNT_SUSPENDED", a.code)
	})
}

func TestARetriedRegistrationGetsTheFirstAnswer(t *testing.T) {
	t.Parallel()
	w := setup(t, withPasskeys)
	buyer, d := w.person("buyer"), newAuthenticator()
	body := d.created(t, buyer.post(passkeyPath+"/register/options", "{}"))
	first := buyer.post(passkeyPath+"/register/verify", body, key("k"))
	require.Equal(t, 201, first.status, string(first.raw))
	w.untouched(func() {
		again := buyer.post(passkeyPath+"/register/verify", body, key("k"))
		assert.Equal(t, 201, again.status, string(again.raw))
		assert.Equal(t, first.text("id"), again.text("id"))
		assert.Equal(t, "true", again.header.Get("Idempotent-Replayed"))
	})
}

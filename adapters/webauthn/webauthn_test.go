package webauthn_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/webauthn"
	"holdfast/domain/fault"
)

var (
	shop  = virtualwebauthn.RelyingParty{ID: "shop.example", Name: "Holdfast", Origin: "https://shop.example"}
	alice = webauthn.Owner{Handle: []byte("0123456789abcdef0123456789abcdef"), Name: "alice", DisplayName: "Alice"}
)

func passkeys(t *testing.T) *webauthn.Passkeys {
	t.Helper()
	p, err := webauthn.New(webauthn.Options{RPID: shop.ID, Origins: []string{shop.Origin}, Name: shop.Name})
	require.NoError(t, err)
	return p
}

// device is an authenticator with one passkey.
type device struct {
	auth       virtualwebauthn.Authenticator
	credential virtualwebauthn.Credential
	rp         virtualwebauthn.RelyingParty
}

func newDevice(kind virtualwebauthn.KeyType) *device {
	return &device{auth: virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserHandle: alice.Handle}), credential: newCredential(kind), rp: shop}
}

// newCredential draws until both coordinates of an EC2 key are whole: virtualwebauthn writes them
// without leading zeros, which go-webauthn rightly refuses.
func newCredential(kind virtualwebauthn.KeyType) virtualwebauthn.Credential {
	for {
		c := virtualwebauthn.NewCredential(kind)
		var key struct {
			X []byte `cbor:"-2,keyasint"`
			Y []byte `cbor:"-3,keyasint"`
		}
		if kind != virtualwebauthn.KeyTypeEC2 || cbor.Unmarshal(c.Key.AttestationData(), &key) == nil && len(key.X) == 32 && len(key.Y) == 32 {
			return c
		}
	}
}

func (d *device) create(t *testing.T, options []byte) []byte {
	t.Helper()
	o, err := virtualwebauthn.ParseAttestationOptions(string(options))
	require.NoError(t, err)
	return []byte(virtualwebauthn.CreateAttestationResponse(d.rp, d.auth, d.credential, *o))
}

func (d *device) assert(t *testing.T, options []byte) []byte {
	t.Helper()
	o, err := virtualwebauthn.ParseAssertionOptions(string(options))
	require.NoError(t, err)
	return []byte(virtualwebauthn.CreateAssertionResponse(d.rp, d.auth, d.credential, *o))
}

func register(t *testing.T, p *webauthn.Passkeys, d *device) webauthn.Credential {
	t.Helper()
	begun, err := p.BeginRegistration(alice)
	require.NoError(t, err)
	c, err := p.FinishRegistration(alice, begun.Session, d.create(t, begun.Options))
	require.NoError(t, err)
	return c
}

func owning(c webauthn.Credential) func(_, _ []byte) (webauthn.Owner, error) {
	return func(_, _ []byte) (webauthn.Owner, error) {
		o := alice
		o.Records = []json.RawMessage{c.Record}
		return o, nil
	}
}

func refused(t *testing.T, err error, code, name string) {
	t.Helper()
	f, ok := fault.From(err)
	if assert.True(t, ok, "%s: %v", name, err) {
		assert.Equal(t, code, f.Code, name)
	}
}

func TestAPasskeyIsMadeAndSignsIn(t *testing.T) {
	t.Parallel()
	for _, kind := range []virtualwebauthn.KeyType{virtualwebauthn.KeyTypeEC2, virtualwebauthn.KeyTypeRSA} {
		p, d := passkeys(t), newDevice(kind)
		c := register(t, p, d)
		assert.Equal(t, d.credential.ID, c.ID)
		for want := uint32(1); want <= 3; want++ {
			d.credential.Counter = want
			begun, err := p.BeginLogin()
			require.NoError(t, err)
			answer := d.assert(t, begun.Options)
			challenge, err := webauthn.Challenge(answer)
			require.NoError(t, err)
			assert.Equal(t, begun.Challenge, challenge)
			c, err = p.FinishLogin(begun.Session, answer, owning(c))
			require.NoError(t, err)
			assert.Equal(t, want, c.Count)
		}
	}
}

func TestTheOptionsDemandWhatAPasswordWouldGive(t *testing.T) {
	t.Parallel()
	p, d := passkeys(t), newDevice(virtualwebauthn.KeyTypeEC2)
	c := register(t, p, d)
	o := alice
	o.Records = []json.RawMessage{c.Record}
	begun, err := p.BeginRegistration(o)
	require.NoError(t, err)
	var options struct {
		AuthenticatorSelection struct{ ResidentKey, UserVerification string }
		Attestation            string
		Timeout                int
		ExcludeCredentials     []struct{ ID string }
		User                   struct{ ID, Name string }
	}
	require.NoError(t, json.Unmarshal(begun.Options, &options))
	assert.Equal(t, "required", options.AuthenticatorSelection.UserVerification)
	assert.Equal(t, "required", options.AuthenticatorSelection.ResidentKey)
	assert.Equal(t, int(webauthn.Life.Milliseconds()), options.Timeout)
	assert.Len(t, options.ExcludeCredentials, 1, "the same device makes no second one")
	login, err := p.BeginLogin()
	require.NoError(t, err)
	assert.Contains(t, string(login.Options), `"userVerification":"required"`)
	assert.NotContains(t, string(login.Options), "allowCredentials", "nobody learns who has a passkey")
}

func TestWhatDoesNotFitIsRejected(t *testing.T) {
	t.Parallel()
	p := passkeys(t)
	for name, change := range map[string]func(*device){
		"another origin":    func(d *device) { d.rp.Origin = "https://evil.example" },
		"our origin's end":  func(d *device) { d.rp.Origin = "https://shop.example.evil.example" },
		"another rpId":      func(d *device) { d.rp.ID = "evil.example" },
		"user not verified": func(d *device) { d.auth.Options.UserNotVerified = true },
		"user not present":  func(d *device) { d.auth.Options.UserNotPresent = true },
		"now synced":        func(d *device) { d.auth.Options.BackupEligible = true },
	} {
		d := newDevice(virtualwebauthn.KeyTypeEC2)
		c := register(t, p, d)
		d.credential.Counter = 1
		change(d)
		begun, err := p.BeginLogin()
		require.NoError(t, err)
		_, err = p.FinishLogin(begun.Session, d.assert(t, begun.Options), owning(c))
		refused(t, err, "PASSKEY_REJECTED", "login: "+name)
		if name == "now synced" {
			continue // it is what it is from the beginning
		}
		making, err := p.BeginRegistration(alice)
		require.NoError(t, err)
		_, err = p.FinishRegistration(alice, making.Session, d.create(t, making.Options))
		refused(t, err, "PASSKEY_REJECTED", "registration: "+name)
	}
}

func TestEachCeremonyIsItsOwn(t *testing.T) {
	t.Parallel()
	p, d := passkeys(t), newDevice(virtualwebauthn.KeyTypeEC2)
	c := register(t, p, d)
	d.credential.Counter = 5
	one, err := p.BeginLogin()
	require.NoError(t, err)
	two, err := p.BeginLogin()
	require.NoError(t, err)
	_, err = p.FinishLogin(two.Session, d.assert(t, one.Options), owning(c))
	refused(t, err, "PASSKEY_REJECTED", "another challenge")
	other := newDevice(virtualwebauthn.KeyTypeEC2)
	other.credential.ID = d.credential.ID
	_, err = p.FinishLogin(one.Session, other.assert(t, one.Options), owning(c))
	refused(t, err, "PASSKEY_REJECTED", "another key under the same id")
	stranger := *d
	stranger.auth.Options.UserHandle = []byte("another person's handle, 32 byte")
	_, err = p.FinishLogin(one.Session, stranger.assert(t, one.Options), owning(c))
	refused(t, err, "PASSKEY_REJECTED", "another person's handle")
	nobody := errors.New("nobody has it")
	_, err = p.FinishLogin(one.Session, d.assert(t, one.Options), func(_, _ []byte) (webauthn.Owner, error) { return webauthn.Owner{}, nobody })
	assert.ErrorIs(t, err, nobody)
	making, err := p.BeginRegistration(alice)
	require.NoError(t, err)
	bob := alice
	bob.Handle = []byte("bob's handle, which is another..")
	_, err = p.FinishRegistration(bob, making.Session, d.create(t, making.Options))
	refused(t, err, "PASSKEY_REJECTED", "another user's registration")
	var session map[string]any
	require.NoError(t, json.Unmarshal(one.Session, &session))
	session["expires"] = time.Now().Add(-time.Second)
	late, err := json.Marshal(session)
	require.NoError(t, err)
	_, err = p.FinishLogin(late, d.assert(t, one.Options), owning(c))
	refused(t, err, "PASSKEY_REJECTED", "late")
}

func TestACounterThatGoesBackIsAClone(t *testing.T) {
	t.Parallel()
	p, d := passkeys(t), newDevice(virtualwebauthn.KeyTypeEC2)
	c := register(t, p, d)
	login := func(counter uint32) (err error) {
		d.credential.Counter = counter
		begun, err := p.BeginLogin()
		require.NoError(t, err)
		next, err := p.FinishLogin(begun.Session, d.assert(t, begun.Options), owning(c))
		if err == nil {
			c = next
		}
		return err
	}
	require.NoError(t, login(0), "an authenticator that does not count")
	require.NoError(t, login(0))
	require.NoError(t, login(7))
	refused(t, login(7), "PASSKEY_REJECTED", "the same count again")
	refused(t, login(3), "PASSKEY_REJECTED", "back")
	refused(t, login(0), "PASSKEY_REJECTED", "to nothing")
	require.NoError(t, login(8))
}

func TestWhatIsNoAnswerIsInvalid(t *testing.T) {
	t.Parallel()
	p, d := passkeys(t), newDevice(virtualwebauthn.KeyTypeEC2)
	c := register(t, p, d)
	begun, err := p.BeginLogin()
	require.NoError(t, err)
	good := string(d.assert(t, begun.Options))
	for name, bad := range map[string]string{
		"empty": "", "a word": `"passkey"`, "an empty object": "{}", "cut": good[:len(good)/2],
		"no base64": strings.Replace(good, `"signature":"`, `"signature":"!!`, 1), "no type": strings.Replace(good, "public-key", "password", 1),
	} {
		_, err := p.FinishLogin(begun.Session, []byte(bad), owning(c))
		refused(t, err, "PASSKEY_INVALID", name)
		_, err = p.FinishRegistration(alice, begun.Session, []byte(bad))
		refused(t, err, "PASSKEY_INVALID", name)
	}
	for _, bad := range []string{"", "{}", `{"response":{"clientDataJSON":"e30"}}`, `{"response":{"clientDataJSON":5}}`} {
		_, err := webauthn.Challenge([]byte(bad))
		refused(t, err, "PASSKEY_INVALID", bad)
	}
}

func TestSettingsThatCannotWorkAreNamed(t *testing.T) {
	t.Parallel()
	_, err := webauthn.New(webauthn.Options{RPID: "shop.example", Name: "Holdfast"})
	assert.ErrorContains(t, err, "WEBAUTHN_RP_ORIGINS")
}

func FuzzChallenge(f *testing.F) {
	f.Add([]byte(`{"response":{"clientDataJSON":"eyJjaGFsbGVuZ2UiOiJhYmMifQ"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := webauthn.Challenge(b); err == nil && c == "" {
			t.Fatal("no challenge and no refusal")
		}
	})
}

package webauthn

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"holdfast/domain/fault"
)

// Refusals of an authenticator's answer.
var (
	ErrInvalid  = fault.New(fault.Malformed, "PASSKEY_INVALID", "the body is not the answer of an authenticator (WebAuthn JSON)")
	ErrRejected = fault.New(fault.Unauthenticated, "PASSKEY_REJECTED", "the passkey is not accepted; begin anew")
)

// Life is how long a challenge may be answered.
const Life = 5 * time.Minute

// Options of the relying party, which is us.
type Options struct {
	RPID    string   // the domain that passkeys belong to, such as shop.example
	Origins []string // pages that may ask, such as https://shop.example
	Name    string   // as people see it
}

// Passkeys checks ceremonies of one relying party.
type Passkeys struct{ rp *webauthn.WebAuthn }

// New makes one; an error when the settings cannot work together.
func New(o Options) (*Passkeys, error) {
	timeout := webauthn.TimeoutConfig{Enforce: true, Timeout: Life, TimeoutUVD: Life}
	rp, err := webauthn.New(&webauthn.Config{
		RPID: o.RPID, RPDisplayName: o.Name, RPOrigins: o.Origins,
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			RequireResidentKey: protocol.ResidentKeyRequired(), ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired,
		},
		Timeouts: webauthn.TimeoutsConfig{Login: timeout, Registration: timeout},
	})
	if err != nil {
		return nil, fmt.Errorf("WEBAUTHN_RP_ID and WEBAUTHN_RP_ORIGINS: %w", err)
	}
	return &Passkeys{rp}, nil
}

// Owner is a person to an authenticator.
type Owner struct {
	Handle      []byte // random bytes that stand for the person; never the e-mail address
	Name        string // as the authenticator lists it
	DisplayName string
	Records     []json.RawMessage // of the credentials that the person has
}

// Credential is a passkey as it is kept.
type Credential struct {
	ID     []byte
	Count  uint32 // how often it has signed; 0 for ever where the authenticator does not count
	Synced bool   // it may be on several devices of the person
	Record json.RawMessage
}

// Ceremony has begun: the options go to the browser, the session is kept under the challenge.
type Ceremony struct {
	Options   json.RawMessage
	Challenge string
	Session   json.RawMessage
}

// BeginRegistration asks for a new credential of a person, on a device that has none of theirs.
func (p *Passkeys) BeginRegistration(o Owner) (Ceremony, error) {
	u, err := user(o)
	if err != nil {
		return Ceremony{}, err
	}
	options, session, err := p.rp.BeginRegistration(u, webauthn.WithExclusions(webauthn.Credentials(u.credentials).CredentialDescriptors()))
	if err != nil {
		return Ceremony{}, fmt.Errorf("begin a registration: %w", err)
	}
	return ceremony(options.Response, session)
}

// FinishRegistration checks the answer: PASSKEY_INVALID for what is none, PASSKEY_REJECTED for one
// that does not fit.
func (p *Passkeys) FinishRegistration(o Owner, session, answer []byte) (Credential, error) {
	u, err := user(o)
	if err != nil {
		return Credential{}, err
	}
	var s webauthn.SessionData
	if err := json.Unmarshal(session, &s); err != nil {
		return Credential{}, fmt.Errorf("read a kept ceremony: %w", err)
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return Credential{}, invalid(err)
	}
	c, err := p.rp.CreateCredential(u, s, parsed)
	if err != nil {
		return Credential{}, rejected(err)
	}
	return kept(c)
}

// BeginLogin asks for any passkey of ours: the authenticator says whose it is.
func (p *Passkeys) BeginLogin() (Ceremony, error) {
	options, session, err := p.rp.BeginDiscoverableLogin()
	if err != nil {
		return Ceremony{}, fmt.Errorf("begin a login: %w", err)
	}
	return ceremony(options.Response, session)
}

// FinishLogin checks the answer. find gives the person of a credential and a handle; its error is
// given back as it is. What was counted comes back in the credential and must be kept, in a way that
// of two answers with one count only the first is taken.
func (p *Passkeys) FinishLogin(session, answer []byte, find func(credential, handle []byte) (Owner, error)) (Credential, error) {
	var s webauthn.SessionData
	if err := json.Unmarshal(session, &s); err != nil {
		return Credential{}, fmt.Errorf("read a kept ceremony: %w", err)
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return Credential{}, invalid(err)
	}
	var missing error
	_, c, err := p.rp.ValidatePasskeyLogin(func(id, handle []byte) (webauthn.User, error) {
		o, err := find(id, handle)
		if err != nil {
			missing = err
			return nil, err
		}
		return user(o)
	}, s, parsed)
	switch {
	case missing != nil:
		return Credential{}, missing
	case err != nil:
		return Credential{}, rejected(err)
	case c.Authenticator.CloneWarning:
		return Credential{}, ErrRejected.Because("the passkey's counter has gone back: two devices may hold it; sign in another way and remove it")
	}
	return kept(c)
}

// Challenge finds which ceremony an answer belongs to: PASSKEY_INVALID when it does not say.
func Challenge(answer []byte) (string, error) {
	var doc struct {
		Response struct {
			ClientData protocol.URLEncodedBase64 `json:"clientDataJSON"`
		} `json:"response"`
	}
	var client protocol.CollectedClientData
	if json.Unmarshal(answer, &doc) != nil || json.Unmarshal(doc.Response.ClientData, &client) != nil || client.Challenge == "" || len(client.Challenge) > 200 {
		return "", ErrInvalid
	}
	return client.Challenge, nil
}

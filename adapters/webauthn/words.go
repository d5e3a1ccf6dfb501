package webauthn

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// account is a person in the library's words.
type account struct {
	Owner
	credentials []webauthn.Credential
}

func (a account) WebAuthnID() []byte                         { return a.Handle }
func (a account) WebAuthnName() string                       { return a.Name }
func (a account) WebAuthnDisplayName() string                { return a.DisplayName }
func (a account) WebAuthnCredentials() []webauthn.Credential { return a.credentials }

func user(o Owner) (account, error) {
	a := account{Owner: o, credentials: make([]webauthn.Credential, len(o.Records))}
	for i, r := range o.Records {
		if err := json.Unmarshal(r, &a.credentials[i]); err != nil {
			return a, fmt.Errorf("read a kept credential: %w", err)
		}
	}
	return a, nil
}

func ceremony(options any, s *webauthn.SessionData) (Ceremony, error) {
	o, err := json.Marshal(options)
	session, err2 := json.Marshal(s)
	if err := errors.Join(err, err2); err != nil {
		return Ceremony{}, fmt.Errorf("encode a ceremony: %w", err)
	}
	return Ceremony{Options: o, Challenge: s.Challenge, Session: session}, nil
}

// kept leaves out what was attested: nothing asks for it again, and it names the device.
func kept(c *webauthn.Credential) (Credential, error) {
	c.Attestation = webauthn.CredentialAttestation{}
	record, err := json.Marshal(c)
	if err != nil {
		return Credential{}, fmt.Errorf("encode a credential: %w", err)
	}
	return Credential{ID: c.ID, Count: c.Authenticator.SignCount, Synced: c.Flags.BackupEligible, Record: record}, nil
}

func invalid(err error) error {
	return fmt.Errorf("%w (%w)", ErrInvalid.With("reason", reason(err)), err)
}

func rejected(err error) error {
	return fmt.Errorf("%w (%w)", ErrRejected.With("reason", reason(err)), err)
}

// reason is what the library says for callers; nothing of it is secret.
func reason(err error) string {
	if e, ok := errors.AsType[*protocol.Error](err); ok {
		return e.Details
	}
	return "it cannot be read"
}

package http

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"time"

	"holdfast/domain/account"
	"holdfast/domain/fault"
)

const passkeyPath = "/api/auth/passkey"

// The two ceremonies: a challenge of one is none of the other.
const (
	registrationPurpose = "passkey-registration"
	loginPurpose        = "passkey-login"
)

var (
	errPasskeyRejected  = fault.New(fault.Unauthenticated, "PASSKEY_REJECTED", "the passkey is not accepted; begin anew")
	errChallengeExpired = fault.New(fault.Unauthenticated, "CHALLENGE_EXPIRED", "the challenge has expired; begin anew")
)

func passkeyRoutes() []Route {
	made := Route{Method: "POST", Path: passkeyPath + "/register/verify", Roles: Any, Class: Command, Rate: RateAuth, Status: 201, Summary: "Keep the passkey that an authenticator has made", Errors: []string{"PASSKEY_INVALID", "PASSKEY_REJECTED", "CHALLENGE_EXPIRED", "SIGN_IN_IN_USE", "SIGN_IN_LIMIT"}}
	return []Route{
		on[struct{}, json.RawMessage](Route{Method: "POST", Path: passkeyPath + "/register/options", Roles: Any, Class: PlainWrite, Rate: RateAuth, Summary: "What an authenticator needs to make a passkey (PublicKeyCredentialCreationOptionsJSON)"}, (*Server).passkeyRegistration),
		on[newPasskeyInput, Passkey](made, (*Server).makePasskey),
		on[struct{}, json.RawMessage](Route{Method: "POST", Path: passkeyPath + "/login/options", Class: PlainWrite, Rate: RateAuth, Summary: "What an authenticator needs to sign in (PublicKeyCredentialRequestOptionsJSON)"}, (*Server).passkeyLogin),
		on[passkeyInput, SignedIn](Route{Method: "POST", Path: passkeyPath + "/login/verify", Class: PlainWrite, Rate: RateAuth, Summary: "Sign in with a passkey", Errors: []string{"PASSKEY_INVALID", "PASSKEY_REJECTED", "CHALLENGE_EXPIRED", "ACCOUNT_SUSPENDED"}}, (*Server).signInByPasskey),
		on[struct{}, []Passkey](Route{Method: "GET", Path: passkeyPath, Roles: Any, Class: Query, Rate: RateGeneral, Summary: "Your passkeys"}, (*Server).myPasskeys),
		on[removePasskeyInput, Nothing](Route{Method: "DELETE", Path: passkeyPath + "/{id}", Roles: Any, Class: Command, Rate: RateAuth, Summary: "Remove a passkey", Errors: []string{"LAST_LOGIN_METHOD"}}, (*Server).removePasskey),
	}
}

// Passkey is a passkey as its owner sees it.
type Passkey struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Synced     bool       `json:"synced" doc:"It may be on several of your devices"`
	CreatedAt  time.Time  `json:"createdAt"`
	LastUsedAt *time.Time `json:"lastUsedAt,omitempty"`
}

// AuthenticatorAnswer is WebAuthn JSON, as PublicKeyCredential.toJSON() gives it; browsers add
// fields as the standard grows.
type AuthenticatorAnswer struct {
	_        struct{} `additionalProperties:"true"`
	ID       string   `json:"id" minLength:"1" maxLength:"2048"`
	RawID    string   `json:"rawId" minLength:"1" maxLength:"2048"`
	Type     string   `json:"type" enum:"public-key"`
	Response struct {
		_                 struct{} `additionalProperties:"true"`
		ClientDataJSON    string   `json:"clientDataJSON" minLength:"1" maxLength:"8192"`
		AttestationObject string   `json:"attestationObject,omitempty" maxLength:"65536" doc:"When a passkey is made"`
		AuthenticatorData string   `json:"authenticatorData,omitempty" maxLength:"65536" doc:"When somebody signs in"`
		Signature         string   `json:"signature,omitempty" maxLength:"8192"`
		UserHandle        string   `json:"userHandle,omitempty" maxLength:"200"`
	} `json:"response"`
}

type passkeyInput struct{ Body AuthenticatorAnswer }

type newPasskeyInput struct {
	Body struct {
		AuthenticatorAnswer
		Name string `json:"name,omitempty" maxLength:"100" doc:"How you will know it again"`
	}
}

func (s *Server) passkeys() (Passkeys, error) {
	d := s.deps.SignIn
	if d.Passkeys == nil || d.PasskeyRows == nil || d.Challenges == nil || s.deps.Hashes == nil {
		return nil, errNotConfigured
	}
	return d.Passkeys, nil
}

// owner is the caller to an authenticator.
func (s *Server) owner(ctx context.Context, c *call) (o PasskeyOwner, err error) {
	rows := s.deps.SignIn.PasskeyRows
	if o.Handle, err = rows.Handle(ctx, c.user()); err != nil {
		return o, err
	}
	u, ok, err := s.deps.Users.ByID(ctx, c.user())
	if err != nil {
		return o, err
	}
	if !ok {
		return o, fault.ErrNotFound
	}
	o.Name, o.DisplayName = u.Email, u.Name
	if o.Name == "" {
		o.Name = u.Name
	}
	all, err := rows.OfUser(ctx, c.user())
	for _, p := range all {
		o.Records = append(o.Records, p.Record)
	}
	return o, err
}

func (s *Server) passkeyRegistration(ctx context.Context, c *call, _ *struct{}) (reply, error) {
	passkeys, err := s.passkeys()
	if err != nil {
		return reply{}, err
	}
	o, err := s.owner(ctx, c)
	if err != nil {
		return reply{}, err
	}
	begun, err := passkeys.BeginRegistration(o)
	if err != nil {
		return reply{}, err
	}
	err = s.deps.SignIn.Challenges.Keep(ctx, registrationPurpose, begun.Challenge, Challenge{User: c.user(), Data: begun.Session}, challengeLives)
	return reply{data: begun.Options}, err
}

// ceremony takes the challenge that an answer belongs to. Whatever the answer is worth, the
// challenge has been used.
func (s *Server) ceremony(ctx context.Context, passkeys Passkeys, purpose string, answer []byte) (Challenge, error) {
	text, err := passkeys.Challenge(answer)
	if err != nil {
		return Challenge{}, err
	}
	kept, became, err := s.deps.SignIn.Challenges.Take(ctx, purpose, text)
	switch {
	case err != nil:
		return kept, err
	case became == ChallengeExpired:
		return kept, errChallengeExpired
	case became != ChallengeTaken:
		return kept, errPasskeyRejected.Because("the challenge is not one that waits for an answer")
	}
	return kept, nil
}

func (s *Server) makePasskey(ctx context.Context, c *call, in *newPasskeyInput) (reply, error) {
	passkeys, err := s.passkeys()
	if err != nil {
		return reply{}, err
	}
	kept, err := s.ceremony(ctx, passkeys, registrationPurpose, c.body)
	if err != nil {
		return reply{}, err
	}
	if kept.User != c.user() {
		return reply{}, errPasskeyRejected.Because("the challenge was made for another user")
	}
	o, err := s.owner(ctx, c)
	if err != nil {
		return reply{}, err
	}
	made, err := passkeys.FinishRegistration(o, kept.Data, c.body)
	if err != nil {
		return reply{}, err
	}
	name := clip(in.Body.Name, 100)
	if name == "" {
		name = "Passkey"
	}
	p := StoredPasskey{
		ID: c.newID("passkey"), User: c.user(), CredentialID: made.ID, Name: name, Record: made.Record, Count: made.Count, Synced: made.Synced, CreatedAt: c.issue().At,
	}
	return s.link(ctx, c, c.user(), account.Passkey, credentialName(p.CredentialID), s.deps.SignIn.PasskeyRows.Made(p), passkeyOut(p))
}

// credentialName is a credential's id as text.
func credentialName(id []byte) string { return base64.RawURLEncoding.EncodeToString(id) }

func passkeyOut(p StoredPasskey) Passkey {
	return Passkey{ID: p.ID, Name: p.Name, Synced: p.Synced, CreatedAt: p.CreatedAt.UTC(), LastUsedAt: p.LastUsedAt}
}

func (s *Server) passkeyLogin(ctx context.Context, _ *call, _ *struct{}) (reply, error) {
	passkeys, err := s.passkeys()
	if err != nil {
		return reply{}, err
	}
	begun, err := passkeys.BeginLogin()
	if err != nil {
		return reply{}, err
	}
	err = s.deps.SignIn.Challenges.Keep(ctx, loginPurpose, begun.Challenge, Challenge{Data: begun.Session}, challengeLives)
	return reply{data: begun.Options}, err
}

func (s *Server) signInByPasskey(ctx context.Context, c *call, _ *passkeyInput) (reply, error) {
	passkeys, err := s.passkeys()
	if err != nil {
		return reply{}, err
	}
	kept, err := s.ceremony(ctx, passkeys, loginPurpose, c.body)
	if err != nil {
		return reply{}, err
	}
	var found StoredPasskey
	shown, err := passkeys.FinishLogin(kept.Data, c.body, func(credential, handle []byte) (PasskeyOwner, error) {
		p, ok, err := s.deps.SignIn.PasskeyRows.Find(ctx, credential, handle)
		if err != nil {
			return PasskeyOwner{}, err
		}
		if !ok {
			return PasskeyOwner{}, errPasskeyRejected.Because("nobody here has this passkey")
		}
		found = p
		return PasskeyOwner{Handle: handle, Records: []json.RawMessage{p.Record}}, nil
	})
	if err != nil {
		return reply{}, err
	}
	ok, err := s.deps.SignIn.PasskeyRows.Used(ctx, shown.ID, shown.Count, shown.Record)
	if err != nil {
		return reply{}, err
	}
	if !ok {
		return reply{}, errPasskeyRejected.Because("the passkey's counter was used already: two devices may hold it")
	}
	return s.openFor(ctx, c, found.User, account.Passkey)
}

func (s *Server) myPasskeys(ctx context.Context, c *call, _ *struct{}) (reply, error) {
	if _, err := s.passkeys(); err != nil {
		return reply{}, err
	}
	all, err := s.deps.SignIn.PasskeyRows.OfUser(ctx, c.user())
	out := make([]Passkey, len(all))
	for i, p := range all {
		out[i] = passkeyOut(p)
	}
	return reply{data: out}, err
}

type removePasskeyInput struct {
	ID string `path:"id"`
}

func (s *Server) removePasskey(ctx context.Context, c *call, in *removePasskeyInput) (reply, error) {
	if _, err := s.passkeys(); err != nil {
		return reply{}, err
	}
	all, err := s.deps.SignIn.PasskeyRows.OfUser(ctx, c.user())
	if err != nil {
		return reply{}, err
	}
	for _, p := range all {
		if p.ID == in.ID {
			return s.unlink(ctx, c, c.user(), account.Passkey, credentialName(p.CredentialID), s.deps.SignIn.PasskeyRows.Removed(c.user(), p.ID))
		}
	}
	return reply{}, fault.ErrNotFound
}

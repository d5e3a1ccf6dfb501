package http_test

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/records"
	"holdfast/adapters/webauthn"
	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/eventstore"
	apihttp "holdfast/http"
)

// The rows and adapters in the server's words, as cmd/internal/wire joins them.

type recordUsers struct{ *records.Users }

func (u recordUsers) ByEmail(ctx context.Context, email string) (apihttp.User, bool, error) {
	r, ok, err := u.Users.ByEmail(ctx, email)
	return apihttp.User(r), ok, err
}

func (u recordUsers) ByID(ctx context.Context, id domain.UserID) (apihttp.User, bool, error) {
	r, ok, err := u.Users.ByID(ctx, id)
	return apihttp.User(r), ok, err
}

func (u recordUsers) Registered(p apihttp.User, method string) []eventstore.Row {
	return u.Users.Registered(records.User(p), method)
}

type recordSessions struct{ *records.Sessions }

func (s recordSessions) Open(ctx context.Context, n apihttp.NewSession) (apihttp.Opened, error) {
	o, err := s.Sessions.Open(ctx, records.NewSession(n))
	return apihttp.Opened(o), err
}

func (s recordSessions) Rotate(ctx context.Context, refresh string, binding []byte, lives time.Duration) (apihttp.Rotation, error) {
	r, err := s.Sessions.Rotate(ctx, refresh, binding, lives)
	return apihttp.Rotation{Session: apihttp.Session(r.Session), Next: r.Next, Reused: r.Reused}, err
}

func (s recordSessions) Live(ctx context.Context, id string) (apihttp.Session, bool, error) {
	r, ok, err := s.Sessions.Live(ctx, id)
	return apihttp.Session(r), ok, err
}

func (s recordSessions) List(ctx context.Context, u domain.UserID) ([]apihttp.Device, error) {
	rows, err := s.Sessions.List(ctx, u)
	all := make([]apihttp.Device, len(rows))
	for i, r := range rows {
		all[i] = apihttp.Device(r)
	}
	return all, err
}

type recordChallenges struct{ *records.Challenges }

func (c recordChallenges) Keep(ctx context.Context, purpose, secret string, k apihttp.Challenge, lives time.Duration) error {
	return c.Challenges.Keep(ctx, purpose, secret, records.Challenge(k), lives)
}

func (c recordChallenges) Take(ctx context.Context, purpose, secret string) (apihttp.Challenge, string, error) {
	k, became, err := c.Challenges.Take(ctx, purpose, secret)
	return apihttp.Challenge(k), became, err
}

type recordMethods struct{ *records.SignIns }

func (m recordMethods) OfUser(ctx context.Context, u domain.UserID) ([]apihttp.SignInMethod, error) {
	rows, err := m.SignIns.OfUser(ctx, u)
	var all []apihttp.SignInMethod
	for _, r := range rows {
		all = append(all, apihttp.SignInMethod(r))
	}
	return all, err
}

func (m recordMethods) Linked(u domain.UserID, s apihttp.SignInMethod) []eventstore.Row {
	return m.SignIns.Linked(u, records.SignInMethod(s))
}

type recordPasskeys struct{ *records.Passkeys }

func (p recordPasskeys) OfUser(ctx context.Context, u domain.UserID) ([]apihttp.StoredPasskey, error) {
	rows, err := p.Passkeys.OfUser(ctx, u)
	var all []apihttp.StoredPasskey
	for _, r := range rows {
		all = append(all, apihttp.StoredPasskey(r))
	}
	return all, err
}

func (p recordPasskeys) Find(ctx context.Context, credential, handle []byte) (apihttp.StoredPasskey, bool, error) {
	r, ok, err := p.Passkeys.Find(ctx, credential, handle)
	return apihttp.StoredPasskey(r), ok, err
}

func (p recordPasskeys) Made(s apihttp.StoredPasskey) []eventstore.Row {
	return p.Passkeys.Made(records.Passkey(s))
}

type ceremonies struct{ *webauthn.Passkeys }

func (c ceremonies) BeginRegistration(o apihttp.PasskeyOwner) (apihttp.PasskeyCeremony, error) {
	b, err := c.Passkeys.BeginRegistration(webauthn.Owner(o))
	return apihttp.PasskeyCeremony(b), err
}

func (c ceremonies) FinishRegistration(o apihttp.PasskeyOwner, session, answer []byte) (apihttp.PasskeyCredential, error) {
	made, err := c.Passkeys.FinishRegistration(webauthn.Owner(o), session, answer)
	return apihttp.PasskeyCredential(made), err
}

func (c ceremonies) BeginLogin() (apihttp.PasskeyCeremony, error) {
	b, err := c.Passkeys.BeginLogin()
	return apihttp.PasskeyCeremony(b), err
}

func (c ceremonies) FinishLogin(session, answer []byte, find func(credential, handle []byte) (apihttp.PasskeyOwner, error)) (apihttp.PasskeyCredential, error) {
	shown, err := c.Passkeys.FinishLogin(session, answer, func(credential, handle []byte) (webauthn.Owner, error) {
		o, err := find(credential, handle)
		return webauthn.Owner(o), err
	})
	return apihttp.PasskeyCredential(shown), err
}

func (ceremonies) Challenge(answer []byte) (string, error) { return webauthn.Challenge(answer) }

// withRecords puts everything about people on PostgreSQL: rows, sessions and the log, with the
// seeded users registered.
func withRecords(w *world) {
	onLog(w)
	r := records.New(w.pool, 2)
	w.records = r
	require.NoError(w.t, r.Seed(w.t.Context(), 0, nil))
	exec := eventstore.NewExecutor(w.store)
	meta := eventstore.Metadata{Actor: process().By, CommandID: uuid.NewString(), Source: "job"}
	_, err := exec.Execute(w.t.Context(), meta, nil, func(u *domain.Unit) (any, error) {
		for _, p := range records.Seeded() {
			_, err := domain.Do(u, account.Decider, string(p.ID), account.Register{
				Issue: process(), User: p.ID, Email: p.Email, EmailKey: apihttp.EmailKey(keyed{}, p.Email), Verified: true,
				Name: p.Name, Roles: p.Roles, Method: account.Seeded, Password: true,
			})
			if err != nil {
				return nil, err
			}
		}
		return struct{}{}, nil
	})
	require.NoError(w.t, err)
	w.deps.Users, w.deps.Accounts, w.deps.Sessions = recordUsers{r.Users}, recordUsers{r.Users}, recordSessions{r.Sessions}
	w.deps.SignIn.Challenges, w.deps.SignIn.Methods = recordChallenges{r.Challenges}, recordMethods{r.SignIns}
}

// person signs a seeded user in with the password.
func (w *world) person(name string) *client {
	w.t.Helper()
	a := w.anybody().post("/api/auth/login", map[string]string{"email": name + "@holdfast.test", "password": records.DemoPassword})
	require.Equal(w.t, 200, a.status, string(a.raw))
	return &client{w: w, token: a.text("accessToken"), id: domain.UserID(a.text("user.id"))}
}

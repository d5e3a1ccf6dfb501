package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/adapters/mail"
	"holdfast/adapters/records"
	"holdfast/cmd/internal/config"
	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/domain/network"
	"holdfast/eventstore"
	"holdfast/eventstore/postgres/pgtest"
	apihttp "holdfast/http"
)

const accountsFrontend = "https://front.example"

// accountsWorld is the service's accounts over a log and rows of their own, with mail that is
// only kept.
type accountsWorld struct {
	*Core
	t       testing.TB
	records *records.Records
	server  *apihttp.Server
	front   *httptest.Server
	hashes  hashes
	clock   *testClock
	mails   *mailbox
}

// testClock is a clock that tests move.
type testClock struct {
	mu   sync.Mutex
	past time.Duration
}

func (c *testClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.past)
}

func (c *testClock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.past += d
}

// mailbox keeps what would be sent, by the real templates.
type mailbox struct {
	templates *mail.Templates
	mu        sync.Mutex
	sent      []apihttp.Mail
}

func (m *mailbox) Send(_ context.Context, letter apihttp.Mail) error {
	if err := m.templates.Check(letter.Template, letter.Vars); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sent = append(m.sent, letter)
	return nil
}

// to lists what was sent to an address.
func (m *mailbox) to(address string) (all []apihttp.Mail) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, letter := range m.sent {
		if letter.Address == address {
			all = append(all, letter)
		}
	}
	return all
}

func withAccounts(t testing.TB, change ...func(*apihttp.Config, *apihttp.Deps)) *accountsWorld {
	t.Helper()
	cfg := &config.Config{Env: "development", DataDir: t.TempDir(), PGURL: pgtest.New(t).Config().ConnString(), PGPoolHTTP: 8, PGPoolProjectors: 2, PGPoolJobs: 4}
	core, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, core.Close(context.Background())) })
	w := &accountsWorld{Core: core, t: t, records: records.New(core.HTTP, 2), clock: &testClock{}, mails: &mailbox{}}
	w.mails.templates, err = mail.NewTemplates(accountsFrontend)
	require.NoError(t, err)
	w.hashes, err = newHashes(cfg)
	require.NoError(t, err)
	registry, err := network.New(devchain.Network())
	require.NoError(t, err)
	settings := apihttp.Config{FrontendURL: accountsFrontend, Secret: []byte(strings.Repeat("s", 40)), SessionFresh: time.Nanosecond, RequestTimeout: time.Minute}
	deps := apihttp.Deps{
		Log: core.Log, Executor: core.Executor, Users: users{w.records.Users}, Sessions: sessions{w.records.Sessions}, Accounts: users{w.records.Users},
		Hashes: w.hashes, AccountCodes: accountCodes{w.records.AccountCodes}, Mailer: w.mails, Lockouts: apihttp.NewLocalLockouts(w.clock.now), Registry: registry,
	}
	for _, c := range change {
		c(&settings, &deps)
	}
	w.server, err = apihttp.New(settings, deps)
	require.NoError(t, err)
	w.front = httptest.NewServer(w.server.Handler())
	t.Cleanup(w.front.Close)
	return w
}

// said is an answer.
type said struct {
	status int
	code   string
	raw    string
	header http.Header
	data   map[string]any
}

func (a said) text(name string) string { s, _ := a.data[name].(string); return s }

type change = func(*http.Request)

func bearer(token string) change {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

func with(header, value string) change { return func(r *http.Request) { r.Header.Set(header, value) } }

func (w *accountsWorld) call(method, path string, body any, o ...change) said {
	w.t.Helper()
	var payload io.Reader = http.NoBody
	switch b := body.(type) {
	case nil:
	case string:
		payload = strings.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		require.NoError(w.t, err)
		payload = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.front.URL+path, payload)
	require.NoError(w.t, err)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, c := range o {
		c(req)
	}
	res, err := w.front.Client().Do(req)
	require.NoError(w.t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	require.NoError(w.t, err)
	a := said{status: res.StatusCode, raw: string(raw), header: res.Header}
	var envelope struct {
		Data  json.RawMessage
		Error struct{ Code string }
	}
	require.NoError(w.t, json.Unmarshal(raw, &envelope), a.raw)
	a.code = envelope.Error.Code
	_ = json.Unmarshal(envelope.Data, &a.data) // a list has no fields
	return a
}

// post posts to a route of /api/auth, or to any other by its whole path.
func (w *accountsWorld) post(path string, body any, o ...change) said {
	w.t.Helper()
	if strings.HasPrefix(path, "/") {
		return w.call(http.MethodPost, path, body, o...)
	}
	return w.call(http.MethodPost, "/api/auth/"+path, body, o...)
}

// done posts and demands success.
func (w *accountsWorld) done(path string, body any, o ...change) said {
	w.t.Helper()
	a := w.post(path, body, o...)
	require.Less(w.t, a.status, 300, "%s: %s", path, a.raw)
	return a
}

// refused posts and demands a refusal that left the log as it was.
func (w *accountsWorld) refused(status int, code, path string, body any, o ...change) said {
	w.t.Helper()
	before := w.events()
	a := w.post(path, body, o...)
	assert.Equal(w.t, status, a.status, "%s: %s", path, a.raw)
	assert.Equal(w.t, code, a.code, "%s: %s", path, a.raw)
	assert.Equal(w.t, before, w.events(), "a refusal wrote something: %s", path)
	return a
}

type fields = map[string]any

func (w *accountsWorld) events() int64 {
	w.t.Helper()
	h, err := w.Store.Head(w.t.Context())
	require.NoError(w.t, err)
	return h.Position
}

// last is the newest event of a type.
func (w *accountsWorld) last(kind string) string {
	w.t.Helper()
	var data string
	require.NoError(w.t, w.HTTP.QueryRow(w.t.Context(), `SELECT data::text FROM events WHERE type = $1 ORDER BY position DESC LIMIT 1`, kind).Scan(&data), kind)
	return data
}

// code is the one in the newest mail of a template to an address.
func (w *accountsWorld) code(template, address string) string {
	w.t.Helper()
	mails := w.mails.to(address)
	for i := len(mails) - 1; i >= 0; i-- {
		if mails[i].Template == template {
			return mails[i].Vars["code"]
		}
	}
	require.Fail(w.t, "no mail", "%s to %s", template, address)
	return ""
}

const annsPassword = "correct horse battery"

// person registers somebody, verifies the address and signs in.
func (w *accountsWorld) person(email string) said {
	w.t.Helper()
	w.done("register", fields{"email": email, "password": annsPassword, "name": "Ann"})
	w.done("verify-email", fields{"email": email, "code": w.code("verify-email", email)})
	return w.login(email, annsPassword)
}

func (w *accountsWorld) login(email, password string, o ...change) said {
	w.t.Helper()
	return w.done("login", fields{"email": email, "password": password}, o...)
}

// me asks who a token is; the code is empty when it is good.
func (w *accountsWorld) me(token string) string {
	w.t.Helper()
	return w.call(http.MethodGet, "/api/auth/me", nil, bearer(token)).code
}

// admin carries a command out on somebody's account, as an admin would.
func (w *accountsWorld) admin(u domain.UserID, rows []eventstore.Row, command func(domain.Issue) domain.Command) {
	w.t.Helper()
	by := domain.User(records.Admin1, domain.Admin)
	_, err := w.Executor.ExecuteWith(w.t.Context(), eventstore.Metadata{Actor: by, Source: "test"}, nil,
		func() []eventstore.Row { return rows },
		func(unit *domain.Unit) (any, error) {
			return domain.Do(unit, account.Decider, string(u), command(domain.Issue{By: by, At: time.Now()}))
		})
	require.NoError(w.t, err)
}

// sql changes rows behind the service's back, which therefore forgets what it remembers of them.
func (w *accountsWorld) sql(statement string, args ...any) {
	w.t.Helper()
	_, err := w.HTTP.Exec(w.t.Context(), statement, args...)
	require.NoError(w.t, err)
	w.server.Heard("")
}

func idOf(a said) domain.UserID {
	u, _ := a.data["user"].(map[string]any)
	id, _ := u["id"].(string)
	return domain.UserID(id)
}

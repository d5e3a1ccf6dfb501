package http_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/records"
	"holdfast/domain"
	"holdfast/domain/network"
	"holdfast/eventstore"
	"holdfast/eventstore/memory"
	apihttp "holdfast/http"
)

const (
	secret        = "a secret of at least thirty-two bytes!"
	webhookSecret = "webhook secret"
	frontend      = "https://front.example"
	password      = "holdfast-demo-1"
)

// world is one server on a fresh log, with people in it.
type world struct {
	t       testing.TB
	codec   *eventstore.Codec
	pool    *pgxpool.Pool // on PostgreSQL
	store   eventstore.Store
	exec    *eventstore.Executor
	users   *people
	records *records.Records // with withRecords
	inbox   *inbox
	server  *apihttp.Server
	http    *httptest.Server
	config  apihttp.Config
	deps    apihttp.Deps
}

// option changes a world before its server is made.
type option func(*world)

func setup(t testing.TB, options ...option) *world {
	t.Helper()
	codec, err := eventstore.NewCodec(memory.NewKeyRing(), aggregates()...)
	require.NoError(t, err)
	log := memory.New(codec)
	log.SetRows(applyRows)
	w := &world{t: t, codec: codec, store: log, users: newPeople(), inbox: &inbox{}}
	w.config = apihttp.Config{Secret: []byte(secret), FrontendURL: frontend, SessionFresh: time.Millisecond}
	w.deps = apihttp.Deps{Users: w.users, Sessions: w.users, Accounts: w.users, Hashes: keyed{}, Registry: registry(t), Inbox: w.inbox, Webhook: hmacVerifier{}}
	for _, o := range options {
		o(w)
	}
	w.exec = eventstore.NewExecutor(w.store)
	w.deps.Executor = w.exec
	w.server, err = apihttp.New(w.config, w.deps)
	require.NoError(t, err)
	w.http = httptest.NewServer(w.server.Handler())
	t.Cleanup(w.http.Close)
	return w
}

// beside starts another server on the same log and the same people, as a second instance.
func (w *world) beside(change func(*apihttp.Config), deps ...func(*apihttp.Deps)) *world {
	w.t.Helper()
	other := *w
	if change != nil {
		change(&other.config)
	}
	for _, d := range deps {
		d(&other.deps)
	}
	other.exec = eventstore.NewExecutor(w.store)
	other.deps.Executor = other.exec
	var err error
	other.server, err = apihttp.New(other.config, other.deps)
	require.NoError(w.t, err)
	other.http = httptest.NewServer(other.server.Handler())
	w.t.Cleanup(other.http.Close)
	return &other
}

func registry(t testing.TB) *network.Registry {
	t.Helper()
	r, err := network.New(network.Chain{
		ID: 56, Name: "bsc", Native: network.Native{Symbol: "BNB", Decimals: 18},
		Proxies:       []network.Proxy{{Kind: network.ERC20FeeProxy, Address: "0x0DfbEe143b42B41eFC5A6F87bFD1fFC78c2f0aC9"}},
		Confirmations: network.Confirmations{Need: 12, Floor: 3},
		Tokens: []network.Token{
			{Address: "0x55d398326f99059fF775485246999027B3197955", Symbol: "USDT", Decimals: 18},
			{Address: "0x8AC76a51cc950d9822D68b83fE1Ad97B32Cd580d", Symbol: "USDC", Decimals: 18},
		},
	})
	require.NoError(t, err)
	return r
}

// events counts what is in the log: refusals must leave it as it was.
func (w *world) events() int64 {
	h, err := w.store.Head(w.t.Context())
	require.NoError(w.t, err)
	return h.Position
}

// untouched runs f and demands that the log did not move.
func (w *world) untouched(f func()) {
	w.t.Helper()
	before := w.events()
	f()
	require.Equal(w.t, before, w.events(), "a refusal wrote something")
}

// reaches gives the table's path that the router finds for a path.
func (w *world) reaches(method, path string) string {
	e := w.server.Handler().(*echo.Echo)
	c := e.NewContext(nil, nil)
	e.Router().Find(method, path, c)
	words := strings.Split(c.Path(), "/")
	for i, word := range words {
		if name, ok := strings.CutPrefix(word, ":"); ok {
			words[i] = "{" + name + "}"
		}
	}
	return strings.Join(words, "/")
}

// client speaks as one user.
type client struct {
	w     *world
	token string
	id    domain.UserID
}

func (w *world) anybody() *client { return &client{w: w} }

// as signs a person in through the front door.
func (w *world) as(u apihttp.User) *client {
	w.t.Helper()
	a := w.anybody().post("/api/auth/login", map[string]string{"email": u.Email, "password": password})
	require.Equal(w.t, 200, a.status, string(a.raw))
	return &client{w: w, token: a.text("accessToken"), id: u.ID}
}

type answer struct {
	status int
	header http.Header
	raw    []byte
	code   string
	body   map[string]any
}

// text finds a field of the data by a dotted path.
func (a answer) text(path string) string {
	v := a.body["data"]
	for part := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return ""
		}
		v = m[part]
	}
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

func (c *client) get(path string, options ...func(*http.Request)) answer {
	return c.send(http.MethodGet, path, nil, options...)
}

func (c *client) post(path string, body any, options ...func(*http.Request)) answer {
	return c.send(http.MethodPost, path, body, options...)
}

func key(k string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Idempotency-Key", k) }
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// send sends a body (nil: none; string or []byte: as it is) and reads the answer. Every
// answer, whatever it is, must carry a request id.
func (c *client) send(method, path string, body any, options ...func(*http.Request)) answer {
	c.w.t.Helper()
	var payload []byte
	switch b := body.(type) {
	case nil:
	case string:
		payload = []byte(b)
	case []byte:
		payload = b
	default:
		var err error
		payload, err = json.Marshal(b)
		require.NoError(c.w.t, err)
	}
	req, err := http.NewRequestWithContext(c.w.t.Context(), method, c.w.http.URL+path, bytes.NewReader(payload))
	require.NoError(c.w.t, err)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if method != http.MethodGet && !strings.HasPrefix(path, "/api/auth") {
		req.Header.Set("Idempotency-Key", uuid.NewString())
	}
	for _, o := range options {
		o(req)
	}
	res, err := c.w.http.Client().Do(req)
	require.NoError(c.w.t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	require.NoError(c.w.t, err)
	require.NotEmpty(c.w.t, res.Header.Get("X-Request-Id"), "%s %s", method, path)
	return read(res, raw)
}

func read(res *http.Response, raw []byte) answer {
	a := answer{status: res.StatusCode, header: res.Header, raw: raw}
	if json.Unmarshal(raw, &a.body) == nil {
		if e, ok := a.body["error"].(map[string]any); ok {
			a.code, _ = e["code"].(string)
		}
	}
	return a
}

// inbox keeps deliveries in memory.
type inbox struct {
	mu   sync.Mutex
	rows []apihttp.Delivery
}

func (i *inbox) Store(_ context.Context, d apihttp.Delivery) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, r := range i.rows {
		if d.ID != "" && r.ID == d.ID {
			return nil
		}
	}
	i.rows = append(i.rows, d)
	return nil
}

func (i *inbox) List(context.Context, apihttp.DeliveryFilter, int) ([]apihttp.StoredDelivery, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	var all []apihttp.StoredDelivery
	for _, r := range i.rows {
		all = append(all, apihttp.StoredDelivery{ID: r.ID, Source: r.Source, Delivery: r.ID, ReceivedAt: r.ReceivedAt})
	}
	return all, nil
}

func (i *inbox) Replay(_ context.Context, id string, _, _ time.Time) (int, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	n := 0
	for _, r := range i.rows {
		if id == "" || r.ID == id {
			n++
		}
	}
	return n, nil
}

func (i *inbox) count() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.rows)
}

type hmacVerifier struct{}

func signature(body []byte) string {
	m := hmac.New(sha256.New, []byte(webhookSecret))
	m.Write(body)
	return hex.EncodeToString(m.Sum(nil))
}

func (hmacVerifier) Verify(sig string, body []byte) bool {
	return hmac.Equal([]byte(sig), []byte(signature(body)))
}

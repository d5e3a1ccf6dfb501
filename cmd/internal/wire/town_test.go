package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/records"
	"holdfast/cmd/internal/config"
	"holdfast/eventstore/postgres/pgtest"
)

// town is the whole service, as `serve` makes it, on a database of its own.
type town struct {
	*Service
	t     *testing.T
	front string
	said  *loud // what the service logged
}

// loud is a log that can be read while it is written.
type loud struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *loud) Write(p []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.all.Write(p) }

func (l *loud) String() string { l.mu.Lock(); defer l.mu.Unlock(); return l.all.String() }

// settle starts a service; settings come on top of those of development.
func settle(t *testing.T, settings map[string]string) *town {
	t.Helper()
	all := map[string]string{
		"HOLDFAST_ENV": "development", "HOLDFAST_DATA": t.TempDir(), "PG_URL": pgtest.New(t).Config().ConnString(), "PORT": "0",
		"RATE_LIMIT": "false", "REQUEST_NETWORK_DOUBLE": "false", "PG_POOL_HTTP": "8",
		"REDIS_PATIENCE": "2s", // what is tested is the counting, not how fast a busy machine answers
	}
	maps.Copy(all, settings)
	cfg, err := config.From(all)
	require.NoError(t, err)
	w := &town{t: t, said: &loud{}}
	ctx, stop := context.WithCancel(context.Background())
	w.Service, err = Start(ctx, cfg, slog.New(slog.NewTextHandler(w.said, &slog.HandlerOptions{Level: slog.LevelDebug})), "test")
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // returns at once
	require.NoError(t, err)
	w.front = "http://" + l.Addr().String()
	var running sync.WaitGroup
	running.Go(func() { _ = w.Run(l) })
	t.Cleanup(func() {
		stop()
		running.Wait()
		assert.NoError(t, w.Close(context.Background()))
		if t.Failed() {
			said := strings.Join(slices.DeleteFunc(strings.Split(w.said.String(), "\n"), func(l string) bool { return strings.Contains(l, "level=INFO msg=request") }), "\n")
			t.Logf("the service said last: %s", said[max(0, len(said)-6000):])
		}
	})
	return w
}

// citizen speaks to the service as one user; without a token as anybody.
type citizen struct {
	w     *town
	token string
	id    string
}

// heard is an answer.
type heard struct {
	status int
	code   string
	raw    string
	data   json.RawMessage
	header http.Header
}

// field finds a field of the data by a dotted path.
func (h heard) field(path string) string {
	var v any
	if json.Unmarshal(h.data, &v) != nil {
		return ""
	}
	for part := range strings.SplitSeq(path, ".") {
		m, _ := v.(map[string]any)
		v = m[part]
	}
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// list counts the data's elements.
func (h heard) list() (all []map[string]any) { _ = json.Unmarshal(h.data, &all); return all }

func (w *town) anybody() *citizen { return &citizen{w: w} }

// as signs a seeded person in.
func (w *town) as(name string) *citizen {
	w.t.Helper()
	return w.with(name+"@holdfast.test", records.DemoPassword)
}

func (w *town) with(email, password string) *citizen {
	w.t.Helper()
	a := w.anybody().do("POST", "/api/auth/login", map[string]any{"email": email, "password": password})
	require.Equal(w.t, 200, a.status, a.raw)
	return &citizen{w: w, token: a.field("accessToken"), id: a.field("user.id")}
}

func (c *citizen) get(path string) heard            { return c.do("GET", path, nil) }
func (c *citizen) post(path string, body any) heard { return c.do("POST", path, body) }

// do calls; a string body is sent as it is. Reads wait for all that is in the log.
func (c *citizen) do(method, path string, body any, headers ...string) heard {
	c.w.t.Helper()
	var payload io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		payload = strings.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		require.NoError(c.w.t, err)
		payload = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(c.w.t.Context(), method, c.w.front+path, payload)
	require.NoError(c.w.t, err)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if method != "GET" && !strings.HasPrefix(path, "/api/auth") {
		req.Header.Set("Idempotency-Key", uuid.NewString())
	}
	if method == "GET" {
		req.Header.Set("X-Min-Position", fmt.Sprint(c.w.head()))
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(c.w.t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	require.NoError(c.w.t, err)
	h := heard{status: res.StatusCode, raw: string(raw), header: res.Header}
	var envelope struct {
		Data  json.RawMessage
		Error struct{ Code string }
	}
	if json.Unmarshal(raw, &envelope) == nil {
		h.data, h.code = envelope.Data, envelope.Error.Code
	}
	return h
}

func (w *town) head() int64 {
	w.t.Helper()
	h, err := w.Store.Head(w.t.Context())
	require.NoError(w.t, err)
	return h.Position
}

// asked is how many events came from the API: what loops write meanwhile is their own affair.
func (w *town) asked() (n int) {
	w.t.Helper()
	require.NoError(w.t, w.HTTP.QueryRow(w.t.Context(), `SELECT count(*) FROM events WHERE metadata->>'source' = 'api'`).Scan(&n))
	return n
}

// untouched demands that f has the API write nothing.
func (w *town) untouched(f func()) {
	w.t.Helper()
	before := w.asked()
	f()
	require.Equal(w.t, before, w.asked(), "a refusal wrote something")
}

// until waits for something that happens in the background.
func (w *town) until(what string, is func() bool) {
	w.t.Helper()
	require.Eventually(w.t, is, 15*time.Second, 10*time.Millisecond, what)
}

// exec runs SQL below the service.
func (w *town) exec(sql string, args ...any) {
	w.t.Helper()
	_, err := w.HTTP.Exec(w.t.Context(), sql, args...)
	require.NoError(w.t, err)
}

// cell reads one value.
func (w *town) cell(sql string, args ...any) (v string) {
	w.t.Helper()
	require.NoError(w.t, w.HTTP.QueryRow(w.t.Context(), sql, args...).Scan(&v))
	return v
}

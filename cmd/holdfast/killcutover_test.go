package main_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/localmongo"
	"holdfast/cmd/internal/apiclient"
)

// A domain is moved there and back, again and again, under load, while the service, its database
// and the legacy store are killed at random moments. Afterwards every move that was acknowledged is
// one event, the events are a way of single steps, the service stands where the last one says, and
// the collections hold what the log implies: nothing lost, nothing twice.
func TestKilledWhileADomainMoves(t *testing.T) {
	t.Parallel()
	kills, random := atRandom(t, 12)

	s := newService(t)
	store := newLegacyStore(t, s)
	s.env = []string{"MONGODB_URI=" + store.server.URI("nickapp"), "MONGO_CONNECT_MODE=optional"}
	s.start()
	s.awaitReady()
	l := newLoad(t, s)
	l.begin()
	m := newMover(t, s, "marketplace")
	l.workers.Go(func() { l.forever(func(int) { m.step() }) })
	for range kills {
		s.letRun(time.Duration(random.Int64N(int64(1500 * time.Millisecond))))
		switch random.IntN(4) {
		case 0:
			s.kill()
			s.start()
		case 1:
			s.killPostgres()
			s.letRun(time.Duration(random.Int64N(int64(400 * time.Millisecond))))
			s.kill()
			s.start()
		case 2:
			store.kill()
			s.letRun(time.Duration(random.Int64N(int64(3 * time.Second)))) // it is done without meanwhile
			store.start()
		case 3:
			store.kill()
			s.kill()
			store.start()
			s.start()
		}
		s.awaitReady()
	}
	l.end()
	if len(m.done) == 0 {
		m.bring("dual") // a machine so slow that nothing was ready between two kills
	}
	t.Logf("%d commands and %d moves acknowledged; %d moves were refused for now", len(l.done), len(m.done), m.refused)

	l.checkOnce()
	m.checkWay(l.events())
	s.kill()
	s.start()
	s.awaitReady()
	require.Equal(t, m.last(l.events()), m.mode(), "the event decides where a service that starts reads")
	m.bring("dual")
	out, err := s.run("legacy", "verify", "MARKETPLACE")
	require.NoError(t, err, out)
	out, err = s.run("verify")
	require.NoError(t, err, out)
}

// legacyStore is the old backend's server, a process of its own.
type legacyStore struct {
	t      *testing.T
	dir    string
	server *localmongo.Server
}

func newLegacyStore(t *testing.T, s *service) *legacyStore {
	t.Helper()
	l := &legacyStore{t: t, dir: filepath.Join(filepath.Dir(s.binary), "legacy")}
	require.NoError(t, os.MkdirAll(l.dir, 0o700))
	l.start()
	t.Cleanup(func() { _ = l.server.Stop(context.Background()) })
	return l
}

// start takes the address of last time.
func (l *legacyStore) start() {
	l.t.Helper()
	var err error
	l.server, err = localmongo.Start(l.t.Context(), l.dir, slog.New(slog.DiscardHandler))
	require.NoError(l.t, err)
}

func (l *legacyStore) kill() {
	l.t.Helper()
	require.NoError(l.t, l.server.Kill())
	require.NoError(l.t, l.server.Stop(context.Background())) // gives the folder back
}

// mover is an admin who moves a domain round and round.
type mover struct {
	t       *testing.T
	service *service
	admin   apiclient.Client
	domain  string
	way     []string // still to go
	done    []string // acknowledged
	refused int
}

func newMover(t *testing.T, s *service, domain string) *mover {
	t.Helper()
	c, err := apiclient.New(s.base).Login(t.Context(), "admin@holdfast.test", "holdfast-demo-1")
	require.NoError(t, err)
	return &mover{t: t, service: s, admin: *c, domain: domain}
}

// step goes one step, repeating an unanswered call under its key; what keeps it back is compared
// away.
func (m *mover) step() {
	if len(m.way) == 0 {
		m.way = []string{"dual", "mongo", "dual", "pg"}
	}
	if m.move(m.way[0]) {
		m.done, m.way = append(m.done, m.way[0]), m.way[1:]
		return
	}
	m.refused++
	_, _ = m.call(http.MethodPost, "/api/admin/migration/parity", map[string]string{"domain": m.domain}, "") // refused while another runs
	m.service.letRun(150 * time.Millisecond)
}

// move reports whether it was accepted.
func (m *mover) move(to string) bool {
	key := uuid.NewString()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); m.service.letRun(50 * time.Millisecond) {
		_, err := m.call(http.MethodPost, "/api/admin/migration/cutover/"+m.domain, map[string]string{"mode": to, "reason": "round and round"}, key)
		switch {
		case err == nil:
			return true
		case code(err) == "CUTOVER_NOT_READY", code(err) == "LEGACY_STORE_UNAVAILABLE":
			return false
		case !passing(err):
			m.t.Errorf("move to %s: %v", to, err)
			return false
		}
	}
	m.t.Errorf("nobody answered a move to %s for a minute", to)
	return false
}

func (m *mover) call(method, path string, body any, key string) (apiclient.Answer, error) {
	ctx, cancel := context.WithTimeout(m.t.Context(), 20*time.Second)
	defer cancel()
	c := m.admin // its position is not for sharing
	if key == "" {
		return c.Call(ctx, method, path, body)
	}
	return c.Call(ctx, method, path, body, apiclient.WithKey(key))
}

func code(err error) string {
	var refused *apiclient.Error
	if !errors.As(err, &refused) {
		return ""
	}
	return refused.Code
}

// mode is where the service says it reads.
func (m *mover) mode() string {
	m.t.Helper()
	a, err := m.call(http.MethodGet, "/api/admin/migration/parity?domain="+m.domain, nil, "")
	require.NoError(m.t, err)
	var all []struct{ Mode string }
	require.NoError(m.t, a.Into(&all))
	return all[0].Mode
}

type step struct{ From, To string }

// steps are the moves as the log has them.
func (m *mover) steps(log []logged) (all []step) {
	m.t.Helper()
	for _, e := range log {
		if e.Type != "cutover.moved" {
			continue
		}
		var s step
		require.NoError(m.t, json.Unmarshal(e.Data, &s))
		all = append(all, s)
	}
	return all
}

func (m *mover) last(log []logged) string {
	all := m.steps(log)
	return all[len(all)-1].To
}

// checkWay: each acknowledged move is one event, in order, and the next begins where the one
// before has ended.
func (m *mover) checkWay(log []logged) {
	m.t.Helper()
	at, to := "pg", []string{}
	for _, s := range m.steps(log) {
		require.Equal(m.t, at, s.From)
		require.Contains(m.t, []string{"mongo-dual", "dual-pg", "pg-dual", "dual-mongo"}, s.From+"-"+s.To)
		at, to = s.To, append(to, s.To)
	}
	require.NotEmpty(m.t, m.done)
	require.Equal(m.t, m.done, to)
	require.Equal(m.t, at, m.mode())
}

// bring goes on until the domain is in a mode, with nothing open.
func (m *mover) bring(mode string) {
	m.t.Helper()
	for deadline := time.Now().Add(time.Minute); m.mode() != mode; {
		require.True(m.t, time.Now().Before(deadline), "the domain does not come to %s", mode)
		m.step()
	}
}

package projections_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"holdfast/domain"
	"holdfast/eventstore"
	"holdfast/eventstore/postgres"
	"holdfast/eventstore/postgres/pgtest"
	"holdfast/projections"
)

// The toy aggregate: a jar into which things are put.
type (
	put struct {
		N int `json:"n"`
	}
	labelled struct {
		Text domain.Personal `json:"text"`
	}
	other struct{}
)

func (put) EventType() string      { return "jar.put" }
func (labelled) EventType() string { return "jar.labelled" }
func (other) EventType() string    { return "noise.made" }

func jars() domain.Aggregate {
	return domain.Aggregate{Category: "jar", Events: []domain.Event{put{}, labelled{}}}
}

func noise() domain.Aggregate {
	return domain.Aggregate{Category: "noise", Events: []domain.Event{other{}}}
}

type jarDoc struct {
	Sum   int             `json:"sum"`
	Count int             `json:"count"`
	Label domain.Personal `json:"label"`
}

func foldJar(d *jarDoc, r eventstore.Recorded) error {
	switch e := r.Event.(type) {
	case put:
		d.Sum += e.N
		d.Count++
	case labelled:
		d.Label = e.Text
	default:
		return fmt.Errorf("%T is no event of a jar", r.Event)
	}
	return nil
}

// hooked is a projector that tests can disturb.
type hooked struct {
	projections.Projector
	version int
	before  func(ctx context.Context, batch []eventstore.Recorded) error // may fail
	after   func(ctx context.Context) error                              // after the effect, before the commit
}

func (h *hooked) Version() int {
	if h.version == 0 {
		return h.Projector.Version()
	}
	return h.version
}

func (h *hooked) Apply(ctx context.Context, tx pgx.Tx, batch []eventstore.Recorded) error {
	if h.before != nil {
		if err := h.before(ctx, batch); err != nil {
			return err
		}
	}
	if err := h.Projector.Apply(ctx, tx, batch); err != nil {
		return err
	}
	if h.after != nil {
		return h.after(ctx)
	}
	return nil
}

func jarProjector() *hooked {
	return &hooked{Projector: projections.Documents("jars", 1, "jar", foldJar)}
}

// world is a fresh database with the jars' table.
type world struct {
	t     *testing.T
	pool  *pgxpool.Pool
	codec *eventstore.Codec
	store *postgres.Store
}

func setup(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, pool: pgtest.New(t)}
	var err error
	w.codec, err = eventstore.NewCodec(newKeys(w), jarsAndNoise()...)
	require.NoError(t, err)
	w.store, err = postgres.New(t.Context(), w.pool, w.codec, postgres.Options{})
	require.NoError(t, err)
	t.Cleanup(w.store.Close)
	w.exec(`CREATE TABLE views.jars (
		id text COLLATE "C" PRIMARY KEY, version bigint NOT NULL, first_pos bigint NOT NULL, pos bigint NOT NULL,
		created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL, doc jsonb NOT NULL,
		sum bigint GENERATED ALWAYS AS ((doc->>'sum')::bigint) STORED)`)
	w.exec(`CREATE INDEX ON views.jars (sum, first_pos)`)
	return w
}

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	_, err := w.pool.Exec(context.Background(), sql, args...)
	require.NoError(w.t, err)
}

// append writes events to a stream after a version.
func (w *world) append(id string, after int64, events ...domain.Event) eventstore.Appended {
	w.t.Helper()
	kind := "jar"
	if _, ok := events[0].(other); ok {
		kind = "noise"
	}
	a, err := w.store.Append(context.Background(), eventstore.Append{
		Streams:  []domain.Staged{{Stream: domain.Stream{Type: kind, ID: id}, Expected: after, Events: events}},
		Metadata: eventstore.Metadata{Actor: domain.Machine(domain.Process, "test"), Source: "test"},
	})
	require.NoError(w.t, err)
	return a
}

func (w *world) head() int64 {
	h, err := w.store.Head(context.Background())
	require.NoError(w.t, err)
	return h.Position
}

// running starts a runner of one projector on a pool of its own, as another process would.
func (w *world) running(p projections.Projector) *projections.Runner {
	w.t.Helper()
	r := w.runner(p)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	w.t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			w.t.Errorf("the runner ended with %v", err)
		}
	})
	return r
}

// runner makes one that does not run.
func (w *world) runner(p projections.Projector) *projections.Runner {
	w.t.Helper()
	registry, err := projections.NewRegistry(p)
	require.NoError(w.t, err)
	r, err := projections.New(pgtest.Open(w.t, w.pool.Config().ConnString()), w.codec, registry,
		projections.Options{Poll: 50 * time.Millisecond, Linger: time.Millisecond, Slice: 50, Log: slog.New(slog.DiscardHandler)})
	require.NoError(w.t, err)
	require.NoError(w.t, r.Register(context.Background()))
	return r
}

func (w *world) caughtUp(r *projections.Runner, name string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	require.NoError(w.t, r.WaitFor(ctx, name, w.head()))
}

func (w *world) status(r *projections.Runner) projections.Status {
	w.t.Helper()
	all, err := r.Status(context.Background())
	require.NoError(w.t, err)
	require.Len(w.t, all, 1)
	return all[0]
}

// eventually polls.
func (w *world) eventually(what string, ok func() bool) {
	w.t.Helper()
	require.Eventually(w.t, ok, 30*time.Second, 10*time.Millisecond, what)
}

// dump gives a table's rows as text, in a fixed order.
func dump(t testing.TB, pool *pgxpool.Pool, table string) []string {
	t.Helper()
	rows, err := pool.Query(context.Background(), `SELECT t::text FROM `+table+` t ORDER BY 1`)
	require.NoError(t, err)
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return all
}

var errBroken = errors.New("broken")

func newKeys(w *world) eventstore.KeyRing { return postgres.NewKeyRing(w.pool, make([]byte, 32)) }

func jarsAndNoise() []domain.Aggregate { return []domain.Aggregate{jars(), noise()} }

func newJars(w *world) projections.Collection[jarDoc] {
	return projections.NewCollection[jarDoc](w.pool, w.codec, "jars")
}

func pgtestPool(t *testing.T, cfg *pgxpool.Config) (*pgxpool.Pool, error) {
	t.Helper()
	pool, err := pgxpool.NewWithConfig(context.Background(), cfg)
	if err == nil {
		t.Cleanup(pool.Close)
	}
	return pool, err
}

package projections_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"holdfast/domain"
	"holdfast/eventstore"
)

// sums is what the log says about each jar.
func (w *world) sums() map[string]int {
	w.t.Helper()
	sums := map[string]int{}
	for after := int64(0); ; {
		events, err := w.store.Read(context.Background(), after, 1000)
		require.NoError(w.t, err)
		if len(events) == 0 {
			return sums
		}
		for _, r := range events {
			if e, ok := r.Event.(put); ok {
				sums[r.Stream.ID] += e.N
			}
			after = r.Position
		}
	}
}

// viewed is what the read model says.
func (w *world) viewed() map[string]int {
	w.t.Helper()
	rows, err := w.pool.Query(context.Background(), `SELECT id, sum FROM views.jars`)
	require.NoError(w.t, err)
	defer rows.Close()
	sums := map[string]int{}
	for rows.Next() {
		var id string
		var sum int
		require.NoError(w.t, rows.Scan(&id, &sum))
		sums[id] = sum
	}
	return sums
}

// fill appends n events, one at a time, to a few jars.
func (w *world) fill(n int) {
	for i := range n {
		w.append(fmt.Sprintf("jar-%d", i%7), int64(i/7), put{N: i + 1})
	}
}

func TestEveryEventIsAppliedExactlyOnce(t *testing.T) {
	t.Parallel()
	t.Run("although every third slice fails after its effect", func(t *testing.T) {
		t.Parallel()
		w, p := setup(t), jarProjector()
		var n atomic.Int64
		p.after = func(context.Context) error {
			if n.Add(1)%3 != 0 {
				return nil
			}
			return &pgconn.PgError{Code: "40001", Message: "serialization failure"}
		}
		r := w.running(p)
		w.fill(100)
		w.caughtUp(r, "jars")
		require.Equal(t, w.sums(), w.viewed())
		require.Greater(t, n.Load(), int64(3), "nothing ever failed")
	})
	t.Run("although the process is killed between effect and commit", func(t *testing.T) {
		t.Parallel()
		w := setup(t)
		w.fill(120)
		for range 5 {
			ctx, kill := context.WithCancel(context.Background())
			p := jarProjector()
			p.after = func(context.Context) error { kill(); return ctx.Err() }
			_ = w.runner(p).Run(ctx)
			require.Empty(t, w.viewed(), "an uncommitted effect is visible")
		}
		w.caughtUp(w.running(jarProjector()), "jars")
		require.Equal(t, w.sums(), w.viewed())
	})
	t.Run("although the connection dies in the middle", func(t *testing.T) {
		t.Parallel()
		w, p := setup(t), jarProjector()
		var once sync.Once
		p.after = func(ctx context.Context) error {
			once.Do(func() {
				w.exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
					AND state = 'idle in transaction'`)
			})
			return nil
		}
		w.fill(60)
		w.caughtUp(w.running(p), "jars")
		require.Equal(t, w.sums(), w.viewed())
	})
	t.Run("by two processes at once, and no event twice", func(t *testing.T) {
		t.Parallel()
		w := setup(t)
		a, b := w.running(jarProjector()), w.running(jarProjector())
		w.fill(300)
		w.caughtUp(a, "jars")
		w.caughtUp(b, "jars")
		require.Equal(t, w.sums(), w.viewed())
	})
}

func TestNoGapsUnderConcurrentWriters(t *testing.T) {
	t.Parallel()
	w, p := setup(t), jarProjector()
	var mu sync.Mutex
	var seen []int64
	versions := map[string]int64{}
	p.before = func(_ context.Context, batch []eventstore.Recorded) error {
		mu.Lock()
		defer mu.Unlock()
		for _, r := range batch {
			if versions[r.Stream.ID]+1 != r.Version {
				return fmt.Errorf("%s: version %d after %d", r.Stream, r.Version, versions[r.Stream.ID])
			}
			versions[r.Stream.ID] = r.Version
			seen = append(seen, r.Position)
		}
		return nil
	}
	r := w.running(p)
	var writers sync.WaitGroup
	for i := range 16 {
		writers.Go(func() {
			for v := range 40 {
				w.append(fmt.Sprintf("writer-%d", i), int64(v), put{N: 1})
				if rand.N(4) == 0 {
					w.append(fmt.Sprintf("noise-%d-%d", i, v), 0, other{})
				}
			}
		})
	}
	writers.Wait()
	w.caughtUp(r, "jars")
	require.Equal(t, w.sums(), w.viewed())
	mu.Lock()
	defer mu.Unlock()
	require.Len(t, seen, 16*40)
	require.IsIncreasing(t, seen)
}

func TestAnIdleTransactionDoesNotStopDelivery(t *testing.T) {
	t.Parallel()
	w := setup(t)
	tx, err := w.pool.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), `SELECT pg_current_xact_id(), * FROM log_head`)
	require.NoError(t, err)
	r := w.running(jarProjector())
	w.fill(20)
	w.caughtUp(r, "jars")
	require.NoError(t, tx.Rollback(context.Background()))
	require.Equal(t, w.sums(), w.viewed())
}

func TestViewsKeepPersonalTextSealed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	r := w.running(jarProjector())
	w.append("secret", 0, put{N: 1}, labelled{Text: domain.About("alice", "plum jam")})
	w.caughtUp(r, "jars")
	for _, row := range dump(t, w.pool, "views.jars") {
		require.NotContains(t, row, "plum jam")
	}
	jars := newJars(w)
	row, err := jars.Get(t.Context(), "secret")
	require.NoError(t, err)
	require.Equal(t, "plum jam", row.Doc.Label.Text)
	require.EqualValues(t, 2, row.Version)
	w.exec(`UPDATE subject_keys SET wrapped = NULL, destroyed_at = now()`)
	fresh, err := eventstore.NewCodec(newKeys(w), jarsAndNoise()...)
	require.NoError(t, err)
	w.codec = fresh
	row, err = newJars(w).Get(t.Context(), "secret")
	require.NoError(t, err)
	require.Empty(t, row.Doc.Label.Text)
	require.True(t, row.Doc.Label.Erased)
	require.NoError(t, r.Rebuild(t.Context(), "jars", nil))
}

// A process stands still between effect and commit, another takes over when the database has
// given the first one up, and then the first one wakes up (docs/fault-model.md, fault 11).
func TestALeaderThatWakesUpIsFenced(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.fill(30)
	p, standing, wake := jarProjector(), make(chan struct{}), make(chan struct{})
	var once sync.Once
	p.after = func(context.Context) error {
		once.Do(func() { close(standing); <-wake })
		return nil
	}
	first := w.running(p)
	<-standing
	second := w.running(jarProjector())
	require.Empty(t, w.viewed(), "two were inside the fence")
	w.exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND state = 'idle in transaction'`) // as idle_in_transaction_session_timeout does
	w.caughtUp(second, "jars")
	close(wake)
	w.append("later", 0, put{N: 1})
	w.caughtUp(first, "jars")
	w.caughtUp(second, "jars")
	require.Equal(t, w.sums(), w.viewed())
}

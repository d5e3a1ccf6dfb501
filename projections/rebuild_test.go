package projections_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"holdfast/domain"
	"holdfast/eventstore"
	"holdfast/projections"
)

// indexes names a table's indexes and what they are on.
func (w *world) indexes() []string {
	return dump(w.t, w.pool, `(SELECT indexdef FROM pg_indexes WHERE schemaname = 'views' AND tablename = 'jars')`)
}

func TestARebuildEqualsTheLiveModelByteForByte(t *testing.T) {
	t.Parallel()
	w := setup(t)
	r := w.running(jarProjector())
	w.fill(400)
	w.append("secret", 0, put{N: 1}, labelled{Text: domain.About("alice", "plum jam")})
	w.caughtUp(r, "jars")
	before, indexes := dump(t, w.pool, "views.jars"), w.indexes()
	var last projections.Progress
	require.NoError(t, r.Rebuild(t.Context(), "jars", func(p projections.Progress) { last = p }))
	require.Equal(t, before, dump(t, w.pool, "views.jars"))
	require.Equal(t, indexes, w.indexes(), "a later migration must find the indexes by their names")
	require.Equal(t, projections.Progress{Name: "jars", Position: w.head(), Head: w.head(), Ready: true}, last)
	require.Nil(t, w.status(r).Build)
	w.append("after", 0, put{N: 9})
	w.caughtUp(r, "jars")
	require.Equal(t, w.sums(), w.viewed(), "live projection goes on in the new tables")
}

func TestRebuildWhileWriting(t *testing.T) {
	t.Parallel()
	w := setup(t)
	r := w.running(jarProjector())
	stop := make(chan struct{})
	var writers sync.WaitGroup
	for i := range 4 {
		writers.Go(func() {
			for v := int64(0); ; v++ {
				select {
				case <-stop:
					return
				default:
					w.append(fmt.Sprint("writer-", i), v, put{N: 1})
				}
			}
		})
	}
	var before int64
	for range 5 {
		require.NoError(t, r.Rebuild(t.Context(), "jars", nil))
		now := w.status(r).Position
		require.GreaterOrEqual(t, now, before, "the checkpoint went back")
		before = now
	}
	close(stop)
	writers.Wait()
	w.caughtUp(r, "jars")
	require.Equal(t, w.sums(), w.viewed())
	live := dump(t, w.pool, "views.jars")
	require.NoError(t, r.Rebuild(t.Context(), "jars", nil))
	require.Equal(t, live, dump(t, w.pool, "views.jars"))
}

func TestTwoRebuildsAtOnceAreRefused(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.fill(10)
	p, building, goOn := jarProjector(), make(chan struct{}), make(chan struct{})
	p.before = func(context.Context, []eventstore.Recorded) error {
		close(building)
		<-goOn
		return nil
	}
	first, second := w.runner(p), w.runner(jarProjector())
	done := make(chan error, 1)
	go func() { done <- first.Rebuild(context.Background(), "jars", nil) }()
	<-building
	require.ErrorIs(t, second.Rebuild(t.Context(), "jars", nil), projections.ErrRebuilding)
	require.ErrorIs(t, second.Promote(t.Context(), "jars"), projections.ErrRebuilding)
	require.NotNil(t, w.status(second).Build)
	close(goOn)
	require.NoError(t, <-done)
	require.Equal(t, w.sums(), w.viewed())
}

func TestAnInterruptedRebuildStartsOver(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.fill(50)
	ctx, kill := context.WithCancel(t.Context())
	p := jarProjector()
	p.after = func(context.Context) error { kill(); return nil }
	require.Error(t, w.runner(p).Rebuild(ctx, "jars", nil))
	require.Empty(t, w.viewed(), "a half-built model was shown")
	r := w.runner(jarProjector())
	require.Nil(t, w.status(r).Build, "nobody is building")
	require.ErrorIs(t, r.Promote(t.Context(), "jars"), projections.ErrNoBuild)
	require.NoError(t, r.Rebuild(t.Context(), "jars", nil))
	require.Equal(t, w.sums(), w.viewed())
}

func TestBuildThenPromoteThenRollBack(t *testing.T) {
	t.Parallel()
	w := setup(t)
	r := w.running(jarProjector())
	w.fill(70)
	w.caughtUp(r, "jars")
	w.exec(`UPDATE views.jars SET doc = jsonb_set(doc, '{count}', '987654321')`) // as a bug would
	require.NoError(t, r.Build(t.Context(), "jars", nil))
	require.True(t, w.status(r).Build.Ready)
	w.append("meanwhile", 0, put{N: 3})
	w.caughtUp(r, "jars")
	require.NoError(t, r.Promote(t.Context(), "jars"))
	require.Equal(t, w.sums(), w.viewed())
	require.NotContains(t, fmt.Sprint(dump(t, w.pool, "views.jars")), "987654321")

	w.append("and then", 0, put{N: 4})
	w.caughtUp(r, "jars")
	at := w.status(r).Position
	require.NoError(t, r.Rollback(t.Context(), "jars"))
	require.Contains(t, fmt.Sprint(dump(t, w.pool, "views.jars")), "987654321")
	require.Equal(t, w.sums(), w.viewed(), "the old tables were not caught up")
	require.GreaterOrEqual(t, w.status(r).Position, at)
	require.NoError(t, r.Rollback(t.Context(), "jars"), "back again")
	require.NotContains(t, fmt.Sprint(dump(t, w.pool, "views.jars")), "987654321")
	require.ErrorIs(t, w.runner(jarProjector()).Promote(t.Context(), "jars"), projections.ErrNoBuild)
}

func TestAPoisonEndsARebuildAndLeavesTheLiveModel(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.fill(20)
	r := w.running(jarProjector())
	w.caughtUp(r, "jars")
	p, _ := poisoned()
	err := w.runner(p).Rebuild(t.Context(), "jars", nil)
	var poison *projections.PoisonError
	require.ErrorAs(t, err, &poison)
	require.EqualValues(t, 13, poison.Position)
	require.Equal(t, w.sums(), w.viewed())
	require.Equal(t, projections.Running, w.status(r).State)
}

func TestAnotherVersionIsRebuiltBeforeItRuns(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.fill(30)
	old := w.running(jarProjector())
	w.caughtUp(old, "jars")
	p := jarProjector()
	p.version = 2
	var applied atomic.Int64
	p.before = func(_ context.Context, batch []eventstore.Recorded) error {
		applied.Add(int64(len(batch)))
		return nil
	}
	r := w.running(p)
	w.eventually("the new version was never put in place", func() bool { return w.status(r).Version == 2 })
	require.EqualValues(t, 30, applied.Load())
	w.append("new", 0, put{N: 1})
	w.caughtUp(r, "jars")
	require.Equal(t, w.sums(), w.viewed())
	require.EqualValues(t, 31, applied.Load(), "the old code applied to the new tables")
	require.ErrorIs(t, r.Rollback(t.Context(), "jars"), projections.ErrNoOld, "the old tables are of another version")
}

// P1: whatever the log holds and however it is cut into slices, with failures in between, the
// read model is the fold of the log.
func TestTheViewIsTheFoldOfTheLog(t *testing.T) {
	t.Parallel()
	w := setup(t)
	var fail atomic.Int64
	p := jarProjector()
	p.after = func(context.Context) error {
		if fail.Add(-1) == 0 {
			return context.DeadlineExceeded
		}
		return nil
	}
	r := w.running(p)
	versions := map[string]int64{}
	rapid.Check(t, func(t *rapid.T) {
		fail.Store(int64(rapid.IntRange(0, 3).Draw(t, "fails at")))
		for range rapid.IntRange(1, 12).Draw(t, "appends") {
			id := rapid.SampledFrom([]string{"a", "b", "c", "noise"}).Draw(t, "stream")
			var events []domain.Event
			for range rapid.IntRange(1, 5).Draw(t, "events") {
				switch {
				case id == "noise":
					events = append(events, other{})
				case rapid.Bool().Draw(t, "label"):
					events = append(events, labelled{Text: domain.About("bob", "x")})
				default:
					events = append(events, put{N: rapid.IntRange(0, 1000).Draw(t, "n")})
				}
			}
			w.append(id, versions[id], events...)
			versions[id] += int64(len(events))
		}
		w.caughtUp(r, "jars")
		sums, viewed := w.sums(), w.viewed()
		for id, sum := range sums {
			if viewed[id] != sum {
				t.Fatalf("jar %s: view %d, log %d", id, viewed[id], sum)
			}
		}
	})
	live := dump(t, w.pool, "views.jars")
	require.NoError(t, r.Rebuild(t.Context(), "jars", nil))
	require.Equal(t, live, dump(t, w.pool, "views.jars"))
}

func TestVerifyComparesTheViewWithTheLog(t *testing.T) {
	t.Parallel()
	w := setup(t)
	r := w.running(jarProjector())
	_, err := r.Verify(t.Context(), "jars", nil)
	require.NoError(t, err, "an empty log")
	w.fill(100)
	w.caughtUp(r, "jars")
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for v := int64(0); ; v++ {
			select {
			case <-stop:
				return
			default:
				w.append("meanwhile", v, put{N: 1})
			}
		}
	})
	for range 5 {
		at, err := r.Verify(t.Context(), "jars", nil)
		require.NoError(t, err)
		require.GreaterOrEqual(t, at, int64(100))
	}
	close(stop)
	writer.Wait()
	w.caughtUp(r, "jars")
	live := dump(t, w.pool, "views.jars")
	w.exec(`UPDATE views.jars SET doc = jsonb_set(doc, '{count}', '987654321') WHERE id = 'jar-3'`)
	_, err = r.Verify(t.Context(), "jars", nil)
	var d *projections.DifferenceError
	require.ErrorAs(t, err, &d)
	require.Equal(t, []int64{1, 1}, []int64{d.Extra, d.Missing})
	require.Contains(t, d.Error(), "jar-3")
	require.Nil(t, w.status(r).Build, "the build is left behind")
	require.NoError(t, r.Rebuild(t.Context(), "jars", nil))
	require.Equal(t, live, dump(t, w.pool, "views.jars"))
}

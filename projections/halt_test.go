package projections_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"holdfast/domain"
	"holdfast/eventstore"
	"holdfast/projections"
)

// poisoned fails at jars that get a 13, until it is healed.
func poisoned() (*hooked, *atomic.Bool) {
	healed, p := new(atomic.Bool), jarProjector()
	p.before = func(_ context.Context, batch []eventstore.Recorded) error {
		for _, r := range batch {
			if e, ok := r.Event.(put); ok && e.N == 13 && !healed.Load() {
				return errBroken
			}
		}
		return nil
	}
	return p, healed
}

func (w *world) halted(r *projections.Runner) projections.Status {
	w.t.Helper()
	w.eventually("the projector never halted", func() bool { return w.status(r).State == projections.Halted })
	return w.status(r)
}

func TestPoisonHaltsExactlyThere(t *testing.T) {
	t.Parallel()
	w := setup(t)
	p, healed := poisoned()
	for i := range 30 {
		w.append(fmt.Sprint("jar-", i), 0, put{N: i})
	}
	r := w.running(p)
	s := w.halted(r)
	require.EqualValues(t, 14, s.Poison.Position)
	require.Equal(t, "jar.put", s.Poison.Type)
	require.Contains(t, s.Poison.Error, "broken")
	require.EqualValues(t, 13, s.Position, "everything before the poison is applied")
	require.EqualValues(t, 17, s.Lag)
	require.Len(t, w.viewed(), 13)

	w.append("late", 0, put{N: 1})
	require.NoError(t, r.Resume(t.Context(), "jars"), "resuming is for paused projectors")
	require.EqualValues(t, 13, w.status(r).Position, "a halted projector moved")

	require.NoError(t, r.Retry(t.Context(), "jars"))
	require.EqualValues(t, 14, w.halted(r).Poison.Position, "the same event again")

	healed.Store(true)
	require.NoError(t, r.Retry(t.Context(), "jars"))
	w.caughtUp(r, "jars")
	require.Equal(t, w.sums(), w.viewed())
	require.ErrorIs(t, r.Retry(t.Context(), "jars"), projections.ErrNotHalted)
}

func TestOnlyAnOperatorSkips(t *testing.T) {
	t.Parallel()
	w := setup(t)
	p, healed := poisoned()
	r := w.running(p)
	w.append("a", 0, put{N: 1})
	w.append("b", 0, put{N: 13})
	w.append("c", 0, put{N: 2})
	w.halted(r)
	require.ErrorIs(t, r.Skip(t.Context(), "jars", " ", "ann"), projections.ErrReason)
	require.ErrorIs(t, r.Skip(t.Context(), "jars", "reason", ""), projections.ErrReason)
	require.ErrorIs(t, r.Skip(t.Context(), "nothing", "reason", "ann"), projections.ErrUnknown)
	require.NoError(t, r.Skip(t.Context(), "jars", "known bug 7", "ann"))
	w.caughtUp(r, "jars")
	require.Equal(t, map[string]int{"a": 1, "c": 2}, w.viewed())
	var reason, actor string
	require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT reason, actor FROM projection_skips WHERE name = 'jars' AND position = 2`).Scan(&reason, &actor))
	require.Equal(t, []string{"known bug 7", "ann"}, []string{reason, actor})

	require.NoError(t, r.Rebuild(t.Context(), "jars", nil), "the skip holds in a rebuild")
	require.Equal(t, map[string]int{"a": 1, "c": 2}, w.viewed())
	healed.Store(true)
	require.NoError(t, r.Rebuild(t.Context(), "jars", nil))
	require.Equal(t, w.sums(), w.viewed(), "better code takes the skipped event in")
}

func TestAPanicIsPoison(t *testing.T) {
	t.Parallel()
	w, p := setup(t), jarProjector()
	p.before = func(context.Context, []eventstore.Recorded) error { panic("no") }
	w.append("a", 0, put{N: 1})
	require.Contains(t, w.halted(w.running(p)).Poison.Error, "panic: no")
}

func TestAnUnknownTypeHaltsOnlyWhoNeedsIt(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.append("a", 0, put{N: 1})
	w.append("n", 0, other{})
	w.append("a", 1, labelled{})
	w.append("a", 2, put{N: 2})
	// A build that does not know labels, and no noise at all.
	var err error
	w.codec, err = eventstore.NewCodec(newKeys(w), domain.Aggregate{Category: "jar", Events: []domain.Event{put{}}})
	require.NoError(t, err)
	s := w.halted(w.running(jarProjector()))
	require.EqualValues(t, 3, s.Poison.Position)
	require.Equal(t, "jar.labelled", s.Poison.Type)
	require.EqualValues(t, 2, s.Position, "noise does not concern it")
}

func TestACheckpointOfAnotherLogIsRefused(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]string{
		"ahead of the head": `UPDATE projection_checkpoints SET position = position + 100, log_id = (SELECT log_id FROM log_head)`,
		"of another log":    `UPDATE projection_checkpoints SET log_id = gen_random_uuid()`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			w.runner(jarProjector()) // registers
			w.fill(20)
			w.exec(spoil)
			r := w.running(jarProjector())
			s := w.halted(r)
			require.Contains(t, s.Poison.Error, "CHECKPOINT_AHEAD")
			require.Empty(t, w.viewed())
			require.ErrorIs(t, r.Skip(t.Context(), "jars", "away with it", "ann"), projections.ErrNotSkippable)
			require.NoError(t, r.Retry(t.Context(), "jars"))
			w.halted(r)
			require.NoError(t, r.Rebuild(t.Context(), "jars", nil), "a rebuild belongs to this log")
			w.caughtUp(r, "jars")
			require.Equal(t, w.sums(), w.viewed())
		})
	}
}

func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	w := setup(t)
	r := w.running(jarProjector())
	w.fill(10)
	w.caughtUp(r, "jars")
	require.NoError(t, r.Pause(t.Context(), "jars"))
	w.append("later", 0, put{N: 5})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, r.WaitFor(ctx, "jars", w.head()), projections.ErrLag)
	s := w.status(r)
	require.Equal(t, projections.Paused, s.State)
	require.EqualValues(t, 1, s.Lag)
	require.Positive(t, s.Behind)
	require.NoError(t, r.Resume(t.Context(), "jars"))
	w.caughtUp(r, "jars")
	require.Equal(t, w.sums(), w.viewed())
	require.ErrorIs(t, r.Pause(t.Context(), "nothing"), projections.ErrUnknown)
	require.ErrorIs(t, r.WaitFor(t.Context(), "nothing", 1), projections.ErrUnknown)
}

func TestTroubleThatPassesHaltsNothing(t *testing.T) {
	t.Parallel()
	w, p := setup(t), jarProjector()
	var n atomic.Int64
	p.before = func(context.Context, []eventstore.Recorded) error {
		if n.Add(1) < 4 {
			return context.DeadlineExceeded
		}
		return nil
	}
	w.append("a", 0, put{N: 1})
	r := w.running(p)
	w.caughtUp(r, "jars")
	require.Equal(t, projections.Running, w.status(r).State)
	require.EqualValues(t, 4, n.Load())
}

package reactors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/records"
	"holdfast/domain/fault"
	"holdfast/eventstore"
	"holdfast/projections"
)

func TestALoopBacksOffAfterFailuresAndRecovers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var at []time.Time
		fails := 6
		l := newLoop("test", time.Second, nil, func(context.Context) (bool, error) {
			at = append(at, time.Now())
			if len(at) <= fails {
				if len(at) == 2 {
					panic("a bug")
				}
				return false, errors.New("down")
			}
			return false, nil
		})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- l.Run(ctx) }()
		<-time.After(30 * time.Second) // of the bubble's time
		synctest.Wait()
		require.Greater(t, len(at), fails+10, "it went on")
		assert.Less(t, at[1].Sub(at[0]), 250*time.Millisecond)
		assert.Greater(t, at[5].Sub(at[4]), time.Second, "later failures wait longer")
		s := l.Status()
		assert.Zero(t, s.Failures)
		assert.Empty(t, s.LastError)
		stop()
		require.NoError(t, <-ended, "the end of the context is no error")
	})
}

func TestALoopIsWokenAndWorksOnWhileThereIsMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		passes, left := 0, 5
		l := newLoop("test", time.Hour, slog.New(slog.DiscardHandler), func(context.Context) (bool, error) {
			passes++
			left--
			return left > 0, nil
		})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- l.Run(ctx) }()
		synctest.Wait()
		assert.Equal(t, 5, passes, "it does not pause while there is more")
		l.Wake()
		synctest.Wait()
		assert.Equal(t, 6, passes, "an hour early")
		stop()
		require.NoError(t, <-ended)
	})
}

func TestAVerdictTellsRefusalsFromBreakdowns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want verdict
	}{
		{nil, done},
		{fault.ErrInvalidState, final},
		{fmt.Errorf("wrapped: %w", fault.ErrNotFound), final},
		{eventstore.ErrInsufficient, final},
		{eventstore.ErrVersion, later},
		{eventstore.ErrKeyInProgress, later},
		{eventstore.ErrUnavailable, later},
		{context.DeadlineExceeded, later},
		{errors.New("nil map"), bug},
		{fault.New(fault.Internal, "X", "x"), bug},
	} {
		assert.Equal(t, c.want, judge(c.err), "%v", c.err)
	}
}

type sleeper chan struct{}

func (s sleeper) Wake() {
	select {
	case s <- struct{}{}:
	default:
	}
}

func TestTheDatabaseWakesLoops(t *testing.T) {
	t.Parallel()
	w := setup(t)
	onLog, onInbox := make(sleeper, 1), make(sleeper, 1)
	l := NewListener(w.pool, map[string][]Sleeper{projections.LogChannel: {onLog}, records.InboxChannel: {onInbox}}, nil)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	woken := func(s sleeper, what string) {
		t.Helper()
		select {
		case <-s:
		case <-time.After(10 * time.Second):
			t.Fatal(what)
		}
	}
	woken(onLog, "at the beginning something may have been missed")
	woken(onInbox, "at the beginning something may have been missed")
	w.order(1000)
	woken(onLog, "the log grew")
	w.receive([]byte(`{}`))
	woken(onInbox, "a notice came")
	stop()
	require.NoError(t, <-ended)
}

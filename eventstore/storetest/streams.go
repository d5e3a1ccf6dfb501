package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/domain"
	"holdfast/eventstore"
)

func versions(t *testing.T, h *harness) {
	first := h.must(t, Staged("a", 0, Noted{"1"}, Noted{"2"}))
	assert.Equal(t, []int64{1, 2}, []int64{first.First, first.Last})
	h.refused(t, eventstore.ErrVersion, Staged("a", 0, Noted{"again"}))
	h.refused(t, eventstore.ErrVersion, Staged("a", 3, Noted{"from the future"}))
	h.refused(t, eventstore.ErrVersion, Staged("b", 1, Noted{"of nothing"}))
	second := h.must(t, Staged("a", 2, Noted{"3"}))
	assert.Equal(t, int64(3), second.Last)

	events, err := h.LoadStream(t.Context(), Stream("a"), 0)
	require.NoError(t, err)
	require.Len(t, events, 3)
	for i, e := range events {
		assert.Equal(t, int64(i+1), e.Version)
		assert.Equal(t, Noted{fmt.Sprint(i + 1)}, e.Event)
		assert.Equal(t, Meta(), e.Metadata)
		assert.NotEqual(t, uuid.Nil, e.EventID)
	}
	tail, err := h.LoadStream(t.Context(), Stream("a"), 2)
	require.NoError(t, err)
	require.Len(t, tail, 1)
	none, err := h.LoadStream(t.Context(), Stream("nobody"), 0)
	require.NoError(t, err)
	assert.Empty(t, none)
}

func assertions(t *testing.T, h *harness) {
	h.must(t, Staged("seen", 0, Noted{"1"}))
	h.must(t, Staged("written", 0, Noted{"1"}), Staged("seen", 1), Staged("absent", 0))
	h.must(t, Staged("seen", 1, Noted{"2"}))
	h.refused(t, eventstore.ErrVersion, Staged("written", 1, Noted{"2"}), Staged("seen", 1))
	h.refused(t, eventstore.ErrVersion, Staged("written", 1, Noted{"2"}), Staged("absent", 1))
}

func several(t *testing.T, h *harness) {
	done := h.must(t, Staged("a", 0, Noted{"a1"}), Staged("b", 0, Noted{"b1"}, Noted{"b2"}))
	assert.Equal(t, []int64{1, 3}, []int64{done.First, done.Last})
	h.refused(t, eventstore.ErrVersion, Staged("c", 0, Noted{"c1"}), Staged("a", 0, Noted{"stale"}))
	gone, err := h.LoadStream(t.Context(), Stream("c"), 0)
	require.NoError(t, err)
	assert.Empty(t, gone)
	all := h.all(t)
	require.Len(t, all, 3)
	assert.Equal(t, []domain.Event{Noted{"a1"}, Noted{"b1"}, Noted{"b2"}}, []domain.Event{all[0].Event, all[1].Event, all[2].Event})
	assert.Equal(t, all[0].RecordedAt, all[2].RecordedAt)
}

const writers, each = 16, 25

// write lets writers append at once, half of them to a stream of their own and half to one
// that they share.
func (h *harness) write(t *testing.T) {
	t.Helper()
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if w%2 == 0 {
					_, err := h.Append(t.Context(), Of(Staged(fmt.Sprint("own-", w), int64(i), Noted{"x"})))
					assert.NoError(t, err)
					continue
				}
				for {
					events, err := h.LoadStream(t.Context(), Stream("shared"), 0)
					if !assert.NoError(t, err) {
						return
					}
					_, err = h.Append(t.Context(), Of(Staged("shared", int64(len(events)), Noted{"y"})))
					if err == nil {
						break
					}
					if !assert.ErrorIs(t, err, eventstore.ErrVersion) {
						return
					}
				}
			}
		})
	}
	wg.Wait()
}

func gapless(t *testing.T, h *harness) {
	h.write(t)
	all := h.all(t)
	require.Len(t, all, writers*each)
	h.wellOrdered(t, all)
}

// wellOrdered checks E1 and E2 on a log from its beginning.
func (h *harness) wellOrdered(t testing.TB, all []eventstore.Recorded) {
	t.Helper()
	streams := map[domain.Stream]int64{}
	for i, e := range all {
		require.Equal(t, int64(i+1), e.Position)
		require.Equal(t, streams[e.Stream]+1, e.Version, e.Stream)
		streams[e.Stream]++
		if i > 0 {
			require.False(t, e.RecordedAt.Before(all[i-1].RecordedAt))
		}
	}
}

func tailing(t *testing.T, h *harness) {
	var wg sync.WaitGroup
	deadline := time.Now().Add(time.Minute)
	for range 3 {
		wg.Go(func() {
			var last int64
			for last < writers*each && time.Now().Before(deadline) {
				slice, err := h.Read(t.Context(), last, 7)
				if !assert.NoError(t, err) {
					return
				}
				for _, e := range slice {
					last++
					if !assert.Equal(t, last, e.Position) {
						return
					}
				}
			}
			assert.Equal(t, int64(writers*each), last)
		})
	}
	h.write(t)
	wg.Wait()
}

func times(t *testing.T, h *harness) {
	before, err := h.Now(t.Context())
	require.NoError(t, err)
	a := h.must(t, Staged("a", 0, Noted{"1"}, Noted{"2"}))
	between, err := h.Now(t.Context())
	require.NoError(t, err)
	b := h.must(t, Staged("a", 2, Noted{"3"}))
	for at, want := range map[time.Time]int64{
		before.Add(-time.Hour): 0, before.Add(-time.Microsecond): 0, a.RecordedAt: a.Last, between.Add(time.Hour): b.Last,
	} {
		got, err := h.PositionAt(t.Context(), at)
		require.NoError(t, err)
		if at.Equal(a.RecordedAt) && a.RecordedAt.Equal(b.RecordedAt) {
			want = b.Last
		}
		assert.Equal(t, want, got, at)
	}
	assert.Equal(t, time.UTC, a.RecordedAt.Location())
}

func snapshots(t *testing.T, h *harness) {
	none, err := h.LoadSnapshot(t.Context(), Stream("a"))
	require.NoError(t, err)
	assert.Nil(t, none)
	for _, version := range []int64{3, 7, 5} {
		require.NoError(t, h.SaveSnapshot(t.Context(), Stream("a"), eventstore.Snapshot{Version: version, State: []byte(fmt.Sprintf(`{"n": %d}`, version))}))
	}
	snap, err := h.LoadSnapshot(t.Context(), Stream("a"))
	require.NoError(t, err)
	require.NotNil(t, snap)
	assert.Equal(t, int64(7), snap.Version)
	assert.JSONEq(t, `{"n":7}`, string(snap.State))
}

func personal(t *testing.T, h *harness) {
	const secret = "lives at Gwydyr Forest 7"
	h.must(t, Staged("a", 0, Told{domain.About("u-1", secret)}, Told{domain.About("u-2", "other")}))
	events := h.all(t)
	assert.Equal(t, secret, events[0].Event.(Told).What.Text)
	assert.NotContains(t, string(events[0].Data), "Gwydyr")
	h.verify(t)

	require.NoError(t, h.world.Keys.Destroy(t.Context(), "u-1"))
	events = h.all(t)
	assert.True(t, events[0].Event.(Told).What.Erased)
	assert.Empty(t, events[0].Event.(Told).What.Text)
	assert.Equal(t, "other", events[1].Event.(Told).What.Text)
	h.verify(t)

	_, err := h.Append(t.Context(), Of(Staged("a", 2, Told{domain.About("u-1", "is back")})))
	require.ErrorIs(t, err, eventstore.ErrErased, "a destroyed key is never made anew")
}

func deadlines(t *testing.T, h *harness) {
	at := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	h.must(t, Staged("a", 0, Timed{Key: "pay", Due: at}, Timed{Key: "ship", Due: at.Add(time.Hour)}))
	h.must(t, Staged("b", 0, Timed{Key: "pay", Due: at.Add(time.Minute)}))
	assert.Equal(t, []string{"a pay 0s", "b pay 1m0s", "a ship 1h0m0s"}, h.armed(t, at, at.Add(2*time.Hour)))
	assert.Equal(t, []string{"a pay 0s"}, h.armed(t, at, at))

	h.must(t, Staged("a", 2, Timed{Key: "pay", Due: at.Add(90 * time.Minute)}, Timed{Key: "ship", Cancel: true}))
	assert.Equal(t, []string{"b pay 1m0s", "a pay 1h30m0s"}, h.armed(t, at, at.Add(2*time.Hour)))
	h.must(t, Staged("a", 4, Timed{Key: "nothing", Cancel: true}))
	h.refused(t, eventstore.ErrVersion, Staged("b", 0, Timed{Key: "late", Due: at}))
	assert.Len(t, h.armed(t, at, at.Add(2*time.Hour)), 2, "a refused append arms nothing")
}

func (h *harness) armed(t testing.TB, from, until time.Time) []string {
	t.Helper()
	due, err := h.Deadlines(t.Context(), until, 10)
	require.NoError(t, err)
	var all []string
	for _, d := range due {
		assert.Equal(t, "sample.ring", d.Command)
		all = append(all, fmt.Sprint(d.Stream.ID, " ", d.Key, " ", d.Due.Sub(from)))
	}
	return all
}

func unknown(t *testing.T, h *harness) {
	h.must(t, Staged("a", 0, Noted{"1"}), Staged("b", 0, Claimed{Name: "n"}), Staged("a2", 0, Noted{"2"}))
	older, err := eventstore.NewCodec(h.world.Keys, Aggregate(Noted{}))
	require.NoError(t, err)
	store := h.world.Open(older)

	slice, err := store.Read(t.Context(), 0, 10)
	require.NoError(t, err)
	assert.Len(t, slice, 1, "what stands before the unknown event is readable")
	var strange *eventstore.UnknownEventError
	_, err = store.Read(t.Context(), 1, 10)
	require.True(t, errors.As(err, &strange), err)
	assert.Equal(t, "sample.claimed", strange.Type)
	_, err = store.LoadStream(t.Context(), Stream("b"), 0)
	require.True(t, errors.As(err, &strange), err)
	past, err := store.Read(t.Context(), 2, 10)
	require.NoError(t, err)
	assert.Len(t, past, 1)
	_, err = store.Append(t.Context(), Of(Staged("b", 1, Claimed{Name: "m"})))
	require.Error(t, err, "a type that cannot be read is not written either")
}

func nothing(t *testing.T, h *harness) {
	_, err := h.Append(t.Context(), Of())
	require.Error(t, err)
	_, err = h.Append(t.Context(), Of(Staged("a", 0, Noted{"1"}), Staged("a", 1, Noted{"2"})))
	require.Error(t, err, "a stream is staged once")
	_, err = h.Append(t.Context(), Of(Staged("a", 0, Post("no such account", "escrow:h:held", 1))))
	require.Error(t, err)
	assert.Empty(t, h.all(t))
}

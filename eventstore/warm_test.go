package eventstore_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/domain"
	"holdfast/eventstore"
	"holdfast/eventstore/storetest"
)

// many is a store that reads many streams at once, and counts how often each way is used.
type many struct {
	eventstore.Store
	together, alone int
	asked           []string
}

func (m *many) LoadMany(ctx context.Context, streamType string, ids []string) (map[string]eventstore.Stored, error) {
	m.together++
	m.asked = append(m.asked, ids...)
	all := map[string]eventstore.Stored{}
	for _, id := range ids {
		s := domain.Stream{Type: streamType, ID: id}
		snap, err := m.LoadSnapshot(ctx, s)
		if err != nil {
			return nil, err
		}
		after := int64(0)
		if snap != nil {
			after = snap.Version
		}
		tail, err := m.Store.LoadStream(ctx, s, after)
		if err != nil {
			return nil, err
		}
		if snap != nil || len(tail) > 0 {
			all[id] = eventstore.Stored{Snapshot: snap, Tail: tail}
		}
	}
	return all, nil
}

func (m *many) LoadStream(ctx context.Context, s domain.Stream, after int64) ([]eventstore.Recorded, error) {
	m.alone++
	return m.Store.LoadStream(ctx, s, after)
}

func TestWarmStreamsNeedNoReadOfTheirOwn(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	before := eventstore.NewExecutor(store)
	for i := range 3 {
		for n := range 1 + i*150 { // the last is long enough for a snapshot
			_, err := before.Execute(t.Context(), storetest.Meta(), nil, countOn(fmt.Sprint("s", i), fmt.Sprint(n)))
			require.NoError(t, err)
		}
	}
	m := &many{Store: store}
	x := eventstore.NewExecutor(m)
	ids := []string{"s0", "s1", "s2", "nobody", "s1", ""}
	require.NoError(t, eventstore.Warm(t.Context(), x, decider, ids))
	assert.Equal(t, []string{"s0", "s1", "s2", "nobody"}, m.asked, "each once")
	require.NoError(t, eventstore.Warm(t.Context(), x, decider, ids))
	assert.Equal(t, 1, m.together, "what is remembered is not read again")
	states, err := eventstore.States(t.Context(), x, decider, ids[:4])
	require.NoError(t, err)
	for id, want := range map[string]int{"s0": 1, "s1": 151, "s2": 301, "nobody": 0} {
		assert.Equal(t, want, states[id].Count, id)
		_, err := x.Execute(t.Context(), storetest.Meta(), nil, countOn(id, "more"))
		require.NoError(t, err)
	}
	assert.Zero(t, m.alone)

	// What another process appended meanwhile costs a lost race, and nothing is lost.
	_, err = before.Execute(t.Context(), storetest.Meta(), nil, countOn("s0", "by another"))
	require.NoError(t, err)
	_, err = x.Execute(t.Context(), storetest.Meta(), nil, countOn("s0", "and again"))
	require.NoError(t, err)
	assert.Positive(t, m.alone)
	s, version, err := eventstore.State(t.Context(), eventstore.NewExecutor(store), decider, "s0")
	require.NoError(t, err)
	assert.Equal(t, 4, s.Count)
	assert.EqualValues(t, 4, version)
}

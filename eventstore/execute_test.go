package eventstore_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/eventstore"
	"holdfast/eventstore/memory"
	"holdfast/eventstore/storetest"
)

// counter is the made-up aggregate of these tests: it counts up to a limit.
type counter struct {
	Count int            `json:"count"`
	Texts map[string]int `json:"texts"`
}

type count struct {
	domain.Issue
	Text string
}

var errFull = fault.New(fault.Rule, "FULL", "it counts to 500 only")

var decider = domain.Decider[counter, domain.Event]{
	Category: storetest.Category,
	Decide: func(s counter, c domain.Command) ([]domain.Event, error) {
		if s.Count >= 500 {
			return nil, errFull
		}
		return []domain.Event{storetest.Noted{Text: c.(count).Text}}, nil
	},
	Evolve: func(s counter, e domain.Event) counter {
		texts := map[string]int{}
		for k, v := range s.Texts {
			texts[k] = v
		}
		texts[e.(storetest.Noted).Text]++
		return counter{Count: s.Count + 1, Texts: texts}
	},
}

func countOn(id, text string) func(*domain.Unit) (any, error) {
	return func(u *domain.Unit) (any, error) {
		_, err := domain.Do(u, decider, id, count{Text: text})
		if err != nil {
			return nil, err
		}
		s, err := domain.StateOf(u, decider, id)
		return map[string]int{"count": s.Count}, err
	}
}

func newStore(t testing.TB) *memory.Store {
	t.Helper()
	codec, err := eventstore.NewCodec(memory.NewKeyRing(), storetest.Aggregate())
	require.NoError(t, err)
	return memory.New(codec)
}

func TestLostRacesAreDecidedAgain(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	// Two executors have two caches: each finds the other's events only by losing a race.
	executors := []*eventstore.Executor{eventstore.NewExecutor(store), eventstore.NewExecutor(store)}
	var wg sync.WaitGroup
	var mu sync.Mutex
	counted := 0
	for w := range 4 {
		wg.Go(func() {
			for range 50 {
				_, err := executors[w%2].Execute(t.Context(), storetest.Meta(), nil, countOn("c", "x"))
				if err == nil {
					mu.Lock()
					counted++
					mu.Unlock()
				} else {
					assert.ErrorIs(t, err, eventstore.ErrVersion)
				}
			}
		})
	}
	wg.Wait()
	state, version, err := eventstore.State(t.Context(), eventstore.NewExecutor(store), decider, "c")
	require.NoError(t, err)
	assert.Equal(t, counted, state.Count, "E3: every acknowledged command is there once, every refused one not at all")
	assert.Equal(t, int64(counted), version)
}

func TestAKeyGivesTheSameAnswerForEver(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	key := &eventstore.Key{Actor: "u", Key: "k", Fingerprint: []byte("f")}
	x := eventstore.NewExecutor(store)
	first, err := x.Execute(t.Context(), storetest.Meta(), key, countOn("c", "x"))
	require.NoError(t, err)
	_, err = x.Execute(t.Context(), storetest.Meta(), nil, countOn("c", "y"))
	require.NoError(t, err)
	for _, executor := range []*eventstore.Executor{x, eventstore.NewExecutor(store)} {
		again, err := executor.Execute(t.Context(), storetest.Meta(), key, countOn("c", "x"))
		require.NoError(t, err)
		assert.True(t, again.Replayed)
		assert.JSONEq(t, string(first.Data), string(again.Data))
		assert.Equal(t, first.Position, again.Position)
	}
	other := *key
	other.Fingerprint = []byte("g")
	_, err = x.Execute(t.Context(), storetest.Meta(), &other, countOn("c", "x"))
	require.ErrorIs(t, err, eventstore.ErrKeyReused)
}

func TestARefusalIsRememberedAndABrokenPartIsNot(t *testing.T) {
	t.Parallel()
	x := eventstore.NewExecutor(newStore(t))
	refusals := []error{errFull.With("have", 3), fault.New(fault.Unavailable, "DOWN", "down"), errors.New("a bug")}
	for i, refusal := range refusals {
		key := &eventstore.Key{Actor: "u", Key: fmt.Sprint(i), Fingerprint: []byte("f")}
		_, err := x.Execute(t.Context(), storetest.Meta(), key, func(*domain.Unit) (any, error) { return nil, refusal })
		require.ErrorIs(t, err, refusal)
		again, err := x.Execute(t.Context(), storetest.Meta(), key, countOn("c", "x"))
		if i == 0 {
			require.ErrorIs(t, err, errFull)
			f, _ := fault.From(err)
			assert.Equal(t, "3", f.Fields["have"])
			assert.True(t, again.Replayed)
			continue
		}
		require.NoError(t, err)
		assert.False(t, again.Replayed)
	}
}

func TestAnAnswerThatIsARefusalKeepsItsEvents(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	x := eventstore.NewExecutor(store)
	key := &eventstore.Key{Actor: "u", Key: "k", Fingerprint: []byte("f")}
	for range 2 {
		_, err := x.Execute(t.Context(), storetest.Meta(), key, func(u *domain.Unit) (any, error) {
			_, err := domain.Do(u, decider, "c", count{Text: "a wrong code"})
			return errFull, err
		})
		require.ErrorIs(t, err, errFull)
	}
	events, err := store.LoadStream(t.Context(), storetest.Stream("c"), 0)
	require.NoError(t, err)
	assert.Len(t, events, 1)
}

// E6: folding the log from zero equals any snapshot and the rest, and what the cache holds.
func TestSnapshotsAndCachesNeverDifferFromTheFold(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		store := newStore(t)
		x := eventstore.NewExecutor(store)
		n := rapid.IntRange(1, 450).Draw(r, "events")
		for range n {
			text := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(r, "text")
			_, err := x.Execute(t.Context(), storetest.Meta(), nil, countOn("c", text))
			require.NoError(r, err)
		}
		events, err := store.LoadStream(t.Context(), storetest.Stream("c"), 0)
		require.NoError(r, err)
		folded := decider.Initial
		for _, e := range events {
			folded = decider.Evolve(folded, e.Event)
		}
		snap, err := store.LoadSnapshot(t.Context(), storetest.Stream("c"))
		require.NoError(r, err)
		require.Equal(r, n >= 200, snap != nil)
		if rapid.Bool().Draw(r, "another snapshot") {
			at := rapid.IntRange(1, n).Draw(r, "at")
			partial := decider.Initial
			for _, e := range events[:at] {
				partial = decider.Evolve(partial, e.Event)
			}
			raw, err := json.Marshal(partial)
			require.NoError(r, err)
			require.NoError(r, store.SaveSnapshot(t.Context(), storetest.Stream("c"), eventstore.Snapshot{Version: int64(at), State: raw}))
		}
		for _, executor := range []*eventstore.Executor{x, eventstore.NewExecutor(store)} {
			state, version, err := eventstore.State(t.Context(), executor, decider, "c")
			require.NoError(r, err)
			require.Equal(r, folded, state)
			require.Equal(r, int64(n), version)
		}
	})
}

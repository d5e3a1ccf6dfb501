package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/eventstore"
)

// ErrName is what a second row of a name is refused with.
var ErrName = fault.New(fault.Conflict, "ROW_TAKEN", "the row is taken")

// withRows is an append with one row a name.
func (h *harness) withRows(t testing.TB, table Table, names []string, staged ...domain.Staged) error {
	t.Helper()
	a := Of(staged...)
	for _, n := range names {
		a.Rows = append(a.Rows, table.Insert(n))
	}
	_, err := h.Append(t.Context(), a)
	return err
}

func (h *harness) table(t *testing.T) (Table, bool) {
	t.Helper()
	if h.world.Table != nil {
		return h.world.Table(t), true
	}
	a := Of(Staged("a", 0, Noted{"1"}))
	a.Rows = []eventstore.Row{{SQL: "SELECT 1"}}
	_, err := h.Append(t.Context(), a)
	require.Error(t, err, "a store without tables takes no rows")
	require.Empty(t, h.all(t))
	return Table{}, false
}

func rows(t *testing.T, h *harness) {
	table, ok := h.table(t)
	if !ok {
		return
	}
	require.NoError(t, h.withRows(t, table, []string{"one", "two"}, Staged("a", 0, Noted{"1"})))
	assert.ElementsMatch(t, []string{"one", "two"}, table.Names())

	// A refusal of the log's leaves the rows alone, one of the rows' the log.
	require.ErrorIs(t, h.withRows(t, table, []string{"three"}, Staged("a", 0, Noted{"2"})), eventstore.ErrVersion)
	require.ErrorIs(t, h.withRows(t, table, []string{"three", "one"}, Staged("a", 1, Noted{"2"})), ErrName)
	assert.ElementsMatch(t, []string{"one", "two"}, table.Names())
	assert.Len(t, h.all(t), 1)
	require.Error(t, h.withRows(t, table, []string{"four"}), "no rows without events")
	a := Of(Staged("a", 1, Noted{"2"}))
	a.Rows = []eventstore.Row{{SQL: "SELECT 1 / 0"}}
	_, err := h.Append(t.Context(), a)
	_, refusal := fault.From(err)
	assert.False(t, refusal || err == nil, "a statement that cannot run is a bug, not a refusal: %v", err)

	// What decide found out may be in the rows; nothing is written twice on a replay.
	x, k := eventstore.NewExecutor(h), key("k", "f")
	for i := range 2 {
		r, err := x.ExecuteWith(t.Context(), Meta(), k, func() []eventstore.Row { return []eventstore.Row{table.Insert("five")} },
			func(u *domain.Unit) (any, error) { return 1, stage(u, "b") })
		require.NoError(t, err)
		assert.Equal(t, i == 1, r.Replayed)
	}
	assert.ElementsMatch(t, []string{"one", "two", "five"}, table.Names())
}

// stage puts one event on a stream.
func stage(u *domain.Unit, id string) error {
	d := domain.Decider[int, domain.Event]{
		Category: Category,
		Decide:   func(int, domain.Command) ([]domain.Event, error) { return []domain.Event{Noted{"x"}}, nil },
		Evolve:   func(n int, _ domain.Event) int { return n + 1 },
	}
	_, err := domain.Do(u, d, id, domain.Command(nil))
	return err
}

func rowsAlone(t *testing.T, h *harness) {
	table, ok := h.table(t)
	if !ok {
		return
	}
	// All at once, so that they share commits; half of them want the same name.
	const n = 24
	var wg sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		name := "shared"
		if i%2 == 0 {
			name = fmt.Sprint("own ", i)
		}
		wg.Go(func() {
			a := Of(Staged(fmt.Sprint(i), 0, Noted{"1"}))
			a.Rows = []eventstore.Row{table.Insert(name)}
			_, errs[i] = h.Append(context.WithoutCancel(t.Context()), a)
		})
	}
	wg.Wait()
	winners := 0
	for i, err := range errs {
		if i%2 == 0 {
			require.NoError(t, err)
			continue
		}
		if err == nil {
			winners++
			continue
		}
		require.ErrorIs(t, err, ErrName)
	}
	assert.Equal(t, 1, winners)
	assert.Len(t, table.Names(), n/2+1)
	assert.Len(t, h.all(t), n/2+1, "as many events as rows")
}

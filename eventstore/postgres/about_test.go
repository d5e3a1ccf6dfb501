package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"holdfast/eventstore/postgres"
	"holdfast/eventstore/postgres/pgtest"
	"holdfast/eventstore/storetest"
)

// Positions are read by one statement, decoded, in their order; what is not there is left out.
func TestPositionsAreReadAtOnce(t *testing.T) {
	t.Parallel()
	store := open(t, pgtest.New(t), postgres.Options{})
	for i := range int64(6) {
		_, err := store.Append(t.Context(), storetest.Of(storetest.Staged("a", i, storetest.Noted{Text: string(rune('a' + i))})))
		require.NoError(t, err)
	}
	found, err := store.ReadAt(t.Context(), []int64{5, 2, 99, 3})
	require.NoError(t, err)
	require.Len(t, found, 3)
	for i, want := range []int64{2, 3, 5} {
		require.Equal(t, want, found[i].Position)
		require.Equal(t, storetest.Noted{Text: string(rune('a' + want - 1))}, found[i].Event)
	}
	none, err := store.ReadAt(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, none)
}

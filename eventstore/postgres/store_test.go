package postgres_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"holdfast/eventstore"
	"holdfast/eventstore/postgres"
	"holdfast/eventstore/postgres/pgtest"
	"holdfast/eventstore/storetest"
)

var master = bytes.Repeat([]byte{7}, 32)

// open gives a store of the made-up aggregate, closed when the test ends.
func open(t testing.TB, pool *pgxpool.Pool, opts postgres.Options) *postgres.Store {
	t.Helper()
	codec, err := eventstore.NewCodec(postgres.NewKeyRing(pool, master), storetest.Aggregate())
	require.NoError(t, err)
	return openWith(t, pool, codec, opts)
}

func openWith(t testing.TB, pool *pgxpool.Pool, codec *eventstore.Codec, opts postgres.Options) *postgres.Store {
	t.Helper()
	s, err := postgres.New(t.Context(), pool, codec, opts)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func TestTheStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t testing.TB) storetest.World {
		pool := pgtest.New(t)
		return storetest.World{Table: func(t testing.TB) storetest.Table { return nameTable(t, pool) }, Keys: postgres.NewKeyRing(pool, master), Open: func(codec *eventstore.Codec) storetest.Store {
			return openWith(t, pool, codec, postgres.Options{})
		}}
	})
}

// nameTable is a table that the append's role may write.
func nameTable(t testing.TB, pool *pgxpool.Pool) storetest.Table {
	t.Helper()
	_, err := pool.Exec(t.Context(), `CREATE TABLE names (name text PRIMARY KEY CHECK (name <> '')); GRANT INSERT ON names TO holdfast_app`)
	require.NoError(t, err)
	return storetest.Table{
		Insert: func(name string) eventstore.Row {
			return eventstore.Row{SQL: `INSERT INTO names VALUES ($1)`, Args: []any{name}, Refused: storetest.ErrName}
		},
		Names: func() []string {
			rows, err := pool.Query(context.WithoutCancel(t.Context()), `SELECT name FROM names`)
			require.NoError(t, err)
			names, err := pgx.CollectRows(rows, pgx.RowTo[string])
			require.NoError(t, err)
			return names
		},
	}
}

// What is read in one round trip is what two would have read.
func TestASnapshotAndItsTailAreReadTogether(t *testing.T) {
	t.Parallel()
	store := open(t, pgtest.New(t), postgres.Options{})
	load := func() (*eventstore.Snapshot, []eventstore.Recorded) {
		t.Helper()
		snap, tail, err := store.LoadFromSnapshot(t.Context(), storetest.Stream("a"))
		require.NoError(t, err)
		return snap, tail
	}
	snap, tail := load()
	require.Nil(t, snap)
	require.Empty(t, tail)
	for i := range int64(4) {
		_, err := store.Append(t.Context(), storetest.Of(storetest.Staged("a", i, storetest.Noted{Text: "x"})))
		require.NoError(t, err)
	}
	snap, tail = load()
	require.Nil(t, snap)
	require.Len(t, tail, 4)
	require.NoError(t, store.SaveSnapshot(t.Context(), storetest.Stream("a"), eventstore.Snapshot{Version: 3, State: []byte(`{"n": 3}`)}))
	snap, tail = load()
	require.Equal(t, int64(3), snap.Version)
	require.Len(t, tail, 1)
	require.Equal(t, int64(4), tail[0].Version)
	two, err := store.LoadStream(t.Context(), storetest.Stream("a"), 3)
	require.NoError(t, err)
	require.Equal(t, two, tail)
}

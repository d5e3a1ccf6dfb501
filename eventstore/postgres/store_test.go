package postgres_test

import (
	"bytes"
	"testing"

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
		return storetest.World{Keys: postgres.NewKeyRing(pool, master), Open: func(codec *eventstore.Codec) storetest.Store {
			return openWith(t, pool, codec, postgres.Options{})
		}}
	})
}

package pgtest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"holdfast/eventstore/postgres/pgtest"
	"holdfast/migrations"
)

func TestEachTestHasAMigratedWorldOfItsOwn(t *testing.T) {
	t.Parallel()
	start := time.Now()
	a, b := pgtest.New(t), pgtest.New(t)
	t.Log("two databases in", time.Since(start))
	_, err := a.Exec(t.Context(), "UPDATE log_head SET position = 7")
	require.NoError(t, err)
	var position int64
	require.NoError(t, b.QueryRow(t.Context(), "SELECT position FROM log_head").Scan(&position))
	require.Zero(t, position)
}

func TestMigrationsMayBeRunTwice(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	for range 2 {
		require.NoError(t, migrations.Up(t.Context(), url))
		applied, known, err := migrations.Version(t.Context(), url)
		require.NoError(t, err)
		require.Equal(t, known, applied)
	}
}

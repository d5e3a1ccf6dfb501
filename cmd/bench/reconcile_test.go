package main

import (
	"context"
	"log/slog"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"holdfast/cmd/internal/config"
	"holdfast/cmd/internal/wire"
	"holdfast/eventstore/postgres/pgtest"
)

// TestASmallReconciliation makes sure that the figure can be made: the fixture and the chain by
// rule agree. HOLDFAST_BENCH_PAYMENTS makes it longer.
func TestASmallReconciliation(t *testing.T) {
	pool := pgtest.New(t)
	t.Setenv("PG_URL", pool.Config().ConnString())
	t.Setenv("HOLDFAST_DATA", t.TempDir())
	cfg, err := config.Load()
	require.NoError(t, err)
	core, err := wire.Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, core.Close(context.Background())) })
	n := 700
	if os.Getenv("HOLDFAST_BENCH_PAYMENTS") != "" {
		n, err = reconcilePayments()
		require.NoError(t, err)
	}
	require.NoError(t, new(bench).reconciling(t.Context(), core, n))
}

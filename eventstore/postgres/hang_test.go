//go:build unix

package postgres_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/localpg"
	"holdfast/eventstore"
	"holdfast/eventstore/postgres"
	"holdfast/eventstore/postgres/pgtest"
	"holdfast/eventstore/storetest"
	"holdfast/migrations"
)

// A server process that stops without closing its connection answers nothing and resets
// nothing: only the client's own deadline helps.
func TestAHangingServerProcessIsGivenUpWithinTheDeadline(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "holdfast-hang-")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o755))
	// A server of its own: its processes are ours to stop.
	server, err := localpg.Start(t.Context(), filepath.Join(dir, "pg"), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = server.Stop(ctx)
	})
	require.NoError(t, migrations.Up(t.Context(), server.URL()))
	pool := pgtest.Open(t, server.URL())
	store := open(t, pool, postgres.Options{})
	add := func(id string) error {
		_, err := store.Append(t.Context(), storetest.Of(storetest.Staged(id, 0, storetest.Noted{Text: "x"})))
		return err
	}
	require.NoError(t, add("before"))

	var pid int
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT pid FROM pg_stat_activity WHERE application_name = 'holdfast-append'`).Scan(&pid))
	require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGCONT) })
	start := time.Now()
	require.ErrorIs(t, add("during"), eventstore.ErrUnavailable)
	assert.Less(t, time.Since(start), 12*time.Second)
	require.NoError(t, add("after"), "the hanging connection is not used again")
	assert.Less(t, time.Since(start), 15*time.Second)
	require.NoError(t, syscall.Kill(pid, syscall.SIGCONT))
	assert.Equal(t, int64(2), verify(t, store).Events)
}

package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/eventstore"
	"holdfast/eventstore/postgres"
	"holdfast/eventstore/postgres/pgtest"
)

// smallDisk mounts a file system of two megabytes that the database's server may use. Only root may
// do that, and only beside the server.
func smallDisk(t *testing.T, admin *pgx.Conn) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("a small disk is mounted by root")
	}
	var data string
	require.NoError(t, admin.QueryRow(t.Context(), `SHOW data_directory`).Scan(&data))
	stat, err := os.Stat(data)
	if err != nil {
		t.Skip("the server is on another machine")
	}
	dir, err := os.MkdirTemp("", "holdfast-disk")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.Remove(dir)) })
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("no file system can be mounted here: %v", err)
	}
	t.Cleanup(func() { assert.NoError(t, syscall.Unmount(dir, 0)) })
	require.NoError(t, os.Chmod(dir, 0o700))
	owner, ok := stat.Sys().(*syscall.Stat_t)
	require.True(t, ok)
	require.NoError(t, os.Chown(dir, int(owner.Uid), int(owner.Gid)))
	return dir
}

// The disk of the log is really full: what is written fails as a whole and is said to be
// unavailable; when there is room again the same service goes on, and nothing is missing or double.
func TestAFullDiskIsUnavailableUntilThereIsRoom(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	admin, err := pgx.Connect(t.Context(), pool.Config().ConnString())
	require.NoError(t, err)
	dir := smallDisk(t, admin)
	space := "full_" + strings.ReplaceAll(pool.Config().ConnConfig.Database, "-", "_")
	run := func(sql string) {
		t.Helper()
		_, err := admin.Exec(t.Context(), sql)
		require.NoError(t, err, sql)
	}
	quoted := pgx.Identifier{space}.Sanitize()
	run(`CREATE TABLESPACE ` + quoted + ` LOCATION '` + dir + `'`)
	run(`ALTER TABLE events SET TABLESPACE ` + quoted)
	t.Cleanup(func() { // the test's context has ended
		ctx := context.Background()
		conn, err := pgx.ConnectConfig(ctx, admin.Config())
		require.NoError(t, err)
		for _, sql := range []string{`ALTER TABLE events SET TABLESPACE pg_default`, `DROP TABLESPACE ` + quoted} {
			_, err := conn.Exec(ctx, sql)
			assert.NoError(t, err, sql)
		}
		assert.NoError(t, errors.Join(admin.Close(ctx), conn.Close(ctx)))
	})
	store := open(t, pool, postgres.Options{})
	_, err = store.Append(t.Context(), keyed("before", 0))
	require.NoError(t, err)

	ballast := filepath.Join(dir, "ballast")
	file, err := os.Create(ballast)
	require.NoError(t, err)
	for err == nil {
		_, err = file.Write(make([]byte, 1<<12))
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.NoError(t, file.Close())

	written := int64(1)
	for ; written < 1000; written++ { // the table's last page has some room
		if _, err = store.Append(t.Context(), keyed(fmt.Sprint("key", written), written)); err != nil {
			break
		}
	}
	require.ErrorIs(t, err, eventstore.ErrUnavailable, "after %d events", written)
	for range 3 {
		_, err = store.Append(t.Context(), keyed(fmt.Sprint("key", written), written))
		require.ErrorIs(t, err, eventstore.ErrUnavailable)
	}
	head, err := store.Head(t.Context())
	require.NoError(t, err, "what is there can be read")
	assert.Equal(t, written, head.Position, "what failed is wholly absent")

	require.NoError(t, os.Remove(ballast))
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		_, err := store.Append(t.Context(), keyed(fmt.Sprint("key", written), written))
		assert.NoError(c, err)
	}, 30*time.Second, 50*time.Millisecond)
	head, err = store.Head(t.Context())
	require.NoError(t, err)
	assert.Equal(t, written+1, head.Position, "the same key sent again has happened once")
	assert.Equal(t, written+1, verify(t, store).Events)
}

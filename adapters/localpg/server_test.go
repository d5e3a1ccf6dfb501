//go:build unix

package localpg_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/localpg"
)

// ownerEnv makes this test binary act as the service that gets killed: it starts the server of
// the folder named by it, says the URL, and waits for its end.
const ownerEnv = "HOLDFAST_LOCALPG_OWNER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(ownerEnv); dir != "" {
		s, err := localpg.Start(context.Background(), dir, slog.New(slog.DiscardHandler))
		if err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		fmt.Println(s.URL())
		select {}
	}
	os.Exit(m.Run())
}

// folder is a place that the server's account can reach; t.TempDir is closed to others.
func folder(t *testing.T) string {
	t.Helper()
	parent, err := os.MkdirTemp("", "localpg-test-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(parent, 0o755))
	t.Cleanup(func() { os.RemoveAll(parent) })
	return filepath.Join(parent, "pg")
}

func start(t *testing.T, dir string) *localpg.Server {
	t.Helper()
	s, err := localpg.Start(t.Context(), dir, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return s
}

func stop(t *testing.T, s *localpg.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	require.NoError(t, s.Stop(ctx))
}

func query(t *testing.T, url, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer conn.Close(context.WithoutCancel(t.Context()))
	var answer string
	require.NoError(t, conn.QueryRow(t.Context(), sql).Scan(&answer))
	return answer
}

func exec(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer conn.Close(context.WithoutCancel(t.Context()))
	_, err = conn.Exec(t.Context(), sql)
	require.NoError(t, err)
}

func TestDataAndPortSurviveAStopAndAStart(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := start(t, dir)
	assert.Equal(t, "on", query(t, s.URL(), "SHOW data_checksums"))
	assert.Equal(t, "UTF8", query(t, s.URL(), "SHOW server_encoding"))
	assert.Equal(t, "127.0.0.1", query(t, s.URL(), "SHOW listen_addresses"))
	exec(t, s.URL(), "CREATE TABLE kept AS SELECT 42 AS answer")
	url := s.URL()
	stop(t, s)

	s = start(t, dir)
	defer stop(t, s)
	assert.Equal(t, url, s.URL())
	assert.Equal(t, "42", query(t, s.URL(), "SELECT answer::text FROM kept"))
}

func TestASecondProcessJoinsAndLeavesTheServerUp(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	owner := start(t, dir)
	defer stop(t, owner)
	guest := start(t, dir)
	assert.Equal(t, owner.URL(), guest.URL())
	stop(t, guest)
	assert.Equal(t, "1", query(t, owner.URL(), "SELECT '1'"))
}

func TestKillingTheServiceLosesNothingAndLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	for round := range 2 {
		owner := osexec.Command(os.Args[0])
		owner.Env = append(os.Environ(), ownerEnv+"="+dir)
		out, err := owner.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, owner.Start())
		line, err := bufio.NewReader(out).ReadString('\n')
		require.NoError(t, err)
		url := strings.TrimSpace(line)
		require.True(t, strings.HasPrefix(url, "postgres://"), url)
		exec(t, url, fmt.Sprintf("CREATE TABLE round_%d ()", round))
		require.NoError(t, owner.Process.Signal(syscall.SIGKILL))
		_ = owner.Wait()
	}
	s := start(t, dir) // while the orphan may still be going down
	assert.Equal(t, "2", query(t, s.URL(), "SELECT count(*)::text FROM pg_tables WHERE tablename LIKE 'round_%'"))
	stop(t, s)
	_, err := os.Stat(filepath.Join(s.Dir(), "data", "postmaster.pid"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}

// The sessions of a killed server end when they notice, which a busy one may do late. One that is
// stopped never notices until it goes on: the new server waits for it and then comes up.
func TestSessionsOfAKilledServerAreWaitedFor(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	owner := osexec.Command(os.Args[0])
	owner.Env = append(os.Environ(), ownerEnv+"="+dir)
	out, err := owner.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, owner.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	conn, err := pgx.Connect(t.Context(), strings.TrimSpace(line))
	require.NoError(t, err)
	defer conn.Close(context.WithoutCancel(t.Context()))
	session := int(conn.PgConn().PID())
	raw, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	require.NoError(t, err)
	server, err := strconv.Atoi(strings.SplitN(string(raw), "\n", 2)[0])
	require.NoError(t, err)

	require.NoError(t, syscall.Kill(session, syscall.SIGSTOP))
	require.NoError(t, syscall.Kill(server, syscall.SIGKILL))
	require.NoError(t, owner.Process.Signal(syscall.SIGKILL))
	_ = owner.Wait()
	goesOn := time.AfterFunc(time.Second, func() { _ = syscall.Kill(session, syscall.SIGCONT) })
	defer goesOn.Stop()

	s := start(t, dir)
	defer stop(t, s)
	assert.False(t, goesOn.Stop(), "it came up beside a session of the old server")
	assert.Equal(t, "1", query(t, s.URL(), "SELECT '1'"))
}

func TestAnInterruptedInitIsNotTakenForACluster(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "data.init", "base"), 0o755))
	s := start(t, dir)
	defer stop(t, s)
	assert.Equal(t, "1", query(t, s.URL(), "SELECT '1'"))
}

func TestAClusterOfAnotherVersionIsLeftAlone(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	data := filepath.Join(dir, "data")
	require.NoError(t, os.MkdirAll(data, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(data, "PG_VERSION"), []byte("9\n"), 0o644))
	_, err := localpg.Start(t.Context(), dir, slog.New(slog.DiscardHandler))
	require.Error(t, err)
	assert.True(t, errors.Is(err, localpg.ErrOtherVersion), err)
	content, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	require.NoError(t, err)
	assert.Equal(t, "9\n", string(content))
}

func TestAFolderThatIsNoClusterIsNotTouched(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	mine := filepath.Join(dir, "data", "holiday.jpg")
	require.NoError(t, os.MkdirAll(filepath.Dir(mine), 0o755))
	require.NoError(t, os.WriteFile(mine, []byte("x"), 0o644))
	_, err := localpg.Start(t.Context(), dir, slog.New(slog.DiscardHandler))
	require.ErrorContains(t, err, "not a PostgreSQL cluster")
	assert.FileExists(t, mine)
}

func TestRootsClosedFolderIsReplacedByOneTheServerCanEnter(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		// Only root steps down to another account; anybody else runs the server as themselves.
		return
	}
	closed := filepath.Join(t.TempDir(), "home")
	require.NoError(t, os.Mkdir(closed, 0o700))
	s := start(t, filepath.Join(closed, "app", "pg"))
	t.Cleanup(func() { os.RemoveAll(s.Dir()) })
	defer stop(t, s)
	assert.True(t, strings.HasPrefix(s.Dir(), "/var/lib/holdfast/"), s.Dir())
	assert.Equal(t, "1", query(t, s.URL(), "SELECT '1'"))
}

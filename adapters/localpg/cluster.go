package localpg

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// cluster is a data folder with what belongs to it.
type cluster struct {
	dir string
	as  account
	bin binaries
}

func (c cluster) data() string            { return filepath.Join(c.dir, "data") }
func (c cluster) file(name string) string { return filepath.Join(c.dir, name) }

// superuser is the owner of the cluster and of the database of the same name.
const superuser = "holdfast"

// open finds the cluster of a folder, or makes one.
func open(ctx context.Context, dir string, as account) (cluster, error) {
	c := cluster{dir: dir, as: as}
	want := 0
	if v, err := os.ReadFile(filepath.Join(c.data(), "PG_VERSION")); err == nil {
		if want, err = strconv.Atoi(strings.TrimSpace(string(v))); err != nil {
			return c, fmt.Errorf("read %s/PG_VERSION: %w", c.data(), err)
		}
	}
	var err error
	if c.bin, err = find(ctx, candidates(), want); err != nil {
		return c, err
	}
	if want == 0 {
		return c, c.init(ctx)
	}
	return c, nil
}

// init makes the cluster beside its place and moves it there when it is whole, so that an
// interrupted initdb is never taken for a cluster.
func (c cluster) init(ctx context.Context) error {
	if _, err := os.Stat(c.data()); err == nil {
		return fmt.Errorf("%s exists but holds no PG_VERSION: it is not a PostgreSQL cluster; move it away", c.data())
	}
	unfinished := c.file("data.init")
	if err := os.RemoveAll(unfinished); err != nil { // nothing was ever started on it
		return err
	}
	if err := c.secret(c.file("password"), rand.Text()); err != nil {
		return err
	}
	_, err := c.run(ctx, "initdb", "-D", unfinished, "-U", superuser, "--pwfile", c.file("password"),
		"--auth", "scram-sha-256", "--data-checksums", "--encoding", "UTF8", "--locale", "C")
	if err != nil {
		return err
	}
	return os.Rename(unfinished, c.data())
}

func (c cluster) secret(path, text string) error {
	if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
		return err
	}
	return c.as.own(path)
}

// run carries out one of PostgreSQL's tools as the server's account.
func (c cluster) run(ctx context.Context, tool string, args ...string) (string, error) {
	//nolint:gosec // G204: the tools of the installation that find chose
	cmd := exec.CommandContext(ctx, c.bin.path(tool), args...)
	cmd.Dir, cmd.SysProcAttr, cmd.Env = c.dir, c.as.attributes(), environment()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", tool, err, tail(string(out), 5))
	}
	return string(out), nil
}

// environment is ours without the PG* variables, which would redirect the tools.
func environment() []string {
	var kept []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "PG") && !strings.HasPrefix(v, "LC_") && !strings.HasPrefix(v, "LANG") {
			kept = append(kept, v)
		}
	}
	return append(kept, "LC_ALL=C")
}

// stopStale stops a server that an earlier, killed service left on this cluster.
func (c cluster) stopStale(ctx context.Context) error {
	pid, ok := c.postmaster()
	if !ok {
		return nil
	}
	// It may be on its way out already, and pg_ctl fails when it is gone before it looks.
	_, err := c.run(ctx, "pg_ctl", "stop", "-D", c.data(), "-m", "fast", "-w", "-t", "60")
	for deadline := time.Now().Add(10 * time.Second); alive(pid) && time.Now().Before(deadline); {
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	if alive(pid) {
		return fmt.Errorf("a server (pid %d) still runs on %s: %w", pid, c.data(), err)
	}
	return nil
}

// postmaster gives the pid of a server running on this cluster. A pid file can be older than
// the machine's start, so the process must be alive and be a postgres of ours: PostgreSQL
// itself refuses a second server on the folder by the same file and its shared memory.
func (c cluster) postmaster() (int, bool) {
	raw, err := os.ReadFile(filepath.Join(c.data(), "postmaster.pid"))
	if err != nil {
		return 0, false
	}
	lines := strings.Split(string(raw), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil || pid <= 1 || !alive(pid) {
		return 0, false
	}
	if name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); err == nil && !strings.Contains(string(name), "postgres") {
		return 0, false // the number was given to another program since
	}
	return pid, true
}

// choosePort gives the port of last time when it is free, else a free one, and remembers it.
func (c cluster) choosePort(ctx context.Context) (int, error) {
	if port, err := c.port(); err == nil && free(ctx, port) {
		return port, nil
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return 0, err
	}
	return port, os.WriteFile(c.file("port"), []byte(strconv.Itoa(port)+"\n"), 0o600)
}

func (c cluster) port() (int, error) {
	raw, err := os.ReadFile(c.file("port"))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(raw)))
}

func free(ctx context.Context, port int) bool {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	return l.Close() == nil
}

func (c cluster) password() (string, error) {
	raw, err := os.ReadFile(c.file("password"))
	return strings.TrimSpace(string(raw)), err
}

// tail gives the last lines of a text on one line, for error messages.
func tail(text string, lines int) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(all[max(0, len(all)-lines):], " | ")
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

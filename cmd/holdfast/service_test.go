package main_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"holdfast/cmd/internal/apiclient"
)

// service is the delivered binary on a data folder of its own, everything embedded.
type service struct {
	t      *testing.T
	binary string
	dir    string // HOLDFAST_DATA
	port   int
	base   string
	env    []string // beside those of every test

	process *exec.Cmd
	ended   chan struct{} // closed when the process is gone
	err     error         // of its end
	output  *os.File
}

func newService(t *testing.T) *service {
	t.Helper()
	// Not t.TempDir: PostgreSQL, which steps down from root, must be able to pass through it.
	dir, err := os.MkdirTemp("", "holdfast-kill-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755))
	s := &service{t: t, dir: filepath.Join(dir, "data"), binary: filepath.Join(dir, "holdfast"), port: freePort(t)}
	s.base = fmt.Sprintf("http://127.0.0.1:%d", s.port)
	build := exec.CommandContext(t.Context(), "go", "build", "-o", s.binary, ".")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	s.output, err = os.Create(filepath.Join(dir, "output"))
	require.NoError(t, err)
	t.Cleanup(func() {
		if s.process != nil {
			s.kill()
		}
		if t.Failed() {
			said, _ := os.ReadFile(s.output.Name())
			t.Logf("the service said last: %s", said[max(0, len(said)-4000):])
		}
		_ = s.output.Close()
		// Its PostgreSQL ends a moment after it, and may write until then.
		for deadline := time.Now().Add(10 * time.Second); os.RemoveAll(dir) != nil && time.Now().Before(deadline); {
			pause(context.Background(), 50*time.Millisecond)
		}
	})
	return s
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// command is the binary in the service's folder: no .env and no settings of the developer.
func (s *service) command(ctx context.Context, verb ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, s.binary, verb...)
	c.Dir = filepath.Dir(s.binary)
	c.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "HOLDFAST_DATA=" + s.dir,
		"PORT=" + strconv.Itoa(s.port), "ACCESS_LOG=false", "LOG_LEVEL=warn", "RATE_LIMIT=false",
	}
	c.Env = append(c.Env, s.env...)
	return c
}

// run runs another verb to its end and gives what it printed; of one that failed, all it said.
func (s *service) run(verb ...string) (string, error) {
	var complaint bytes.Buffer
	c := s.command(s.t.Context(), verb...)
	c.Stderr = &complaint
	out, err := c.Output()
	if err != nil {
		out = append(out, complaint.Bytes()...)
	}
	return string(out), err
}

func (s *service) start() {
	s.t.Helper()
	c := s.command(context.Background(), "serve") // it is ended by kill or stop
	c.Stdout, c.Stderr = s.output, s.output
	require.NoError(s.t, c.Start())
	ended := make(chan struct{})
	s.process, s.ended = c, ended
	go func() {
		s.err = c.Wait()
		close(ended)
	}()
}

// kill ends the process as the kernel would: no handler runs.
func (s *service) kill() {
	_ = s.process.Process.Kill() // it may be gone already
	<-s.ended
}

// stop asks it to end.
func (s *service) stop() error {
	if err := s.process.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-s.ended:
		return s.err
	case <-time.After(30 * time.Second):
		return errors.New("still running after 30 s")
	}
}

// killPostgres ends the postmaster of this service's folder. While the service still starts
// there may be none; then nothing happens.
func (s *service) killPostgres() {
	s.t.Helper()
	raw, err := os.ReadFile(filepath.Join(s.dir, "postgres", "data", "postmaster.pid"))
	if err != nil {
		return
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || pid <= 1 {
		return
	}
	// The file may be older than the process: only a server of this folder is ours to kill.
	args, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err == nil && !bytes.Contains(args, []byte(s.dir)) {
		return
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
}

// awaitReady waits until requests can be taken. It fails the test when the process ends by
// itself, or is not up in a minute.
func (s *service) awaitReady() {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); s.letRun(20 * time.Millisecond) {
		select {
		case <-s.ended:
			s.t.Fatalf("the service did not start: %v", s.err)
		default:
		}
		ctx, cancel := context.WithTimeout(s.t.Context(), 3*time.Second)
		_, err := apiclient.New(s.base).Call(ctx, http.MethodGet, "/health/ready", nil)
		cancel()
		if err == nil {
			return
		}
	}
	s.t.Fatal("the service is not ready after a minute")
}

// letRun lets time go by: it is the load's, not the test's, to do something meanwhile.
func (s *service) letRun(d time.Duration) { pause(s.t.Context(), d) }

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (s *service) call(as *apiclient.Client, c *sent) (apiclient.Answer, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), 5*time.Second)
	defer cancel()
	return as.Call(ctx, http.MethodPost, c.path, c.body, apiclient.WithKey(c.key))
}

// passing says that the same command may be accepted later: nobody answered, or the service
// said that it cannot now.
func passing(err error) bool {
	var refused *apiclient.Error
	if !errors.As(err, &refused) {
		return true
	}
	return refused.Status >= 500 || refused.Status == http.StatusTooManyRequests ||
		refused.Code == "IDEMPOTENCY_IN_PROGRESS" || refused.Code == "CONCURRENT_UPDATE"
}

// atRandom gives how often a test kills something, fewer times with -short, and when: its seed is told.
func atRandom(t *testing.T, kills int) (int, *rand.Rand) {
	t.Helper()
	if testing.Short() {
		kills = 3
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return kills, rand.New(rand.NewPCG(seed, 0))
}

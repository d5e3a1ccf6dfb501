package localpg

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a running private PostgreSQL.
type Server struct {
	cluster cluster
	port    int
	secret  string
	log     *slog.Logger

	// of an owner; a process that joined somebody else's server has neither
	lock    *os.File
	process *process
}

// process is the child; ended is closed when it is gone.
type process struct {
	cmd    *exec.Cmd
	ended  chan struct{}
	err    error
	logged int64 // how long the log was when it started: what comes after is its own
}

// readyWithin bounds a start, crash recovery included.
const readyWithin = 60 * time.Second

// Start brings up the cluster of a folder, making it when it is not there. When another
// process already owns the folder, its server is joined and Stop leaves it alone. The folder
// moves to /var/lib/holdfast when root starts it and its parents are closed to others.
//
// ErrNoBinaries and ErrOtherVersion say what the operator has to do.
func Start(ctx context.Context, dir string, log *slog.Logger) (*Server, error) {
	as, err := serverAccount()
	if err != nil {
		return nil, err
	}
	if dir, err = as.settle(dir); err != nil {
		return nil, fmt.Errorf("prepare the folder: %w", err)
	}
	s := &Server{cluster: cluster{dir: dir, as: as}, log: log.With("folder", dir)}
	held, mine, err := lock(s.cluster.file("lock"))
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	if !mine {
		return s, s.join(ctx)
	}
	s.lock = held
	if err := s.launch(ctx); err != nil {
		_ = s.Stop(context.WithoutCancel(ctx))
		return nil, err
	}
	return s, nil
}

// join waits until the owner's server answers.
func (s *Server) join(ctx context.Context) (err error) {
	s.log.Info("joining the PostgreSQL of another process")
	for deadline := time.Now().Add(readyWithin); ; {
		if s.port, err = s.cluster.port(); err == nil {
			if s.secret, err = s.cluster.password(); err == nil {
				if err = s.ping(ctx, superuser); err == nil {
					return nil
				}
			}
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("another process owns %s, but its server does not answer: %w", s.cluster.dir, err)
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

func (s *Server) launch(ctx context.Context) (err error) {
	if s.cluster, err = open(ctx, s.cluster.dir, s.cluster.as); err != nil {
		return err
	}
	if err := s.cluster.stopStale(ctx); err != nil {
		return err
	}
	if s.secret, err = s.cluster.password(); err != nil {
		return err
	}
	if err := s.boot(ctx); err != nil {
		return err
	}
	s.log.Info("PostgreSQL is up", "port", s.port, "version", s.cluster.bin.major)
	return s.ensureDatabase(ctx)
}

// boot starts the server until one stays up. A port that was free a moment ago may be taken when
// the server binds it; and after a kill -9 of the old server its sessions live on until they see
// that it is gone, and hold its shared memory, which PostgreSQL rightly does not share: they are
// waited for, since a query may take seconds to end.
func (s *Server) boot(ctx context.Context) (err error) {
	deadline := time.Now().Add(readyWithin)
	for tries := 0; ; tries++ {
		if s.port, err = s.cluster.choosePort(ctx); err != nil {
			return err
		}
		if s.process, err = s.spawn(); err != nil {
			return err
		}
		if err = s.ready(ctx); err == nil || ctx.Err() != nil {
			return err
		}
		if !errors.Is(err, errStillHeld) && tries >= 2 || time.Now().After(deadline) {
			return err
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// errStillHeld is a server's refusal to start while sessions of its killed predecessor live.
var errStillHeld = errors.New("sessions of the server that was killed still run")

// ended says why the server did not stay up.
func (s *Server) ended() error {
	said := ""
	if raw, err := os.ReadFile(s.cluster.file("postgres.log")); err == nil && int64(len(raw)) >= s.process.logged {
		said = string(raw[s.process.logged:])
	}
	if strings.Contains(said, "pre-existing shared memory block") {
		return fmt.Errorf("%w: postgres ended at once (%w): %s", errStillHeld, s.process.err, tail(said, 5))
	}
	return fmt.Errorf("postgres ended at once (%w): %s", s.process.err, tail(said, 5))
}

// spawn starts the server from a thread that lives as long as the child: the kernel's
// parent-death signal follows the thread, not the process, and the Go runtime may end threads.
func (s *Server) spawn() (*process, error) {
	out, err := os.OpenFile(s.cluster.file("postgres.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Close() }() // the child has its own copy
	//nolint:gosec,noctx // G204: the binary is one that find chose; it outlives ctx and is ended by Stop
	cmd := exec.Command(s.cluster.bin.path("postgres"), "-D", s.cluster.data(), "-p", strconv.Itoa(s.port), "-k", "",
		"-c", "listen_addresses=127.0.0.1", "-c", "max_connections=400", "-c", "shared_buffers=128MB",
		"-c", "max_wal_size=2GB", "-c", "log_min_messages=warning", "-c", "log_checkpoints=off")
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.Env = s.cluster.dir, out, out, environment()
	cmd.SysProcAttr = s.cluster.as.attributes()
	dieWithParent(cmd.SysProcAttr)

	p := &process{cmd: cmd, ended: make(chan struct{})}
	if info, err := out.Stat(); err == nil {
		p.logged = info.Size()
	}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.ended)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start postgres: %w", err)
	}
	return p, nil
}

// ready waits until the server answers, or says why it ended.
func (s *Server) ready(ctx context.Context) error {
	for deadline := time.Now().Add(readyWithin); ; {
		err := s.ping(ctx, "postgres")
		if err == nil {
			return nil
		}
		select {
		case <-s.process.ended:
			return s.ended()
		default:
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("postgres is not ready after %s: %w", readyWithin, err)
		}
		if err := pause(ctx, 25*time.Millisecond); err != nil {
			return err
		}
	}
}

func (s *Server) ping(ctx context.Context, database string) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.url(database))
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// ensureDatabase makes the database of the superuser's name.
func (s *Server) ensureDatabase(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return fmt.Errorf("connect to the new server: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var exists bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", superuser).Scan(&exists); err != nil || exists {
		return err
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE "+superuser)
	return err
}

// URL is the connection string of the server's database, password included.
func (s *Server) URL() string { return s.url(superuser) }

func (s *Server) url(database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(superuser, s.secret), Host: "127.0.0.1:" + strconv.Itoa(s.port),
		Path: "/" + database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Dir is the folder in use; it differs from the wanted one when that could not be reached.
func (s *Server) Dir() string { return s.cluster.dir }

// Stop ends the server: sessions are cut and the state is written out; when ctx ends before
// that is done, at once (the next start recovers from the write-ahead log). It leaves a server
// that another process owns alone.
func (s *Server) Stop(ctx context.Context) error {
	if s.lock == nil {
		return nil
	}
	defer func() { _ = s.lock.Close() }()
	if s.process == nil {
		return nil
	}
	p := s.process
	if p.signalled(ctx, syscall.SIGINT) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if p.signalled(ctx, syscall.SIGQUIT) {
		return nil
	}
	return fmt.Errorf("postgres (pid %d) does not stop", p.cmd.Process.Pid)
}

// signalled sends a signal and reports whether the child ended before ctx did.
func (p *process) signalled(ctx context.Context, signal syscall.Signal) bool {
	_ = p.cmd.Process.Signal(signal) // it may have ended already
	select {
	case <-p.ended:
		return true
	case <-ctx.Done():
		return false
	}
}

package localmongo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Server is a running devmongo.
type Server struct {
	dir  string
	host string
	lock *os.File // nil when we joined the server of another process

	cmd   *exec.Cmd
	ended chan struct{} // closed when the child is gone
	err   error
}

// readyWithin bounds a start.
const readyWithin = 30 * time.Second

// Start brings up the server of a folder, which is made when it is missing. When another process
// owns the folder its server is joined, and Stop leaves it alone. ErrNoBinary says what to do.
func Start(ctx context.Context, dir string, log *slog.Logger) (*Server, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("prepare the folder: %w", err)
	}
	s := &Server{dir: dir}
	held, mine, err := lock(s.file("lock"))
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	if !mine {
		log.Info("joining the legacy store of another process", "folder", dir)
		return s, s.join(ctx)
	}
	s.lock = held
	if err := s.launch(ctx, log); err != nil {
		return nil, errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
	}
	log.Info("the legacy store is up", "folder", dir, "address", s.host)
	return s, nil
}

func (s *Server) file(name string) string { return filepath.Join(s.dir, name) }

// join waits until the owner's server answers.
func (s *Server) join(ctx context.Context) error {
	for deadline := time.Now().Add(readyWithin); ; {
		if said, err := os.ReadFile(s.file("uri")); err == nil {
			if s.host = hostOf(string(said)); answers(ctx, s.host) {
				return nil
			}
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("another process owns %s, but its server does not answer", s.dir)
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// launch takes the address of last time when it is free, so that who remembers it finds the server.
func (s *Server) launch(ctx context.Context, log *slog.Logger) error {
	binary, err := find(ctx, log)
	if err != nil {
		return err
	}
	listen := "127.0.0.1:0"
	if said, err := os.ReadFile(s.file("uri")); err == nil {
		if host := hostOf(string(said)); free(ctx, host) {
			listen = host
		}
	}
	if err := s.spawn(ctx, binary, listen); err != nil {
		return err
	}
	return os.WriteFile(s.file("uri"), []byte("mongodb://"+s.host+"/\n"), 0o600)
}

// spawn starts the child from a thread that lives as long as it does: the kernel's parent-death
// signal follows the thread, and the Go runtime may end threads.
func (s *Server) spawn(ctx context.Context, binary, listen string) error {
	log, err := os.OpenFile(s.file("mongo.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the child has its own copy
	//nolint:gosec,noctx // G204: the binary is one that find chose; it outlives ctx and is ended by Stop
	cmd := exec.Command(binary, "--data", s.file("data"), "--listen", listen)
	cmd.Stderr, cmd.SysProcAttr = log, &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(cmd.SysProcAttr)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	s.cmd, s.ended = cmd, make(chan struct{})
	started, line := make(chan error), make(chan string, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			said, _ := bufio.NewReader(out).ReadString('\n') // empty when it ends at once
			line <- said
			_, _ = io.Copy(io.Discard, out)
			s.err = cmd.Wait()
			close(s.ended)
		}
	}()
	if err := <-started; err != nil {
		s.cmd = nil
		return fmt.Errorf("start devmongo: %w", err)
	}
	select {
	case said := <-line:
		if s.host = hostOf(said); s.host == "" {
			return fmt.Errorf("devmongo ended at once: see %s", s.file("mongo.log"))
		}
		return nil
	case <-time.After(readyWithin):
		return fmt.Errorf("devmongo is not ready after %s", readyWithin)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// URI is the connection string of a database on the server.
func (s *Server) URI(database string) string { return "mongodb://" + s.host + "/" + database }

// Kill ends the server as a crash would; for tests.
func (s *Server) Kill() error {
	if err := s.cmd.Process.Kill(); err != nil {
		return err
	}
	<-s.ended
	return nil
}

// Stop ends the server that we own; that of another process is left alone.
func (s *Server) Stop(ctx context.Context) error {
	if s.lock == nil {
		return nil
	}
	defer func() { _ = s.lock.Close() }()
	if s.cmd == nil {
		return nil
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case <-s.ended:
		return nil
	case <-ctx.Done():
	case <-time.After(5 * time.Second):
	}
	_ = s.cmd.Process.Kill()
	<-s.ended
	return nil
}

func hostOf(uri string) string {
	u, err := url.Parse(strings.TrimSpace(uri))
	if err != nil {
		return ""
	}
	return u.Host
}

func answers(ctx context.Context, host string) bool {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", host)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

func free(ctx context.Context, host string) bool {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", host)
	if err != nil || host == "" {
		return false
	}
	return l.Close() == nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

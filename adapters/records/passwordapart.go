package records

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/rpc"
	"os/exec"
	"runtime"
	"runtime/debug"
	"sync"
)

// politeness is the niceness of the process that hashes: it gets a tenth of a contested core.
const politeness = 10

// NewHasherApart is NewHasher whose hashes run in a process of their own, which the command
// starts and which must call ServeHashes. Its memory and the collecting of it disturb nobody, and
// the system gives the processor to the requests first. It starts with the first hash, and again
// after it has died; a hash that it does not answer is made in this process. Close ends it.
func NewHasherApart(atOnce, waiting int, command ...string) *Hasher {
	h := NewHasher(atOnce, waiting)
	if len(command) > 0 {
		h.worker = &apart{command: command}
	}
	return h
}

// Close ends the process of the hashes, if there is one.
func (h *Hasher) Close(context.Context) error {
	if a, ok := h.worker.(*apart); ok {
		return a.close()
	}
	return nil
}

// ServeHashes answers the hashes that another process asks for, until its end of the pipe closes.
// It is for a process that does nothing else.
func ServeHashes(pipe io.ReadWriteCloser) error {
	// Next to nothing but the 19 MiB of each hash lives here, so that to collect is cheap: it is done
	// before each one, which keeps the memory at that, and all of them equally long.
	debug.SetGCPercent(-1)
	lowerPriority(politeness)
	s := rpc.NewServer()
	if err := s.RegisterName(hashService, &HashService{}); err != nil {
		return fmt.Errorf("register the hashes: %w", err)
	}
	s.ServeConn(pipe)
	return nil
}

const hashService = "Hashes"

// HashService is what the process of the hashes answers (net/rpc wants it exported).
type HashService struct{}

// HashQuestion is a password, and what it is compared with.
type HashQuestion struct{ Stored, Password string }

// Hash gives the PHC string of a password.
func (*HashService) Hash(q HashQuestion, stored *string) (err error) {
	runtime.GC()
	*stored, err = here{}.hash(q.Password)
	return err
}

// Verify compares a password with what is stored.
func (*HashService) Verify(q HashQuestion, match *bool) (err error) {
	runtime.GC()
	*match, err = here{}.verify(q.Stored, q.Password)
	return err
}

// apart asks the other process.
type apart struct {
	command []string

	lock   sync.Mutex
	client *rpc.Client
	closed bool
}

func (a *apart) hash(password string) (stored string, err error) {
	if err = a.ask("Hash", HashQuestion{Password: password}, &stored); isTransport(err) {
		return here{}.hash(password)
	}
	return stored, err
}

func (a *apart) verify(stored, password string) (match bool, err error) {
	if err = a.ask("Verify", HashQuestion{Stored: stored, Password: password}, &match); isTransport(err) {
		return here{}.verify(stored, password)
	}
	return match, err
}

// isTransport reports whether it was the way there or back that failed, not the hash.
func isTransport(err error) bool {
	_, answered := errors.AsType[rpc.ServerError](err)
	return err != nil && !answered
}

func (a *apart) ask(method string, q HashQuestion, reply any) error {
	client, err := a.connect()
	if err != nil {
		return err
	}
	err = client.Call(hashService+"."+method, q, reply)
	if isTransport(err) {
		a.lock.Lock()
		if a.client == client {
			a.client = nil
		}
		a.lock.Unlock()
		_ = client.Close()
	}
	return err
}

func (a *apart) close() error {
	a.lock.Lock()
	defer a.lock.Unlock()
	a.closed = true
	if a.client == nil {
		return nil
	}
	err := a.client.Close()
	a.client = nil
	return err
}

func (a *apart) connect() (*rpc.Client, error) {
	a.lock.Lock()
	defer a.lock.Unlock()
	if a.closed {
		return nil, rpc.ErrShutdown
	}
	if a.client != nil {
		return a.client, nil
	}
	cmd := exec.CommandContext(context.Background(), a.command[0], a.command[1:]...) //nolint:gosec // the service's own binary, which ends with its pipe
	cmd.Env = []string{}                                                             // none of the service's secrets

	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the process of the hashes: %w", err)
	}
	a.client = rpc.NewClient(pipes{out, in, cmd})
	return a.client, nil
}

// pipes are both ways to a process.
type pipes struct {
	io.ReadCloser
	in  io.WriteCloser
	cmd *exec.Cmd
}

func (p pipes) Write(b []byte) (int, error) { return p.in.Write(b) }

// Close lets the process end, as its input does, and waits for it.
func (p pipes) Close() error {
	_ = p.in.Close()
	_ = p.ReadCloser.Close()
	_ = p.cmd.Wait() // how it ended matters to nobody
	return nil
}

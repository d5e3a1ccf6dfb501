package reactors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"
)

// Status says how a loop does.
type Status struct {
	Name string `json:"name"`
	// Failures counts the passes that failed in a row; 0 when the last one was good.
	Failures  int       `json:"failures"`
	LastGood  time.Time `json:"lastGood"`
	LastError string    `json:"lastError,omitempty"`
	// Halted: it does nothing more until an operator decides.
	Halted bool `json:"halted,omitempty"`
	// Detail is what the loop says of itself: a position, a block, a count.
	Detail map[string]any `json:"detail,omitempty"`
}

// loop repeats a pass until its context ends: at once while there is more to do, else after a
// while or when woken, and after failures with growing, jittered pauses.
type loop struct {
	name  string
	every time.Duration
	log   *slog.Logger
	// linger is the least time between two passes, so that work gathers when wakes come often.
	linger time.Duration
	// pass does a piece of work; more says that it left some.
	pass func(ctx context.Context) (more bool, err error)

	wake   chan struct{}
	mu     sync.Mutex
	status Status
}

// passDeadline bounds a pass, so that a server that hangs cannot hang a loop for ever.
const passDeadline = 2 * time.Minute

func newLoop(name string, every time.Duration, log *slog.Logger, pass func(context.Context) (bool, error)) *loop {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &loop{
		name: name, every: every, log: log.With("reactor", name), pass: pass,
		wake: make(chan struct{}, 1), status: Status{Name: name, Detail: map[string]any{}},
	}
}

// Name of the loop, for logs and /health.
func (l *loop) Name() string { return l.name }

// Run repeats passes until ctx ends, and returns nil then: whatever a pass was at is safe to
// leave in the middle.
func (l *loop) Run(ctx context.Context) error {
	for failures := 0; ctx.Err() == nil; {
		rested := time.Now().Add(l.linger)
		more, err := l.attempt(ctx)
		if ctx.Err() != nil {
			break
		}
		l.note(err)
		wait := l.every/2 + rand.N(max(l.every/2, 1))
		switch {
		case err != nil:
			failures++
			wait = backoff(failures)
			l.log.WarnContext(ctx, "pass failed", "error", err, "failures", failures, "retry_in", wait)
		case more:
			failures = 0
			continue
		default:
			failures = 0
		}
		l.sleep(ctx, wait, l.wake)
		l.sleep(ctx, time.Until(rested), nil)
	}
	return nil //nolint:nilerr // a pass that its context's end cut short did not fail
}

// attempt makes one pass; a panic is a failure like any other.
func (l *loop) attempt(ctx context.Context) (more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, passDeadline)
	defer cancel()
	defer func() {
		if said := recover(); said != nil {
			err = fmt.Errorf("panic: %v\n%s", said, debug.Stack())
		}
	}()
	return l.pass(ctx)
}

// backoff grows from 100 ms to 30 s, with jitter.
func backoff(failures int) time.Duration {
	full := min(100*time.Millisecond<<min(failures, 12), 30*time.Second)
	return full/2 + rand.N(full/2)
}

func (l *loop) sleep(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-wake:
	case <-ctx.Done():
	}
}

// Wake makes the next pass begin now. It never blocks; waking a loop at work makes it look again.
func (l *loop) Wake() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *loop) note(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.status.Failures++
		l.status.LastError = err.Error()
		return
	}
	l.status.Failures, l.status.LastError, l.status.LastGood = 0, "", time.Now().UTC()
}

// detail sets one of the loop's own words about itself.
func (l *loop) detail(name string, value any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status.Detail[name] = value
}

func (l *loop) halted(is bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status.Halted = is
}

// Status of the loop as of its last pass.
func (l *loop) Status() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.status
	s.Detail = make(map[string]any, len(l.status.Detail))
	for k, v := range l.status.Detail {
		s.Detail[k] = v
	}
	return s
}

// each does one thing for everything of a round: what goes wrong with one must not keep the others
// waiting.
func each[T any](all []T, do func(T) error) error {
	var problems []error
	for _, one := range all {
		problems = append(problems, do(one))
	}
	return errors.Join(problems...)
}

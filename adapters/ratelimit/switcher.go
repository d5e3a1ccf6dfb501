package ratelimit

import (
	"sync"
	"time"
)

const (
	// failuresToOpen in a row, and Redis is left alone for a while.
	failuresToOpen = 3
	firstRest      = time.Second
	longestRest    = 15 * time.Second
)

// switcher keeps requests from waiting for a Redis that does not answer: after three failures
// in a row it is left alone, for a second at first and up to fifteen; then one request tries.
type switcher struct {
	Options
	name string

	mu       sync.Mutex
	failures int
	rest     time.Duration
	until    time.Time // Redis is left alone until then; zero while it answers
	trying   bool
}

// admits reports whether Redis may be asked now.
func (s *switcher) admits(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.until.IsZero():
		return true
	case s.trying || now.Before(s.until):
		return false
	}
	s.trying = true
	return true
}

// open reports whether Redis is known not to answer.
func (s *switcher) open() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.until.IsZero()
}

// learn takes the outcome of a question that was admitted.
func (s *switcher) learn(err error, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trying = false
	if err == nil {
		if !s.until.IsZero() {
			s.Log.Info("Redis answers again", "for", s.name)
		}
		s.failures, s.rest, s.until = 0, 0, time.Time{}
		return
	}
	if s.failures++; s.failures < failuresToOpen {
		return
	}
	if s.until.IsZero() {
		s.Log.Warn("Redis does not answer; this process counts alone and allows less", "for", s.name, "error", err)
	}
	s.rest = min(max(firstRest, 2*s.rest), longestRest)
	s.until = now.Add(s.rest)
}

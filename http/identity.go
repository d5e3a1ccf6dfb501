package http

import (
	"context"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"holdfast/domain"
)

// identify finds out who calls. A token on a public route is not looked at, but where the
// route greets.
func (s *Server) identify(c *call, r *Route) error {
	header := c.echo.Request().Header.Get("Authorization")
	if r.Public() && (!r.Greets || header == "") {
		return nil
	}
	scheme, token, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return errUnauthenticated
	}
	known, err := s.tokens.check(strings.TrimSpace(token))
	if err != nil {
		return err
	}
	session, err := s.sessions.live(c.echo.Request().Context(), known.session)
	if err != nil {
		return err
	}
	if session.User != known.user {
		return errInvalidToken
	}
	c.session = session
	return nil
}

// liveSessions asks for a session's state at most once in a few seconds: a revocation or a
// new role takes effect within freshFor, and the hot path makes no round trip.
type liveSessions struct {
	source   Sessions
	freshFor time.Duration
	asking   singleflight.Group

	mu    sync.RWMutex
	known map[string]liveSession
	turn  int // counts what was forgotten: an answer from before may be out of date
}

type liveSession struct {
	Session
	ok    bool
	until time.Time
}

const maxLiveSessions = 16384

func newLiveSessions(source Sessions, freshFor time.Duration) *liveSessions {
	return &liveSessions{source: source, freshFor: freshFor, known: map[string]liveSession{}}
}

func (l *liveSessions) live(ctx context.Context, id string) (Session, error) {
	l.mu.RLock()
	s, ok := l.known[id]
	l.mu.RUnlock()
	if !ok || time.Now().After(s.until) {
		// One question for all who wait; it outlives the first caller's connection.
		v, err, _ := l.asking.Do(id, func() (any, error) {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
			defer cancel()
			for {
				turn := l.now()
				session, ok, err := l.source.Live(ctx, id)
				if err != nil {
					return nil, err
				}
				s := liveSession{Session: session, ok: ok, until: time.Now().Add(l.freshFor)}
				if l.keep(id, s, turn) {
					return s, nil
				}
			}
		})
		if err != nil {
			return Session{}, err
		}
		s = v.(liveSession)
	}
	if !s.ok {
		return Session{}, errSessionRevoked
	}
	return s.Session, nil
}

func (l *liveSessions) now() int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.turn
}

// keep remembers an answer, unless something was forgotten while it was on its way.
func (l *liveSessions) keep(id string, s liveSession, turn int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.turn != turn {
		return false
	}
	if len(l.known) >= maxLiveSessions {
		clear(l.known)
	}
	l.known[id] = s
	return true
}

// ForgetSessions makes this process ask again for a user's sessions, or everybody's when the user
// is empty: another process has changed them.
func (s *Server) ForgetSessions(u domain.UserID) { s.sessions.forgetUser(u) }

// forgetUser makes this process ask again for every session of a user; empty means everybody's.
func (l *liveSessions) forgetUser(u domain.UserID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn++
	for id, s := range l.known {
		if u == "" || s.User == u {
			delete(l.known, id)
		}
	}
}

// forget makes this process ask again: after a logout through it.
func (l *liveSessions) forget(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn++
	delete(l.known, id)
}

package http

import (
	"context"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"holdfast/domain"
	"holdfast/domain/apikey"
)

// identify finds out who calls. A token on a public route is not looked at, but where the
// route greets.
func (s *Server) identify(c *call, r *Route) error {
	header := c.echo.Request().Header.Get("Authorization")
	cookie := cookieOf(c.echo.Request(), accessCookie)
	if r.Public() && (!r.Greets || header == "" && cookie == "") {
		return nil
	}
	scheme, token, ok := strings.Cut(header, " ")
	switch {
	case header == "" && cookie != "":
		token, c.byCookie = cookie, true
	case !ok || !strings.EqualFold(scheme, "Bearer"):
		return errUnauthenticated
	}
	token = strings.TrimSpace(token)
	if apikey.IsToken(token) && !c.byCookie {
		return s.identifyKey(c, token)
	}
	known, err := s.tokens.check(token)
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
	// changes counts what was forgotten: an answer that was under way meanwhile is not kept.
	changes uint64
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
	changes := l.changes
	l.mu.RUnlock()
	if !ok || time.Now().After(s.until) {
		// One question for all who wait; it outlives the first caller's connection.
		v, err, _ := l.asking.Do(id, func() (any, error) {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
			defer cancel()
			session, ok, err := l.source.Live(ctx, id)
			if err != nil {
				return nil, err
			}
			s := liveSession{Session: session, ok: ok, until: time.Now().Add(l.freshFor)}
			l.keep(id, s, changes)
			return s, nil
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

func (l *liveSessions) keep(id string, s liveSession, changes uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.changes != changes {
		return
	}
	if len(l.known) >= maxLiveSessions {
		clear(l.known)
	}
	l.known[id] = s
}

// forget makes this process ask again about one session.
func (l *liveSessions) forget(id string) { l.drop(func() { delete(l.known, id) }, id) }

// forgetUser makes this process ask again about every session of a user.
func (l *liveSessions) forgetUser(u domain.UserID) {
	l.drop(func() {
		for id, s := range l.known {
			if s.User == u {
				delete(l.known, id)
			}
		}
	})
}

// forgetAll makes this process ask again about everybody.
func (l *liveSessions) forgetAll() { l.drop(func() { clear(l.known) }) }

// drop forgets, and has nobody wait for an answer that was asked for before.
func (l *liveSessions) drop(from func(), ids ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changes++
	from()
	for _, id := range ids {
		l.asking.Forget(id)
	}
}

package http

import (
	"context"
	"strings"
	"time"

	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/eventstore"
)

// openSession is where signing in ends, by whichever method: it looks whether the person may,
// begins the session and answers with its tokens.
func (s *Server) openSession(ctx context.Context, c *call, u User, method string) (reply, error) {
	switch u.Status {
	case StatusActive:
	case StatusSuspended:
		return reply{}, account.ErrSuspended
	default: // erased: nobody is there
		return reply{}, errInvalidCredentials
	}
	if err := s.returned(ctx, c, u); err != nil {
		return reply{}, err
	}
	opened, err := s.deps.Sessions.Open(ctx, NewSession{
		User: u.ID, Method: method, Lives: s.config.RefreshTTL,
		UserAgent: clip(c.echo.Request().UserAgent(), 256), Address: c.echo.RealIP(),
	})
	if err != nil {
		return reply{}, err
	}
	if opened.NewDevice && u.Email != "" && u.Verified {
		s.notify(ctx, Mail{To: u.ID, Address: u.Email, Template: "new-sign-in", Key: "new-sign-in:" + opened.ID, Vars: map[string]string{
			"name": u.Name, "method": method, "when": mailTime(time.Now()), "address": c.echo.RealIP(), "device": clip(c.echo.Request().UserAgent(), 256),
		}})
	}
	return s.signedIn(u, opened.ID, opened.Refresh)
}

func (s *Server) signedIn(u User, session, refresh string) (reply, error) {
	access, err := s.tokens.sign(u.ID, session, time.Now())
	if err != nil {
		return reply{}, err
	}
	if !strings.HasPrefix(refresh, refreshPrefix) {
		refresh = refreshPrefix + refresh
	}
	return reply{data: SignedIn{
		AccessToken: access, RefreshToken: refresh,
		ExpiresIn: int(s.config.AccessTTL / time.Second), User: person(u),
	}}, nil
}

// clip cuts text to so many bytes of valid UTF-8 without control characters.
func clip(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "")
	}
	return text
}

// endReused ends a session whose refresh token came twice: two parties hold it, and nobody
// knows which of them is the owner.
func (s *Server) endReused(ctx context.Context, c *call, reused Session) error {
	err := s.revoke(ctx, c, domain.Machine(domain.Process, "refresh"), reused.User, account.RevokeSessions{Cause: account.Reuse, Session: reused.ID})
	if err != nil {
		return err
	}
	s.sessions.forgetUser(reused.User)
	return errRefreshReused
}

// revoke ends sessions together with the event that says so.
func (s *Server) revoke(ctx context.Context, c *call, by domain.Actor, u domain.UserID, cmd account.RevokeSessions) error {
	cmd.Issue = c.issue()
	cmd.By = by
	meta := c.metadata()
	meta.Actor = by
	_, err := s.deps.Executor.ExecuteWith(ctx, meta, nil,
		func() []eventstore.Row { return s.deps.Accounts.SessionsRevoked(u, cmd.Session, cmd.Keep) },
		func(unit *domain.Unit) (any, error) {
			_, err := domain.Do(unit, account.Decider, string(u), cmd)
			return Nothing{}, err
		})
	return err
}

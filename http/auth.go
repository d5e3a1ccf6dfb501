package http

import (
	"context"
	"strings"

	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/domain/fault"
)

// refreshPrefix marks refresh tokens, so that one used as an access token is told apart
// from garbage.
const refreshPrefix = "hfr_"

// Refusals of signing in.
var (
	errInvalidCredentials = fault.New(fault.Unauthenticated, "INVALID_CREDENTIALS", "the e-mail address or the password is wrong")
	errRefreshInvalid     = fault.New(fault.Unauthenticated, "REFRESH_INVALID", "the refresh token is not valid")
	errRefreshReused      = fault.New(fault.Unauthenticated, "REFRESH_REUSED", "the refresh token was used before; the login was ended, sign in again")
)

// Person is a user as the user sees it; nothing of it is secret.
type Person struct {
	ID    domain.UserID     `json:"id"`
	Email string            `json:"email"`
	Name  string            `json:"name"`
	Roles []domain.Capacity `json:"roles"`
}

// SignedIn is a pair of tokens and whose they are.
type SignedIn struct {
	AccessToken  string `json:"accessToken,omitempty" doc:"Missing when the session is kept in cookies (X-Session: cookie)"`
	RefreshToken string `json:"refreshToken,omitempty"`
	ExpiresIn    int    `json:"expiresIn" doc:"Seconds until the access token expires"`
	User         Person `json:"user"`
}

type loginInput struct {
	Body struct {
		Email    string `json:"email" format:"email" maxLength:"254"`
		Password string `json:"password" minLength:"1" maxLength:"1024"`
	}
}

func (s *Server) login(ctx context.Context, c *call, in *loginInput) (reply, error) {
	u, ok, err := s.deps.Users.ByEmail(ctx, strings.ToLower(strings.TrimSpace(in.Body.Email)))
	if err != nil {
		return reply{}, err
	}
	if !ok {
		u = User{} // an empty hash is compared with a dummy: unknown users take as long
	}
	match, err := s.deps.Users.Verify(ctx, u.Password, in.Body.Password)
	if err != nil {
		return reply{}, err
	}
	if !ok || !match {
		return reply{}, errInvalidCredentials
	}
	return s.openSession(ctx, c, u, string(account.Password))
}

func person(u User) Person { return Person{ID: u.ID, Email: u.Email, Name: u.Name, Roles: u.Roles} }

type refreshInput struct {
	Body struct {
		RefreshToken string `json:"refreshToken,omitempty" maxLength:"4096" doc:"Left out when it is in a cookie"`
	}
}

func (s *Server) refresh(ctx context.Context, c *call, in *refreshInput) (reply, error) {
	given, err := s.refreshToken(c, in.Body.RefreshToken)
	if err != nil {
		return reply{}, err
	}
	token, ok := strings.CutPrefix(given, refreshPrefix)
	if !ok {
		if strings.Count(token, ".") == 2 {
			return reply{}, errWrongTokenType
		}
		return reply{}, errRefreshInvalid
	}
	done, err := s.deps.Sessions.Rotate(ctx, token, nil, s.config.RefreshTTL)
	if err != nil {
		return reply{}, err
	}
	if done.Reused {
		return reply{}, s.endReused(ctx, c, done.Session)
	}
	u, ok, err := s.deps.Users.ByID(ctx, done.Session.User)
	if err != nil {
		return reply{}, err
	}
	if !ok || !u.Active() {
		return reply{}, errSessionRevoked
	}
	return s.signedIn(u, done.Session.ID, done.Next)
}

// Nothing is the data of a command that has nothing to tell.
type Nothing struct{}

func (s *Server) logout(ctx context.Context, c *call, _ *struct{}) (reply, error) {
	if err := s.deps.Sessions.Close(ctx, c.session.ID); err != nil {
		return reply{}, err
	}
	s.sessions.forget(c.session.ID)
	s.dropCookies(c)
	return reply{data: Nothing{}}, nil
}

func (s *Server) logoutAll(ctx context.Context, c *call, _ *struct{}) (reply, error) {
	if err := s.revoke(ctx, c, c.actor(), c.user(), account.RevokeSessions{Cause: account.LogoutAll}); err != nil {
		return reply{}, err
	}
	s.sessions.forgetUser(c.user())
	s.dropCookies(c)
	return reply{data: Nothing{}}, nil
}

func (s *Server) me(ctx context.Context, c *call, _ *struct{}) (reply, error) {
	u, ok, err := s.deps.Users.ByID(ctx, c.user())
	if err != nil {
		return reply{}, err
	}
	if !ok {
		return reply{}, errSessionRevoked
	}
	u.Roles = c.session.Roles
	return reply{data: person(u)}, nil
}

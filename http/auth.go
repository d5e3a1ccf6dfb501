package http

import (
	"context"
	"crypto/sha256"
	"strings"
	"time"

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
	errRefreshReused      = fault.New(fault.Unauthenticated, "REFRESH_REUSED", "the refresh token was used before; the login was ended, sign in again")
)

// Person is a user as the user sees it; nothing of it is secret.
type Person struct {
	ID            domain.UserID     `json:"id"`
	Email         string            `json:"email"`
	EmailVerified bool              `json:"emailVerified"`
	Name          string            `json:"name"`
	Roles         []domain.Capacity `json:"roles"`
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

// lockoutKey names an account for the lock-out, whether it exists or not.
func lockoutKey(h KeyedHashes, email string) string { return h.Of("lockout", CanonicalEmail(email)) }

// login goes the same way for an address that nobody has: one look, one hash, one failure counted.
func (s *Server) login(ctx context.Context, c *call, in *loginInput) (reply, error) {
	u, ok, err := s.deps.Users.ByEmail(ctx, in.Body.Email)
	if err != nil {
		return reply{}, err
	}
	if !ok {
		u = User{Email: in.Body.Email} // no hash: it is compared with a dummy
	}
	if err := s.prove(ctx, u, in.Body.Password); err != nil {
		return reply{}, err
	}
	if !u.Verified && u.Active() {
		return reply{}, errEmailUnverified
	}
	return s.openSession(ctx, c, u, string(account.Password))
}

// prove checks a person's password. Failures are counted by the address, and lock it; the lock is
// looked at first, so that a wave of guesses costs no hashes.
func (s *Server) prove(ctx context.Context, u User, password string) error {
	key := lockoutKey(s.deps.Hashes, u.Email)
	if until, locked := s.lockouts.Locked(ctx, key); locked {
		return errAccountLocked.Retry(int(time.Until(until)/time.Second) + 1)
	}
	match, err := s.deps.Users.Verify(ctx, u.Password, password)
	if err != nil {
		return err
	}
	// Many guesses may have waited for their turn together: what came after the lock does not count.
	if until, locked := s.lockouts.Locked(ctx, key); locked {
		return errAccountLocked.Retry(int(time.Until(until)/time.Second) + 1)
	}
	if !match {
		s.lockouts.Failed(ctx, key)
		return errInvalidCredentials
	}
	s.lockouts.Clear(ctx, key)
	if err := s.deps.Users.Rehash(ctx, u.ID, u.Password, password); err != nil {
		s.log.Warn("an old password hash was not replaced", "user", u.ID, "error", err)
	}
	return nil
}

func person(u User) Person {
	return Person{ID: u.ID, Email: u.Email, EmailVerified: u.Verified, Name: u.Name, Roles: u.Roles}
}

type refreshInput struct {
	Body struct {
		RefreshToken string `json:"refreshToken,omitempty" maxLength:"4096" doc:"Left out when it is in a cookie"`
	}
}

// refresh trades a refresh token for the next pair. The Idempotency-Key, when there is one, names
// the attempt: sent again because its answer was lost, it gets an equivalent pair for a short
// while. Without it, or with another one, the same token twice is taken for theft.
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
		return reply{}, errInvalidToken
	}
	var attempt []byte
	if c.key != nil {
		sum := sha256.Sum256([]byte(c.key.Key))
		attempt, c.key = sum[:], nil // the answer is not remembered: it would hold the tokens
	}
	done, err := s.deps.Sessions.Rotate(ctx, token, attempt, s.config.RefreshTTL)
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

type logoutInput struct {
	Body *struct {
		RefreshToken string `json:"refreshToken,omitempty" maxLength:"4096"`
	}
}

// logout ends this session, and the one that a given refresh token of the same user belongs to.
func (s *Server) logout(ctx context.Context, c *call, in *logoutInput) (reply, error) {
	if in.Body != nil {
		if token, ok := strings.CutPrefix(in.Body.RefreshToken, refreshPrefix); ok {
			if err := s.deps.Sessions.CloseOf(ctx, c.user(), token); err != nil {
				return reply{}, err
			}
		}
	}
	if err := s.deps.Sessions.Close(ctx, c.session.ID); err != nil {
		return reply{}, err
	}
	s.sessions.forgetUser(c.user())
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

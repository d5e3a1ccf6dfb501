package http

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/domain/fault"
	"holdfast/eventstore"
)

// Refusals of signing in by other means than a password.
var (
	errLinkRequired = fault.New(fault.Forbidden, "LINK_REQUIRED", "nobody signs in with this yet: sign in another way and link it")
	errLastMethod   = fault.New(fault.Conflict, "LAST_LOGIN_METHOD", "this is the last means of signing in; add another one first")
)

// challengeLives is how long somebody has to answer.
const challengeLives = 5 * time.Minute

// draw makes a secret that nobody guesses: 32 bytes in 43 characters of A–Z a–z 0–9 - _.
func draw() (string, error) {
	b := make([]byte, 32)
	if _, err := rand.Read(b); err != nil {
		return "", fmt.Errorf("draw a secret: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// keep remembers a challenge with what belongs to it.
func (s *Server) keep(ctx context.Context, purpose, secret string, u domain.UserID, data any, lives time.Duration) error {
	raw, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("encode a challenge: %w", err)
	}
	return s.deps.SignIn.Challenges.Keep(ctx, purpose, secret, Challenge{User: u, Data: raw}, lives)
}

// signedInBy opens a session for whoever a subject is linked to; LINK_REQUIRED for nobody.
func (s *Server) signedInBy(ctx context.Context, c *call, method account.Method, subject string) (reply, error) {
	id, ok, err := s.deps.SignIn.Methods.Use(ctx, string(method), subject)
	if err != nil {
		return reply{}, err
	}
	if !ok {
		return reply{}, errLinkRequired
	}
	return s.openFor(ctx, c, id, method)
}

func (s *Server) openFor(ctx context.Context, c *call, id domain.UserID, method account.Method) (reply, error) {
	u, ok, err := s.deps.Users.ByID(ctx, id)
	if err != nil {
		return reply{}, err
	}
	if !ok {
		return reply{}, errLinkRequired
	}
	return s.openSession(ctx, c, u, string(method))
}

// signIn names a means of signing in without saying what it is.
func (s *Server) signIn(method account.Method, subject string) account.SignIn {
	return account.SignIn{Method: method, Key: s.deps.Hashes.Of(string(method), subject)}
}

// link adds a means of signing in, with its rows, in one transaction, and answers. A repeat changes
// nothing. Who has only stolen a token must not keep a door for ever: REAUTH_REQUIRED.
func (s *Server) link(ctx context.Context, c *call, u domain.UserID, method account.Method, subject string, rows []eventstore.Row, answer any) (reply, error) {
	if err := s.recentSignIn(c); err != nil {
		return reply{}, err
	}
	return s.answerOnAccount(ctx, c, c.actor(), u, answer, rows, account.LinkSignIn{Issue: c.issue(), SignIn: s.signIn(method, subject)})
}

// unlink takes one away: LAST_LOGIN_METHOD when nothing else is left.
func (s *Server) unlink(ctx context.Context, c *call, u domain.UserID, method account.Method, subject string, rows []eventstore.Row) (reply, error) {
	if err := s.recentSignIn(c); err != nil {
		return reply{}, err
	}
	done, err := s.onAccount(ctx, c, c.actor(), u, rows, account.UnlinkSignIn{Issue: c.issue(), SignIn: s.signIn(method, subject)})
	if f, ok := fault.From(err); ok && f.Code == account.ErrLastSignIn.Code {
		err = errLastMethod
	}
	return done, err
}

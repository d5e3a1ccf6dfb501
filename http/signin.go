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
	done, err := s.answerOnAccount(ctx, c, c.actor(), u, answer, rows, account.LinkSignIn{Issue: c.issue(), SignIn: s.signIn(method, subject)})
	if err == nil {
		s.methodChanged(ctx, c, u, method, "method-linked", done)
	}
	return done, err
}

// methodChanged tells the owner what signs in to the account now or not any more: they may not have been
// the one who did it. A repeat, which changed nothing, is no news.
func (s *Server) methodChanged(ctx context.Context, c *call, id domain.UserID, method account.Method, template string, done reply) {
	if done.replayed || done.meta.Position == 0 {
		return
	}
	u, ok, err := s.deps.Users.ByID(ctx, id)
	if err != nil {
		s.log.Error("the owner was not told of a means of signing in", "user", id, "template", template, "error", err)
	}
	if !ok || u.Email == "" || !u.Verified {
		return
	}
	s.notify(ctx, Mail{To: u.ID, Address: u.Email, Template: template, Key: template + ":" + c.id, Vars: map[string]string{
		"name": u.Name, "method": MethodWord(method), "when": mailTime(time.Now()), "address": c.echo.RealIP(),
	}})
}

// MethodWord is a means of signing in as a sentence begins with it.
func MethodWord(method account.Method) string {
	switch method {
	case account.Google:
		return "Google"
	case account.Telegram:
		return "Telegram"
	case account.Wallet:
		return "A wallet"
	case account.Passkey:
		return "A passkey"
	}
	return string(method)
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
	if err == nil {
		s.methodChanged(ctx, c, u, method, "method-unlinked", done)
	}
	return done, err
}

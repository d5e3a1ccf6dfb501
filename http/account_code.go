package http

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"math/big"
	"net/url"
	"strconv"
	"strings"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/eventstore"
)

// Refusals of a code. They are the same for an address that nobody has.
var (
	errCodeInvalid = fault.New(fault.Rule, "CODE_INVALID", "the code is not valid; ask for a new one")
	errCodeExpired = fault.New(fault.Rule, "CODE_EXPIRED", "the code has expired; ask for a new one")
)

// codePurpose is what a code is good for. template is the mail it travels in, page the frontend's
// page that takes it.
type codePurpose struct {
	name, template, page string
	lives                time.Duration
}

var (
	verifyEmailCode   = codePurpose{"verify-email", "verify-email", "verify-email", 24 * time.Hour}
	resetPasswordCode = codePurpose{"reset-password", "reset-password", "reset-password", 15 * time.Minute}
	changeEmailCode   = codePurpose{"change-email", "verify-email", "change-email", 30 * time.Minute}
)

// codeLimits bound the codes of a purpose that are sent to a person, and the guesses at them; whoever
// asks for more gets the same answer and no mail, whoever guesses more CODE_INVALID. One network
// address has less than there is, so that a stranger leaves the owner some.
var codeLimits = CodeLimits{Hour: 5, Day: 15, Tries: 30, AskerHour: 3, AskerDay: 6, AskerTries: 15}

// sendCode draws a code and mails it. sent is false when the person was sent enough already.
func (s *Server) sendCode(ctx context.Context, c *call, p codePurpose, u domain.UserID, name, email string) (sent bool, err error) {
	if s.deps.Mailer == nil || s.deps.AccountCodes == nil {
		return false, errNotConfigured
	}
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return false, fmt.Errorf("draw a code: %w", err)
	}
	code := fmt.Sprintf("%06d", n)
	hash := s.codeHash(p, u, code)
	put := NewCode{User: u, Purpose: p.name, Hash: hash, Email: email, Lives: p.lives, Asker: s.asker(c)}
	if ok, err := s.deps.AccountCodes.Put(ctx, put, codeLimits); err != nil || !ok {
		return false, err
	}
	err = s.deps.Mailer.Send(ctx, Mail{
		To: u, Address: email, Template: p.template, Key: p.name + ":" + hash,
		Vars: map[string]string{"name": name, "code": code, "link": s.codeLink(p, email, code), "minutes": strconv.Itoa(int(p.lives / time.Minute))},
	})
	return err == nil, err
}

// asker names the network address of a request without holding it.
func (s *Server) asker(c *call) string {
	return s.deps.Hashes.Of("asker", neighbourhood(c.echo.RealIP()))
}

func (s *Server) codeHash(p codePurpose, u domain.UserID, code string) string {
	return s.deps.Hashes.Of("code:"+p.name, string(u)+"\x00"+code)
}

// codeLink leads to the frontend as it is configured, never to what a request calls itself. What
// is secret stands behind the #, which browsers send to nobody.
func (s *Server) codeLink(p codePurpose, email, code string) string {
	secret := url.Values{"email": {email}, "code": {code}}
	return strings.TrimSuffix(s.config.FrontendURL, "/") + "/auth/" + p.page + "#" + secret.Encode()
}

// redeemOwn is redeem for a code that went to the person's own address: one that went to an address
// they have left since proves nothing about them.
func (s *Server) redeemOwn(ctx context.Context, by *call, p codePurpose, u User, typed string) ([]eventstore.Row, error) {
	c, used, err := s.redeem(ctx, by, p, u.ID, typed)
	if err == nil && c.Email != u.Email {
		err = errCodeInvalid
	}
	return used, err
}

// redeem finds the code that was sent to a person and compares it; the rows it gives use it up
// together with the command that it was for.
func (s *Server) redeem(ctx context.Context, by *call, p codePurpose, u domain.UserID, typed string) (AccountCode, []eventstore.Row, error) {
	if s.deps.AccountCodes == nil {
		return AccountCode{}, nil, errNotConfigured
	}
	c, ok, err := s.deps.AccountCodes.Try(ctx, u, p.name, s.asker(by), codeLimits)
	switch {
	case err != nil:
		return AccountCode{}, nil, err
	case !ok || subtle.ConstantTimeCompare([]byte(c.Hash), []byte(s.codeHash(p, u, typed))) != 1:
		return AccountCode{}, nil, errCodeInvalid
	case c.Expired:
		return AccountCode{}, nil, errCodeExpired
	}
	return c, s.deps.AccountCodes.Used(u, p.name, c.ID), nil
}

// mailTime writes a moment for people.
func mailTime(at time.Time) string { return at.UTC().Format("2 January 2006, 15:04 UTC") }

// notify puts a message about the account into the outbox. What it tells of has happened: that it
// cannot be told is no reason to refuse.
func (s *Server) notify(ctx context.Context, m Mail) {
	if s.deps.Mailer == nil || (m.Address == "" && m.To == "") {
		return
	}
	if err := s.deps.Mailer.Send(ctx, m); err != nil {
		s.log.Error("a message about an account was not queued", "template", m.Template, "user", m.To, "error", err)
	}
}

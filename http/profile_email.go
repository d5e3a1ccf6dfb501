package http

import (
	"context"
	"time"

	"holdfast/domain/account"
	"holdfast/domain/fault"
)

var errReauthRequired = fault.New(fault.Forbidden, "REAUTH_REQUIRED", "sign in again first: your last sign-in is too long ago for this")

// recentSignIn demands a sign-in (not a renewed token) within ReauthAfter.
func (s *Server) recentSignIn(c *call) error {
	if time.Since(c.session.SignedInAt) > s.config.ReauthAfter {
		return errReauthRequired
	}
	return nil
}

// changeEmail sends a code to the new address. Nothing changes before it comes back.
func (s *Server) changeEmail(ctx context.Context, c *call, in *emailInput) (reply, error) {
	if err := s.recentSignIn(c); err != nil {
		return reply{}, err
	}
	email, err := cleanEmail(in.Body.Email)
	if err != nil {
		return reply{}, err
	}
	holder, held, err := s.deps.Users.EmailHeld(ctx, account.EmailClaim(EmailKey(s.deps.Hashes, email)))
	switch {
	case err != nil:
		return reply{}, err
	case held && holder != c.user():
		return reply{}, account.ErrEmailInUse
	}
	u, _, err := s.deps.Users.ByID(ctx, c.user())
	if err != nil {
		return reply{}, err
	}
	if _, err := s.sendCode(ctx, c, changeEmailCode, c.user(), u.Name, email); err != nil {
		return reply{}, err
	}
	return reply{data: Nothing{}}, nil
}

type codeInput struct {
	Body struct {
		Code string `json:"code" pattern:"^[0-9]{6}$"`
	}
}

// confirmEmail puts the address that the code was sent to in the place of the one before, and
// tells the one before.
func (s *Server) confirmEmail(ctx context.Context, c *call, in *codeInput) (reply, error) {
	if err := s.recentSignIn(c); err != nil {
		return reply{}, err
	}
	before, ok, err := s.deps.Users.ByID(ctx, c.user())
	switch {
	case err != nil:
		return reply{}, err
	case !ok:
		return reply{}, errSessionRevoked
	}
	code, used, err := s.redeem(ctx, c, changeEmailCode, c.user(), in.Body.Code)
	if err != nil {
		return reply{}, err
	}
	rows := append(used, s.deps.Accounts.EmailChanged(c.user(), code.Email)...)
	done, err := s.onAccount(ctx, c, c.actor(), c.user(), rows,
		account.ChangeEmail{Issue: c.issue(), Email: code.Email, EmailKey: EmailKey(s.deps.Hashes, code.Email)})
	if err != nil {
		return done, err
	}
	if before.Email != "" {
		s.notify(ctx, Mail{To: before.ID, Address: before.Email, Template: "email-changed", Key: "email-changed:" + code.ID, Vars: map[string]string{"name": before.Name, "when": mailTime(time.Now())}})
	}
	done.data = Verified{Verified: true}
	return done, nil
}

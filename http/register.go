package http

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/domain/fault"
	"holdfast/eventstore"
)

var (
	errReferralUnknown = fault.New(fault.Rule, "REFERRAL_UNKNOWN", "nobody has this referral code")
	errEmailUnverified = fault.New(fault.Forbidden, "EMAIL_UNVERIFIED", "enter the code that was sent to your e-mail address first")
)

type newAccountInput struct {
	Body struct {
		Email        string          `json:"email" format:"email" maxLength:"254"`
		Password     string          `json:"password" doc:"8 characters to 1024 bytes, not one of the commonest"`
		Name         string          `json:"name" minLength:"1" maxLength:"100"`
		Role         domain.Capacity `json:"role,omitempty" enum:"buyer,seller" default:"buyer"`
		ReferralCode string          `json:"referralCode,omitempty" maxLength:"64"`
	}
}

// Registered is a new account.
type Registered struct {
	User             Person `json:"user"`
	VerificationSent bool   `json:"verificationSent" doc:"A code is on its way to the address"`
}

// register hashes before it looks who has the address: an address in use takes as long.
func (s *Server) register(ctx context.Context, c *call, in *newAccountInput) (reply, error) {
	if s.deps.Mailer == nil || s.deps.AccountCodes == nil {
		return reply{}, errNotConfigured // an account that cannot be verified cannot be used
	}
	b := in.Body
	email, err := cleanEmail(b.Email)
	if err != nil {
		return reply{}, err
	}
	if err := checkPassword("password", b.Password, email); err != nil {
		return reply{}, err
	}
	name := strings.TrimSpace(b.Name)
	switch {
	case name == "":
		return reply{}, fault.ErrValidation.At("name", "only spaces")
	case b.ReferralCode != "":
		return reply{}, errReferralUnknown
	}
	key := EmailKey(s.deps.Hashes, email)
	s.secretKey(c, "email:"+key)
	u := User{ID: domain.UserID(uuid.NewString()), Email: email, Name: name, Roles: []domain.Capacity{b.Role}, Status: StatusActive}
	if u.Password, err = s.deps.Users.Hash(ctx, b.Password); err != nil {
		return reply{}, err
	}
	by := domain.User(u.ID)
	cmd := account.Register{
		Issue: c.issueBy(by), User: u.ID, Email: email, EmailKey: key, Name: name, Roles: u.Roles, Method: account.Password, Password: true,
	}
	meta := c.metadata()
	meta.Actor = by
	c.decided = true
	done, err := s.deps.Executor.ExecuteWith(ctx, meta, c.key,
		func() []eventstore.Row { return s.deps.Accounts.Registered(u, string(account.Password)) },
		func(unit *domain.Unit) (any, error) {
			_, err := domain.Do(unit, account.Decider, string(u.ID), cmd)
			return Registered{User: person(u), VerificationSent: true}, err
		})
	if err != nil {
		return reply{}, err
	}
	if done.Replayed {
		c.echo.Response().Header().Set("Idempotent-Replayed", "true")
		return reply{data: done.Data, meta: Meta{Position: done.Position}, replayed: true}, nil
	}
	sent, err := s.sendCode(ctx, c, verifyEmailCode, u.ID, name, email)
	if err != nil { // the account is there; another code can be asked for
		s.log.Error("no code was sent to a new account", "user", u.ID, "error", err)
	}
	return reply{data: Registered{User: person(u), VerificationSent: sent}, meta: Meta{Position: done.Position}}, nil
}

// cleanEmail is the address as it is kept and written to.
func cleanEmail(typed string) (string, error) {
	email := strings.ToLower(strings.TrimSpace(typed))
	local, host, ok := cutLast(email, "@")
	if !ok || local == "" || host == "" || strings.ContainsAny(email, " \t\r\n<>\",;:\\") || strings.Contains(local, "@") {
		return "", fault.ErrValidation.At("email", "expected a plain address like ann@example.org")
	}
	return email, nil
}

type verifyEmailInput struct {
	Body struct {
		Email string `json:"email" format:"email" maxLength:"254"`
		Code  string `json:"code" pattern:"^[0-9]{6}$"`
	}
}

// Verified says that an address is the person's.
type Verified struct {
	Verified bool `json:"verified"`
}

func (s *Server) verifyEmail(ctx context.Context, c *call, in *verifyEmailInput) (reply, error) {
	u, ok, err := s.deps.Users.ByEmail(ctx, in.Body.Email)
	switch {
	case err != nil:
		return reply{}, err
	case !ok:
		return reply{}, errCodeInvalid
	}
	used, err := s.redeemOwn(ctx, c, verifyEmailCode, u, in.Body.Code)
	if err != nil {
		return reply{}, err
	}
	by := domain.User(u.ID)
	rows := append(s.deps.Accounts.EmailVerified(u.ID), used...)
	done, err := s.onAccount(ctx, c, by, u.ID, rows, account.VerifyEmail{Issue: c.issueBy(by), EmailKey: EmailKey(s.deps.Hashes, u.Email)})
	done.data = Verified{Verified: true}
	return done, err
}

type emailInput struct {
	Body struct {
		Email string `json:"email" format:"email" maxLength:"254"`
	}
}

// resendVerification answers the same whether or not there is anything to send.
func (s *Server) resendVerification(ctx context.Context, c *call, in *emailInput) (reply, error) {
	u, ok, err := s.deps.Users.ByEmail(ctx, in.Body.Email)
	if err != nil {
		return reply{}, err
	}
	if ok && u.Active() && !u.Verified {
		if _, err := s.sendCode(ctx, c, verifyEmailCode, u.ID, u.Name, u.Email); err != nil {
			return reply{}, err
		}
	}
	return reply{data: Nothing{}}, nil
}

package http

import (
	"context"
	"time"

	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/eventstore"
)

// forgotPassword answers the same for an address that nobody has, after the same time; a lock-out
// plays no part.
func (s *Server) forgotPassword(ctx context.Context, c *call, in *emailInput) (reply, error) {
	if s.deps.Mailer == nil || s.deps.AccountCodes == nil {
		return reply{}, errNotConfigured
	}
	u, ok, err := s.deps.Users.ByEmail(ctx, in.Body.Email)
	if err != nil {
		return reply{}, err
	}
	if ok && u.Active() {
		if _, err := s.sendCode(ctx, c, resetPasswordCode, u.ID, u.Name, u.Email); err != nil {
			return reply{}, err
		}
	}
	return reply{data: Nothing{}}, nil
}

type resetPasswordInput struct {
	Body struct {
		Email       string `json:"email" format:"email" maxLength:"254"`
		Code        string `json:"code" pattern:"^[0-9]{6}$"`
		NewPassword string `json:"newPassword"`
	}
}

// resetPassword ends every session. Whoever holds the code reads the address's mail, so the
// address is verified with it.
func (s *Server) resetPassword(ctx context.Context, c *call, in *resetPasswordInput) (reply, error) {
	b := in.Body
	if err := checkPassword("newPassword", b.NewPassword, b.Email); err != nil {
		return reply{}, err
	}
	key := EmailKey(s.deps.Hashes, b.Email)
	s.secretKey(c, "email:"+key)
	u, ok, err := s.deps.Users.ByEmail(ctx, b.Email)
	switch {
	case err != nil:
		return reply{}, err
	case !ok:
		return reply{}, errCodeInvalid
	}
	used, err := s.redeemOwn(ctx, c, resetPasswordCode, u, b.Code)
	if err != nil {
		return reply{}, err
	}
	hash, err := s.deps.Users.Hash(ctx, b.NewPassword)
	if err != nil {
		return reply{}, err
	}
	by := domain.User(u.ID)
	rows := append(used, s.passwordRows(u.ID, hash, "")...)
	commands := []domain.Command{account.SetPassword{Issue: c.issueBy(by), How: "reset"}}
	if !u.Verified {
		rows = append(rows, s.deps.Accounts.EmailVerified(u.ID)...)
		commands = append(commands, account.VerifyEmail{Issue: c.issueBy(by), EmailKey: EmailKey(s.deps.Hashes, u.Email)})
	}
	done, err := s.onAccount(ctx, c, by, u.ID, rows, commands...)
	if err != nil {
		return done, err
	}
	s.lockouts.Clear(ctx, lockoutKey(s.deps.Hashes, u.Email))
	s.passwordChanged(ctx, u, c)
	return done, nil
}

func (s *Server) passwordRows(u domain.UserID, hash, keep string) []eventstore.Row {
	return append(s.deps.Accounts.PasswordSet(u, hash), s.deps.Accounts.SessionsRevoked(u, "", keep)...)
}

// passwordChanged tells the owner, who may not have been the one who did it.
func (s *Server) passwordChanged(ctx context.Context, u User, c *call) {
	s.sessions.forgetUser(u.ID)
	s.notify(ctx, Mail{To: u.ID, Address: u.Email, Template: "password-changed", Key: "password-changed:" + c.id, Vars: map[string]string{"name": u.Name, "when": mailTime(time.Now())}})
}

type changePasswordInput struct {
	Body struct {
		CurrentPassword string `json:"currentPassword,omitempty" maxLength:"1024" doc:"Required of those who have a password"`
		NewPassword     string `json:"newPassword"`
	}
}

// changePassword ends the other sessions. A person who has no password yet sets one; they must
// have signed in lately.
func (s *Server) changePassword(ctx context.Context, c *call, in *changePasswordInput) (reply, error) {
	s.secretKey(c, "user:"+string(c.user()))
	u, ok, err := s.deps.Users.ByID(ctx, c.user())
	switch {
	case err != nil:
		return reply{}, err
	case !ok:
		return reply{}, errSessionRevoked
	}
	if err := checkPassword("newPassword", in.Body.NewPassword, u.Email); err != nil {
		return reply{}, err
	}
	how := "changed"
	if u.Password == "" {
		how = "set"
		if err := s.recentSignIn(c); err != nil {
			return reply{}, err
		}
	} else if err := s.prove(ctx, u, in.Body.CurrentPassword); err != nil {
		return reply{}, err
	}
	hash, err := s.deps.Users.Hash(ctx, in.Body.NewPassword)
	if err != nil {
		return reply{}, err
	}
	done, err := s.onAccount(ctx, c, c.actor(), u.ID, s.passwordRows(u.ID, hash, c.session.ID),
		account.SetPassword{Issue: c.issue(), How: how, Keep: c.session.ID})
	if err != nil {
		return done, err
	}
	s.passwordChanged(ctx, u, c)
	return done, nil
}

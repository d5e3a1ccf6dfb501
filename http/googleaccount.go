package http

import (
	"context"

	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/domain/fault"
	"holdfast/eventstore"
)

// admitIdentity ends a sign-in at a provider: the account that is linked is entered; a caller who is
// signed in links it; else an account is found by its address or begun.
func (s *Server) admitIdentity(ctx context.Context, c *call, who OpenIdentity) (reply, error) {
	c.key = nil // tokens are not kept with a key
	subject := googleSubject(who)
	if c.user() != "" {
		return s.linkIdentity(ctx, c, who, subject)
	}
	id, ok, err := s.deps.SignIn.Methods.Use(ctx, string(account.Google), subject)
	if err != nil {
		return reply{}, err
	}
	if !ok {
		if id, err = s.settleIdentity(ctx, c, who, subject); err != nil {
			return reply{}, err
		}
	}
	return s.openFor(ctx, c, id, account.Google)
}

func (s *Server) linkIdentity(ctx context.Context, c *call, who OpenIdentity, subject string) (reply, error) {
	if err := s.singleMethod(ctx, c.user(), account.Google, subject); err != nil {
		return reply{}, err
	}
	m := SignInMethod{Method: string(account.Google), Subject: subject, Label: who.Email}
	return s.link(ctx, c, c.user(), account.Google, subject, s.deps.SignIn.Methods.Linked(c.user(), m), LinkedMethod{Method: m.Method, Label: m.Label})
}

// singleMethod refuses a second account of a kind of which a person has one.
func (s *Server) singleMethod(ctx context.Context, u domain.UserID, method account.Method, subject string) error {
	all, err := s.deps.SignIn.Methods.OfUser(ctx, u)
	for _, m := range all {
		if m.Method == string(method) && m.Subject != subject {
			return account.ErrSignInInUse.Because("another %s account is linked already; unlink it first", method)
		}
	}
	return err
}

// settleIdentity links an identity that nobody has to the account of its address, or begins one.
// The address decides only where nobody can have taken it from its owner: the provider runs the
// mailbox, and the owner of the account here has proved it too.
func (s *Server) settleIdentity(ctx context.Context, c *call, who OpenIdentity, subject string) (domain.UserID, error) {
	if who.Email != "" {
		u, ok, err := s.deps.Users.ByEmail(ctx, who.Email)
		if err != nil {
			return "", err
		}
		if ok && (!who.Authoritative || !u.Verified || !u.Active()) {
			return "", account.ErrEmailInUse.Because("there is an account with this address: sign in to it another way and link the provider there")
		}
		if ok {
			return u.ID, s.linkFound(ctx, c, u.ID, who, subject)
		}
	}
	return s.begin(ctx, c, who, subject)
}

func (s *Server) linkFound(ctx context.Context, c *call, u domain.UserID, who OpenIdentity, subject string) error {
	if err := s.singleMethod(ctx, u, account.Google, subject); err != nil {
		return err
	}
	m := SignInMethod{Method: string(account.Google), Subject: subject, Label: who.Email}
	link := account.LinkSignIn{Issue: c.issue(), SignIn: s.signIn(account.Google, subject)}
	link.By = domain.Machine(domain.Process, "google")
	meta := c.metadata()
	meta.Actor = link.By
	result, err := s.deps.Executor.ExecuteWith(ctx, meta, nil, func() []eventstore.Row { return s.deps.SignIn.Methods.Linked(u, m) }, s.ours(func(unit *domain.Unit) (any, error) {
		_, err := domain.Do(unit, account.Decider, string(u), link)
		return Nothing{}, err
	}))
	if err == nil {
		s.methodChanged(ctx, c, u, account.Google, "method-linked", reply{meta: Meta{Position: result.Position}})
	}
	return err
}

// begin registers a buyer who has no password. Of two at once the second is told that the identity
// is in use; it is theirs, and the next try signs them in.
func (s *Server) begin(ctx context.Context, c *call, who OpenIdentity, subject string) (domain.UserID, error) {
	u := User{ID: domain.UserID(c.newID("user")), Email: who.Email, Name: clip(who.Name, 100), Roles: []domain.Capacity{domain.Buyer}, Status: StatusActive, Verified: who.Email != ""}
	if u.Name == "" {
		u.Name = "Buyer"
	}
	by := domain.User(u.ID, u.Roles...)
	issue := c.issue()
	issue.By = by
	register := account.Register{Issue: issue, User: u.ID, Email: u.Email, Verified: u.Verified, Name: u.Name, Roles: u.Roles, Method: account.Google}
	if u.Email != "" {
		register.EmailKey = EmailKey(s.deps.Hashes, u.Email)
	}
	m := SignInMethod{Method: string(account.Google), Subject: subject, Label: who.Email}
	meta := c.metadata()
	meta.Actor = by
	_, err := s.deps.Executor.ExecuteWith(ctx, meta, nil, func() []eventstore.Row {
		return append(s.deps.Accounts.Registered(u, string(account.Google)), s.deps.SignIn.Methods.Linked(u.ID, m)...)
	}, s.ours(func(unit *domain.Unit) (any, error) {
		if _, err := domain.Do(unit, account.Decider, string(u.ID), register); err != nil {
			return nil, err
		}
		_, err := domain.Do(unit, account.Decider, string(u.ID), account.LinkSignIn{Issue: issue, SignIn: s.signIn(account.Google, subject)})
		return Nothing{}, err
	}))
	if f, ok := fault.From(err); ok && f.Code == account.ErrEmailInUse.Code {
		err = account.ErrEmailInUse.Because("there is an account with this address, or one that looks the same: sign in to it another way and link the provider there")
	}
	return u.ID, err
}

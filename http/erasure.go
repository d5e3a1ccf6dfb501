package http

import (
	"context"
	"time"

	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/eventstore"
)

func erasureRoutes() []Route {
	return []Route{
		on[closeAccountInput, ErasureOut](Route{Method: "DELETE", Path: "/api/auth/account", Roles: Any, Class: Command, Rate: RateAuth, Status: 202, Views: openMatterViews, Summary: "Have one's account erased when the wait is over; signing in again takes it back", Errors: []string{"ACCOUNT_HAS_FUNDS", "INVALID_CREDENTIALS", "ACCOUNT_LOCKED", "REAUTH_REQUIRED", "LAST_ADMIN"}}, (*Server).closeAccount),
		on[eraseInput, ErasureOut](Route{Method: "POST", Path: "/api/admin/users/{id}/erase", Roles: admin, Class: Command, Rate: RateGeneral, Views: openMatterViews, Summary: "Erase a person: when the wait is over, or at once", Errors: []string{"USER_HAS_DEPENDENCIES", "LAST_ADMIN", "SELF_CHANGE"}}, (*Server).erasePerson),
	}
}

// ErasureOut says when a person is erased, or that they are.
type ErasureOut struct {
	Erased bool       `json:"erased"`
	Due    *time.Time `json:"due,omitempty"`
}

type closeAccountInput struct {
	Body struct {
		Password string `json:"password,omitempty" maxLength:"1024" doc:"Needed by who has one; others must have signed in lately"`
	}
}

// closeAccount asks for one's own erasure. It is refused while anything is open, because what
// is owed could not be paid to nobody.
func (s *Server) closeAccount(ctx context.Context, c *call, in *closeAccountInput) (reply, error) {
	if s.deps.People.Erasures == nil || s.deps.People.Dependencies == nil {
		return reply{}, errNotConfigured
	}
	s.secretKey(c, "user:"+string(c.user()))
	u, ok, err := s.deps.Users.ByID(ctx, c.user())
	if err != nil {
		return reply{}, err
	}
	if !ok {
		return reply{}, errSessionRevoked
	}
	if err := s.confirmOwner(ctx, c, u, in.Body.Password); err != nil {
		return reply{}, err
	}
	if err := s.free(ctx, u.ID, account.ErrHasFunds); err != nil {
		return reply{}, err
	}
	if err := s.otherAdmin(ctx, u); err != nil {
		return reply{}, err
	}
	issue := c.issue()
	due := s.deps.People.Erasures.Due(issue.At)
	c.rows = func() []eventstore.Row { return s.deps.Accounts.SessionsRevoked(u.ID, "", "") }
	result, _, err := s.execute(ctx, c, nil, onAccount{u.ID, account.RequestErasure{Issue: issue, Due: due}})
	if err != nil {
		return reply{replayed: result.Replayed}, err
	}
	s.sessions.forgetUser(u.ID)
	s.notify(ctx, Mail{To: u.ID, Template: "account-closing", Key: "account-closing:" + string(u.ID) + due.Format(time.RFC3339), Vars: map[string]string{
		"name": u.Name, "due": due.UTC().Format("2 January 2006, 15:04 UTC"),
	}})
	return reply{data: ErasureOut{Due: &due}, meta: Meta{Position: result.Position}, replayed: result.Replayed}, nil
}

// confirmOwner checks that it is really the owner who asks: by the password, whose failures are
// counted as at a sign-in, or by a recent sign-in where there is none.
func (s *Server) confirmOwner(ctx context.Context, c *call, u User, password string) error {
	if u.Password == "" {
		return s.recentSignIn(c)
	}
	return s.prove(ctx, u, password)
}

// otherAdmin refuses to let the last active admin go. At the erasure itself the database looks
// once more, in the transaction.
func (s *Server) otherAdmin(ctx context.Context, u User) error {
	if !hasRole(u.Roles, domain.Admin) {
		return nil
	}
	people, err := s.directory()
	if err != nil {
		return err
	}
	admins, err := people.Directory(ctx, DirectoryFilter{Role: string(domain.Admin), Status: StatusActive}, 2)
	if err == nil && len(admins) < 2 {
		err = account.ErrLastAdmin
	}
	return err
}

// returned takes an erasure back that somebody asked for themselves: they have signed in again.
func (s *Server) returned(ctx context.Context, c *call, u User) error {
	state, _, err := eventstore.FreshState(ctx, s.deps.Executor, account.Decider, string(u.ID))
	if err != nil || state.ErasureDue.IsZero() {
		return err
	}
	issue, meta := c.issue(), c.metadata()
	issue.By = domain.User(u.ID, u.Roles...)
	meta.Actor = issue.By
	_, err = s.deps.Executor.Execute(ctx, meta, nil, onAccount{u.ID, account.CancelErasure{Issue: issue}}.Run)
	return err
}

type eraseInput struct {
	ID   string `path:"id"`
	Body struct {
		Now bool `json:"now,omitempty" doc:"Do not wait until it is due"`
	}
}

// erasePerson puts an erasure up, or carries it out. Whom it names is told nothing else about:
// once they are erased, a repeat says so and changes nothing.
func (s *Server) erasePerson(ctx context.Context, c *call, in *eraseInput) (reply, error) {
	if s.deps.People.Erasures == nil || s.deps.People.Dependencies == nil {
		return reply{}, errNotConfigured
	}
	u := domain.UserID(in.ID)
	state, _, err := stateOf(ctx, s, account.Decider, u)
	if err != nil {
		return reply{}, err
	}
	issue := c.issue()
	switch {
	case state.Erased:
		return reply{data: ErasureOut{Erased: true}}, nil
	case c.user() == u:
		return reply{}, account.ErrSelfChange
	}
	if err := s.free(ctx, u, account.ErrDependencies); err != nil {
		return reply{}, err
	}
	s.log.InfoContext(ctx, "erasure by an admin", "user", u, "admin", c.user(), "now", in.Body.Now, "request_id", c.id)
	if !in.Body.Now && (state.ErasureDue.IsZero() || issue.At.Before(state.ErasureDue)) {
		due := s.deps.People.Erasures.Due(issue.At)
		if !state.ErasureDue.IsZero() {
			due = state.ErasureDue
		}
		result, _, err := s.execute(ctx, c, nil, onAccount{u, account.RequestErasure{Issue: issue, Due: due}})
		if err != nil {
			return reply{replayed: result.Replayed}, err
		}
		return reply{status: 202, data: ErasureOut{Due: &due}, meta: Meta{Position: result.Position}, replayed: result.Replayed}, nil
	}
	position, err := s.deps.People.Erasures.Erase(ctx, issue, c.metadata(), u)
	if err != nil {
		return reply{}, err
	}
	s.sessions.forgetUser(u)
	return reply{data: ErasureOut{Erased: true}, meta: Meta{Position: position}}, nil
}

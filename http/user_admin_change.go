package http

import (
	"context"
	"slices"
	"strings"

	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/domain/fault"
	"holdfast/eventstore"
)

func userChangeRoutes() []Route {
	return slices.Concat(
		bothVerbs(func(method string) Route {
			return on[changePersonInput, PersonEntry](userRoute(method, "/admin/{userId}", "Change a name or an address", admin, Command, "EMAIL_IN_USE"), (*Server).changePerson)
		}),
		bothVerbs(func(method string) Route {
			return on[statusInput, PersonEntry](userRoute(method, "/admin/{userId}/status", "Suspend or reinstate; a suspension ends every session at once", admin, Command, "LAST_ADMIN", "SELF_CHANGE"), (*Server).setStatus)
		}),
		bothVerbs(func(method string) Route {
			return on[toggleInput, PersonEntry](userRoute(method, "/admin/{userId}/toggle-status", "Suspend who is active, reinstate who is suspended", admin, Command, "LAST_ADMIN", "SELF_CHANGE"), (*Server).toggleStatus)
		}),
		bothVerbs(func(method string) Route {
			return on[roleInput, PersonEntry](userRoute(method, "/admin/{userId}/role", "Set what a person may do; it holds at once, in open sessions too", admin, Command, "LAST_ADMIN", "SELF_CHANGE"), (*Server).setRoles)
		}),
		[]Route{
			on[personAdminInput, PersonEntry](viewing(userRoute("DELETE", "/admin/{userId}", "Suspend now, erase when the wait is over", admin, Command, "USER_HAS_DEPENDENCIES", "LAST_ADMIN", "SELF_CHANGE"), openMatterViews...), (*Server).deletePerson),
		},
	)
}

// person finds whom an admin's command is about.
func (s *Server) person(ctx context.Context, id string) (User, error) {
	if _, err := s.directory(); err != nil {
		return User{}, err
	}
	u, ok, err := s.deps.Users.ByID(ctx, domain.UserID(id))
	if err != nil || !ok || u.Status == StatusErased {
		return u, orNotFound(err)
	}
	return u, nil
}

// onPerson carries commands on one account out, together with rows, and shows the person.
func (s *Server) onPerson(ctx context.Context, c *call, u domain.UserID, rows []eventstore.Row, commands ...domain.Command) (reply, error) {
	c.rows = func() []eventstore.Row { return rows }
	result, _, err := s.execute(ctx, c, of(account.Decider, u), accountSteps{u, commands})
	if err != nil {
		return reply{replayed: result.Replayed}, err
	}
	s.sessions.forgetUser(u)
	answer, err := s.showPerson(ctx, u, Meta{Position: result.Position})
	answer.replayed = result.Replayed
	return answer, err
}

// accountSteps are several commands on one account, all or none.
type accountSteps struct {
	user     domain.UserID
	commands []domain.Command
}

// Run implements flow.
func (f accountSteps) Run(u *domain.Unit) (any, error) {
	for _, c := range f.commands {
		if _, err := domain.Do(u, account.Decider, string(f.user), c); err != nil {
			return nil, err
		}
	}
	return Nothing{}, nil
}

type changePersonInput struct {
	UserID string `path:"userId"`
	Body   struct {
		Name  string `json:"name,omitempty" maxLength:"100"`
		Email string `json:"email,omitempty" maxLength:"254" doc:"Counts as verified: the admin vouches for it"`
	}
}

func (s *Server) changePerson(ctx context.Context, c *call, in *changePersonInput) (reply, error) {
	u, err := s.person(ctx, in.UserID)
	if err != nil {
		return reply{}, err
	}
	name := u.Name
	if in.Body.Name != "" {
		if name, err = personName("name", in.Body.Name); err != nil {
			return reply{}, err
		}
	}
	var rows []eventstore.Row
	var commands []domain.Command
	email := strings.ToLower(strings.TrimSpace(in.Body.Email))
	moves := email != "" && email != u.Email
	if moves {
		if err := checkEmail("email", email); err != nil {
			return reply{}, err
		}
		rows = append(rows, s.deps.Accounts.EmailChanged(u.ID, email)...)
		commands = append(commands, account.ChangeEmail{Issue: c.issue(), Email: email, EmailKey: EmailKey(s.deps.Hashes, email)})
	}
	if name != u.Name {
		rows = append(rows, s.deps.Accounts.Renamed(u.ID, name)...)
		commands = append(commands, account.Rename{Issue: c.issue(), Name: name})
	}
	if len(commands) == 0 {
		return s.showPerson(ctx, u.ID, Meta{})
	}
	answer, err := s.onPerson(ctx, c, u.ID, rows, commands...)
	if err == nil && moves {
		s.notify(ctx, Mail{To: u.ID, Address: u.Email, Template: "email-changed", Key: "email-changed:" + c.newID("mail"), Vars: map[string]string{"name": name}})
	}
	return answer, err
}

type statusInput struct {
	UserID string `path:"userId"`
	Body   struct {
		Status string `json:"status" enum:"active,suspended"`
		Reason string `json:"reason,omitempty" maxLength:"500" doc:"Needed for a suspension; kept for ever, so no names"`
	}
}

func (s *Server) setStatus(ctx context.Context, c *call, in *statusInput) (reply, error) {
	u, err := s.person(ctx, in.UserID)
	if err != nil {
		return reply{}, err
	}
	return s.stand(ctx, c, u, in.Body.Status, in.Body.Reason)
}

type toggleInput struct {
	UserID string `path:"userId"`
	Body   struct {
		Reason string `json:"reason,omitempty" maxLength:"500" doc:"Needed for a suspension; kept for ever, so no names"`
	}
}

func (s *Server) toggleStatus(ctx context.Context, c *call, in *toggleInput) (reply, error) {
	u, err := s.person(ctx, in.UserID)
	if err != nil {
		return reply{}, err
	}
	to := StatusSuspended
	if u.Status == StatusSuspended {
		to = StatusActive
	}
	return s.stand(ctx, c, u, to, in.Body.Reason)
}

// stand suspends or reinstates. A repeat changes nothing; who is reinstated is not erased.
func (s *Server) stand(ctx context.Context, c *call, u User, to, reason string) (reply, error) {
	if c.user() == u.ID {
		return reply{}, account.ErrSelfChange
	}
	state, _, err := eventstore.FreshState(ctx, s.deps.Executor, account.Decider, string(u.ID))
	if err != nil {
		return reply{}, err
	}
	var rows []eventstore.Row
	var commands []domain.Command
	if u.Status != to {
		rows = s.deps.Accounts.StatusChanged(u.ID, to)
		if to == StatusActive {
			commands = append(commands, account.Reinstate{Issue: c.issue(), Reason: reason})
		} else {
			commands = append(commands, account.Suspend{Issue: c.issue(), Reason: strings.TrimSpace(reason)})
			rows = slices.Concat(rows, s.deps.Accounts.SessionsRevoked(u.ID, "", ""), s.deps.People.Directory.KeepAnAdmin())
		}
	}
	if to == StatusActive && !state.ErasureDue.IsZero() {
		commands = append(commands, account.CancelErasure{Issue: c.issue()})
	}
	if len(commands) == 0 {
		return s.showPerson(ctx, u.ID, Meta{})
	}
	return s.onPerson(ctx, c, u.ID, rows, commands...)
}

type roleInput struct {
	UserID string `path:"userId"`
	Body   struct {
		Role   domain.Capacity   `json:"role,omitempty" enum:"admin,buyer,seller,resolver,guard"`
		Roles  []domain.Capacity `json:"roles,omitempty" maxItems:"5" uniqueItems:"true" doc:"Instead of role, for several"`
		Reason string            `json:"reason,omitempty" maxLength:"500" doc:"Kept for ever, so no names"`
	}
}

func (s *Server) setRoles(ctx context.Context, c *call, in *roleInput) (reply, error) {
	u, err := s.person(ctx, in.UserID)
	if err != nil {
		return reply{}, err
	}
	roles, err := rolesIn(in.Body.Role, in.Body.Roles)
	if err != nil {
		return reply{}, err
	}
	reason := strings.TrimSpace(in.Body.Reason)
	if reason == "" {
		reason = "set by an admin"
	}
	rows := slices.Concat(s.deps.Accounts.RolesChanged(u.ID, roles), s.deps.People.Directory.KeepAnAdmin())
	return s.onPerson(ctx, c, u.ID, rows, account.ChangeRoles{Issue: c.issue(), Roles: roles, Reason: reason})
}

// deletePerson is the soft deletion: nobody signs in any more, and the erasure waits.
func (s *Server) deletePerson(ctx context.Context, c *call, in *personAdminInput) (reply, error) {
	u, err := s.person(ctx, in.UserID)
	if err != nil {
		return reply{}, err
	}
	if s.deps.People.Erasures == nil || s.deps.People.Dependencies == nil {
		return reply{}, errNotConfigured
	}
	if c.user() == u.ID {
		return reply{}, account.ErrSelfChange
	}
	if err := s.free(ctx, u.ID, account.ErrDependencies); err != nil {
		return reply{}, err
	}
	issue := c.issue()
	commands := []domain.Command{account.RequestErasure{Issue: issue, Due: s.deps.People.Erasures.Due(issue.At)}}
	rows := s.deps.Accounts.SessionsRevoked(u.ID, "", "")
	if u.Status == StatusActive {
		commands = append([]domain.Command{account.Suspend{Issue: issue, Reason: "deleted by an admin"}}, commands...)
		rows = slices.Concat(rows, s.deps.Accounts.StatusChanged(u.ID, StatusSuspended), s.deps.People.Directory.KeepAnAdmin())
	}
	return s.onPerson(ctx, c, u.ID, rows, commands...)
}

// free refuses while anything depends on a person, and says what.
func (s *Server) free(ctx context.Context, u domain.UserID, refusal *fault.Error) error {
	if err := s.settled(ctx); err != nil {
		return err
	}
	m, err := s.deps.People.Dependencies.Of(ctx, u)
	if err != nil || m.None {
		return err
	}
	for name, n := range map[string]int64{
		"balances": int64(len(m.Balances)), "requests": m.Requests, "offers": m.Offers, "holds": m.Holds, "payments": m.Payments,
		"payouts": m.Payouts, "refunds": m.Refunds, "disputes": m.Disputes,
	} {
		if n > 0 {
			refusal = refusal.With(name, n)
		}
	}
	return refusal
}

// settled waits until the read models that are asked have caught up with the log.
func (s *Server) settled(ctx context.Context) error {
	if s.deps.Positions == nil {
		return errNotConfigured
	}
	head, err := s.deps.Executor.Store().Head(ctx)
	if err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, lagLimit)
	defer cancel()
	for _, view := range openMatterViews {
		if err := s.deps.Positions.WaitFor(wait, view, head.Position); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return errLag.With("view", view)
		}
	}
	return nil
}

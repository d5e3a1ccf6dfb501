package http

import (
	"context"
	"strings"
	"time"

	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/domain/fault"
	"holdfast/eventstore"
	"holdfast/projections/disputeview"
	"holdfast/projections/escrowview"
	"holdfast/projections/offerview"
	"holdfast/projections/paymentview"
	"holdfast/projections/payoutview"
	"holdfast/projections/refundview"
	"holdfast/projections/requestview"
)

// openMatterViews are the read models that say what depends on a person.
var openMatterViews = []string{requestview.Name, offerview.Name, escrowview.Name, paymentview.Name, payoutview.Name, refundview.Name, disputeview.Name}

func userAdminRoutes() []Route {
	return []Route{
		on[directoryInput, []PersonEntry](userRoute("GET", "/admin/list", "People, newest first", admin, Query), (*Server).listPeople),
		on[createPersonInput, PersonEntry](status(201, userRoute("POST", "/admin/create", "Make an account; its person chooses a password by the reset", admin, Command, "EMAIL_IN_USE")), (*Server).createPerson),
		on[struct{}, Census](userRoute("GET", "/admin/stats", "Counts of people", admin, Query), (*Server).census),
		on[personAdminInput, PersonEntry](userRoute("GET", "/admin/{userId}", "One person", admin, Query), (*Server).getPerson),
		on[personAdminInput, OpenMatters](viewing(userRoute("GET", "/admin/{userId}/dependencies", "What depends on a person: money, orders, disputes", admin, Query), openMatterViews...), (*Server).personDependencies),
	}
}

// PersonEntry is a person as admins see one. Passwords, tokens and sealed text are no part of it.
type PersonEntry struct {
	ID            domain.UserID     `json:"id"`
	Email         string            `json:"email"`
	EmailVerified bool              `json:"emailVerified"`
	Name          string            `json:"name"`
	Roles         []domain.Capacity `json:"roles"`
	Status        string            `json:"status" enum:"active,suspended,erased"`
	Method        string            `json:"method" doc:"How the account was made"`
	CreatedAt     time.Time         `json:"createdAt"`
	ErasureDue    *time.Time        `json:"erasureDue,omitempty"`
}

func personEntry(e Entry) PersonEntry {
	if e.Roles == nil {
		e.Roles = []domain.Capacity{}
	}
	return PersonEntry{ID: e.ID, Email: e.Email, EmailVerified: e.Verified, Name: e.Name, Roles: e.Roles, Status: e.Status, Method: e.Method, CreatedAt: e.CreatedAt}
}

func (s *Server) directory() (Directory, error) {
	if s.deps.People.Directory == nil || s.deps.Accounts == nil || s.deps.Hashes == nil {
		return nil, errNotConfigured
	}
	return s.deps.People.Directory, nil
}

type directoryInput struct {
	Page
	Role   string `query:"role" enum:"admin,buyer,seller,resolver,guard"`
	Status string `query:"status" enum:"active,suspended,erased"`
	Search string `query:"search" maxLength:"100" doc:"Text in the name or the address"`
}

func (s *Server) listPeople(ctx context.Context, _ *call, in *directoryInput) (reply, error) {
	if err := checkIDCursor(in.Cursor); err != nil {
		return reply{}, err
	}
	people, err := s.directory()
	if err != nil {
		return reply{}, err
	}
	found, err := people.Directory(ctx, DirectoryFilter{Role: in.Role, Status: in.Status, Search: in.Search, After: in.Cursor}, in.Limit)
	all := make([]PersonEntry, len(found))
	for i, e := range found {
		all[i] = personEntry(e)
	}
	var meta Meta
	if len(found) == in.Limit {
		meta.NextCursor = string(found[len(found)-1].ID)
	}
	return reply{data: all, meta: meta}, err
}

type personAdminInput struct {
	UserID string `path:"userId"`
}

func (s *Server) getPerson(ctx context.Context, _ *call, in *personAdminInput) (reply, error) {
	return s.showPerson(ctx, domain.UserID(in.UserID), Meta{})
}

// showPerson gives a person as they stand now, with when they are erased.
func (s *Server) showPerson(ctx context.Context, id domain.UserID, meta Meta) (reply, error) {
	people, err := s.directory()
	if err != nil {
		return reply{}, err
	}
	e, ok, err := people.Entry(ctx, id)
	if err != nil || !ok {
		return reply{}, orNotFound(err)
	}
	out := personEntry(e)
	state, version, err := eventstore.FreshState(ctx, s.deps.Executor, account.Decider, string(id))
	out.ErasureDue = timeOf(state.ErasureDue)
	return reply{data: out, meta: meta, version: version}, err
}

func (s *Server) personDependencies(ctx context.Context, _ *call, in *personAdminInput) (reply, error) {
	people, err := s.directory()
	if err != nil {
		return reply{}, err
	}
	if _, ok, err := people.Entry(ctx, domain.UserID(in.UserID)); err != nil || !ok {
		return reply{}, orNotFound(err)
	}
	matters, err := s.deps.People.Dependencies.Of(ctx, domain.UserID(in.UserID))
	return reply{data: matters}, err
}

func (s *Server) census(ctx context.Context, _ *call, _ *struct{}) (reply, error) {
	people, err := s.directory()
	if err != nil {
		return reply{}, err
	}
	c, err := people.Census(ctx)
	return reply{data: c}, err
}

type createPersonInput struct {
	Body struct {
		Email string            `json:"email" maxLength:"254"`
		Name  string            `json:"name,omitempty" maxLength:"100" doc:"Without one, what stands before the @"`
		Role  domain.Capacity   `json:"role,omitempty" enum:"admin,buyer,seller,resolver,guard"`
		Roles []domain.Capacity `json:"roles,omitempty" maxItems:"5" uniqueItems:"true" doc:"Instead of role, for several"`
	}
}

// createPerson makes an account without a password. Its address counts as verified once a
// reset code came back from it.
func (s *Server) createPerson(ctx context.Context, c *call, in *createPersonInput) (reply, error) {
	if _, err := s.directory(); err != nil {
		return reply{}, err
	}
	email := strings.ToLower(strings.TrimSpace(in.Body.Email))
	if err := checkEmail("email", email); err != nil {
		return reply{}, err
	}
	roles, err := rolesIn(in.Body.Role, in.Body.Roles)
	if err != nil {
		return reply{}, err
	}
	name := in.Body.Name
	if name == "" {
		name, _, _ = strings.Cut(email, "@")
	}
	if name, err = personName("name", name); err != nil {
		return reply{}, err
	}
	u := User{ID: domain.UserID(c.newID("user")), Email: email, Name: name, Roles: roles, Status: StatusActive}
	c.rows = func() []eventstore.Row { return s.deps.Accounts.Registered(u, string(account.Created)) }
	result, _, err := s.execute(ctx, c, nil, onAccount{u.ID, account.Register{
		Issue: c.issue(), User: u.ID, Email: email, EmailKey: EmailKey(s.deps.Hashes, email), Name: name, Roles: roles, Method: account.Created,
	}})
	if err != nil {
		return reply{replayed: result.Replayed}, err
	}
	s.notify(ctx, Mail{To: u.ID, Template: "account-created", Key: "account-created:" + string(u.ID), Vars: map[string]string{"name": name, "role": string(roles[0])}})
	answer, err := s.showPerson(ctx, u.ID, Meta{Position: result.Position})
	answer.replayed = result.Replayed
	return answer, err
}

// rolesIn reads the legacy single role or the list; one of them is needed.
func rolesIn(one domain.Capacity, list []domain.Capacity) ([]domain.Capacity, error) {
	switch {
	case (one == "") == (len(list) == 0):
		return nil, fault.ErrValidation.At("role", "role or roles, one of them")
	case one != "":
		return []domain.Capacity{one}, nil
	}
	return list, nil
}

package http

import (
	"context"
	"strings"
	"time"
	"unicode"

	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/domain/fault"
	"holdfast/eventstore"
)

func applicationRoutes() []Route {
	return []Route{
		on[struct{}, ApplicationOut](userRoute("GET", "/seller-application", "One's newest application to sell", Any, Query), (*Server).ownApplication),
		on[applyInput, ApplicationOut](status(201, userRoute("POST", "/seller-application", "Ask for the seller's role", Any, Command, "ALREADY_SELLER", "APPLICATION_PENDING")), (*Server).applyToSell),
		on[applicationsInput, []ApplicationOut](userRoute("GET", "/admin/seller-applications", "Applications, oldest first", admin, Query), (*Server).listApplications),
		on[decideApplicationInput, ApplicationOut](userRoute("POST", "/admin/seller-applications/{id}/decide", "Approve or reject one; its person is told by mail", admin, Command, "SELF_CHANGE"), (*Server).decideApplication),
	}
}

// ApplicationOut is an application to sell.
type ApplicationOut struct {
	ID        string        `json:"id"`
	UserID    domain.UserID `json:"userId"`
	ShopName  string        `json:"shopName"`
	Documents []string      `json:"documents"`
	Status    string        `json:"status" enum:"pending,approved,rejected"`
	Reason    string        `json:"reason,omitempty"`
	MadeAt    time.Time     `json:"madeAt"`
	DecidedAt *time.Time    `json:"decidedAt,omitempty"`
}

func applicationOut(a Application) ApplicationOut {
	if a.Documents == nil {
		a.Documents = []string{}
	}
	return ApplicationOut{
		ID: a.ID, UserID: a.User, ShopName: a.ShopName, Documents: a.Documents, Status: a.Status, Reason: a.Reason, MadeAt: a.MadeAt, DecidedAt: a.DecidedAt,
	}
}

func (s *Server) applications() (Applications, error) {
	if s.deps.People.Applications == nil {
		return nil, errNotConfigured
	}
	return s.deps.People.Applications, nil
}

func (s *Server) ownApplication(ctx context.Context, c *call, _ *struct{}) (reply, error) {
	rows, err := s.applications()
	if err != nil {
		return reply{}, err
	}
	a, ok, err := rows.Newest(ctx, c.user())
	if err == nil && !ok {
		err = fault.ErrNotFound
	}
	return reply{data: applicationOut(a)}, err
}

type applyInput struct {
	Body struct {
		ShopName  string   `json:"shopName" minLength:"1" maxLength:"100" pattern:"\\S"`
		Documents []string `json:"documents,omitempty" maxItems:"20" doc:"Ids of files, or links"`
	}
}

func (s *Server) applyToSell(ctx context.Context, c *call, in *applyInput) (reply, error) {
	rows, err := s.applications()
	if err != nil {
		return reply{}, err
	}
	a := Application{ID: c.newID("seller application"), User: c.user(), Status: "pending", MadeAt: time.Now().UTC()}
	a.ShopName, a.Documents = strings.TrimSpace(in.Body.ShopName), in.Body.Documents
	for _, text := range append([]string{a.ShopName}, a.Documents...) {
		if len(text) > 500 || strings.ContainsFunc(text, unicode.IsControl) {
			return reply{}, fault.ErrValidation.At("documents", "one line of at most 500 characters each")
		}
	}
	kept, err := rows.Submitted(ctx, a)
	if err != nil {
		return reply{}, err
	}
	c.rows = func() []eventstore.Row { return kept }
	result, _, err := s.execute(ctx, c, nil, onAccount{c.user(), account.SubmitSellerApplication{Issue: c.issue(), Application: a.ID, ShopName: a.ShopName}})
	if err != nil {
		return reply{replayed: result.Replayed}, err
	}
	return s.showApplication(ctx, rows, a.ID, Meta{Position: result.Position}, result.Replayed)
}

// showApplication reads an application as it stands now.
func (s *Server) showApplication(ctx context.Context, rows Applications, id string, meta Meta, replayed bool) (reply, error) {
	a, ok, err := rows.Get(ctx, id)
	if err == nil && !ok {
		err = fault.ErrNotFound
	}
	return reply{data: applicationOut(a), meta: meta, replayed: replayed}, err
}

// onAccount is one command on one account.
type onAccount struct {
	user    domain.UserID
	command domain.Command
}

// Run implements flow.
func (f onAccount) Run(u *domain.Unit) (any, error) {
	_, err := domain.Do(u, account.Decider, string(f.user), f.command)
	return Nothing{}, err
}

type applicationsInput struct {
	Page
	Status string `query:"status" enum:"pending,approved,rejected"`
}

func (s *Server) listApplications(ctx context.Context, _ *call, in *applicationsInput) (reply, error) {
	if err := checkIDCursor(in.Cursor); err != nil {
		return reply{}, err
	}
	rows, err := s.applications()
	if err != nil {
		return reply{}, err
	}
	all, err := rows.List(ctx, in.Status, in.Cursor, in.Limit)
	out := make([]ApplicationOut, len(all))
	for i, a := range all {
		out[i] = applicationOut(a)
	}
	var meta Meta
	if len(all) == in.Limit {
		meta.NextCursor = all[len(all)-1].ID
	}
	return reply{data: out, meta: meta}, err
}

type decideApplicationInput struct {
	ID   string `path:"id"`
	Body struct {
		Decision string `json:"decision" enum:"approved,rejected"`
		Reason   string `json:"reason,omitempty" maxLength:"1000" doc:"Needed for a rejection; the person reads it"`
	}
}

func (s *Server) decideApplication(ctx context.Context, c *call, in *decideApplicationInput) (reply, error) {
	rows, err := s.applications()
	if err != nil {
		return reply{}, err
	}
	a, ok, err := rows.Get(ctx, in.ID)
	if err != nil {
		return reply{}, err
	}
	if !ok {
		return reply{}, fault.ErrNotFound
	}
	u, ok, err := s.deps.Users.ByID(ctx, a.User)
	if err != nil || !ok {
		return reply{}, orNotFound(err)
	}
	a.Status, a.Reason = in.Body.Decision, strings.TrimSpace(in.Body.Reason)
	var command domain.Command = account.RejectSellerApplication{Issue: c.issue(), Application: a.ID, Reason: a.Reason}
	if a.Status == "approved" {
		command = account.ApproveSellerApplication{Issue: c.issue(), Application: a.ID}
	}
	decided, err := rows.Decided(ctx, a, c.user())
	if err != nil {
		return reply{}, err
	}
	c.rows = func() []eventstore.Row {
		if a.Status != "approved" || hasRole(u.Roles, domain.Seller) {
			return decided
		}
		return append(decided, s.deps.Accounts.RolesChanged(u.ID, append(append([]domain.Capacity{}, u.Roles...), domain.Seller))...)
	}
	result, _, err := s.execute(ctx, c, nil, onAccount{a.User, command})
	if err != nil {
		return reply{replayed: result.Replayed}, err
	}
	s.sessions.forgetUser(a.User)
	s.notify(ctx, Mail{To: a.User, Template: "seller-application", Key: "seller-application:" + a.ID, Vars: map[string]string{
		"name": u.Name, "shop": a.ShopName, "decision": a.Status, "reason": a.Reason,
	}})
	return s.showApplication(ctx, rows, a.ID, Meta{Position: result.Position}, result.Replayed)
}

func hasRole(roles []domain.Capacity, role domain.Capacity) bool {
	for _, r := range roles {
		if r == role {
			return true
		}
	}
	return false
}

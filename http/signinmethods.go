package http

import (
	"context"
	"time"

	"holdfast/domain/account"
	"holdfast/domain/fault"
	"holdfast/eventstore"
)

const methodsPath = "/api/auth/methods"

func methodRoutes() []Route {
	return []Route{
		on[struct{}, []LinkedMethod](Route{Method: "GET", Path: methodsPath, Roles: Any, Class: Query, Rate: RateGeneral, Summary: "What signs you in besides a password and passkeys"}, (*Server).myMethods),
		on[removeMethodInput, Nothing](Route{Method: "DELETE", Path: methodsPath + "/{id}", Roles: Any, Class: Command, Rate: RateAuth, Summary: "Unlink a means of signing in", Errors: []string{"LAST_LOGIN_METHOD"}}, (*Server).removeMethod),
	}
}

// LinkedMethod is a means of signing in as its owner sees it.
type LinkedMethod struct {
	ID         string     `json:"id,omitempty"`
	Method     string     `json:"method" enum:"google,telegram,wallet"`
	Label      string     `json:"label" doc:"An address, a name: how you know it"`
	LinkedAt   time.Time  `json:"linkedAt,omitzero"`
	LastUsedAt *time.Time `json:"lastUsedAt,omitempty"`
}

func (s *Server) myMethods(ctx context.Context, c *call, _ *struct{}) (reply, error) {
	if s.deps.SignIn.Methods == nil {
		return reply{}, errNotConfigured
	}
	all, err := s.deps.SignIn.Methods.OfUser(ctx, c.user())
	out := make([]LinkedMethod, len(all))
	for i, m := range all {
		out[i] = LinkedMethod{ID: m.ID, Method: m.Method, Label: m.Label, LinkedAt: m.LinkedAt, LastUsedAt: m.LastUsedAt}
	}
	return reply{data: out}, err
}

type removeMethodInput struct {
	ID string `path:"id"`
}

func (s *Server) removeMethod(ctx context.Context, c *call, in *removeMethodInput) (reply, error) {
	if s.deps.SignIn.Methods == nil || s.deps.Hashes == nil {
		return reply{}, errNotConfigured
	}
	all, err := s.deps.SignIn.Methods.OfUser(ctx, c.user())
	if err != nil {
		return reply{}, err
	}
	for _, m := range all {
		if m.ID == in.ID {
			return s.unlink(ctx, c, c.user(), account.Method(m.Method), m.Subject, s.unlinkedRows(c, m))
		}
	}
	return reply{}, fault.ErrNotFound
}

// unlinkedRows are the rows that go with a means of signing in; with Telegram the bot's chat goes too.
func (s *Server) unlinkedRows(c *call, m SignInMethod) []eventstore.Row {
	rows := s.deps.SignIn.Methods.Unlinked(c.user(), m.Method, m.Subject)
	if m.Method == string(account.Telegram) && s.deps.SignIn.Chats != nil {
		rows = append(rows, s.deps.SignIn.Chats.Unlinked(c.user())...)
	}
	return rows
}

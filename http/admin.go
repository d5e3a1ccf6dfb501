package http

import (
	"context"

	"holdfast/domain/fault"
)

func adminRoutes() []Route {
	name := map[string]string{"name": "a view's name"}
	steer := func(verb, summary string, handle func(*Server, context.Context, *call, *viewInput) (reply, error)) Route {
		return on[viewInput, Nothing](Route{Method: "POST", Path: "/api/admin/projections/{name}/" + verb, Names: name, Roles: admin, Class: PlainWrite, Rate: RateGeneral, Status: 202, Summary: summary}, handle)
	}
	return []Route{
		on[struct{}, []Projection](Route{Method: "GET", Path: "/api/admin/projections", Roles: adminGuard, Class: Query, Rate: RateGeneral, Summary: "Every view: version, position, lag, state, poison"}, (*Server).projections),
		on[viewInput, Projection](Route{Method: "GET", Path: "/api/admin/projections/{name}", Names: name, Roles: adminGuard, Class: Query, Rate: RateGeneral, Summary: "One view"}, (*Server).projection),
		steer("rebuild", "Rebuild a view beside the live one and swap", steered(Projections.Rebuild)),
		steer("promote", "Put a rebuilt view in place", steered(Projections.Promote)),
		steer("rollback", "Put the view before the last rebuild back", steered(Projections.Rollback)),
		steer("pause", "Stop a view's projector", steered(Projections.Pause)),
		steer("resume", "Start it again", steered(Projections.Resume)),
		on[struct{}, []Projection](Route{Method: "GET", Path: "/api/admin/dead-letters", Roles: adminGuard, Class: Query, Rate: RateGeneral, Summary: "Views that halted, each with its poison"}, (*Server).deadLetters),
		on[viewInput, Nothing](Route{Method: "POST", Path: "/api/admin/dead-letters/{name}/retry", Names: name, Roles: admin, Class: PlainWrite, Rate: RateGeneral, Status: 202, Summary: "Try the same event again"}, steered(Projections.Retry)),
		on[skipInput, Nothing](Route{Method: "POST", Path: "/api/admin/dead-letters/{name}/skip", Names: name, Roles: admin, Class: PlainWrite, Rate: RateGeneral, Status: 202, Summary: "Go on without the event; recorded with the reason", Errors: []string{"REASON_REQUIRED"}}, (*Server).skip),
	}
}

type viewInput struct {
	Name string `path:"name"`
}

func (s *Server) steering() (Projections, error) {
	if s.deps.Projections == nil {
		return nil, errNotConfigured
	}
	return s.deps.Projections, nil
}

func (s *Server) projections(ctx context.Context, _ *call, _ *struct{}) (reply, error) {
	p, err := s.steering()
	if err != nil {
		return reply{}, err
	}
	all, err := p.Status(ctx)
	return reply{data: all}, err
}

func (s *Server) projection(ctx context.Context, _ *call, in *viewInput) (reply, error) {
	p, err := s.steering()
	if err != nil {
		return reply{}, err
	}
	all, err := p.Status(ctx)
	if err != nil {
		return reply{}, err
	}
	for _, one := range all {
		if one.Name == in.Name {
			return reply{data: one}, nil
		}
	}
	return reply{}, fault.ErrNotFound
}

// steered makes the handler of a verb that is only a call by name.
func steered(verb func(Projections, context.Context, string) error) func(*Server, context.Context, *call, *viewInput) (reply, error) {
	return func(s *Server, ctx context.Context, _ *call, in *viewInput) (reply, error) {
		p, err := s.steering()
		if err != nil {
			return reply{}, err
		}
		return reply{data: Nothing{}}, verb(p, ctx, in.Name)
	}
}

func (s *Server) deadLetters(ctx context.Context, _ *call, _ *struct{}) (reply, error) {
	p, err := s.steering()
	if err != nil {
		return reply{}, err
	}
	all, err := p.Status(ctx)
	halted := []Projection{}
	for _, one := range all {
		if one.Poison != nil {
			halted = append(halted, one)
		}
	}
	return reply{data: halted}, err
}

type skipInput struct {
	Name string `path:"name"`
	Body struct {
		Reason string `json:"reason" minLength:"5" maxLength:"500"`
	}
}

func (s *Server) skip(ctx context.Context, c *call, in *skipInput) (reply, error) {
	p, err := s.steering()
	if err != nil {
		return reply{}, err
	}
	return reply{data: Nothing{}}, p.Skip(ctx, in.Name, in.Body.Reason, c.user())
}

package http

import (
	"context"

	"holdfast/domain"
	"holdfast/domain/fault"
)

func publicPersonRoutes() []Route {
	return []Route{
		on[personInput, PublicPerson](userRoute("GET", "/{id}/public", "What anybody may know of a buyer or a seller", nil, Query), (*Server).publicPerson),
	}
}

type personInput struct {
	ID string `path:"id"`
}

// PublicPerson is what anybody may know of somebody. Nothing else ever comes out of this route.
type PublicPerson struct {
	Name   string      `json:"name"`
	Avatar string      `json:"avatar"`
	Rating TrackRecord `json:"rating"`
	Level  string      `json:"level" enum:"new,known,trusted" doc:"By completed orders: none, some, 25 and more of which at most one in twenty was contested"`
}

// publicPerson shows buyers and sellers who are here. Staff, the suspended, the erased and
// nobody are the same 404.
func (s *Server) publicPerson(ctx context.Context, _ *call, in *personInput) (reply, error) {
	profiles, err := s.profiles()
	if err != nil {
		return reply{}, err
	}
	u, ok, err := s.deps.Users.ByID(ctx, domain.UserID(in.ID))
	if err != nil {
		return reply{}, err
	}
	if !ok || !u.Active() || !trades(u.Roles) {
		return reply{}, fault.ErrNotFound
	}
	p, err := profiles.Of(ctx, u.ID)
	if err != nil {
		return reply{}, err
	}
	out := PublicPerson{Name: u.Name, Avatar: p.Avatar}
	if out.Rating, err = s.deps.People.Dependencies.Record(ctx, u.ID); err != nil {
		return reply{}, err
	}
	out.Level = level(out.Rating)
	return reply{data: out}, nil
}

func trades(roles []domain.Capacity) bool {
	return (&Route{Roles: parties}).Admits(roles)
}

func level(r TrackRecord) string {
	switch {
	case r.Completed == 0:
		return "new"
	case r.Completed >= 25 && r.Disputed*20 <= r.Completed:
		return "trusted"
	}
	return "known"
}

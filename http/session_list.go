package http

import (
	"context"
	"time"

	"holdfast/domain/fault"
)

// SessionView is a login as its owner sees it.
type SessionView struct {
	ID         string    `json:"id"`
	Method     string    `json:"method"`
	UserAgent  string    `json:"userAgent"`
	Address    string    `json:"address"`
	SignedInAt time.Time `json:"signedInAt"`
	LastUsedAt time.Time `json:"lastUsedAt" doc:"When its tokens were last renewed"`
	Current    bool      `json:"current" doc:"The one that asks"`
}

func (s *Server) listSessions(ctx context.Context, c *call, _ *struct{}) (reply, error) {
	devices, err := s.deps.Sessions.List(ctx, c.user())
	all := make([]SessionView, len(devices))
	for i, d := range devices {
		all[i] = SessionView{
			ID: d.ID, Method: d.Method, UserAgent: d.UserAgent, Address: d.Address,
			SignedInAt: d.SignedInAt.UTC(), LastUsedAt: d.LastUsedAt.UTC(), Current: d.ID == c.session.ID,
		}
	}
	return reply{data: all}, err
}

type sessionInput struct {
	ID string `path:"id"`
}

// deleteSession signs one of the caller's devices out; another's session is not there.
func (s *Server) deleteSession(ctx context.Context, c *call, in *sessionInput) (reply, error) {
	ok, err := s.deps.Sessions.CloseOne(ctx, c.user(), in.ID)
	if err == nil && !ok {
		err = fault.ErrNotFound
	}
	s.sessions.forget(in.ID)
	return reply{data: Nothing{}}, err
}

package http

import (
	"context"
	"strconv"
	"time"

	"holdfast/domain"
	"holdfast/domain/breakglass"
	"holdfast/eventstore"
)

func breakGlassRoutes() []Route {
	route := func(method, summary string, errors ...string) Route {
		return Route{Method: method, Path: "/api/admin/settings/break-glass", Roles: admin, Class: Command, Rate: RateGeneral, Summary: summary, Errors: errors}
	}
	get := route("GET", "Whether the glass is broken, by whom and until when")
	get.Class = Query
	post := route("POST", "Break the glass for at most an hour; two admins", "APPROVAL_REQUIRED", "SELF_APPROVAL", "OUT_OF_RANGE", "BREAK_GLASS_ACTIVE")
	post.Status = 201
	return []Route{
		on[struct{}, breakglass.Answer](get, (*Server).getBreakGlass),
		on[breakGlassInput, breakglass.Answer](post, (*Server).breakTheGlass),
		on[struct{}, breakglass.Answer](route("DELETE", "End it before its time"), (*Server).mendTheGlass),
	}
}

func (s *Server) getBreakGlass(ctx context.Context, c *call, _ *struct{}) (reply, error) {
	g, _, err := eventstore.FreshState(ctx, s.deps.Executor, breakglass.Decider, breakglass.Stream)
	return reply{data: breakglass.AnswerOf(g, c.issue().At)}, err
}

type breakGlassInput struct {
	Body struct {
		Reason  string `json:"reason" minLength:"5" maxLength:"500"`
		Minutes int64  `json:"minutes" doc:"1 … 60"`
	}
}

func (s *Server) breakTheGlass(ctx context.Context, c *call, in *breakGlassInput) (reply, error) {
	b := in.Body
	if b.Minutes < 1 || b.Minutes > 60 {
		return reply{}, breakglass.ErrOutOfRange.At("minutes", "1 … 60")
	}
	g, _, err := eventstore.FreshState(ctx, s.deps.Executor, breakglass.Decider, breakglass.Stream)
	if err != nil {
		return reply{}, err
	}
	if g.Active(c.issue().At) != "" {
		return reply{}, breakglass.ErrActive.With("until", g.Until.Format(time.RFC3339))
	}
	first, waiting, err := s.second(ctx, c, "break glass", b.Reason, strconv.FormatInt(b.Minutes, 10))
	if err != nil || first == "" {
		return waiting, err
	}
	answer, err := s.run(ctx, c, of(breakglass.Decider, breakglass.Stream), breakglass.Do{Command: breakglass.Enable{
		Issue: c.issue(), Session: c.newID("break glass"), Approver: domain.User(first, domain.Admin), Reason: b.Reason, For: time.Duration(b.Minutes) * time.Minute,
	}})
	if err == nil {
		s.log.ErrorContext(ctx, "break-glass enabled", "by", c.user(), "approver", first, "minutes", b.Minutes, "reason", b.Reason)
	}
	return answer, err
}

func (s *Server) mendTheGlass(ctx context.Context, c *call, _ *struct{}) (reply, error) {
	answer, err := s.run(ctx, c, of(breakglass.Decider, breakglass.Stream), breakglass.Do{Command: breakglass.End{Issue: c.issue()}})
	if err == nil {
		s.log.WarnContext(ctx, "break-glass ended", "by", c.user())
	}
	return answer, err
}

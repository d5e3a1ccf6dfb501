package http

import (
	"context"
	"strconv"

	"holdfast/domain/cutover"
	"holdfast/domain/fault"
)

const migrationPath = "/api/admin/migration"

func migrationRoutes() []Route {
	named := map[string]string{"domain": "a view's name"}
	return []Route{
		on[parityInput, []DomainParity](Route{Method: "GET", Path: migrationPath + "/parity", Roles: adminGuard, Class: Query, Rate: RateGeneral, Summary: "Where each domain is read, how its legacy collections compare with the log, and the open differences", Errors: []string{"NOT_FOUND"}}, (*Server).parity),
		on[compareInput, ParityStarted](Route{Method: "POST", Path: migrationPath + "/parity", Roles: admin, Class: PlainWrite, Rate: RateGeneral, Status: 202, Summary: "Compare the collections of a domain, or all, with the log, in the background", Errors: []string{"NOT_CONFIGURED", "NOT_FOUND", "PARITY_RUNNING"}}, (*Server).compareParity),
		on[resolveGapInput, ParityGap](Route{Method: "POST", Path: migrationPath + "/parity/{gap}/resolve", Names: map[string]string{"gap": "a number"}, Roles: admin, Class: PlainWrite, Rate: RateGeneral, Summary: "Close a difference with a reason", Errors: []string{"NOT_FOUND"}}, (*Server).resolveGap),
		on[cutoverInput, cutover.Answer](Route{Method: "POST", Path: migrationPath + "/cutover/{domain}", Names: named, Roles: admin, Class: Command, Rate: RateGeneral, Summary: "Move a domain one step: mongo, dual, pg, and back", Errors: []string{"NOT_CONFIGURED", "NOT_FOUND", "CUTOVER_STEP", "CUTOVER_NOT_READY", "CUTOVER_FORCE", "CUTOVER_NO_COLLECTIONS", "LEGACY_STORE_UNAVAILABLE", "DOMAIN_OWNED_BY_LEGACY"}}, (*Server).cutover),
	}
}

func (s *Server) migration() (Migration, error) {
	if s.deps.Migration == nil {
		return nil, errNotConfigured
	}
	return s.deps.Migration, nil
}

type parityInput struct {
	Domain string `query:"domain" maxLength:"40" doc:"One domain, with its open differences"`
}

func (s *Server) parity(ctx context.Context, _ *call, in *parityInput) (reply, error) {
	m, err := s.migration()
	if err != nil {
		return reply{}, err
	}
	all, err := m.States(ctx)
	if err != nil || in.Domain == "" {
		return reply{data: all}, err
	}
	for _, d := range all {
		if d.Domain == in.Domain {
			if d.Gaps, err = m.Gaps(ctx, in.Domain, 200); err != nil {
				return reply{}, err
			}
			return reply{data: []DomainParity{d}}, nil
		}
	}
	return reply{}, fault.ErrNotFound
}

type compareInput struct {
	Body struct {
		Domain string `json:"domain,omitempty" maxLength:"40" doc:"All when it is left out"`
	}
}

// ParityStarted is the answer to a comparison that was asked for.
type ParityStarted struct {
	State string `json:"state" enum:"running"`
}

func (s *Server) compareParity(ctx context.Context, _ *call, in *compareInput) (reply, error) {
	m, err := s.migration()
	if err != nil {
		return reply{}, err
	}
	return reply{data: ParityStarted{State: "running"}}, m.Compare(ctx, in.Body.Domain)
}

type resolveGapInput struct {
	Gap  string `path:"gap"`
	Body struct {
		Reason string `json:"reason" minLength:"5" maxLength:"500"`
	}
}

func (s *Server) resolveGap(ctx context.Context, c *call, in *resolveGapInput) (reply, error) {
	m, err := s.migration()
	if err != nil {
		return reply{}, err
	}
	id, err := strconv.ParseInt(in.Gap, 10, 64)
	if err != nil {
		return reply{}, fault.ErrNotFound
	}
	gap, ok, err := m.Resolve(ctx, id, c.user(), in.Body.Reason)
	if err == nil && !ok {
		err = fault.ErrNotFound
	}
	return reply{data: gap}, err
}

type cutoverInput struct {
	Domain string `path:"domain"`
	Body   struct {
		Mode   string `json:"mode" enum:"mongo,dual,pg"`
		Reason string `json:"reason" minLength:"5" maxLength:"500"`
		Force  bool   `json:"force,omitempty" doc:"To pg only, whatever the collections do: the log is the truth"`
	}
}

// cutover moves a domain. What it stands on is looked up before the command; the reads of this
// process follow at once, those of others within a second.
func (s *Server) cutover(ctx context.Context, c *call, in *cutoverInput) (reply, error) {
	m, err := s.migration()
	if err != nil {
		return reply{}, err
	}
	facts, err := m.Prepare(ctx, in.Domain, in.Body.Force && in.Body.Mode == cutover.Postgres)
	if err != nil {
		return reply{}, err
	}
	answer, err := s.run(ctx, c, of(cutover.Decider, in.Domain), cutover.Flow{Move: cutover.Move{
		Issue: c.issue(), Domain: in.Domain, From: facts.Mode, To: in.Body.Mode, Reason: in.Body.Reason, Force: in.Body.Force,
		Lag: facts.Lag, Gaps: facts.Gaps, Compared: facts.Compared, Position: facts.Position, Collections: facts.Collections,
	}})
	if err != nil {
		return reply{}, err
	}
	s.log.WarnContext(ctx, "a domain is read elsewhere", "domain", in.Domain, "from", facts.Mode, "to", in.Body.Mode, "by", c.user(), "reason", in.Body.Reason, "forced", in.Body.Force)
	return answer, m.Moved(ctx, in.Domain)
}

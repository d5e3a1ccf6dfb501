package http

import (
	"context"
	"net/http"

	"holdfast/domain"
)

// PaymentHealth is whether payments can be taken. Everybody sees the status of each part;
// admins and guards see why.
type PaymentHealth struct {
	Status string            `json:"status" enum:"ok,degraded,down"`
	Checks map[string]string `json:"checks" doc:"Per part: ok, degraded or down"`
	Detail *PayInState       `json:"detail,omitempty"`
}

const (
	healthOK       = "ok"
	healthDegraded = "degraded"
	healthDown     = "down"
)

// paymentHealth is 503 when no payment can be taken: the log does not answer, or no chain can
// be read. Whatever else is wrong makes payments slower, not impossible.
func (s *Server) paymentHealth(ctx context.Context, c *call, _ *struct{}) (reply, error) {
	parts, _ := s.health(ctx, false)
	out := PaymentHealth{Status: healthOK, Checks: map[string]string{}}
	for name, said := range parts.Checks {
		out.Checks[name] = healthOK
		switch {
		case said == healthOK:
		case name == "log" || name == "db":
			out.Checks[name] = healthDown
		default:
			out.Checks[name] = healthDegraded
		}
	}
	if s.deps.PayIns != nil {
		state := s.deps.PayIns.State(ctx)
		out.Checks["chains"] = chainsStatus(state.Chains)
		out.Checks["provider"] = state.Provider.Status
		out.Checks["solvency"] = healthOK
		if len(state.Insolvent) > 0 {
			out.Checks["solvency"] = healthDegraded
		}
		if c.has(domain.Admin) || c.has(domain.Guard) {
			out.Detail = &state
		}
	}
	for _, said := range out.Checks {
		if said == healthDown || said == healthDegraded && out.Status == healthOK {
			out.Status = said
		}
	}
	if out.Status == healthDown {
		return reply{status: http.StatusServiceUnavailable, data: out}, nil
	}
	return reply{data: out}, nil
}

// chainsStatus: one chain that works is enough to take payments on it.
func chainsStatus(all []ChainHealth) string {
	down, bad := 0, 0
	for _, c := range all {
		switch c.Status {
		case healthDown:
			down++
		case healthDegraded:
			bad++
		}
	}
	switch {
	case down == len(all):
		return healthDown
	case down+bad > 0:
		return healthDegraded
	}
	return healthOK
}

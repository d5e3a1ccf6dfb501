package http

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/fault"
	"holdfast/domain/funding"
	"holdfast/projections/escrowview"
)

// Release holds of an order share the disputes' mount.

func holdRoutes() []Route {
	base := "/api/disputes/pr/{requestId}"
	named := map[string]string{"holdId": "a settlement's number"}
	place := Route{Method: "POST", Path: base + "/release-hold", Roles: staff, Class: Command, Money: true, Rate: RateGeneral, Status: 201, Summary: "Stop the release of an order's money"}
	lift := Route{Method: "DELETE", Path: base + "/release-hold/{holdId}", Names: named, Roles: staff, Class: Command, Money: true, Rate: RateGeneral, Summary: "Let it go on", Errors: []string{"HOLD_NOT_FOUND", "HOLD_OWNER"}}
	extend := Route{Method: "POST", Path: base + "/inspection", Roles: admin, Class: Command, Rate: RateGeneral, Summary: "Move the end of the inspection"}
	return []Route{
		on[orderInput, ReleaseHolds](Route{Method: "GET", Path: base, Aliases: []string{base + "/status"}, Roles: Any, Class: Query, Rate: RateGeneral, Views: []string{escrowview.Name}, Summary: "What stops the release of an order"}, (*Server).releaseHolds),
		on[placeHoldInput, funding.HoldAnswer](place, (*Server).placeHold),
		on[liftHoldInput, funding.HoldAnswer](lift, (*Server).liftHold),
		on[resolveHoldInput, funding.HoldAnswer](Route{Method: "POST", Path: base + "/resolve", Roles: staff, Class: Command, Money: true, Rate: RateGeneral, Summary: "As lifting, with the hold in the body", Errors: []string{"HOLD_NOT_FOUND", "HOLD_OWNER"}}, (*Server).resolveHold),
		on[extendInput, funding.HoldAnswer](extend, (*Server).extendInspection),
	}
}

// ReleaseHolds says whether the release of an order is stopped, and by what.
type ReleaseHolds struct {
	Active bool          `json:"active"`
	Holds  []ReleaseHold `json:"holds"`
}

// ReleaseHold is one stop.
type ReleaseHold struct {
	ID       string          `json:"id"`
	Kind     escrow.HoldKind `json:"kind"`
	Reason   string          `json:"reason,omitempty" doc:"Staff only"`
	PlacedBy string          `json:"placedBy,omitempty" doc:"Staff only"`
}

type orderInput struct {
	RequestID string `path:"requestId"`
}

func (s *Server) releaseHolds(ctx context.Context, c *call, in *orderInput) (reply, error) {
	hold, err := s.holdOf(ctx, c, in.RequestID)
	if err != nil {
		return reply{}, err
	}
	stops := hold.ReleaseHolds
	if s.deps.Views != nil {
		row, err := s.deps.Views.Holds.Get(ctx, hold.ID)
		if err != nil && !errors.Is(err, fault.ErrNotFound) { // it is about to be shown
			return reply{}, err
		}
		stops = row.Doc.ReleaseHolds
	}
	out := ReleaseHolds{Active: len(stops) > 0, Holds: []ReleaseHold{}}
	inside := c.has(domain.Admin) || c.has(domain.Guard) || c.has(domain.Resolver)
	for id, h := range stops {
		one := ReleaseHold{ID: id, Kind: h.Kind}
		if inside {
			one.Reason, one.PlacedBy = h.Reason, h.PlacedBy.ID
		}
		out.Holds = append(out.Holds, one)
	}
	slices.SortFunc(out.Holds, func(a, b ReleaseHold) int { return cmp.Compare(a.ID, b.ID) })
	return reply{data: out}, nil
}

func (s *Server) onHold(ctx context.Context, c *call, requestID string, f func(escrow.State) (flow, error)) (reply, error) {
	hold, err := s.holdOf(ctx, c, requestID)
	if err != nil {
		return reply{}, err
	}
	if c.oneOf(hold.Buyer, hold.Seller) {
		return reply{}, errConflictOfInterest
	}
	command, err := f(hold)
	if err != nil {
		return reply{}, err
	}
	return s.run(ctx, c, of(escrow.Decider, hold.ID), command)
}

type placeHoldInput struct {
	RequestID string `path:"requestId"`
	Body      struct {
		Kind   string `json:"kind" enum:"aml,admin,guard"`
		Reason string `json:"reason" minLength:"3" maxLength:"500"`
	}
}

func (s *Server) placeHold(ctx context.Context, c *call, in *placeHoldInput) (reply, error) {
	kind := escrow.HoldKind(in.Body.Kind)
	if kind == escrow.AdminHold && !c.has(domain.Admin) {
		return reply{}, fault.ErrForbidden
	}
	return s.onHold(ctx, c, in.RequestID, func(h escrow.State) (flow, error) {
		return funding.PlaceHold{Issue: c.issue(), Hold: h.ID, ID: c.newID("release hold"), Kind: kind, Reason: in.Body.Reason}, nil
	})
}

type liftHoldInput struct {
	RequestID string `path:"requestId"`
	HoldID    string `path:"holdId"`
	Reason    string `query:"reason" maxLength:"500"`
}

func (s *Server) liftHold(ctx context.Context, c *call, in *liftHoldInput) (reply, error) {
	return s.lift(ctx, c, in.RequestID, in.HoldID, in.Reason)
}

type resolveHoldInput struct {
	RequestID string `path:"requestId"`
	Body      struct {
		HoldID string `json:"holdId" minLength:"1" maxLength:"64"`
		Reason string `json:"reason,omitempty" maxLength:"500"`
	}
}

func (s *Server) resolveHold(ctx context.Context, c *call, in *resolveHoldInput) (reply, error) {
	return s.lift(ctx, c, in.RequestID, in.Body.HoldID, in.Body.Reason)
}

func (s *Server) lift(ctx context.Context, c *call, requestID, id, reason string) (reply, error) {
	approver, waiting, err := s.liftedByTwo(ctx, c, requestID, id)
	if err != nil || waiting.status != 0 {
		return waiting, err
	}
	return s.onHold(ctx, c, requestID, func(h escrow.State) (flow, error) {
		// A guard places; what a guard has placed is lifted by an admin or a resolver too.
		if c.has(domain.Guard) && !c.has(domain.Admin) && !c.has(domain.Resolver) {
			if placed, ok := h.ReleaseHolds[id]; ok && placed.Kind != escrow.GuardHold {
				return nil, fault.ErrForbidden
			}
		}
		return funding.LiftHold{Issue: c.issue(), Hold: h.ID, ID: id, Reason: reason, Approver: approver}, nil
	})
}

// liftedByTwo asks for a second person where screening itself has placed the hold. The first is
// noted and answered 202.
func (s *Server) liftedByTwo(ctx context.Context, c *call, requestID, id string) (domain.Actor, reply, error) {
	h, err := s.holdOf(ctx, c, requestID)
	if err != nil {
		return domain.Actor{}, reply{}, err
	}
	placed, there := h.ReleaseHolds[id]
	if !there || placed.Kind != escrow.AMLHold || placed.PlacedBy.User() != "" || c.user() == h.Buyer || c.user() == h.Seller {
		return domain.Actor{}, reply{}, nil
	}
	first, waiting, err := s.second(ctx, c, "lift", string(h.ID), id)
	if err != nil || first == "" {
		return domain.Actor{}, waiting, err
	}
	return domain.User(first), reply{}, nil
}

type extendInput struct {
	RequestID string `path:"requestId"`
	Body      struct {
		EndsAt time.Time `json:"endsAt"`
	}
}

func (s *Server) extendInspection(ctx context.Context, c *call, in *extendInput) (reply, error) {
	return s.onHold(ctx, c, in.RequestID, func(h escrow.State) (flow, error) {
		return funding.ExtendInspection{Issue: c.issue(), Hold: h.ID, EndsAt: in.Body.EndsAt.UTC()}, nil
	})
}

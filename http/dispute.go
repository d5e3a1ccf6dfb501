package http

import (
	"context"
	"slices"

	"holdfast/domain"
	"holdfast/domain/dispute"
	"holdfast/domain/fault"
	"holdfast/domain/money"
	"holdfast/domain/settlement"
)

// Disputes are offered here; release holds of an order, which share the mount, in hold.go.

func disputeRoutes() []Route {
	codes := func(c ...string) []string { return c }
	return []Route{
		on[openDisputeInput, settlement.DisputeAnswer](Route{Method: "POST", Path: "/api/disputes", Roles: parties, Class: Command, Money: true, Rate: RateGeneral, Status: 201, Summary: "Contest an order's money; it is frozen at once", Errors: codes("DISPUTE_OPEN", "WINDOW_CLOSED", "NOTHING_TO_DISPUTE")}, (*Server).openDispute),
		on[raiseDisputeInput, settlement.DisputeAnswer](Route{Method: "POST", Path: "/api/disputes/pr/{requestId}/raise", Roles: parties, Class: Command, Money: true, Rate: RateGeneral, Status: 201, Summary: "The same, named by the order", Errors: codes("DISPUTE_OPEN", "WINDOW_CLOSED", "NOTHING_TO_DISPUTE")}, (*Server).raiseDispute),
		on[assignInput, settlement.DisputeAnswer](Route{Method: "PATCH", Path: "/api/disputes/{id}/assign", Roles: resolverAdmin, Class: Command, Rate: RateGeneral, Summary: "Name the resolver; resolvers name themselves", Errors: codes("RESOLVER_CONFLICT")}, (*Server).assignResolver),
		on[disputeStatusInput, settlement.DisputeAnswer](Route{Method: "PATCH", Path: "/api/disputes/{id}/status", Roles: resolverAdmin, Class: Command, Rate: RateGeneral, Summary: "Legacy: mapped to a command where one fits", Errors: codes("STATUS_NOT_SETTABLE")}, (*Server).patchDisputeStatus),
		on[respondInput, settlement.DisputeAnswer](Route{Method: "POST", Path: "/api/disputes/{id}/respond", Roles: parties, Class: Command, Rate: RateGeneral, Summary: "The other party's answer"}, (*Server).respondToDispute),
		on[evidenceInput, settlement.DisputeAnswer](Route{Method: "POST", Path: "/api/disputes/{id}/evidence", Roles: parties, Class: Command, Rate: RateGeneral, Status: 201, Summary: "Add proof; it cannot be changed", Errors: codes("EVIDENCE_CLOSED", "EVIDENCE_LIMIT")}, (*Server).submitEvidence),
		on[requestEvidenceInput, settlement.DisputeAnswer](Route{Method: "POST", Path: "/api/disputes/{id}/request-evidence", Roles: resolverAdmin, Class: Command, Rate: RateGeneral, Summary: "Ask the parties for more"}, (*Server).requestEvidence),
		on[disputeInput, settlement.DisputeAnswer](Route{Method: "POST", Path: "/api/disputes/{id}/close-evidence", Roles: resolverAdmin, Class: Command, Rate: RateGeneral, Summary: "End the collection and begin the review"}, (*Server).closeEvidence),
		on[disputeInput, settlement.DisputeAnswer](Route{Method: "POST", Path: "/api/disputes/{id}/escalate", Roles: Any, Class: Command, Rate: RateGeneral, Summary: "Ask for attention"}, (*Server).escalateDispute),
		on[proposeInput, settlement.DisputeAnswer](Route{Method: "POST", Path: "/api/disputes/{id}/settlements", Roles: parties, Class: Command, Money: true, Rate: RateGeneral, Status: 201, Summary: "Offer the other party a split"}, (*Server).proposeSettlement),
		on[settlementInput, settlement.DisputeAnswer](Route{Method: "POST", Path: "/api/disputes/{id}/settlements/{sid}/accept", Roles: parties, Class: Command, Money: true, Rate: RateGeneral, Summary: "Agree; the split is carried out at once", Errors: codes("SETTLEMENT_EXPIRED")}, (*Server).acceptSettlement),
		on[settlementInput, settlement.DisputeAnswer](Route{Method: "POST", Path: "/api/disputes/{id}/settlements/{sid}/decline", Roles: parties, Class: Command, Money: true, Rate: RateGeneral, Summary: "Refuse it, or take one's own back"}, (*Server).declineSettlement),
		on[decideInput, settlement.DisputeAnswer](Route{Method: "POST", Path: "/api/disputes/{id}/decide", Aliases: []string{"/api/disputes/{id}/resolve"}, Roles: resolverAdmin, Class: Command, Money: true, Rate: RateGeneral, Summary: "Decide; carried out when the appeal window has closed", Errors: codes("NOT_ASSIGNED", "INVALID_SPLIT", "ALREADY_RESOLVED", "RESOLVER_CONFLICT")}, (*Server).decideDispute),
		on[appealInput, settlement.DisputeAnswer](Route{Method: "POST", Path: "/api/disputes/{id}/appeal", Roles: parties, Class: Command, Money: true, Rate: RateGeneral, Summary: "Ask another resolver", Errors: codes("APPEAL_CLOSED", "APPEAL_LIMIT")}, (*Server).appealDispute),
		on[disputeInput, settlement.DisputeAnswer](Route{Method: "POST", Path: "/api/disputes/{id}/withdraw", Roles: parties, Class: Command, Money: true, Rate: RateGeneral, Summary: "The opener gives up"}, (*Server).withdrawDispute),
		on[rejectDisputeInput, settlement.DisputeAnswer](Route{Method: "POST", Path: "/api/disputes/{id}/reject", Roles: resolverAdmin, Class: Command, Money: true, Rate: RateGeneral, Summary: "Refuse an inadmissible dispute"}, (*Server).rejectDispute),
		on[disputeInput, settlement.DisputeAnswer](Route{Method: "POST", Path: "/api/disputes/{id}/confirm-return", Roles: sellerAdmin, Class: Command, Money: true, Rate: RateGeneral, Summary: "The goods are back; the buyer is paid"}, (*Server).confirmReturn),
		on[disputeInput, settlement.DisputeAnswer](Route{Method: "POST", Path: "/api/disputes/{id}/close", Roles: admin, Class: Command, Money: true, Rate: RateGeneral, Summary: "End a resolved dispute whose money has arrived"}, (*Server).closeDispute),
	}
}

// disputeFor gives a dispute that the caller may see: its parties, its resolver, a resolver
// while none is assigned, an admin. To anybody else it does not exist.
func (s *Server) disputeFor(ctx context.Context, c *call, id string) (dispute.State, error) {
	state, _, err := stateOf(ctx, s, dispute.Decider, id)
	if err == nil && !c.seesDispute(state.Buyer, state.Seller, state.Resolver, state.PastResolvers) {
		err = fault.ErrNotFound
	}
	return state, err
}

// inDispute runs a flow on a dispute that the caller may see.
func (s *Server) inDispute(ctx context.Context, c *call, id string, f func(domain.DisputeID, dispute.State) flow) (reply, error) {
	state, err := s.disputeFor(ctx, c, id)
	if err != nil {
		return reply{}, err
	}
	return s.run(ctx, c, of(dispute.Decider, domain.DisputeID(id)), f(domain.DisputeID(id), state))
}

// about makes text of the caller's own.
func (c *call) about(text string) domain.Personal { return domain.About(c.user(), text) }

// EvidenceIn is one piece of proof on its way in.
type EvidenceIn struct {
	Kind   string `json:"kind" enum:"text,image,video,document,link"`
	Text   string `json:"text,omitempty" maxLength:"5000"`
	SHA256 string `json:"sha256,omitempty" pattern:"^[0-9a-f]{64}$" doc:"Of the file"`
}

func (c *call) evidence(in []EvidenceIn) []dispute.Evidence {
	var all []dispute.Evidence
	for i, e := range in {
		id := c.newID("evidence " + string(rune('a'+i)))
		all = append(all, dispute.Evidence{ID: id, Kind: e.Kind, SHA256: e.SHA256, Text: c.about(e.Text)})
	}
	return all
}

// Complaint is what a party contests, and why.
type Complaint struct {
	Category       string       `json:"category" minLength:"2" maxLength:"60" pattern:"^[a-z_]+$"`
	Reason         string       `json:"reason" minLength:"3" maxLength:"200"`
	Description    string       `json:"description,omitempty" maxLength:"4000"`
	Priority       string       `json:"priority,omitempty" enum:"low,medium,high,urgent"`
	Amount         *AmountIn    `json:"amount,omitempty" doc:"What is contested; left out = all there is"`
	DesiredOutcome string       `json:"desiredOutcome,omitempty" enum:"refund,release,split,replacement,return_then_refund"`
	Evidence       []EvidenceIn `json:"evidence,omitempty" maxItems:"10"`
}

type openDisputeInput struct {
	Body struct {
		RequestID string `json:"purchaseRequestId" maxLength:"36"`
		Complaint
	}
}

type raiseDisputeInput struct {
	RequestID string `path:"requestId"`
	Body      Complaint
}

func (s *Server) openDispute(ctx context.Context, c *call, in *openDisputeInput) (reply, error) {
	if !wellFormedID(in.Body.RequestID) {
		return reply{}, errInvalidID.At("purchaseRequestId", "expected a UUID or 24 hex digits")
	}
	return s.contest(ctx, c, in.Body.RequestID, in.Body.Complaint)
}

func (s *Server) raiseDispute(ctx context.Context, c *call, in *raiseDisputeInput) (reply, error) {
	return s.contest(ctx, c, in.RequestID, in.Body)
}

func (s *Server) contest(ctx context.Context, c *call, request string, in Complaint) (reply, error) {
	hold, err := s.holdOf(ctx, c, request)
	if err != nil {
		return reply{}, err
	}
	f := settlement.OpenDispute{
		Issue: c.issue(), Dispute: domain.DisputeID(c.newID("dispute")), Hold: hold.ID,
		Category: in.Category, Priority: in.Priority, DesiredOutcome: in.DesiredOutcome,
		Reason: c.about(joined(in.Reason, in.Description)), Evidence: c.evidence(in.Evidence),
	}
	if in.Amount != nil {
		if f.Amount, err = s.read("amount", *in.Amount, hold.Due.Asset); err != nil {
			return reply{}, err
		}
	}
	terms, err := s.terms(hold.Due.Asset)
	if err != nil {
		return reply{}, err
	}
	f.Terms = terms.Dispute
	return s.run(ctx, c, of(dispute.Decider, f.Dispute), f)
}

func joined(reason, description string) string {
	if description == "" {
		return reason
	}
	return reason + "\n\n" + description
}

func (s *Server) terms(asset money.Asset) (Terms, error) {
	if s.deps.Policy == nil {
		return Terms{}, errNotConfigured
	}
	return s.deps.Policy.Terms(asset), nil
}

type disputeInput struct {
	ID string `path:"id"`
}

type assignInput struct {
	ID   string `path:"id"`
	Body struct {
		ResolverID string `json:"resolverId,omitempty" format:"uuid" doc:"Left out = the caller"`
	}
}

func (s *Server) assignResolver(ctx context.Context, c *call, in *assignInput) (reply, error) {
	resolver := domain.UserID(in.Body.ResolverID)
	if resolver == "" {
		resolver = c.user()
	}
	if resolver != c.user() && !c.has(domain.Admin) {
		return reply{}, fault.ErrForbidden
	}
	u, ok, err := s.deps.Users.ByID(ctx, resolver)
	if err != nil {
		return reply{}, err
	}
	if !ok || !u.Active() || !slices.Contains(u.Roles, domain.Resolver) {
		return reply{}, fault.ErrValidation.At("resolverId", "not a resolver")
	}
	return s.inDispute(ctx, c, in.ID, func(id domain.DisputeID, d dispute.State) flow {
		return settlement.AssignResolver{Issue: c.issue(), Dispute: id, Resolver: resolver, Payouts: s.payoutsOf(ctx, d.Hold)}
	})
}

type disputeStatusInput struct {
	ID   string `path:"id"`
	Body struct {
		Status string `json:"status" maxLength:"40"`
		Reason string `json:"reason,omitempty" maxLength:"1000"`
	}
}

func (s *Server) patchDisputeStatus(ctx context.Context, c *call, in *disputeStatusInput) (reply, error) {
	return s.inDisputeOr(ctx, c, in.ID, func(id domain.DisputeID, d dispute.State) (flow, error) {
		switch in.Body.Status {
		case "rejected":
			return settlement.RejectDispute{Issue: c.issue(), Dispute: id, Reason: c.about(in.Body.Reason)}, nil
		case "closed":
			return settlement.CloseDispute{Issue: c.issue(), Dispute: id}, nil
		case "in_progress":
			if d.Resolver == "" {
				return settlement.AssignResolver{Issue: c.issue(), Dispute: id, Resolver: c.user(), Payouts: s.payoutsOf(ctx, d.Hold)}, nil
			}
		}
		return nil, errStatusByPatch
	})
}

func (s *Server) inDisputeOr(ctx context.Context, c *call, id string, f func(domain.DisputeID, dispute.State) (flow, error)) (reply, error) {
	state, err := s.disputeFor(ctx, c, id)
	if err != nil {
		return reply{}, err
	}
	command, err := f(domain.DisputeID(id), state)
	if err != nil {
		return reply{}, err
	}
	return s.run(ctx, c, of(dispute.Decider, domain.DisputeID(id)), command)
}

package http

import (
	"context"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/funding"
	"holdfast/domain/money"
	"holdfast/domain/payment"
	"holdfast/projections/paymentview"
)

const awaitingPath = "/api/admin/payments/awaiting-confirmation"

func awaitingRoutes() []Route {
	query := func(rest, summary string) Route {
		return Route{Method: "GET", Path: awaitingPath + rest, Roles: adminGuard, Class: Query, Rate: RateGeneral, Views: []string{paymentview.Name}, Summary: summary}
	}
	command := func(rest, summary string, errors ...string) Route {
		return Route{Method: "POST", Path: awaitingPath + rest, Roles: admin, Class: Command, Money: true, Rate: RateGeneral, Summary: summary, Errors: errors}
	}
	recheck := Route{Method: "POST", Path: awaitingPath + "/{id}/recheck", Roles: admin, Class: PlainWrite, Rate: RateGeneral, Summary: "Look at the chain now, and say how the transfers stand", Errors: []string{"CHAIN_UNAVAILABLE", "CHAIN_NOT_CONFIGURED"}}
	return []Route{
		on[awaitingInput, []AwaitingOut](query("", "Transfers that are seen and not confirmed, oldest first, each with what keeps it"), (*Server).listAwaiting),
		on[struct{}, []AwaitingSum](query("/summary", "How many wait, by chain and reason"), (*Server).sumAwaiting),
		on[paymentInput, []RecheckOut](recheck, (*Server).recheckAwaiting),
		on[approveReviewInput, funding.PaymentAnswer](command("/{id}/approve", "Clear a review; two admins. The depth is waited for all the same", "APPROVAL_REQUIRED", "SELF_APPROVAL", "BREAK_GLASS_INACTIVE"), (*Server).approveAwaiting),
		on[rejectReviewInput, funding.PaymentAnswer](command("/{id}/reject", "Refuse the money of a review; two admins. It goes to suspense, to be refunded from there", "APPROVAL_REQUIRED", "SELF_APPROVAL"), (*Server).rejectAwaiting),
	}
}

// AwaitingOut is a transfer that waits.
type AwaitingOut struct {
	Payment       domain.PaymentID `json:"payment"`
	ChainID       uint64           `json:"chainId"`
	TxHash        string           `json:"txHash"`
	Evidence      string           `json:"evidence"`
	Amount        money.Amount     `json:"amount"`
	Confirmations uint64           `json:"confirmations"`
	Need          uint64           `json:"need"`
	ETASeconds    *uint64          `json:"etaSeconds,omitempty" doc:"By the chain's usual block time; absent where that is not known or a person must decide"`
	BlockedBy     payment.Blocked  `json:"blockedBy" enum:"depth,aml,match,provider"`
	Since         time.Time        `json:"since"`
}

type awaitingInput struct {
	Page
	ChainID   uint64          `query:"chainId" maximum:"9007199254740991"`
	OlderThan string          `query:"olderThan" pattern:"^[0-9]{1,6}[smhd]$" doc:"Nothing has happened to it for so long: 30m, 2h, 1d"`
	Reason    payment.Blocked `query:"reason" enum:"depth,aml,match,provider"`
}

const awaitingCursor = "awaiting"

func (s *Server) listAwaiting(ctx context.Context, _ *call, in *awaitingInput) (reply, error) {
	v, err := s.views()
	if err != nil {
		return reply{}, err
	}
	f := paymentview.AwaitingFilter{Chain: in.ChainID, BlockedBy: in.Reason}
	if in.OlderThan != "" {
		f.OlderThan = time.Now().Add(-duration(in.OlderThan))
	}
	after, err := readPositionCursor(awaitingCursor, in.Cursor)
	if err != nil {
		return reply{}, err
	}
	rows, next, err := v.Payments.Awaiting(ctx, f, after, in.Limit)
	all := []AwaitingOut{}
	for _, r := range rows {
		all = append(all, s.awaitingOut(r))
	}
	var meta Meta
	if next != 0 {
		meta.NextCursor = positionCursor(awaitingCursor, next)
	}
	return reply{data: all, meta: meta}, err
}

// duration reads what the pattern of olderThan lets through.
func duration(text string) time.Duration {
	unit := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}[text[len(text)-1]]
	n := time.Duration(0)
	for _, digit := range text[:len(text)-1] {
		n = n*10 + time.Duration(digit-'0')
	}
	return n * unit
}

func (s *Server) awaitingOut(r paymentview.Awaiting) AwaitingOut {
	out := AwaitingOut{
		Payment: r.Payment, ChainID: r.Chain, TxHash: r.Tx, Evidence: r.Evidence, Amount: money.Of(r.Asset, r.Amount),
		Confirmations: r.Have, Need: r.Need, BlockedBy: r.BlockedBy, Since: r.Since,
	}
	if s.deps.Networks == nil || r.BlockedBy != payment.ByDepth {
		return out
	}
	if c, ok := s.deps.Networks.Chain(r.Chain); ok && c.BlockTime > 0 {
		eta := (max(r.Need, r.Have) - r.Have) * uint64(c.BlockTime)
		out.ETASeconds = &eta
	}
	return out
}

// AwaitingSum is how many transfers of a chain wait for the same reason.
type AwaitingSum struct {
	ChainID   uint64          `json:"chainId"`
	BlockedBy payment.Blocked `json:"blockedBy"`
	Count     int64           `json:"count"`
	Oldest    time.Time       `json:"oldest"`
}

func (s *Server) sumAwaiting(ctx context.Context, _ *call, _ *struct{}) (reply, error) {
	v, err := s.views()
	if err != nil {
		return reply{}, err
	}
	counts, err := v.Payments.AwaitingCounts(ctx)
	all := []AwaitingSum{}
	for _, c := range counts {
		all = append(all, AwaitingSum{ChainID: c.Chain, BlockedBy: c.BlockedBy, Count: c.Count, Oldest: c.Oldest})
	}
	return reply{data: all}, err
}

// RecheckOut is how a transfer stands by the word of every node that answers.
type RecheckOut struct {
	Evidence      string `json:"evidence"`
	Canonical     bool   `json:"canonical" doc:"Its block is part of the chain"`
	Confirmations uint64 `json:"confirmations"`
	Need          uint64 `json:"need"`
	Reached       bool   `json:"reached" doc:"Firm enough; it is confirmed by the chain's follower, which was woken, unless a review is open"`
}

// recheckAwaiting decides nothing: it wakes the one that does.
func (s *Server) recheckAwaiting(ctx context.Context, c *call, in *paymentInput) (reply, error) {
	p, err := s.paymentFor(ctx, c, in.ID)
	if err != nil {
		return reply{}, err
	}
	if s.deps.Nodes == nil {
		return reply{}, errNotConfigured
	}
	all := []RecheckOut{}
	for _, t := range p.Transfers {
		if t.Confirmed {
			continue
		}
		e := t.Evidence
		st, err := s.deps.Nodes.Standing(ctx, e.Chain, e.Block, e.BlockHash)
		if err != nil {
			return reply{}, err
		}
		all = append(all, RecheckOut{
			Evidence: e.Key(), Canonical: st.Canonical, Confirmations: st.Depth, Need: max(p.Threshold.Need, p.Threshold.Floor, 1),
			Reached: st.Canonical && p.Threshold.Reached(st.Depth, st.Safe, st.Finalized),
		})
		s.deps.Nodes.Wake(e.Chain)
	}
	return reply{data: all}, nil
}

// reviewOf finds a payment that waits for a person, and nothing else: what waits for depth is
// nobody's to approve.
func (s *Server) reviewOf(ctx context.Context, c *call, id string) (payment.State, error) {
	p, err := s.paymentFor(ctx, c, id)
	switch {
	case err != nil:
		return p, err
	case c.user() == p.Buyer || c.user() == p.Seller:
		return p, errConflictOfInterest
	case p.Phase != payment.UnderReview:
		return p, fault.ErrInvalidState.With("state", p.Phase).With("blocked_by", p.BlockedBy())
	}
	return p, nil
}

type approveReviewInput struct {
	ID   string `path:"id"`
	Body struct {
		Reason string `json:"reason" minLength:"3" maxLength:"1000"`
		Alone  bool   `json:"alone,omitempty" doc:"Without a second admin, while the glass is broken; not for reviews about money laundering"`
	}
}

func (s *Server) approveAwaiting(ctx context.Context, c *call, in *approveReviewInput) (reply, error) {
	p, err := s.reviewOf(ctx, c, in.ID)
	if err != nil {
		return reply{}, err
	}
	if in.Body.Alone {
		answer, err := s.run(ctx, c, of(payment.Decider, p.ID), funding.ClearReviewAlone{Issue: c.issue(), Payment: p.ID, Reason: in.Body.Reason})
		if err == nil {
			s.log.ErrorContext(ctx, "break-glass used: a review is cleared by one admin", "payment", p.ID, "by", c.user(), "reason", in.Body.Reason)
		}
		return answer, err
	}
	first, waiting, err := s.second(ctx, c, "review", in.ID, "clear")
	if err != nil || first == "" {
		return waiting, err
	}
	return s.run(ctx, c, of(payment.Decider, p.ID), funding.ClearReview{Issue: c.issue(), Payment: p.ID, Approver: domain.User(first, domain.Admin)})
}

type rejectReviewInput struct {
	ID   string `path:"id"`
	Body struct {
		Disposition string `json:"disposition" enum:"suspense_refund"`
		Reason      string `json:"reason" minLength:"3" maxLength:"1000"`
	}
}

func (s *Server) rejectAwaiting(ctx context.Context, c *call, in *rejectReviewInput) (reply, error) {
	p, err := s.reviewOf(ctx, c, in.ID)
	if err != nil {
		return reply{}, err
	}
	first, waiting, err := s.second(ctx, c, "review", in.ID, "reject")
	if err != nil || first == "" {
		return waiting, err
	}
	return s.run(ctx, c, of(payment.Decider, p.ID), funding.RejectReview{Issue: c.issue(), Payment: p.ID, Approver: domain.User(first, domain.Admin)})
}

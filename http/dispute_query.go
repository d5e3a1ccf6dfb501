package http

import (
	"context"
	"time"

	"holdfast/domain"
	"holdfast/domain/dispute"
	"holdfast/domain/fault"
	"holdfast/domain/money"
	"holdfast/eventstore"
	"holdfast/projections"
	"holdfast/projections/disputeview"
)

func disputeQueries() []Route {
	route := func(rest, summary string, roles []domain.Capacity) Route {
		return Route{Method: "GET", Path: "/api/disputes" + rest, Roles: roles, Class: Query, Rate: RateGeneral, Views: []string{disputeview.Name}, Summary: summary}
	}
	return []Route{
		on[listDisputesInput, []DisputeOut](route("", "Disputes: all for an admin, assigned and unassigned ones for a resolver", resolverAdmin), (*Server).listDisputes),
		on[listDisputesInput, []DisputeOut](route("/mine", "The own disputes", Any), (*Server).myDisputes),
		on[DisputeFilter, DisputeStats](route("/statistics", "Counts, and how long they take", resolverAdmin), (*Server).disputeStatistics),
		on[disputeInput, DisputeOut](route("/{id}", "A dispute with evidence, proposals and decisions", Any), (*Server).getDispute),
		on[timelineInput, []Happening](route("/{id}/timeline", "What happened to it", Any), (*Server).disputeTimeline),
	}
}

// DisputeOut is a dispute as its parties and its resolver see it.
type DisputeOut struct {
	ID             domain.DisputeID `json:"id"`
	Version        int64            `json:"version"`
	RequestID      domain.RequestID `json:"purchaseRequestId"`
	HoldID         domain.HoldID    `json:"holdId"`
	BuyerID        domain.UserID    `json:"buyerId"`
	SellerID       domain.UserID    `json:"sellerId"`
	OpenerID       domain.UserID    `json:"openerId"`
	ResolverID     domain.UserID    `json:"resolverId,omitempty"`
	Status         string           `json:"status" doc:"The original's word"`
	State          string           `json:"state"`
	Round          int              `json:"round"`
	Category       string           `json:"category"`
	Priority       string           `json:"priority,omitempty"`
	Reason         string           `json:"reason"`
	DesiredOutcome string           `json:"desiredOutcome,omitempty"`
	Contested      money.Amount     `json:"contested"`
	DueBy          *time.Time       `json:"due_by,omitempty" doc:"Until when the present state waits"`
	PastDue        bool             `json:"past_due"`
	Submissions    int              `json:"submission_count"`
	Response       *StatementOut    `json:"response,omitempty"`
	Evidence       []EvidenceOut    `json:"evidence,omitempty"`
	Settlements    []SettlementOut  `json:"settlements,omitempty"`
	Decisions      []DecisionOut    `json:"decisions,omitempty"`
	Appeal         *StatementOut    `json:"appeal,omitempty"`
	Escalated      bool             `json:"escalated"`
	RefundID       domain.RefundID  `json:"refundId,omitempty"`
	CreatedAt      time.Time        `json:"createdAt"`
	ResolvedAt     *time.Time       `json:"resolvedAt,omitempty"`
	ClosedAt       *time.Time       `json:"closedAt,omitempty"`
}

// StatementOut is what somebody said.
type StatementOut struct {
	By   domain.UserID `json:"by"`
	Text string        `json:"text"`
	At   time.Time     `json:"at"`
}

// EvidenceOut is a piece of proof.
type EvidenceOut struct {
	ID     string        `json:"id"`
	Kind   string        `json:"kind"`
	SHA256 string        `json:"sha256,omitempty"`
	Text   string        `json:"text,omitempty"`
	By     domain.UserID `json:"submitted_by"`
	At     time.Time     `json:"submitted_at"`
	Round  int           `json:"round"`
}

// SettlementOut is a proposal of one party.
type SettlementOut struct {
	ID        string        `json:"id"`
	By        domain.UserID `json:"by"`
	SellerBPS money.BPS     `json:"seller_bps"`
	Message   string        `json:"message,omitempty"`
	ExpiresAt time.Time     `json:"expires_at"`
	Outcome   string        `json:"outcome"`
}

// DecisionOut is one round's decision.
type DecisionOut struct {
	Round       int              `json:"round"`
	Action      dispute.Action   `json:"action"`
	SellerBPS   money.BPS        `json:"seller_bps"`
	FeePayer    dispute.FeePayer `json:"fee_payer"`
	Reason      string           `json:"reason"`
	AppealUntil *time.Time       `json:"appeal_until,omitempty"`
	Final       bool             `json:"final"`
	At          time.Time        `json:"at"`
}

func disputeOut(row disputeview.Row) DisputeOut {
	d := row.Doc
	out := DisputeOut{
		ID: d.Dispute, Version: row.Version, RequestID: d.Request, HoldID: d.Hold, BuyerID: d.Buyer, SellerID: d.Seller, OpenerID: d.Opener,
		ResolverID: d.Resolver, Status: d.LegacyStatus, State: d.Phase, Round: d.Round, Category: d.Category, Priority: d.Priority, Reason: textOf(d.Reason),
		DesiredOutcome: d.DesiredOutcome, Contested: d.Contested, DueBy: d.DueAt, PastDue: d.DueAt != nil && d.DueAt.Before(time.Now()),
		Submissions: len(d.Evidence), Response: statementOut(d.Response), Appeal: statementOut(d.Appeal), Escalated: d.Escalated, RefundID: d.Refund,
		CreatedAt: row.CreatedAt, ResolvedAt: d.ResolvedAt, ClosedAt: d.ClosedAt,
	}
	for _, e := range d.Evidence {
		out.Evidence = append(out.Evidence, EvidenceOut{ID: e.ID, Kind: e.Kind, SHA256: e.SHA256, Text: textOf(e.Text), By: e.By, At: e.At.UTC(), Round: e.Round})
	}
	for _, p := range d.Settlements {
		out.Settlements = append(out.Settlements, SettlementOut{ID: p.ID, By: p.By, SellerBPS: p.SellerBPS, Message: textOf(p.Message), ExpiresAt: p.ExpiresAt.UTC(), Outcome: p.Outcome})
	}
	for _, v := range d.Decisions {
		out.Decisions = append(out.Decisions, DecisionOut{
			Round: v.Round, Action: v.Action, SellerBPS: v.SellerBPS, FeePayer: v.FeePayer,
			Reason: textOf(v.Reason), AppealUntil: timeOf(v.AppealUntil), Final: v.Final, At: v.At.UTC(),
		})
	}
	return out
}

func statementOut(s *disputeview.Statement) *StatementOut {
	if s == nil {
		return nil
	}
	return &StatementOut{By: s.By, Text: textOf(s.Text), At: s.At.UTC()}
}

// DisputeFilter narrows disputes.
type DisputeFilter struct {
	Status   string `query:"status" enum:"pending,in_progress,waiting_response,resolved,rejected,closed" doc:"The original's word"`
	State    string `query:"state" maxLength:"40"`
	Category string `query:"category" maxLength:"60"`
	Assignee string `query:"assignee" maxLength:"36" doc:"A resolver, or none"`
	Open     bool   `query:"open"`
}

type listDisputesInput struct {
	Page
	DisputeFilter
	Sort string `query:"sort" enum:"newest,oldest,due" default:"newest"`
}

func (in *DisputeFilter) filter() disputeview.Filter {
	f := disputeview.Filter{LegacyStatus: in.Status, Phase: in.State, Category: in.Category, OpenOnly: in.Open}
	if in.Assignee == "none" {
		f.Unassigned = true
	} else {
		f.Resolver = domain.UserID(in.Assignee)
	}
	return f
}

var disputeSorts = map[string]projections.Sort{"newest": projections.Newest, "oldest": projections.Oldest, "due": disputeview.DueFirst}

func (s *Server) disputesBy(ctx context.Context, in *listDisputesInput, f disputeview.Filter) (reply, error) {
	v, err := s.views()
	if err != nil {
		return reply{}, err
	}
	list, err := v.Disputes.List(ctx, f, in.ask(disputeSorts[in.Sort]))
	return listed(list, err, disputeOut)
}

func (s *Server) listDisputes(ctx context.Context, c *call, in *listDisputesInput) (reply, error) {
	f := in.filter()
	if !c.has(domain.Admin) && !f.Unassigned {
		if f.Resolver != "" && f.Resolver != c.user() {
			return reply{}, fault.ErrForbidden
		}
		f.Resolver = c.user()
	}
	return s.disputesBy(ctx, in, f)
}

func (s *Server) myDisputes(ctx context.Context, c *call, in *listDisputesInput) (reply, error) {
	f := in.filter()
	f.Party = c.user()
	return s.disputesBy(ctx, in, f)
}

// DisputeStats counts disputes.
type DisputeStats struct {
	Total      int64            `json:"total"`
	Open       int64            `json:"open"`
	Overdue    int64            `json:"overdue"`
	ByState    map[string]int64 `json:"byState"`
	ByStatus   map[string]int64 `json:"byStatus"`
	ByCategory map[string]int64 `json:"byCategory"`
	MeanDays   float64          `json:"meanDays" doc:"From opening to resolution"`
}

func (s *Server) disputeStatistics(ctx context.Context, c *call, in *DisputeFilter) (reply, error) {
	v, err := s.views()
	if err != nil {
		return reply{}, err
	}
	f := in.filter()
	if !c.has(domain.Admin) {
		f.Resolver, f.Unassigned = c.user(), false
	}
	n, err := v.Disputes.Statistics(ctx, f, time.Now())
	return reply{data: DisputeStats{Total: n.Total, Open: n.Open, Overdue: n.Overdue, ByState: n.ByPhase, ByStatus: n.ByStatus, ByCategory: n.ByCategory, MeanDays: n.MeanDays}}, err
}

func (s *Server) disputeRow(ctx context.Context, c *call, id string) (disputeview.Row, error) {
	v, err := s.views()
	if err != nil {
		return disputeview.Row{}, err
	}
	row, err := v.Disputes.Get(ctx, domain.DisputeID(id))
	if err != nil {
		return row, err
	}
	d := row.Doc
	if !c.seesDispute(d.Buyer, d.Seller, d.Resolver, d.PastResolvers) {
		return disputeview.Row{}, fault.ErrNotFound
	}
	return row, nil
}

func (s *Server) getDispute(ctx context.Context, c *call, in *disputeInput) (reply, error) {
	row, err := s.disputeRow(ctx, c, in.ID)
	if err != nil {
		return reply{}, err
	}
	return reply{data: disputeOut(row), version: row.Version}, nil
}

func (s *Server) disputeTimeline(ctx context.Context, c *call, in *timelineInput) (reply, error) {
	row, err := s.disputeRow(ctx, c, in.ID)
	if err != nil {
		return reply{}, err
	}
	after, err := readPositionCursor("timeline", in.Cursor)
	if err != nil {
		return reply{}, err
	}
	events, err := s.deps.Views.Timeline.OfStream(ctx, domain.Stream{Type: dispute.Category, ID: in.ID}, after, in.Limit)
	if err != nil {
		return reply{}, err
	}
	return happenings(events, in.Limit, row.Doc.Buyer, row.Doc.Seller, func(eventstore.Recorded) bool { return true }), nil
}

package http

import (
	"context"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/money"
	"holdfast/domain/refund"
	"holdfast/projections"
	"holdfast/projections/refundview"
)

func refundQueries() []Route {
	base := "/api/payment/refunds"
	return []Route{
		on[listRefundsInput, []RefundOut](Route{Method: "GET", Path: base, Roles: partiesAdmin, Class: Query, Rate: RatePayment, Views: []string{refundview.Name}, Summary: "Refunds: the own ones, all for an admin"}, (*Server).listRefunds),
		on[refundInput, RefundOut](Route{Method: "GET", Path: base + "/{id}", Roles: partiesAdmin, Class: Query, Rate: RatePayment, Views: []string{refundview.Name}, Summary: "A refund"}, (*Server).getRefund),
		on[refundInstructionInput, RefundInstruction](Route{Method: "GET", Path: base + "/{id}/instruction", Roles: admin, Class: Query, Rate: RatePayment, Views: []string{refundview.Name}, Summary: "What the custody signer must sign, at today's gas price", Errors: []string{"REFUND_ADDRESS_REQUIRED", "CUSTODY_SHORT", "GAS_MISSING", "GAS_TOO_HIGH", "TX_WOULD_FAIL", "ADDRESS_SCREENED"}}, (*Server).refundInstruction),
	}
}

type listRefundsInput struct {
	Page
	State  string `query:"state" enum:"Requested,AddressPending,Approved,Broadcast,Confirmed,Failed,Rejected,Cancelled"`
	Source string `query:"source" enum:"held,releasable,buyer_credit,suspense,clawback,dispute"`
}

func (s *Server) listRefunds(ctx context.Context, c *call, in *listRefundsInput) (reply, error) {
	v, err := s.views()
	if err != nil {
		return reply{}, err
	}
	f := refundview.Filter{Phase: in.State, Source: refund.Source(in.Source)}
	if !c.has(domain.Admin) {
		f.Party = c.user()
	}
	list, err := v.Refunds.List(ctx, f, in.ask(projections.Newest))
	return listed(list, err, c.refundOut)
}

func (s *Server) getRefund(ctx context.Context, c *call, in *refundInput) (reply, error) {
	v, err := s.views()
	if err != nil {
		return reply{}, err
	}
	row, err := v.Refunds.Get(ctx, domain.RefundID(in.ID))
	if err == nil && !c.sees(OfRefund, row.Doc.Buyer, row.Doc.Seller) {
		err = fault.ErrNotFound
	}
	if err != nil {
		return reply{}, err
	}
	return reply{data: c.refundOut(row), version: row.Version}, nil
}

// RefundOut is a refund as its parties see it; the address is the buyer's business.
type RefundOut struct {
	ID          domain.RefundID  `json:"id"`
	Version     int64            `json:"version"`
	RequestID   domain.RequestID `json:"purchaseRequestId,omitempty"`
	DisputeID   domain.DisputeID `json:"disputeId,omitempty"`
	State       string           `json:"state"`
	Source      string           `json:"source"`
	Mode        string           `json:"mode"`
	Asked       money.Amount     `json:"asked"`
	Amount      money.Amount     `json:"amount"`
	Net         money.Amount     `json:"net"`
	NetworkFee  money.Amount     `json:"networkFee"`
	Reason      string           `json:"reason,omitempty"`
	Address     string           `json:"address,omitempty" doc:"The buyer and staff only"`
	RestUntil   *time.Time       `json:"restUntil,omitempty" doc:"Nothing is sent to the address before"`
	Txs         []string         `json:"txs,omitempty"`
	FailureCode string           `json:"failureCode,omitempty"`
	CreatedAt   time.Time        `json:"createdAt"`
	EndedAt     *time.Time       `json:"endedAt,omitempty"`
}

func (c *call) refundOut(row refundview.Row) RefundOut {
	d := row.Doc
	out := RefundOut{
		ID: d.Refund, Version: row.Version, RequestID: d.Request, DisputeID: d.Dispute, State: d.Phase, Source: string(d.Source), Mode: string(d.Mode),
		Asked: d.Asked, Amount: d.State.Amount, Net: d.Net, NetworkFee: d.NetworkFee, Reason: textOf(d.Reason), Txs: d.Txs, FailureCode: d.FailureCode,
		CreatedAt: row.CreatedAt, EndedAt: d.EndedAt,
	}
	if c.is(d.Buyer) || c.has(domain.Admin) {
		out.Address, out.RestUntil = textOf(d.Address), timeOf(d.RestUntil)
	}
	return out
}

func (s *Server) refundsOfPayment(ctx context.Context, c *call, in *paymentInput) (reply, error) {
	row, err := s.paymentRow(ctx, c, in.ID)
	if err != nil {
		return reply{}, err
	}
	refunds, err := s.deps.Views.Refunds.OfHold(ctx, row.Doc.Hold)
	return reply{data: shown(refunds, c.refundOut)}, err
}

package http

import (
	"context"
	"time"

	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/projections/refundview"
)

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
	if c.user() == d.Buyer || c.has(domain.Admin) {
		out.Address = textOf(d.Address)
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

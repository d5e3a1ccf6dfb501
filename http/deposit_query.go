package http

import (
	"context"
	"time"

	"holdfast/domain"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/projections"
	"holdfast/projections/depositview"
)

// DepositOut is money that came and belongs to nobody yet.
type DepositOut struct {
	ID        string           `json:"id" doc:"Evidence key: chain, transaction, log"`
	State     string           `json:"state"`
	Reason    string           `json:"reason"`
	Amount    money.Amount     `json:"amount"`
	Left      money.Amount     `json:"left"`
	From      string           `json:"from"`
	Custody   ledger.Account   `json:"custody"`
	PaymentID domain.PaymentID `json:"paymentId,omitempty" doc:"Whose destination it came to"`
	CreatedAt time.Time        `json:"createdAt"`
}

type listUnmatchedInput struct {
	Page
	State string `query:"state" maxLength:"40"`
}

func (s *Server) listUnmatched(ctx context.Context, _ *call, in *listUnmatchedInput) (reply, error) {
	v, err := s.views()
	if err != nil {
		return reply{}, err
	}
	list, err := v.Deposits.List(ctx, in.State, in.ask(projections.Newest))
	return listed(list, err, func(row depositview.Row) DepositOut {
		d := row.Doc
		return DepositOut{
			ID: row.ID, State: d.Phase, Reason: string(d.Reason), Amount: d.State.Amount, Left: money.Of(d.State.Amount.Asset, d.Left),
			From: d.From, Custody: d.Custody, PaymentID: d.Payment, CreatedAt: row.CreatedAt,
		}
	})
}

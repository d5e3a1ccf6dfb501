package http

import (
	"context"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/money"
	"holdfast/projections"
	"holdfast/projections/payoutview"
)

func payoutQueries() []Route {
	route := func(rest, summary string) Route {
		return Route{Method: "GET", Path: "/api/payment/payouts" + rest, Roles: sellerAdmin, Class: Query, Rate: RatePayment, Views: []string{payoutview.Name}, Summary: summary}
	}
	return []Route{
		on[listPayoutsInput, []PayoutOut](route("", "Payouts: the own ones, all for an admin"), (*Server).listPayouts),
		on[payoutInput, PayoutOut](route("/{id}", "A payout"), (*Server).getPayout),
	}
}

// PayoutOut is a payout as its seller and an admin see it.
type PayoutOut struct {
	ID           domain.PayoutID `json:"id"`
	Version      int64           `json:"version"`
	SellerID     domain.UserID   `json:"sellerId"`
	State        string          `json:"state"`
	Revision     int             `json:"revision"`
	Amount       money.Amount    `json:"amount"`
	Wallet       string          `json:"wallet"`
	Approvals    int             `json:"approvals"`
	Needed       int             `json:"needed"`
	CoolingUntil *time.Time      `json:"coolingUntil,omitempty"`
	Txs          []string        `json:"txs,omitempty"`
	RejectReason string          `json:"rejectReason,omitempty"`
	FailureCode  string          `json:"failureCode,omitempty"`
	CreatedAt    time.Time       `json:"createdAt"`
	UpdatedAt    time.Time       `json:"updatedAt"`
	EndedAt      *time.Time      `json:"endedAt,omitempty"`
}

func payoutOut(row payoutview.Row) PayoutOut {
	d := row.Doc
	return PayoutOut{
		ID: d.Payout, Version: row.Version, SellerID: d.Seller, State: d.Phase, Revision: d.Revision, Amount: d.Amount, Wallet: d.Wallet,
		Approvals: len(d.Approvers), Needed: d.Needed, CoolingUntil: timeOf(d.CoolingUntil), Txs: d.Txs, RejectReason: d.RejectReason,
		FailureCode: d.FailureCode, CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt, EndedAt: d.EndedAt,
	}
}

type listPayoutsInput struct {
	Page
	State string    `query:"state" enum:"Requested,Approved,InstructionBuilt,Signed,Broadcast,Confirmed,Failed,Rejected,Cancelled"`
	Asset string    `query:"asset" maxLength:"200"`
	From  time.Time `query:"from"`
	To    time.Time `query:"to"`
}

func (s *Server) listPayouts(ctx context.Context, c *call, in *listPayoutsInput) (reply, error) {
	v, err := s.views()
	if err != nil {
		return reply{}, err
	}
	asset, err := s.assetFilter(in.Asset)
	if err != nil {
		return reply{}, err
	}
	f := payoutview.Filter{Phase: in.State, Asset: asset, From: in.From, To: in.To}
	if !c.has(domain.Admin) {
		f.Seller = c.user()
	}
	list, err := v.Payouts.List(ctx, f, in.ask(projections.Newest))
	return listed(list, err, payoutOut)
}

func (s *Server) getPayout(ctx context.Context, c *call, in *payoutInput) (reply, error) {
	v, err := s.views()
	if err != nil {
		return reply{}, err
	}
	row, err := v.Payouts.Get(ctx, domain.PayoutID(in.ID))
	if err == nil && !c.sees(OfPayout, row.Doc.Seller) {
		err = fault.ErrNotFound
	}
	if err != nil {
		return reply{}, err
	}
	return reply{data: payoutOut(row), version: row.Version}, nil
}

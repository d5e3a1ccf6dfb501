package http

import (
	"cmp"
	"context"
	"slices"
	"time"

	"holdfast/domain"
	"holdfast/domain/breaker"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/payout"
	"holdfast/domain/refund"
	"holdfast/eventstore"
	"holdfast/projections/payoutview"
	"holdfast/projections/refundview"
)

func moneyOutRoutes() []Route {
	base := "/api/admin/money-out"
	views := []string{payoutview.Name, refundview.Name}
	return []Route{
		on[moneyOutInput, []WaitingOut](Route{Method: "GET", Path: base, Roles: adminGuard, Class: Query, Rate: RateGeneral, Views: views, Summary: "Payouts and refunds that wait: for whom, how long, and what stops them; oldest first"}, (*Server).moneyOut),
		on[struct{}, []WaitingSum](Route{Method: "GET", Path: base + "/summary", Roles: adminGuard, Class: Query, Rate: RateGeneral, Views: views, Summary: "How many wait for what, and the oldest of them"}, (*Server).moneyOutSummary),
	}
}

// WaitingOut is a payout or refund that has not run its course.
type WaitingOut struct {
	Kind       string        `json:"kind" enum:"payout,refund"`
	ID         string        `json:"id"`
	State      string        `json:"state"`
	WaitsFor   string        `json:"waitsFor" enum:"approval,address,rest,instruction,signature,confirmation"`
	BlockedBy  []string      `json:"blockedBy,omitempty" doc:"asset_paused, custody_short: what was decided stands, and waits until that is mended"`
	Amount     money.Amount  `json:"amount"`
	UserID     domain.UserID `json:"userId,omitempty" doc:"Who is to be paid"`
	Approvals  int           `json:"approvals,omitempty"`
	Needed     int           `json:"needed,omitempty"`
	RestUntil  *time.Time    `json:"restUntil,omitempty"`
	Txs        []string      `json:"txs,omitempty" doc:"Signed transactions, oldest first"`
	Since      time.Time     `json:"since" doc:"Of the last thing that happened to it"`
	AgeSeconds int64         `json:"ageSeconds"`
	CreatedAt  time.Time     `json:"createdAt"`
}

// What a payout or refund waits for.
const (
	forApproval     = "approval"
	forAddress      = "address"
	forRest         = "rest"
	forInstruction  = "instruction"
	forSignature    = "signature"
	forConfirmation = "confirmation"
)

type moneyOutInput struct {
	WaitsFor  string `query:"waitsFor" enum:"approval,address,rest,instruction,signature,confirmation"`
	Kind      string `query:"kind" enum:"payout,refund"`
	OlderThan int64  `query:"olderThan" minimum:"0" maximum:"31536000" doc:"Seconds since the last thing happened"`
}

func (s *Server) moneyOut(ctx context.Context, _ *call, in *moneyOutInput) (reply, error) {
	all, err := s.waiting(ctx)
	if err != nil {
		return reply{}, err
	}
	all = slices.DeleteFunc(all, func(w WaitingOut) bool {
		return in.WaitsFor != "" && w.WaitsFor != in.WaitsFor || in.Kind != "" && w.Kind != in.Kind || w.AgeSeconds < in.OlderThan
	})
	return reply{data: all}, nil
}

// WaitingSum counts what waits for the same.
type WaitingSum struct {
	Kind          string `json:"kind"`
	WaitsFor      string `json:"waitsFor"`
	Count         int    `json:"count"`
	Blocked       int    `json:"blocked"`
	OldestSeconds int64  `json:"oldestSeconds"`
}

func (s *Server) moneyOutSummary(ctx context.Context, _ *call, _ *struct{}) (reply, error) {
	all, err := s.waiting(ctx)
	if err != nil {
		return reply{}, err
	}
	sums := []WaitingSum{}
	for _, w := range all {
		i := slices.IndexFunc(sums, func(x WaitingSum) bool { return x.Kind == w.Kind && x.WaitsFor == w.WaitsFor })
		if i < 0 {
			i, sums = len(sums), append(sums, WaitingSum{Kind: w.Kind, WaitsFor: w.WaitsFor})
		}
		sums[i].Count++
		sums[i].OldestSeconds = max(sums[i].OldestSeconds, w.AgeSeconds)
		if len(w.BlockedBy) > 0 {
			sums[i].Blocked++
		}
	}
	return reply{data: sums}, nil
}

// waiting gives all that has not run its course, oldest first.
func (s *Server) waiting(ctx context.Context) ([]WaitingOut, error) {
	v, err := s.views()
	if err != nil {
		return nil, err
	}
	now, err := s.deps.Executor.Store().Now(ctx)
	if err != nil {
		return nil, err
	}
	payouts, err := v.Payouts.Open(ctx)
	if err != nil {
		return nil, err
	}
	refunds, err := v.Refunds.Open(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]WaitingOut, 0, len(payouts)+len(refunds))
	for _, row := range payouts {
		all = append(all, waitingPayout(row, now))
	}
	for _, row := range refunds {
		all = append(all, waitingRefund(row, now))
	}
	slices.SortStableFunc(all, func(a, b WaitingOut) int { return cmp.Compare(b.AgeSeconds, a.AgeSeconds) })
	return all, s.block(ctx, all)
}

func waitingPayout(row payoutview.Row, now time.Time) WaitingOut {
	d := row.Doc
	w := WaitingOut{
		Kind: "payout", ID: row.ID, State: d.Phase, WaitsFor: forSignature, Amount: d.Amount, UserID: d.Seller, Approvals: len(d.Approvers), Needed: d.Needed,
		Txs: d.Txs, Since: row.UpdatedAt, AgeSeconds: age(row.UpdatedAt, now), CreatedAt: row.CreatedAt,
	}
	resting := now.Before(d.CoolingUntil)
	switch {
	case d.Phase == payout.PhaseBroadcast:
		w.WaitsFor = forConfirmation
	case resting:
		w.WaitsFor, w.RestUntil = forRest, timeOf(d.CoolingUntil)
	case d.Phase == payout.PhaseRequested:
		w.WaitsFor = forApproval
	case d.Phase == payout.PhaseApproved:
		w.WaitsFor = forInstruction
	}
	return w
}

func waitingRefund(row refundview.Row, now time.Time) WaitingOut {
	d := row.Doc
	w := WaitingOut{
		Kind: "refund", ID: row.ID, State: d.Phase, WaitsFor: forSignature, Amount: d.Net, UserID: d.Buyer,
		Txs: d.Txs, Since: row.UpdatedAt, AgeSeconds: age(row.UpdatedAt, now), CreatedAt: row.CreatedAt,
	}
	switch {
	case d.Phase == refund.PhaseBroadcast:
		w.WaitsFor = forConfirmation
	case d.Phase == refund.PhaseRequested:
		w.WaitsFor, w.Amount = forApproval, d.Asked
	case d.Phase == refund.PhaseAddressPending:
		w.WaitsFor = forAddress
	case now.Before(d.RestUntil):
		w.WaitsFor, w.RestUntil = forRest, timeOf(d.RestUntil)
	}
	return w
}

func age(since, now time.Time) int64 { return max(int64(now.Sub(since)/time.Second), 0) }

// block says what stops those that are not under way: a paused asset, or a treasury that has
// less than they need.
func (s *Server) block(ctx context.Context, all []WaitingOut) error {
	paused, left := map[money.Asset]bool{}, map[money.Asset]money.Units{}
	for i := range all {
		w := &all[i]
		asset := w.Amount.Asset
		if asset == "" || w.WaitsFor == forConfirmation {
			continue
		}
		if _, known := left[asset]; !known {
			b, _, err := eventstore.FreshState(ctx, s.deps.Executor, breaker.Decider, string(asset))
			if err != nil {
				return err
			}
			paused[asset] = b.Check() != nil
			if left[asset], err = s.available(ctx, ledger.Treasury, asset); err != nil {
				return err
			}
		}
		if paused[asset] {
			w.BlockedBy = append(w.BlockedBy, "asset_paused")
		}
		if left[asset].Less(w.Amount.Units) {
			w.BlockedBy = append(w.BlockedBy, "custody_short")
		}
	}
	return nil
}

package http

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"holdfast/domain"
	"holdfast/domain/funding"
	"holdfast/domain/money"
	"holdfast/domain/payment"
	"holdfast/domain/safety"
	"holdfast/projections"
	"holdfast/projections/paymentview"
)

const reviewsPath = "/api/admin/payments/reviews"

func reviewRoutes() []Route {
	return []Route{
		on[listReviewsInput, []ReviewOut](Route{Method: "GET", Path: reviewsPath, Roles: adminGuard, Class: Query, Rate: RateGeneral, Views: []string{paymentview.Name}, Summary: "Payments that wait for two people, oldest first, with every verdict"}, (*Server).listReviews),
		on[paymentInput, []VerdictOut](Route{Method: "POST", Path: reviewsPath + "/{id}/rescreen", Roles: adminGuard, Class: Command, Rate: RatePayment, Summary: "Ask about a payment's payers again", Errors: []string{"NOT_CONFIGURED"}}, (*Server).rescreen),
	}
}

// ReviewOut is a payment that waits for two people.
type ReviewOut struct {
	PaymentID domain.PaymentID `json:"paymentId"`
	RequestID domain.RequestID `json:"purchaseRequestId"`
	BuyerID   domain.UserID    `json:"buyerId"`
	SellerID  domain.UserID    `json:"sellerId"`
	State     string           `json:"state"`
	Kind      string           `json:"kind,omitempty" doc:"Why it was held for review"`
	Due       money.Amount     `json:"due"`
	Payers    []PayerOut       `json:"payers"`
	Verdicts  []VerdictOut     `json:"verdicts" doc:"Oldest first"`
	Since     time.Time        `json:"since"`
}

// PayerOut is who has paid, with the newest word on it.
type PayerOut struct {
	Evidence  string         `json:"evidence"`
	From      string         `json:"from"`
	Amount    money.Amount   `json:"amount"`
	Confirmed bool           `json:"confirmed"`
	Outcome   safety.Outcome `json:"outcome" enum:"clean,flagged,unanswered"`
	Cleared   bool           `json:"cleared"`
}

// sortedTransfers gives a payment's transfers in the order of the chain.
func sortedTransfers(all map[string]payment.Transfer) []payment.Transfer {
	return slices.SortedFunc(maps.Values(all), func(a, b payment.Transfer) int {
		return cmp.Or(cmp.Compare(a.Evidence.Block, b.Evidence.Block), cmp.Compare(a.Evidence.Key(), b.Evidence.Key()))
	})
}

// VerdictOut is what screening said at one time.
type VerdictOut struct {
	Evidence string           `json:"evidence"`
	Address  string           `json:"address"`
	Outcome  safety.Outcome   `json:"outcome"`
	Score    int              `json:"score"`
	Findings []safety.Finding `json:"findings"`
	At       time.Time        `json:"at"`
}

func verdictOut(e payment.Evidence, v safety.Verdict) VerdictOut {
	return VerdictOut{Evidence: e.Key(), Address: v.Address, Outcome: v.Outcome, Score: v.Score, Findings: append([]safety.Finding{}, v.Findings...), At: v.At.UTC()}
}

func reviewOut(row paymentview.Row) ReviewOut {
	d := row.Doc
	out := ReviewOut{
		PaymentID: d.ID, RequestID: d.Request, BuyerID: d.Buyer, SellerID: d.Seller, State: d.Phase, Kind: d.ReviewKind, Due: d.Due,
		Payers: []PayerOut{}, Verdicts: []VerdictOut{}, Since: row.UpdatedAt,
	}
	for _, t := range sortedTransfers(d.Transfers) {
		out.Payers = append(out.Payers, PayerOut{Evidence: t.Evidence.Key(), From: t.From, Amount: t.Amount, Confirmed: t.Confirmed, Outcome: t.Screening, Cleared: t.Cleared})
	}
	for _, v := range d.Verdicts {
		out.Verdicts = append(out.Verdicts, verdictOut(v.Evidence, v.Verdict))
	}
	return out
}

type listReviewsInput struct{ Page }

func (s *Server) listReviews(ctx context.Context, _ *call, in *listReviewsInput) (reply, error) {
	v, err := s.views()
	if err != nil {
		return reply{}, err
	}
	list, err := v.Payments.InReview(ctx, in.ask(projections.Oldest))
	return listed(list, err, reviewOut)
}

// rescreen asks again now, whatever was said before: lists change.
func (s *Server) rescreen(ctx context.Context, c *call, in *paymentInput) (reply, error) {
	if s.deps.Screener == nil {
		return reply{}, errNotConfigured
	}
	p, err := s.paymentFor(ctx, c, in.ID)
	if err != nil {
		return reply{}, err
	}
	all := rescreened{verdicts: []VerdictOut{}}
	issue := domain.Issue{By: domain.Machine(domain.Process, "screening"), At: c.issue().At}
	for _, t := range sortedTransfers(p.Transfers) {
		v := s.deps.Screener.Screen(ctx, t.Evidence.Chain, t.From)
		all.verdicts = append(all.verdicts, verdictOut(t.Evidence, v))
		all.flows = append(all.flows, funding.ScreenTransfer{Issue: issue, Payment: p.ID, Evidence: t.Evidence, Verdict: v})
	}
	return s.run(ctx, c, of(payment.Decider, p.ID), all)
}

// rescreened records several verdicts in one unit.
type rescreened struct {
	flows    []funding.ScreenTransfer
	verdicts []VerdictOut
}

// Run decides.
func (f rescreened) Run(u *domain.Unit) (any, error) {
	for _, one := range f.flows {
		if _, err := one.Run(u); err != nil {
			return nil, err
		}
	}
	return f.verdicts, nil
}

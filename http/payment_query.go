package http

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/money"
	"holdfast/domain/payment"
	"holdfast/projections"
	"holdfast/projections/depositview"
	"holdfast/projections/escrowview"
	"holdfast/projections/paymentview"
	"holdfast/projections/refundview"
)

func paymentQueries() []Route {
	route := func(rest, summary string, roles []domain.Capacity, rate Rate) Route {
		return Route{Method: "GET", Path: paymentsPath + rest, Roles: roles, Class: Query, Rate: rate, Views: []string{paymentview.Name}, Summary: summary}
	}
	whole := func(rest, summary string) Route {
		r := route(rest, summary, Any, RateGeneral)
		r.Views = []string{paymentview.Name, escrowview.Name, refundview.Name}
		return r
	}
	export := route("/export", "Every payment as CSV or NDJSON; a seller's own", sellerAdmin, RatePayment)
	export.Streams = true
	return []Route{
		on[listPaymentsInput, []PaymentOut](route("", "Payments: the own ones, all for an admin", Any, RatePayment), (*Server).listPayments),
		on[PaymentFilter, []StatOut](route("/stats", "Counts and sums, per asset and state", Any, RatePayment), (*Server).paymentStats),
		on[struct{}, PaymentHealth](Route{Method: "GET", Path: paymentsPath + "/health", Greets: true, Class: Query, Rate: RateExempt, Summary: "Whether payments can be taken; more for admins and guards"}, (*Server).paymentHealth),
		on[exportPaymentsInput, PaymentOut](export, (*Server).exportPayments),
		on[quoteIDInput, QuoteOut](Route{Method: "GET", Path: paymentsPath + "/quotes/{id}", Roles: buyer, Class: Query, Rate: RatePayment, Summary: "A quote"}, (*Server).getQuote),
		on[listUnmatchedInput, []DepositOut](Route{Method: "GET", Path: paymentsPath + "/unmatched", Roles: admin, Class: Query, Rate: RatePayment, Views: []string{depositview.Name}, Summary: "Deposits that belong to nobody yet"}, (*Server).listUnmatched),
		on[waitPaymentInput, PaymentOut](whole("/{id}", "A payment with its hold and refunds; ?wait= for a change"), (*Server).getPayment),
		on[paymentInput, []RefundOut](whole("/{id}/refunds", "Its refunds"), (*Server).refundsOfPayment),
		on[paymentInput, []LedgerEntry](route("/{id}/ledger", "What its hold did to the ledger", Any, RatePayment), (*Server).ledgerOfPayment),
		on[timelineInput, []Happening](route("/{id}/events", "What happened to it", Any, RatePayment), (*Server).eventsOfPayment),
		on[paymentInput, InclusionProof](route("/{id}/proof", "Proof that its last event is in the log", Any, RatePayment), (*Server).proofOfPayment),
		on[paymentInput, map[string]any](Route{Method: "POST", Path: paymentsPath + "/{id}/reconcile", Roles: adminGuard, Class: PlainWrite, Rate: RatePayment, Summary: "Ask chain and provider now"}, (*Server).reconcilePayment),
	}
}

// PaymentOut is a payment as its parties see it.
type PaymentOut struct {
	ID          domain.PaymentID  `json:"id"`
	Version     int64             `json:"version"`
	RequestID   domain.RequestID  `json:"purchaseRequestId"`
	OfferID     domain.OfferID    `json:"sellerOfferId"`
	HoldID      domain.HoldID     `json:"holdId"`
	BuyerID     domain.UserID     `json:"buyerId"`
	SellerID    domain.UserID     `json:"sellerId"`
	Status      string            `json:"status" doc:"The original's word"`
	State       string            `json:"state"`
	Exception   payment.Exception `json:"exception" enum:"none,partial,over,late,reorged,review"`
	Due         money.Amount      `json:"due"`
	Paid        money.Amount      `json:"paid"`
	Missing     money.Amount      `json:"missing"`
	ChainID     uint64            `json:"chainId,omitempty"`
	Destination string            `json:"destination,omitempty"`
	Reference   string            `json:"paymentReference,omitempty"`
	Transfers   []TransferOut     `json:"transfers"`
	// Confirmations are those of the transfer that stands least deep; absent before the first.
	Confirmations *ConfirmationsOut `json:"confirmations,omitempty"`
	Hold          *HoldOut          `json:"hold,omitempty"`
	Refunds       []RefundOut       `json:"refunds,omitempty"`
	ExpiresAt     time.Time         `json:"expiresAt"`
	PaidAt        *time.Time        `json:"paidAt,omitempty"`
	CreatedAt     time.Time         `json:"createdAt"`
	UpdatedAt     time.Time         `json:"updatedAt"`
}

// TransferOut is one transfer with how deep it stands.
type TransferOut struct {
	Tx            string           `json:"tx"`
	Log           uint             `json:"log"`
	Block         uint64           `json:"block"`
	Amount        money.Amount     `json:"amount"`
	Confirmed     bool             `json:"confirmed"`
	Confirmations ConfirmationsOut `json:"confirmations"`
}

// ConfirmationsOut is telemetry: how deep, of how deep it must be.
type ConfirmationsOut struct {
	Have uint64 `json:"have"`
	Need uint64 `json:"need"`
}

func paymentOut(row paymentview.Row) PaymentOut {
	d := row.Doc
	asset := d.Due.Asset
	out := PaymentOut{
		ID: d.ID, Version: row.Version, RequestID: d.Request, OfferID: d.Offer, HoldID: d.Hold, BuyerID: d.Buyer, SellerID: d.Seller,
		Status: d.LegacyStatus, State: d.Phase, Exception: d.Exception, Due: d.Due, Paid: money.Of(asset, d.Counted()), Missing: money.Of(asset, d.Missing()),
		ChainID: d.Chain, Destination: d.Address, Transfers: []TransferOut{}, ExpiresAt: d.ExpiresAt.UTC(), PaidAt: d.PaidAt,
		CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt,
	}
	if d.Intent != nil {
		out.Reference = d.Intent.Reference
	}
	for _, t := range d.Transfers {
		out.Transfers = append(out.Transfers, TransferOut{
			Tx: t.Evidence.Tx, Log: t.Evidence.Log, Block: t.Evidence.Block, Amount: t.Amount,
			Confirmed: t.Confirmed, Confirmations: ConfirmationsOut{Need: max(d.Threshold.Need, d.Threshold.Floor)},
		})
	}
	slices.SortFunc(out.Transfers, func(a, b TransferOut) int {
		return cmp.Or(cmp.Compare(a.Block, b.Block), cmp.Compare(a.Tx, b.Tx), cmp.Compare(a.Log, b.Log))
	})
	return out
}

// shallowest gives the depth of the transfer for which one has to wait longest.
func shallowest(all []TransferOut) *ConfirmationsOut {
	var least *ConfirmationsOut
	for i := range all {
		c := all[i].Confirmations
		if least == nil || c.Need-min(c.Have, c.Need) > least.Need-min(least.Have, least.Need) {
			least = &c
		}
	}
	return least
}

// PaymentFilter narrows payments.
type PaymentFilter struct {
	Status      string    `query:"status" enum:"pending,processing,completed,failed,cancelled" doc:"The original's word"`
	State       string    `query:"state" enum:"Created,AwaitingPayment,Confirming,PartiallyPaid,UnderReview,Paid,Expired,Cancelled,Rejected,Reversed"`
	EscrowState string    `query:"escrowState" enum:"pending,partial,funded,releasable,released,refunded,cancelled"`
	Provider    string    `query:"provider" maxLength:"40"`
	From        time.Time `query:"from"`
	To          time.Time `query:"to"`
	UserID      string    `query:"userId" maxLength:"36" doc:"Others than oneself for admins only"`
}

type listPaymentsInput struct {
	Page
	PaymentFilter
}

// filter keeps everybody but an admin to the own payments.
func (in *PaymentFilter) filter(c *call) (paymentview.Filter, error) {
	f := paymentview.Filter{
		Phase: in.State, LegacyStatus: in.Status, EscrowState: in.EscrowState, Provider: in.Provider, From: in.From, To: in.To,
		Party: domain.UserID(in.UserID),
	}
	if c.has(domain.Admin) {
		return f, nil
	}
	if in.UserID != "" && f.Party != c.user() {
		return f, fault.ErrForbidden
	}
	f.Party = c.user()
	return f, nil
}

func (s *Server) listPayments(ctx context.Context, c *call, in *listPaymentsInput) (reply, error) {
	v, err := s.views()
	if err != nil {
		return reply{}, err
	}
	f, err := in.filter(c)
	if err != nil {
		return reply{}, err
	}
	list, err := v.Payments.List(ctx, f, in.ask(projections.Newest))
	return listed(list, err, paymentOut)
}

// StatOut counts payments of one asset in one state.
type StatOut struct {
	Status string       `json:"status"`
	State  string       `json:"state"`
	Count  int64        `json:"count"`
	Due    money.Amount `json:"due"`
}

func (s *Server) paymentStats(ctx context.Context, c *call, in *PaymentFilter) (reply, error) {
	v, err := s.views()
	if err != nil {
		return reply{}, err
	}
	f, err := in.filter(c)
	if err != nil {
		return reply{}, err
	}
	stats, err := v.Payments.Stats(ctx, f)
	all := []StatOut{}
	for _, st := range stats {
		all = append(all, StatOut{Status: st.LegacyStatus, State: st.Phase, Count: st.Count, Due: money.Of(st.Asset, st.Due)})
	}
	return reply{data: all}, err
}

// paymentRow gives a payment's row when the caller may see it.
func (s *Server) paymentRow(ctx context.Context, c *call, id string) (paymentview.Row, error) {
	v, err := s.views()
	if err != nil {
		return paymentview.Row{}, err
	}
	row, err := v.Payments.Get(ctx, domain.PaymentID(id))
	if err == nil && !c.sees(OfPayment, row.Doc.Buyer, row.Doc.Seller) {
		err = fault.ErrNotFound
	}
	return row, err
}

type waitPaymentInput struct {
	ID string `path:"id"`
	Waiting
}

func (s *Server) getPayment(ctx context.Context, c *call, in *waitPaymentInput) (reply, error) {
	return s.changed(ctx, in.Waiting, func(ctx context.Context) (reply, error) { return s.wholePayment(ctx, c, in.ID) })
}

// wholePayment joins payment, depth, hold and refunds. Its ETag is weak: it names the
// versions of everything that is shown, and so is none for If-Match.
func (s *Server) wholePayment(ctx context.Context, c *call, id string) (reply, error) {
	row, err := s.paymentRow(ctx, c, id)
	if err != nil {
		return reply{}, err
	}
	out := paymentOut(row)
	tag := []string{fmt.Sprint("p", row.Version)}
	depths, err := s.deps.Views.Payments.Confirmations(ctx, row.Doc.ID)
	if err != nil {
		return reply{}, err
	}
	for i := range out.Transfers {
		t := &out.Transfers[i]
		key := payment.Evidence{Chain: out.ChainID, Tx: t.Tx, Log: t.Log}.Key()
		for _, d := range depths {
			if d.Evidence == key {
				t.Confirmations = ConfirmationsOut{Have: d.Have, Need: d.Need}
			}
		}
		if t.Confirmed {
			t.Confirmations.Have = max(t.Confirmations.Have, t.Confirmations.Need)
		}
		tag = append(tag, fmt.Sprint("c", min(t.Confirmations.Have, t.Confirmations.Need)))
	}
	out.Confirmations = shallowest(out.Transfers)
	hold, err := s.deps.Views.Holds.Get(ctx, row.Doc.Hold)
	if f, ok := fault.From(err); err != nil && (!ok || f.Kind != fault.NotFound) {
		return reply{}, err
	} else if err == nil {
		h := holdOut(hold)
		out.Hold = &h
		tag = append(tag, fmt.Sprint("h", hold.Version))
	}
	refunds, err := s.deps.Views.Refunds.OfHold(ctx, row.Doc.Hold)
	for _, r := range refunds {
		tag = append(tag, fmt.Sprint("r", r.Version))
	}
	out.Refunds = shown(refunds, c.refundOut)
	return reply{data: out, etag: `W/"` + strings.Join(tag, ".") + `"`}, err
}

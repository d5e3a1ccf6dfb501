package http

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/fault"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/payment"
	"holdfast/domain/quote"
	"holdfast/eventstore"
	"holdfast/projections"
	"holdfast/projections/depositview"
	"holdfast/projections/escrowview"
	"holdfast/projections/paymentview"
	"holdfast/projections/refundview"
)

func paymentQueries() []Route {
	route := func(rest, summary string, roles []domain.Capacity, rate Rate) Route {
		return Route{Method: "GET", Path: paymentsPath + rest, Roles: roles, Class: Query, Rate: rate, View: paymentview.Name, Summary: summary}
	}
	export := route("/export", "Every payment as CSV or NDJSON; a seller's own", sellerAdmin, RatePayment)
	export.Streams = true
	return []Route{
		on[listPaymentsInput, []PaymentOut](route("", "Payments: the own ones, all for an admin", Any, RatePayment), (*Server).listPayments),
		on[listPaymentsInput, []StatOut](route("/stats", "Counts and sums, per asset and state", Any, RatePayment), (*Server).paymentStats),
		on[struct{}, Health](Route{Method: "GET", Path: paymentsPath + "/health", Class: Query, Rate: RateExempt, Summary: "Whether payments can be taken", Errors: []string{"NOT_READY"}}, (*Server).getReady),
		on[exportPaymentsInput, PaymentOut](export, (*Server).exportPayments),
		on[quoteIDInput, QuoteOut](Route{Method: "GET", Path: paymentsPath + "/quotes/{id}", Roles: buyer, Class: Query, Rate: RatePayment, Summary: "A quote"}, (*Server).getQuote),
		on[listUnmatchedInput, []DepositOut](Route{Method: "GET", Path: paymentsPath + "/unmatched", Roles: admin, Class: Query, Rate: RatePayment, View: depositview.Name, Summary: "Deposits that belong to nobody yet"}, (*Server).listUnmatched),
		on[waitPaymentInput, PaymentOut](route("/{id}", "A payment with its hold and refunds; ?wait= for a change", Any, RateGeneral), (*Server).getPayment),
		on[waitPaymentInput, PaymentOut](route("/request-network/{id}/status", "The same, under the provider's mount", Any, RateGeneral), (*Server).getPayment),
		on[paymentInput, []RefundOut](route("/{id}/refunds", "Its refunds", Any, RatePayment), (*Server).refundsOfPayment),
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
	Hold        *HoldOut          `json:"hold,omitempty"`
	Refunds     []RefundOut       `json:"refunds,omitempty"`
	ExpiresAt   time.Time         `json:"expiresAt"`
	PaidAt      *time.Time        `json:"paidAt,omitempty"`
	CreatedAt   time.Time         `json:"createdAt"`
	UpdatedAt   time.Time         `json:"updatedAt"`
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

// HoldOut is the money of an order.
type HoldOut struct {
	ID          domain.HoldID     `json:"id"`
	Version     int64             `json:"version"`
	State       string            `json:"state"`
	EscrowState string            `json:"escrowState" doc:"The original's word"`
	Due         money.Amount      `json:"due"`
	Held        money.Amount      `json:"held"`
	Releasable  money.Amount      `json:"releasable"`
	Disputed    money.Amount      `json:"disputed"`
	Released    money.Amount      `json:"released"`
	Refunded    money.Amount      `json:"refunded"`
	Fees        money.Amount      `json:"fees"`
	FeeBPS      money.BPS         `json:"feeBps"`
	Stopped     []escrow.HoldKind `json:"stopped,omitempty"`
	ReleaseAt   *time.Time        `json:"releaseAt,omitempty" doc:"When it is released by itself"`
}

func holdOut(row escrowview.Row) HoldOut {
	d := row.Doc
	return HoldOut{ID: d.ID, Version: row.Version, State: d.PhaseName, EscrowState: d.EscrowState, Due: d.Due, Held: d.Amount(d.Held),
		Releasable: d.Amount(d.State.Releasable), Disputed: d.Amount(d.Disputed), Released: d.Amount(d.Released), Refunded: d.Amount(d.Refunded),
		Fees: d.Amount(d.FeesTaken), FeeBPS: d.Terms.FeeBPS, Stopped: d.Stopped(), ReleaseAt: timeOf(d.ReleaseAt)}
}

func paymentOut(row paymentview.Row) PaymentOut {
	d := row.Doc
	asset := d.Due.Asset
	out := PaymentOut{ID: d.ID, Version: row.Version, RequestID: d.Request, OfferID: d.Offer, HoldID: d.Hold, BuyerID: d.Buyer, SellerID: d.Seller,
		Status: d.LegacyStatus, State: d.Phase, Exception: d.Exception, Due: d.Due, Paid: money.Of(asset, d.Counted()), Missing: money.Of(asset, d.Missing()),
		ChainID: d.Chain, Destination: d.Address, Transfers: []TransferOut{}, ExpiresAt: d.ExpiresAt.UTC(), PaidAt: d.PaidAt,
		CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt}
	if d.Intent != nil {
		out.Reference = d.Intent.Reference
	}
	for _, t := range d.Transfers {
		out.Transfers = append(out.Transfers, TransferOut{Tx: t.Evidence.Tx, Log: t.Evidence.Log, Block: t.Evidence.Block, Amount: t.Amount,
			Confirmed: t.Confirmed, Confirmations: ConfirmationsOut{Need: max(d.Threshold.Need, d.Threshold.Floor)}})
	}
	slices.SortFunc(out.Transfers, func(a, b TransferOut) int {
		return cmp.Or(cmp.Compare(a.Block, b.Block), cmp.Compare(a.Tx, b.Tx), cmp.Compare(a.Log, b.Log))
	})
	return out
}

type listPaymentsInput struct {
	Page
	Status      string    `query:"status" enum:"pending,processing,completed,failed,cancelled" doc:"The original's word"`
	State       string    `query:"state" enum:"Created,AwaitingPayment,Confirming,PartiallyPaid,UnderReview,Paid,Expired,Cancelled,Rejected,Reversed"`
	EscrowState string    `query:"escrowState" enum:"pending,partial,funded,releasable,released,refunded,cancelled"`
	Provider    string    `query:"provider" maxLength:"40"`
	From        time.Time `query:"from"`
	To          time.Time `query:"to"`
	UserID      string    `query:"userId" maxLength:"36" doc:"Others than oneself for admins only"`
}

// filter keeps everybody but an admin to the own payments.
func (in *listPaymentsInput) filter(c *call) (paymentview.Filter, error) {
	f := paymentview.Filter{Phase: in.State, LegacyStatus: in.Status, EscrowState: in.EscrowState, Provider: in.Provider, From: in.From, To: in.To,
		Party: domain.UserID(in.UserID)}
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

func (s *Server) paymentStats(ctx context.Context, c *call, in *listPaymentsInput) (reply, error) {
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
	if err == nil && c.user() != row.Doc.Buyer && c.user() != row.Doc.Seller && !c.has(domain.Admin) && !c.has(domain.Guard) {
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
				tag = append(tag, fmt.Sprint("c", min(d.Have, d.Need)))
			}
		}
	}
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

func (s *Server) refundsOfPayment(ctx context.Context, c *call, in *paymentInput) (reply, error) {
	row, err := s.paymentRow(ctx, c, in.ID)
	if err != nil {
		return reply{}, err
	}
	refunds, err := s.deps.Views.Refunds.OfHold(ctx, row.Doc.Hold)
	return reply{data: shown(refunds, c.refundOut)}, err
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
	Txs         []string         `json:"txs,omitempty"`
	FailureCode string           `json:"failureCode,omitempty"`
	CreatedAt   time.Time        `json:"createdAt"`
	EndedAt     *time.Time       `json:"endedAt,omitempty"`
}

func (c *call) refundOut(row refundview.Row) RefundOut {
	d := row.Doc
	out := RefundOut{ID: d.Refund, Version: row.Version, RequestID: d.Request, DisputeID: d.Dispute, State: d.Phase, Source: string(d.Source), Mode: string(d.Mode),
		Asked: d.Asked, Amount: d.State.Amount, Net: d.Net, NetworkFee: d.NetworkFee, Reason: textOf(d.Reason), Txs: d.Txs, FailureCode: d.FailureCode,
		CreatedAt: row.CreatedAt, EndedAt: d.EndedAt}
	if c.user() == d.Buyer || c.has(domain.Admin) {
		out.Address = textOf(d.Address)
	}
	return out
}

// ledgerOfPayment gives the entries of the hold's own accounts, in order.
func (s *Server) ledgerOfPayment(ctx context.Context, c *call, in *paymentInput) (reply, error) {
	row, err := s.paymentRow(ctx, c, in.ID)
	if err != nil {
		return reply{}, err
	}
	hold := row.Doc.Hold
	all := []LedgerEntry{}
	for _, account := range []ledger.Account{ledger.Held(hold), ledger.Releasable(hold), ledger.Disputed(hold)} {
		entries, err := s.deps.Executor.Store().Entries(ctx, account, row.Doc.Due.Asset, 0, 1000)
		if err != nil {
			return reply{}, err
		}
		for _, e := range entries {
			all = append(all, entryOf(e))
		}
	}
	slices.SortStableFunc(all, func(a, b LedgerEntry) int {
		return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(a.Line, b.Line))
	})
	return reply{data: all}, nil
}

func (s *Server) eventsOfPayment(ctx context.Context, c *call, in *timelineInput) (reply, error) {
	row, err := s.paymentRow(ctx, c, in.ID)
	if err != nil {
		return reply{}, err
	}
	after, err := readPositionCursor("timeline", in.Cursor)
	if err != nil {
		return reply{}, err
	}
	events, err := s.deps.Views.Timeline.OfStream(ctx, domain.Stream{Type: payment.Decider.Category, ID: in.ID}, after, in.Limit)
	if err != nil {
		return reply{}, err
	}
	return happenings(events, in.Limit, row.Doc.Buyer, row.Doc.Seller, func(eventstore.Recorded) bool { return true }), nil
}

func (s *Server) proofOfPayment(ctx context.Context, c *call, in *paymentInput) (reply, error) {
	row, err := s.paymentRow(ctx, c, in.ID)
	if err != nil {
		return reply{}, err
	}
	return s.inclusion(ctx, c, &inclusionInput{Position: row.Pos})
}

func (s *Server) reconcilePayment(ctx context.Context, c *call, in *paymentInput) (reply, error) {
	if s.deps.Reconciler == nil {
		return reply{}, errNotConfigured
	}
	p, err := s.paymentFor(ctx, c, in.ID)
	if err != nil {
		return reply{}, err
	}
	report, err := s.deps.Reconciler.Payment(ctx, p.ID)
	return reply{data: report}, err
}

type quoteIDInput struct {
	ID string `path:"id"`
}

// QuoteOut is a quote as its buyer sees it.
type QuoteOut struct {
	ID        domain.QuoteID `json:"id"`
	OfferID   domain.OfferID `json:"offerId"`
	State     string         `json:"state"`
	AmountDue money.Amount   `json:"amountDue"`
	ExpiresAt time.Time      `json:"expiresAt"`
}

func (s *Server) getQuote(ctx context.Context, c *call, in *quoteIDInput) (reply, error) {
	q, version, err := stateOf(ctx, s, quote.Decider, in.ID)
	if err == nil && q.Buyer != c.user() {
		err = fault.ErrNotFound
	}
	if err != nil {
		return reply{}, err
	}
	return reply{data: QuoteOut{ID: domain.QuoteID(in.ID), OfferID: q.Offer, State: q.Phase, AmountDue: q.AmountDue, ExpiresAt: q.ExpiresAt.UTC()}, version: version}, nil
}

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
		return DepositOut{ID: row.ID, State: d.Phase, Reason: string(d.Reason), Amount: d.State.Amount, Left: money.Of(d.State.Amount.Asset, d.Left),
			From: d.From, Custody: d.Custody, PaymentID: d.Payment, CreatedAt: row.CreatedAt}
	})
}

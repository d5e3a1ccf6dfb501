package http

import (
	"context"

	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/fault"
	"holdfast/domain/funding"
	"holdfast/domain/network"
	"holdfast/domain/payment"
	"holdfast/domain/request"
	"holdfast/domain/settlement"
)

const paymentsPath = "/api/payment"

func paymentRoutes() []Route {
	route := func(method, rest, summary string, roles []domain.Capacity, errors ...string) Route {
		return Route{Method: method, Path: paymentsPath + rest, Roles: roles, Class: Command, Money: true, Rate: RatePayment, Summary: summary, Errors: errors}
	}
	opening := []string{"PAYMENT_ALREADY_OPEN", "ASSET_NOT_ALLOWED", "QUOTE_REQUIRED", "QUOTE_EXPIRED", "QUOTE_USED", "PRICE_MISMATCH", "PROVIDER_UNAVAILABLE", "PROVIDER_MISMATCH"}
	open := route("POST", "", "Begin to pay for a selected offer", buyer, opening...)
	open.Status, open.Aliases = 201, []string{paymentsPath + "/save", paymentsPath + "/configuration"}
	intent := route("POST", "/request-network/intents", "The same, under the provider's mount", buyer, opening...)
	intent.Status, intent.Aliases = 201, []string{paymentsPath + "/request-network/pay-in"}
	return []Route{
		on[openPaymentInput, CheckoutBlock](open, (*Server).openPayment),
		on[openPaymentInput, CheckoutBlock](intent, (*Server).openPayment),
		on[cancelPaymentInput, funding.PaymentAnswer](route("POST", "/{id}/cancel", "Give it up before any money was seen", buyerAdmin, "PAYMENT_IN_PROGRESS"), (*Server).cancelPayment),
		on[reportInput, funding.PaymentAnswer](route("POST", "/{id}/report", "Claim to have paid; nothing but a look at the chain follows", buyer, "TX_INVALID"), (*Server).reportTransaction),
		on[releaseInput, funding.HoldAnswer](route("POST", "/{id}/release", "Pay the seller", buyerAdmin, "RELEASE_HOLD_ACTIVE", "ESCROW_DISPUTED", "ESCROW_NOT_RELEASABLE", "INSUFFICIENT_HELD_FUNDS", "APPROVAL_REQUIRED", "ASSET_PAUSED"), (*Server).releasePayment),
		on[releaseConfirmInput, settlement.PayoutAnswer](route("POST", "/{id}/release/confirm", "Bring the signed transaction of the payout of this order's proceeds", admin, "INSTRUCTION_MISMATCH", "PAYOUT_IN_PROGRESS", "REPLACEMENT_INVALID", "NONCE_IN_USE", "GAS_TOO_HIGH", "TX_UNKNOWN"), (*Server).confirmRelease),
		on[reviewInput, funding.PaymentAnswer](route("POST", "/{id}/review", "Clear or reject a payment that waits for a person", admin, "SELF_APPROVAL"), (*Server).reviewPayment),
	}
}

type openPaymentInput struct {
	Body struct {
		RequestID string `json:"purchaseRequestId" format:"uuid"`
		OfferID   string `json:"sellerOfferId" format:"uuid"`
		Asset     string `json:"asset,omitempty" maxLength:"200" doc:"Must be the offer's; left out = the offer's"`
		QuoteID   string `json:"quoteId,omitempty" format:"uuid"`
		// Amount and Currency are what the client believes it pays; the server's value rules.
		Amount *AmountIn `json:"amount,omitempty" doc:"What you believe is due; refused when it differs"`
	}
}

var errPriceMismatch = fault.New(fault.Rule, "PRICE_MISMATCH", "the amount is not what the offer says")

func (s *Server) openPayment(ctx context.Context, c *call, in *openPaymentInput) (reply, error) {
	if s.deps.Checkout == nil {
		return reply{}, errNotConfigured
	}
	hold, err := s.ownHold(ctx, c, in.Body.RequestID, in.Body.OfferID)
	if err != nil {
		return reply{}, err
	}
	f := funding.InitiatePayment{
		Issue: c.issue(), Payment: domain.PaymentID(c.newID("payment")), Request: hold.Request, Offer: hold.Offer, Quote: domain.QuoteID(in.Body.QuoteID),
	}
	due, err := s.due(ctx, c, f, hold, in.Body.Asset)
	if err != nil {
		return reply{}, err
	}
	f.Asset = due.Asset
	if in.Body.Amount != nil {
		believed, err := s.read("amount", *in.Body.Amount, due.Asset)
		if err != nil {
			return reply{}, err
		}
		if believed.Units != due.Units {
			return reply{}, errPriceMismatch.With("due", due.Units)
		}
	}
	terms, err := s.terms(due.Asset)
	if err != nil {
		return reply{}, err
	}
	payIn, err := s.deps.Checkout.Prepare(ctx, f.Payment, due)
	if err != nil {
		return reply{}, err
	}
	var transactions []ProviderTransaction
	if payIn, transactions, err = s.intend(ctx, c, hold, f.Payment, payIn, due); err != nil {
		return reply{}, err
	}
	f.ExpiresAt, f.Safety = f.At.Add(s.timeToPay(hold, terms)), terms.Safety
	f.Destination, f.Intent, f.Threshold, f.Basis = payIn.Destination, payIn.Intent, payIn.Threshold, payIn.Basis
	return s.run(ctx, c, of(payment.Decider, f.Payment), opened{InitiatePayment: f, registry: s.deps.Registry, transactions: transactions})
}

// ownHold gives the hold of the caller's own order on this offer.
func (s *Server) ownHold(ctx context.Context, c *call, requestID, offerID string) (escrow.State, error) {
	r, err := s.orderFor(ctx, c, requestID)
	switch {
	case err != nil:
		return escrow.State{}, err
	case c.user() != r.Buyer:
		return escrow.State{}, fault.ErrForbidden
	case r.Selected == nil:
		return escrow.State{}, fault.ErrInvalidState.With("state", r.Phase)
	case string(r.Selected.Offer) != offerID:
		return escrow.State{}, request.ErrNotSelectable
	}
	hold, _, err := stateOf(ctx, s, escrow.Decider, r.Selected.Hold)
	return hold, err
}

// opened answers with the checkout block of the payment it has opened.
type opened struct {
	funding.InitiatePayment
	registry     Registry
	transactions []ProviderTransaction
}

// Run decides.
func (f opened) Run(u *domain.Unit) (any, error) {
	answer, err := f.InitiatePayment.Run(u)
	if _, refused := answer.(*fault.Error); err != nil || refused {
		return answer, err
	}
	state, err := domain.StateOf(u, payment.Decider, string(f.Payment))
	if err != nil {
		return nil, err
	}
	block := checkoutOf(f.registry, state)
	block.Transactions = f.transactions
	return block, nil
}

func (s *Server) onPayment(ctx context.Context, c *call, id string, f func(domain.PaymentID, payment.State) (flow, error)) (reply, error) {
	state, err := s.paymentFor(ctx, c, id)
	if err != nil {
		return reply{}, err
	}
	command, err := f(domain.PaymentID(id), state)
	if err != nil {
		return reply{}, err
	}
	return s.run(ctx, c, of(payment.Decider, domain.PaymentID(id)), command)
}

type cancelPaymentInput struct {
	ID   string `path:"id"`
	Body struct {
		Reason string `json:"reason,omitempty" maxLength:"500"`
	}
}

func (s *Server) cancelPayment(ctx context.Context, c *call, in *cancelPaymentInput) (reply, error) {
	return s.onPayment(ctx, c, in.ID, func(id domain.PaymentID, _ payment.State) (flow, error) {
		return funding.CancelPayment{Issue: c.issue(), Payment: id, Reason: in.Body.Reason}, nil
	})
}

type reportInput struct {
	ID   string `path:"id"`
	Body struct {
		TxHash string `json:"txHash" maxLength:"100"`
	}
}

func (s *Server) reportTransaction(ctx context.Context, c *call, in *reportInput) (reply, error) {
	return s.onPayment(ctx, c, in.ID, func(id domain.PaymentID, _ payment.State) (flow, error) {
		tx, err := network.ParseTx(in.Body.TxHash)
		return funding.ReportTransaction{Issue: c.issue(), Payment: id, Tx: tx}, at(err, "txHash")
	})
}

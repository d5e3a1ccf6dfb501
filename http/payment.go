package http

import (
	"context"
	"time"

	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/fault"
	"holdfast/domain/funding"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/order"
	"holdfast/domain/payment"
	"holdfast/domain/quote"
	"holdfast/domain/request"
	"holdfast/domain/settlement"
)

const paymentsPath = "/api/payment"

func paymentRoutes() []Route {
	route := func(method, rest, summary string, roles []domain.Capacity, errors ...string) Route {
		return Route{Method: method, Path: paymentsPath + rest, Roles: roles, Class: Command, Money: true, Rate: RatePayment, Summary: summary, Errors: errors}
	}
	opening := []string{"PAYMENT_ALREADY_OPEN", "ASSET_NOT_ALLOWED", "QUOTE_EXPIRED", "QUOTE_USED", "PROVIDER_UNAVAILABLE", "PROVIDER_MISMATCH"}
	open := route("POST", "", "Begin to pay for a selected offer", buyer, opening...)
	open.Status, open.Aliases = 201, []string{paymentsPath + "/save", paymentsPath + "/configuration"}
	intent := route("POST", "/request-network/intents", "The same, under the provider's mount", buyer, opening...)
	intent.Status, intent.Aliases = 201, []string{paymentsPath + "/request-network/pay-in"}
	price := route("POST", "/quotes", "What an offer costs in an asset", buyer, "QUOTE_UNAVAILABLE", "ORACLE_DIVERGENCE")
	price.Money, price.Status = false, 201
	return []Route{
		on[openPaymentInput, CheckoutBlock](open, (*Server).openPayment),
		on[openPaymentInput, CheckoutBlock](intent, (*Server).openPayment),
		on[quoteInput, order.QuoteAnswer](price, (*Server).issueQuote),
		on[cancelPaymentInput, funding.PaymentAnswer](route("POST", "/{id}/cancel", "Give it up before any money was seen", buyerAdmin, "PAYMENT_IN_PROGRESS"), (*Server).cancelPayment),
		on[reportInput, funding.PaymentAnswer](route("POST", "/{id}/report", "Claim to have paid; nothing but a look at the chain follows", buyer, "TX_INVALID"), (*Server).reportTransaction),
		on[releaseInput, funding.HoldAnswer](route("POST", "/{id}/release", "Pay the seller", buyerAdmin, "RELEASE_HOLD_ACTIVE", "ESCROW_DISPUTED", "ESCROW_NOT_RELEASABLE", "INSUFFICIENT_HELD_FUNDS", "APPROVAL_REQUIRED", "ASSET_PAUSED"), (*Server).releasePayment),
		on[releaseConfirmInput, settlement.PayoutAnswer](route("POST", "/{id}/release/confirm", "Bring the signed transaction of the payout of this order's proceeds", admin, "INSTRUCTION_MISMATCH", "NONCE_IN_USE"), (*Server).confirmRelease),
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
		Issue: c.issue(), Payment: domain.PaymentID(c.newID("payment")), Request: hold.Request, Offer: hold.Offer,
		Asset: hold.Due.Asset, Quote: domain.QuoteID(in.Body.QuoteID),
	}
	if in.Body.Asset != "" {
		asset, ok := s.deps.Registry.Asset(in.Body.Asset)
		if !ok || asset != hold.Due.Asset {
			return reply{}, payment.ErrAssetNotTaken.With("asset", hold.Due.Asset)
		}
	}
	missing, _ := hold.Due.Units.Sub(hold.In())
	if in.Body.Amount != nil {
		believed, err := s.read("amount", *in.Body.Amount, hold.Due.Asset)
		if err != nil {
			return reply{}, err
		}
		if believed.Units != missing {
			return reply{}, errPriceMismatch.With("due", missing)
		}
	}
	terms, err := s.terms(hold.Due.Asset)
	if err != nil {
		return reply{}, err
	}
	payIn, err := s.deps.Checkout.Prepare(ctx, f.Payment, money.Of(hold.Due.Asset, missing))
	if err != nil {
		return reply{}, err
	}
	var transactions []ProviderTransaction
	if payIn, transactions, err = s.intend(ctx, c, hold, f.Payment, payIn, money.Of(hold.Due.Asset, missing)); err != nil {
		return reply{}, err
	}
	f.ExpiresAt = f.At.Add(terms.PaymentExpiry)
	f.Destination, f.Intent, f.Threshold = payIn.Destination, payIn.Intent, payIn.Threshold
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

type quoteInput struct {
	Body struct {
		OfferID string `json:"offerId" format:"uuid"`
		Asset   string `json:"asset,omitempty" maxLength:"200"`
	}
}

// quoteLife is how long a fixed price stands; with rates the policy would say.
const quoteLife = 15 * time.Minute

func (s *Server) issueQuote(ctx context.Context, c *call, in *quoteInput) (reply, error) {
	o, err := s.offerFor(ctx, c, in.Body.OfferID)
	if err != nil {
		return reply{}, err
	}
	if c.user() != o.Buyer {
		return reply{}, fault.ErrForbidden
	}
	price := o.Terms.Price
	if in.Body.Asset != "" {
		if asset, ok := s.deps.Registry.Asset(in.Body.Asset); !ok || asset != price.Amount.Asset {
			return reply{}, quote.ErrUnavailable.Because("only the offer's own asset is quoted without price sources")
		}
	}
	i := c.issue()
	f := order.IssueQuote{Issue: quote.Issue{
		Issue: i, Quote: domain.QuoteID(c.newID("quote")), Offer: o.ID, Buyer: c.user(), Price: price.Amount.Units,
		Currency: string(price.Amount.Asset), Settle: price.Amount.Asset, ExpiresAt: i.At.Add(quoteLife),
	}}
	return s.run(ctx, c, of(quote.Decider, f.Quote), f)
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

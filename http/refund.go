package http

import (
	"context"

	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/fault"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/payment"
	"holdfast/domain/refund"
	"holdfast/domain/settlement"
)

func refundRoutes() []Route {
	base := "/api/payment/refunds/{id}"
	return []Route{
		on[refundPaymentInput, settlement.RefundAnswer](Route{Method: "POST", Path: "/api/payment/{id}/refund", Roles: partiesAdmin, Class: Command, Money: true, Rate: RatePayment, Status: 201, Summary: "Money back: an admin decides, a seller gives up the whole order, a buyer asks", Errors: []string{"REFUND_EXCEEDS_AVAILABLE", "ALREADY_REFUNDED", "ESCROW_DISPUTED", "REFUND_ADDRESS_REQUIRED", "ASSET_PAUSED"}}, (*Server).refundPayment),
		on[refundConfirmInput, settlement.RefundAnswer](Route{Method: "POST", Path: "/api/payment/{id}/refund/confirm", Roles: admin, Class: Command, Money: true, Rate: RatePayment, Summary: "Bring the signed transaction; it is recorded, then sent. One with the same nonce that pays more replaces it", Errors: []string{"INSTRUCTION_MISMATCH", "REFUND_IN_PROGRESS", "REPLACEMENT_INVALID", "NONCE_IN_USE", "GAS_TOO_HIGH", "DESTINATION_COOLDOWN", "ADDRESS_SCREENED"}}, (*Server).confirmRefund),
		on[approveRefundInput, settlement.RefundAnswer](Route{Method: "POST", Path: base + "/approve", Roles: admin, Class: Command, Money: true, Rate: RatePayment, Summary: "Fix the amount and move it to clearing", Errors: []string{"SELF_APPROVAL", "REFUND_EXCEEDS_AVAILABLE", "NETWORK_FEE_EXCEEDS_CAP"}}, (*Server).approveRefund),
		on[reasonInput, settlement.RefundAnswer](Route{Method: "POST", Path: base + "/reject", Roles: admin, Class: Command, Money: true, Rate: RatePayment, Summary: "Refuse it"}, (*Server).rejectRefund),
		on[refundInput, settlement.RefundAnswer](Route{Method: "POST", Path: base + "/cancel", Roles: buyerAdmin, Class: Command, Money: true, Rate: RatePayment, Summary: "Take it back before anything is sent"}, (*Server).cancelRefund),
		on[refundAddressInput, settlement.RefundAnswer](Route{Method: "POST", Path: base + "/address", Roles: buyerAdmin, Class: Command, Money: true, Rate: RatePayment, Summary: "Name the address the money goes to", Errors: []string{"INVALID_ADDRESS", "ADDRESS_SCREENED", "REFUND_IN_PROGRESS"}}, (*Server).confirmRefundAddress),
		on[refundInput, settlement.RefundAnswer](Route{Method: "POST", Path: base + "/credit", Roles: buyer, Class: Command, Money: true, Rate: RatePayment, Summary: "Leave it with us as credit; nothing is sent", Errors: []string{"REFUND_IN_PROGRESS"}}, (*Server).takeRefundAsCredit),
	}
}

type refundPaymentInput struct {
	ID   string `path:"id"`
	Body struct {
		Amount *AmountIn `json:"amount,omitempty" doc:"Left out = all there is"`
		Mode   string    `json:"mode,omitempty" enum:"full,partial,overpaid_amount,fiat_equivalent" default:"full"`
		Source string    `json:"source,omitempty" enum:"held,releasable,buyer_credit,clawback" doc:"Left out = what the hold has"`
		Reason string    `json:"reason,omitempty" maxLength:"1000"`
		RefundTo
		DryRun bool `json:"dryRun,omitempty" doc:"Say what would happen, and do nothing"`
	}
}

func (s *Server) refundPayment(ctx context.Context, c *call, in *refundPaymentInput) (reply, error) {
	p, err := s.paymentFor(ctx, c, in.ID)
	if err != nil {
		return reply{}, err
	}
	f := settlement.RequestRefund{
		Issue: c.issue(), Refund: domain.RefundID(c.newID("refund")), Hold: p.Hold, Buyer: p.Buyer,
		Source: refund.Source(in.Body.Source), Mode: refund.Mode(in.Body.Mode), Reason: c.about(in.Body.Reason),
	}
	if f.Mode == refund.OverpaidAmount {
		f.Source = refund.FromBuyerCredit
	}
	if in.Body.Amount != nil {
		if f.Amount, err = s.read("amount", *in.Body.Amount, p.Due.Asset); err != nil {
			return reply{}, err
		}
		if f.Mode == refund.Full {
			f.Mode = refund.Partial
		}
	}
	if f.Source == refund.FromClawback && !c.has(domain.Admin) {
		return reply{}, fault.ErrForbidden
	}
	if c.has(domain.Admin) || c.user() == p.Seller {
		if f.Terms, err = s.refundTerms(ctx, p.Buyer, p.Seller, p.Due.Asset); err != nil {
			return reply{}, err
		}
		if !in.Body.DryRun {
			if err := s.screening(ctx, c, p.Due.Asset, f.Terms.Address, "refund/"+string(f.Refund)); err != nil {
				return reply{}, err
			}
		}
	}
	if in.Body.named() {
		if c.user() != p.Buyer {
			return reply{}, errNotTheBuyer
		}
		a, err := s.refundAddress(ctx, p.Buyer, p.Due.Asset, in.Body.RefundTo)
		if err != nil {
			return reply{}, err
		}
		f.Address = &a
	}
	if in.Body.DryRun {
		return s.rehearse(ctx, c, f)
	}
	return s.run(ctx, c, of(refund.Decider, f.Refund), f)
}

// refundTerms is what an approval needs to know: gas, the buyer's wallet, the seller's balance.
func (s *Server) refundTerms(ctx context.Context, buyer, seller domain.UserID, asset money.Asset) (*settlement.RefundTerms, error) {
	policy, err := s.terms(asset)
	if err != nil {
		return nil, err
	}
	t := &settlement.RefundTerms{NetworkFee: money.Of(asset, policy.NetworkFee), NetworkFeeCap: money.Of(asset, policy.NetworkFeeCap)}
	if t.SellerAvailable, err = s.available(ctx, ledger.SellerAvailable(seller), asset); err != nil {
		return nil, err
	}
	w, err := s.walletFor(ctx, buyer, "", asset)
	if err == nil {
		t.Address = &refund.Address{Text: w.Address, Origin: refund.VerifiedWallet, Screening: w.Screening, RestUntil: w.CoolingUntil}
	}
	// Without a wallet the refund waits for the buyer's address.
	if f, ok := fault.From(err); err != nil && (!ok || f.Kind == fault.Internal) {
		return nil, err
	}
	return t, nil
}

// refundFor gives a refund that the caller may see: its parties or an admin.
func (s *Server) refundFor(ctx context.Context, c *call, id string) (refund.State, error) {
	c.fresh = true // as of payouts
	state, _, err := stateOf(ctx, s, refund.Decider, id)
	if err == nil && !c.sees(OfRefund, state.Buyer, state.Seller) {
		err = fault.ErrNotFound
	}
	return state, err
}

func (s *Server) onRefund(ctx context.Context, c *call, id string, f func(domain.RefundID, refund.State) (flow, error)) (reply, error) {
	state, err := s.refundFor(ctx, c, id)
	if err != nil {
		return reply{}, err
	}
	command, err := f(domain.RefundID(id), state)
	if err != nil {
		return reply{}, err
	}
	return s.run(ctx, c, of(refund.Decider, domain.RefundID(id)), command)
}

type refundInput struct {
	ID string `path:"id"`
}

type approveRefundInput struct {
	ID   string `path:"id"`
	Body struct {
		Amount *AmountIn `json:"amount,omitempty" doc:"Left out = what was asked"`
	}
}

func (s *Server) approveRefund(ctx context.Context, c *call, in *approveRefundInput) (reply, error) {
	return s.onRefund(ctx, c, in.ID, func(id domain.RefundID, r refund.State) (flow, error) {
		asset, err := s.refundAsset(ctx, r)
		if err != nil {
			return nil, err
		}
		terms, err := s.refundTerms(ctx, r.Buyer, r.Seller, asset)
		if err != nil {
			return nil, err
		}
		if err := s.screening(ctx, c, asset, terms.Address, "refund/"+in.ID); err != nil {
			return nil, err
		}
		if in.Body.Amount != nil {
			if terms.Amount, err = s.read("amount", *in.Body.Amount, asset); err != nil {
				return nil, err
			}
		}
		return settlement.ApproveRefund{Issue: c.issue(), Refund: id, RefundTerms: *terms}, nil
	})
}

// refundAsset is what the refund is paid in: what was asked, or what its hold is in.
func (s *Server) refundAsset(ctx context.Context, r refund.State) (money.Asset, error) {
	if r.Asked.Asset != "" {
		return r.Asked.Asset, nil
	}
	h, _, err := stateOf(ctx, s, escrow.Decider, r.Hold)
	return h.Due.Asset, err
}

func (s *Server) rejectRefund(ctx context.Context, c *call, in *reasonInput) (reply, error) {
	return s.onRefund(ctx, c, in.ID, func(id domain.RefundID, _ refund.State) (flow, error) {
		return settlement.RejectRefund{Issue: c.issue(), Refund: id, Reason: c.about(in.Body.Reason)}, nil
	})
}

func (s *Server) cancelRefund(ctx context.Context, c *call, in *refundInput) (reply, error) {
	return s.onRefund(ctx, c, in.ID, func(id domain.RefundID, _ refund.State) (flow, error) {
		return settlement.CancelRefund{Issue: c.issue(), Refund: id}, nil
	})
}

// paymentFor gives a payment that the caller may see: its parties, an admin, a guard.
func (s *Server) paymentFor(ctx context.Context, c *call, id string) (payment.State, error) {
	state, _, err := stateOf(ctx, s, payment.Decider, id)
	if err == nil && !c.sees(OfPayment, state.Buyer, state.Seller) {
		err = fault.ErrNotFound
	}
	return state, err
}

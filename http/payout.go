package http

import (
	"context"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/payout"
	"holdfast/domain/settlement"
	"holdfast/eventstore/audit"
)

func payoutRoutes() []Route {
	base := "/api/payment/payouts"
	return []Route{
		on[requestPayoutInput, settlement.PayoutAnswer](Route{Method: "POST", Path: base, Roles: seller, Class: Command, Money: true, Rate: RatePayment, Status: 201, Summary: "Ask to be paid out", Errors: []string{"INSUFFICIENT_AVAILABLE", "WALLET_COOLING_OFF", "RECEIVABLE_OUTSTANDING", "RELEASE_HOLD_ACTIVE", "ASSET_PAUSED"}}, (*Server).requestPayout),
		on[approvePayoutInput, settlement.PayoutAnswer](Route{Method: "POST", Path: base + "/{id}/approve", Roles: admin, Class: Command, Money: true, Rate: RatePayment, Summary: "Agree to a revision", Errors: []string{"REVISION_STALE", "SELF_APPROVAL"}}, (*Server).approvePayout),
		on[reasonInput, settlement.PayoutAnswer](Route{Method: "POST", Path: base + "/{id}/reject", Roles: admin, Class: Command, Money: true, Rate: RatePayment, Summary: "Give the money back to the seller"}, (*Server).rejectPayout),
		on[payoutInput, settlement.PayoutAnswer](Route{Method: "POST", Path: base + "/{id}/cancel", Roles: sellerAdmin, Class: Command, Money: true, Rate: RatePayment, Summary: "Take it back before it is signed"}, (*Server).cancelPayout),
		on[destinationInput, settlement.PayoutAnswer](Route{Method: "POST", Path: base + "/{id}/destination", Roles: seller, Class: Command, Money: true, Rate: RatePayment, Summary: "Another wallet: a new revision, approvals begin anew after a rest", Errors: []string{"WALLET_COOLING_OFF"}}, (*Server).changePayoutDestination),
		on[payoutInput, Instruction](Route{Method: "POST", Path: base + "/{id}/instruction", Roles: admin, Class: Command, Money: true, Rate: RatePayment, Summary: "Fix what the custody signer must sign; again: the same at today's gas price", Errors: []string{"DESTINATION_COOLDOWN", "CUSTODY_SHORT", "GAS_MISSING", "GAS_TOO_HIGH", "TX_WOULD_FAIL", "NONCE_USED", "ADDRESS_SCREENED", "RELEASE_HOLD_ACTIVE", "ASSET_PAUSED"}}, (*Server).payoutInstruction),
		on[signedInput, settlement.PayoutAnswer](Route{Method: "POST", Path: base + "/{id}/signed", Roles: admin, Class: Command, Money: true, Rate: RatePayment, Summary: "Bring the signed transaction; it is recorded, then sent. One with the same nonce that pays more replaces it", Errors: []string{"INSTRUCTION_MISMATCH", "PAYOUT_IN_PROGRESS", "REPLACEMENT_INVALID", "NONCE_IN_USE", "GAS_TOO_HIGH", "ADDRESS_SCREENED"}}, (*Server).payoutSigned),
	}
}

// payoutFor gives a payout that the caller may see: its seller or an admin. It is read from the log: what
// is handed out to be signed must not be one that another process has just ended.
func (s *Server) payoutFor(ctx context.Context, c *call, id string) (payout.State, error) {
	c.fresh = true
	state, _, err := stateOf(ctx, s, payout.Decider, id)
	if err == nil && !c.sees(OfPayout, state.Seller) {
		err = fault.ErrNotFound
	}
	return state, err
}

func (s *Server) onPayout(ctx context.Context, c *call, id string, f func(domain.PayoutID, payout.State) (flow, error)) (reply, error) {
	state, err := s.payoutFor(ctx, c, id)
	if err != nil {
		return reply{}, err
	}
	command, err := f(domain.PayoutID(id), state)
	if err != nil {
		return reply{}, err
	}
	return s.run(ctx, c, of(payout.Decider, domain.PayoutID(id)), command)
}

type requestPayoutInput struct {
	Body struct {
		AmountIn
		WalletID string `json:"walletId,omitempty" maxLength:"64" doc:"Left out = the newest verified wallet of the chain"`
	}
}

func (s *Server) requestPayout(ctx context.Context, c *call, in *requestPayoutInput) (reply, error) {
	amount, err := s.read("amount", in.Body.AmountIn, "")
	if err != nil {
		return reply{}, err
	}
	w, err := s.walletFor(ctx, c.user(), in.Body.WalletID, amount.Asset)
	if err != nil {
		return reply{}, err
	}
	terms, err := s.terms(amount.Asset)
	if err != nil {
		return reply{}, err
	}
	available, err := s.available(ctx, ledger.SellerAvailable(c.user()), amount.Asset)
	if err != nil {
		return reply{}, err
	}
	holds, err := s.holdsPaidTo(ctx, c.user(), amount.Asset)
	if err != nil {
		return reply{}, err
	}
	f := settlement.RequestPayout{
		Issue: c.issue(), Payout: domain.PayoutID(c.newID("payout")), Seller: c.user(), Amount: amount,
		Wallet: w.Address, WalletCoolingUntil: w.CoolingUntil, Approvals: terms.PayoutApprovals, CoolingOff: terms.WalletCooling,
		Holds: holds, Available: available,
	}
	return s.run(ctx, c, of(payout.Decider, f.Payout), f)
}

// Refusals of wallets.
var (
	errNoWallet  = fault.New(fault.Rule, "WALLET_REQUIRED", "register a wallet of this chain first")
	errUnproved  = fault.New(fault.Rule, "WALLET_UNVERIFIED", "the wallet's owner has not been proved yet")
	errWalletOff = fault.New(fault.Rule, "ADDRESS_SCREENED", "this address cannot be paid")
)

// walletFor finds the caller's wallet that can take an asset. Somebody else's is absent.
func (s *Server) walletFor(ctx context.Context, u domain.UserID, id string, asset money.Asset) (Wallet, error) {
	if s.deps.Wallets == nil {
		return Wallet{}, errNotConfigured
	}
	token, ok := s.deps.Registry.Token(asset)
	if !ok {
		return Wallet{}, fault.New(fault.Rule, "ASSET_NOT_SUPPORTED", "nobody registered this asset")
	}
	w, ok, err := s.deps.Wallets.Default(ctx, u, token.Chain)
	if id != "" {
		w, ok, err = s.deps.Wallets.OfUser(ctx, u, id)
	}
	switch {
	case err != nil:
		return w, err
	case !ok && id != "":
		return w, fault.ErrNotFound
	case !ok || w.ChainID != token.Chain:
		return w, errNoWallet.With("chain", token.Chain)
	case !w.Verified:
		return w, errUnproved
	case w.Screening == "flagged":
		return w, errWalletOff
	}
	return w, nil
}

// available is what an account can give now.
func (s *Server) available(ctx context.Context, account ledger.Account, asset money.Asset) (money.Units, error) {
	t, err := s.deps.Executor.Store().Balance(ctx, account, asset)
	if err != nil {
		return money.Zero, err
	}
	if t.Account == "" {
		t.Account, t.Asset = account, asset
	}
	line, err := audit.Balance(t)
	if err != nil || line.Available.Sign() <= 0 {
		return money.Zero, err
	}
	return money.ParseUnits(line.Available.String())
}

type payoutInput struct {
	ID string `path:"id"`
}

type approvePayoutInput struct {
	ID   string `path:"id"`
	Body struct {
		Revision int `json:"revision" minimum:"1" doc:"The one you have looked at"`
	}
}

func (s *Server) approvePayout(ctx context.Context, c *call, in *approvePayoutInput) (reply, error) {
	return s.onPayout(ctx, c, in.ID, func(id domain.PayoutID, p payout.State) (flow, error) {
		err := s.payable(ctx, c, p.Amount.Asset, p.Wallet, "payout/"+in.ID)
		return settlement.ApprovePayout{Issue: c.issue(), Payout: id, Revision: in.Body.Revision}, err
	})
}

type reasonInput struct {
	ID   string `path:"id"`
	Body struct {
		Reason string `json:"reason" minLength:"3" maxLength:"1000"`
	}
}

func (s *Server) rejectPayout(ctx context.Context, c *call, in *reasonInput) (reply, error) {
	return s.onPayout(ctx, c, in.ID, func(id domain.PayoutID, _ payout.State) (flow, error) {
		return settlement.RejectPayout{Issue: c.issue(), Payout: id, Reason: in.Body.Reason}, nil
	})
}

func (s *Server) cancelPayout(ctx context.Context, c *call, in *payoutInput) (reply, error) {
	return s.onPayout(ctx, c, in.ID, func(id domain.PayoutID, _ payout.State) (flow, error) {
		return settlement.CancelPayout{Issue: c.issue(), Payout: id}, nil
	})
}

type destinationInput struct {
	ID   string `path:"id"`
	Body struct {
		WalletID string `json:"walletId" minLength:"1" maxLength:"64"`
	}
}

func (s *Server) changePayoutDestination(ctx context.Context, c *call, in *destinationInput) (reply, error) {
	return s.onPayout(ctx, c, in.ID, func(id domain.PayoutID, p payout.State) (flow, error) {
		w, err := s.walletFor(ctx, c.user(), in.Body.WalletID, p.Amount.Asset)
		if err == nil && w.CoolingUntil.After(time.Now()) {
			err = payout.ErrCoolingOff.With("until", w.CoolingUntil.UTC().Format(time.RFC3339))
		}
		return settlement.ChangePayoutDestination{Issue: c.issue(), Payout: id, Wallet: w.Address}, err
	})
}

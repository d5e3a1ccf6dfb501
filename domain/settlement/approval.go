package settlement

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/money"
	"holdfast/domain/receivable"
	"holdfast/domain/refund"
)

// RefundTerms is what an approval adds to a request.
type RefundTerms struct {
	Amount        money.Amount // zero: what was asked, or all there is
	NetworkFee    money.Amount
	NetworkFeeCap money.Amount
	Fiat          *refund.Fiat
	Address       *refund.Address // what is known of the buyer
	AddressWindow time.Duration   // zero: AddressWindow
	// SellerAvailable is the seller's balance as looked up, for a clawback.
	SellerAvailable money.Units
}

// ApproveRefund fixes the amount and moves it to clearing: from here on nobody else can
// have it. Errors: those of RequestRefund, NETWORK_FEE_EXCEEDS_CAP, ADDRESS_SCREENED,
// SELF_APPROVAL, ASSET_PAUSED.
type ApproveRefund struct {
	domain.Issue
	Refund domain.RefundID
	RefundTerms
}

// Run decides.
func (f ApproveRefund) Run(u *domain.Unit) (any, error) {
	s, err := domain.StateOf(u, refund.Decider, string(f.Refund))
	if err != nil {
		return nil, err
	}
	c := f.approval(s)
	if s.Phase == refund.PhaseRequested {
		if c.Amount, err = f.amount(u, s); err != nil {
			return nil, err
		}
		if c.Clawback, err = f.take(u, s, c.Amount); err != nil {
			return nil, err
		}
	}
	return refundStep(u, f.Refund, c)
}

func (f ApproveRefund) approval(s refund.State) refund.Approve {
	window := f.AddressWindow
	if window == 0 {
		window = AddressWindow
	}
	return refund.Approve{
		Issue: f.Issue, Amount: s.Asked, NetworkFee: f.NetworkFee, NetworkFeeCap: f.NetworkFeeCap,
		Fiat: f.Fiat, Address: f.Address, AddressWindow: window,
	}
}

// amount is what is approved: the given amount, what was asked, or all that is there.
func (f ApproveRefund) amount(u *domain.Unit, s refund.State) (money.Amount, error) {
	switch {
	case !f.Amount.IsZero():
		return f.Amount, nil
	case !s.Asked.IsZero():
		return s.Asked, nil
	case s.Hold == "":
		return money.Amount{}, fault.ErrValidation.At("amount", "must be given where there is no hold")
	}
	h, err := existing(u, s.Hold)
	if err != nil {
		return money.Amount{}, err
	}
	return money.Of(h.Due.Asset, stock(h, s.Source)), nil
}

// take claims the amount at its source in the source's own stream, so that two approvals of
// the same money lose a race instead of both winning it.
func (f ApproveRefund) take(u *domain.Unit, s refund.State, amount money.Amount) (*refund.Clawback, error) {
	if err := running(u, amount.Asset); err != nil {
		return nil, err
	}
	switch s.Source {
	case refund.FromHeld, refund.FromReleasable:
		return nil, takeFromHold(u, f.Issue, s, amount)
	case refund.FromSuspense:
		return nil, takeFromSuspense(u, f.Issue, s, amount)
	case refund.FromClawback:
		return f.clawBack(u, s, amount)
	case refund.FromDispute:
		return nil, fault.ErrForbidden
	}
	return nil, nil
}

// clawBack splits a refund of released money over the fee, the seller's balance and his debt.
func (f ApproveRefund) clawBack(u *domain.Unit, s refund.State, amount money.Amount) (*refund.Clawback, error) {
	fee, err := reopen(u, f.Issue, s, amount)
	if err != nil {
		return nil, err
	}
	rest := amount.Units.Minus(fee)
	available := rest.Min(f.SellerAvailable)
	drawn, err := drawReserve(u, f.Issue, s, rest.Minus(available))
	if err != nil {
		return nil, err
	}
	available = available.Plus(drawn)
	owed := rest.Minus(available)
	if !owed.IsZero() {
		_, err = domain.Do(u, receivable.Decider, receivable.ID(receivable.Seller, s.Seller, amount.Asset), receivable.Record{
			Issue: own(f.Issue, "clawback"), Party: receivable.Seller, User: s.Seller,
			Amount: money.Of(amount.Asset, owed), Cause: string(s.Refund),
		})
	}
	return &refund.Clawback{
		FeePart: money.Of(amount.Asset, fee), AvailablePart: money.Of(amount.Asset, available),
		ReceivablePart: money.Of(amount.Asset, owed),
	}, err
}

// Clawback refunds money that was already released: the fee's share is given back, the rest
// comes out of what the seller has, and what is missing becomes his debt.
type Clawback struct {
	domain.Issue
	Refund domain.RefundID
	Hold   domain.HoldID
	Amount money.Amount
	Reason domain.Personal
	Terms  RefundTerms
}

// Run decides.
func (f Clawback) Run(u *domain.Unit) (any, error) {
	return RequestRefund{
		Issue: f.Issue, Refund: f.Refund, Hold: f.Hold, Source: refund.FromClawback, Mode: refund.Partial,
		Amount: f.Amount, Reason: f.Reason, Terms: &f.Terms,
	}.Run(u)
}

package settlement

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/money"
	"holdfast/domain/receivable"
	"holdfast/domain/refund"
)

// RefundAnswer is what a refund's flows answer.
type RefundAnswer struct {
	Refund domain.RefundID `json:"refund"`
	State  string          `json:"state"`
	Source refund.Source   `json:"source"`
	Asked  money.Amount    `json:"asked"`
	Amount money.Amount    `json:"amount"`
	Net    money.Amount    `json:"net"`
}

func refundAnswer(s refund.State) RefundAnswer {
	return RefundAnswer{Refund: s.Refund, State: s.Phase, Source: s.Source, Asked: s.Asked, Amount: s.Amount, Net: s.Net}
}

// refundStep is a flow of one command on one refund.
func refundStep(u *domain.Unit, id domain.RefundID, c domain.Command) (any, error) {
	s, err := step(u, refund.Decider, string(id), c)
	if err != nil {
		return nil, err
	}
	return refundAnswer(s), nil
}

// AddressWindow is how long a buyer may take to confirm an address where nothing else is
// said; then the money becomes his credit.
const AddressWindow = 90 * 24 * time.Hour

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

// RequestRefund asks for money back. Without a Source it is what the hold has. With Terms it
// is approved in the same transaction (an admin, a process, or the seller giving up his
// whole order). Errors: REFUND_EXCEEDS_AVAILABLE, ALREADY_REFUNDED, ESCROW_DISPUTED.
type RequestRefund struct {
	domain.Issue
	Refund domain.RefundID
	Hold   domain.HoldID
	// Buyer and Asset are needed where there is no hold.
	Buyer   domain.UserID
	Deposit string
	Source  refund.Source
	Mode    refund.Mode
	Amount  money.Amount
	Reason  domain.Personal
	Terms   *RefundTerms
}

// Run decides.
func (f RequestRefund) Run(u *domain.Unit) (any, error) {
	c := refund.Request{
		Issue: f.Issue, Refund: f.Refund, Hold: f.Hold, Buyer: f.Buyer, Deposit: f.Deposit,
		Source: f.Source, Mode: f.Mode, Amount: f.Amount, Reason: f.Reason,
	}
	if f.Hold != "" {
		h, err := existing(u, f.Hold)
		if err != nil {
			return nil, err
		}
		c.Request, c.Buyer, c.Seller = h.Request, h.Buyer, h.Seller
		if c.Source == "" {
			c.Source = likeliest(h, f.Amount.Units)
		}
		if err := refundable(h, c.Source, c.Amount); err != nil {
			return nil, err
		}
	}
	s, err := step(u, refund.Decider, string(f.Refund), c)
	if err != nil {
		return nil, err
	}
	if f.Terms == nil {
		return refundAnswer(s), nil
	}
	return ApproveRefund{Issue: f.Issue, Refund: f.Refund, RefundTerms: *f.Terms}.Run(u)
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

// RejectRefund refuses a refund that was asked for.
type RejectRefund struct {
	domain.Issue
	Refund domain.RefundID
	Reason domain.Personal
}

// Run decides.
func (f RejectRefund) Run(u *domain.Unit) (any, error) {
	return refundStep(u, f.Refund, refund.Reject{Issue: f.Issue, Reason: f.Reason})
}

// ConfirmRefundAddress names the address, screened by an adapter.
type ConfirmRefundAddress struct {
	domain.Issue
	Refund  domain.RefundID
	Address refund.Address
}

// Run decides.
func (f ConfirmRefundAddress) Run(u *domain.Unit) (any, error) {
	return refundStep(u, f.Refund, refund.ConfirmAddress{Issue: f.Issue, Address: f.Address})
}

// CancelRefund takes a refund back before anything was sent; the money returns to its source.
type CancelRefund struct {
	domain.Issue
	Refund domain.RefundID
}

// Run decides.
func (f CancelRefund) Run(u *domain.Unit) (any, error) {
	s, err := domain.StateOf(u, refund.Decider, string(f.Refund))
	if err != nil {
		return nil, err
	}
	c := refund.Cancel{Issue: f.Issue}
	if s.Phase == refund.PhaseApproved || s.Phase == refund.PhaseAddressPending {
		if c.ToReceivable, err = f.giveBack(u, s); err != nil {
			return nil, err
		}
	}
	return refundStep(u, f.Refund, c)
}

// giveBack tells the source's own stream that its money returns. It gives what goes back to
// the seller's debt: no more than is still owed.
func (f CancelRefund) giveBack(u *domain.Unit, s refund.State) (money.Amount, error) {
	switch s.Source {
	case refund.FromHeld, refund.FromReleasable:
		return money.Amount{}, returnToHold(u, f.Issue, s)
	case refund.FromSuspense:
		return money.Amount{}, returnToSuspense(u, f.Issue, s, s.Amount)
	case refund.FromClawback:
		return f.reverseDebt(u, s)
	}
	return money.Amount{}, nil
}

func (f CancelRefund) reverseDebt(u *domain.Unit, s refund.State) (money.Amount, error) {
	if err := undoClawback(u, f.Issue, s); err != nil {
		return money.Amount{}, err
	}
	id := receivable.ID(receivable.Seller, s.Seller, s.Amount.Asset)
	debt, err := domain.StateOf(u, receivable.Decider, id)
	if err != nil {
		return money.Amount{}, err
	}
	open := money.Of(s.Amount.Asset, debt.Owed.Units.Min(s.Clawback.ReceivablePart.Units))
	if open.IsZero() {
		return open, nil
	}
	_, err = domain.Do(u, receivable.Decider, id, receivable.Reverse{
		Issue: own(f.Issue, "clawback"), Amount: open, Cause: string(s.Refund),
	})
	return open, err
}

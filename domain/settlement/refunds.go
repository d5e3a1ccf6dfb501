package settlement

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/money"
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
	// Address is where the buyer wants it, when he says so at once; screened by an adapter.
	Address *refund.Address
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
	if f.Address != nil {
		if s, err = step(u, refund.Decider, string(f.Refund), refund.ConfirmAddress{Issue: f.Issue, Address: *f.Address}); err != nil {
			return nil, err
		}
	}
	if f.Terms == nil {
		return refundAnswer(s), nil
	}
	return ApproveRefund{Issue: f.Issue, Refund: f.Refund, RefundTerms: *f.Terms}.Run(u)
}

// ConfirmRefundAddress names the address, screened by an adapter.
type ConfirmRefundAddress struct {
	domain.Issue
	Refund  domain.RefundID
	Address refund.Address
	// CoolingOff is how long an address rests that takes another one's place.
	CoolingOff time.Duration
}

// Run decides.
func (f ConfirmRefundAddress) Run(u *domain.Unit) (any, error) {
	return refundStep(u, f.Refund, refund.ConfirmAddress{Issue: f.Issue, Address: f.Address, CoolingOff: f.CoolingOff})
}

package settlement

import (
	"holdfast/domain"
	"holdfast/domain/money"
	"holdfast/domain/receivable"
	"holdfast/domain/refund"
)

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
		if err = f.giveBack(u, s, &c); err != nil {
			return nil, err
		}
	}
	return refundStep(u, f.Refund, c)
}

// giveBack tells the source's own stream that its money returns, and says in the command what of a
// clawback goes back to the seller's debt and reserve.
func (f CancelRefund) giveBack(u *domain.Unit, s refund.State, c *refund.Cancel) (err error) {
	switch s.Source {
	case refund.FromHeld, refund.FromReleasable:
		return returnToHold(u, f.Issue, s)
	case refund.FromSuspense:
		return returnToSuspense(u, f.Issue, s, s.Amount)
	case refund.FromClawback:
		if c.ToReserve, err = undoClawback(u, f.Issue, s); err != nil {
			return err
		}
		c.ToReceivable, err = f.reverseDebt(u, s)
	}
	return err
}

// reverseDebt gives what goes back to the seller's debt: no more than is still owed.
func (f CancelRefund) reverseDebt(u *domain.Unit, s refund.State) (money.Amount, error) {
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

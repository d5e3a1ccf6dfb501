package settlement

import (
	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/money"
	"holdfast/domain/refund"
)

// stock is what a refund from this source of the hold could take.
func stock(h escrow.State, s refund.Source) money.Units {
	switch s {
	case refund.FromHeld:
		return h.Held
	case refund.FromReleasable:
		return h.Releasable
	case refund.FromClawback:
		rest, _ := h.Released.Sub(h.ClawedBack)
		return rest
	}
	return money.Zero
}

// likeliest is the source a refund of this hold takes from when none is named.
func likeliest(h escrow.State, amount money.Units) refund.Source {
	if !h.Held.IsZero() && (!h.Held.Less(amount) || !h.Releasable.IsZero() && h.Releasable.Less(amount)) {
		return refund.FromHeld
	}
	if !h.Releasable.IsZero() {
		return refund.FromReleasable
	}
	return refund.FromHeld
}

// refundable refuses early what the approval would refuse anyway.
func refundable(h escrow.State, s refund.Source, amount money.Amount) error {
	switch s {
	case refund.FromHeld, refund.FromReleasable, refund.FromClawback:
	case refund.FromDispute:
		return escrow.ErrDisputed.Because("only the outcome of the dispute refunds contested money")
	default:
		return nil
	}
	if !h.Disputed.IsZero() && s != refund.FromClawback {
		return escrow.ErrDisputed
	}
	have := stock(h, s)
	switch {
	case amount.Asset != "" && amount.Asset != h.Due.Asset:
		return money.ErrAssetMismatch
	case have.IsZero() && h.Left().IsZero() && !h.Refunded.IsZero() && h.Released.IsZero():
		return refund.ErrAlreadyRefunded
	case have.IsZero() || have.Less(amount.Units):
		return refund.ErrExceedsAvailable.With("have", have).With("need", amount.Units)
	}
	return nil
}

func bucketOf(s refund.Source) escrow.Bucket {
	if s == refund.FromReleasable {
		return escrow.Releasable
	}
	return escrow.Held
}

func takeFromHold(u *domain.Unit, i domain.Issue, s refund.State, amount money.Amount) error {
	h, err := existing(u, s.Hold)
	if err != nil {
		return err
	}
	if err := refundable(h, s.Source, amount); err != nil {
		return err
	}
	_, err = domain.Do(u, escrow.Decider, string(s.Hold), escrow.TakeForRefund{
		Issue: own(i, "refunds"), Refund: s.Refund, From: bucketOf(s.Source), Amount: amount,
	})
	return err
}

func returnToHold(u *domain.Unit, i domain.Issue, s refund.State) error {
	_, err := domain.Do(u, escrow.Decider, string(s.Hold), escrow.ReturnFromRefund{
		Issue: own(i, "refunds"), Refund: s.Refund, To: bucketOf(s.Source), Amount: s.Amount,
	})
	return err
}

// reopen notes a clawback in the hold and gives the fee's share of it: the floor on all that
// was ever clawed back, so that several clawbacks give back what one would have.
func reopen(u *domain.Unit, i domain.Issue, s refund.State, amount money.Amount) (fee money.Units, err error) {
	h, err := existing(u, s.Hold)
	if err != nil {
		return money.Zero, err
	}
	if err := refundable(h, refund.FromClawback, amount); err != nil {
		return money.Zero, err
	}
	before := h.FeesTaken.MulDivFloor(h.ClawedBack, h.Released)
	fee = h.FeesTaken.MulDivFloor(h.ClawedBack.Plus(amount.Units), h.Released).Minus(before)
	_, err = domain.Do(u, escrow.Decider, string(s.Hold), escrow.ClawBack{
		Issue: own(i, "refunds"), Refund: s.Refund, Amount: amount,
	})
	return fee, err
}

// drawReserve takes what the seller lacks out of what this order has withheld from him, as far as
// it goes.
func drawReserve(u *domain.Unit, i domain.Issue, s refund.State, lacks money.Units) (money.Units, error) {
	if lacks.IsZero() {
		return lacks, nil
	}
	events, err := domain.Do(u, escrow.Decider, string(s.Hold), escrow.ReleaseReserve{
		Issue: own(i, "clawback"), Needed: lacks, Cause: "clawback", Refund: s.Refund,
	})
	if err != nil || len(events) == 0 {
		return money.Zero, err
	}
	return events[0].(escrow.ReserveReleased).Amount.Units, nil
}

// undoClawback tells the hold that a clawback is not paid, and gives what of it the seller's reserve
// gets back.
func undoClawback(u *domain.Unit, i domain.Issue, s refund.State) (money.Amount, error) {
	events, err := domain.Do(u, escrow.Decider, string(s.Hold), escrow.ReturnClawback{Issue: own(i, "refunds"), Refund: s.Refund, Amount: s.Amount})
	if err != nil || len(events) == 0 {
		return money.Amount{}, err
	}
	return events[0].(escrow.ClawbackReturned).Reserve, nil
}

// settled tells the hold that a refund of its money ended.
func settled(u *domain.Unit, i domain.Issue, hold domain.HoldID, id domain.RefundID) error {
	if hold == "" {
		return nil
	}
	_, err := domain.Do(u, escrow.Decider, string(hold), escrow.SettleRefund{Issue: own(i, "refunds"), Refund: id})
	return err
}

// unsettled tells the hold that the chain undid a refund of its money.
func unsettled(u *domain.Unit, i domain.Issue, hold domain.HoldID, id domain.RefundID) error {
	if hold == "" {
		return nil
	}
	_, err := domain.Do(u, escrow.Decider, string(hold), escrow.UnsettleRefund{Issue: own(i, "refunds"), Refund: id})
	return err
}

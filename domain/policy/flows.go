package policy

import (
	"holdfast/domain"
	"holdfast/domain/dispute"
	"holdfast/domain/escrow"
	"holdfast/domain/funding"
	"holdfast/domain/payment"
	"holdfast/domain/refund"
	"holdfast/domain/settlement"
)

// Answer is what the flows of this package answer.
type Answer struct {
	// Done is false when there was nothing to do (any more).
	Done bool `json:"done"`
}

// CloseEscrow ends a hold and its order once nothing is left in it and nothing is under way.
type CloseEscrow struct {
	domain.Issue
	Hold domain.HoldID
}

// Run decides.
func (f CloseEscrow) Run(u *domain.Unit) (any, error) {
	h, err := domain.StateOf(u, escrow.Decider, string(f.Hold))
	if err != nil {
		return nil, err
	}
	settled := h.Phase() == escrow.Settling || h.Phase() == escrow.ReopenedPhase || (h.Phase() == escrow.CancelledPhase && !h.Refunded.IsZero())
	if !settled || !h.Left().IsZero() || len(h.OpenRefunds) > 0 {
		return Answer{}, nil
	}
	_, err = funding.CloseEscrow{Issue: f.Issue, Hold: f.Hold}.Run(u)
	return Answer{Done: err == nil}, err
}

// ResumeRelease releases what is releasable when the last stop on a hold is lifted after the
// inspection has ended: the deadline passed meanwhile and will not come again.
type ResumeRelease struct {
	domain.Issue
	Hold domain.HoldID
}

// Run decides.
func (f ResumeRelease) Run(u *domain.Unit) (any, error) {
	h, err := domain.StateOf(u, escrow.Decider, string(f.Hold))
	if err != nil {
		return nil, err
	}
	over := !h.ReleaseAt.IsZero() && !f.At.Before(h.ReleaseAt)
	if !over || len(h.ReleaseHolds) > 0 || !h.Disputed.IsZero() || h.Releasable.IsZero() || h.IsClosed {
		return Answer{}, nil
	}
	_, err = funding.AutoRelease{Issue: f.Issue, Hold: f.Hold}.Run(u)
	return Answer{Done: err == nil}, err
}

// ResumeReserve gives back what was withheld and became due while a stop kept it.
type ResumeReserve struct {
	domain.Issue
	Hold domain.HoldID
}

// Run decides.
func (f ResumeReserve) Run(u *domain.Unit) (any, error) {
	h, err := domain.StateOf(u, escrow.Decider, string(f.Hold))
	if err != nil || len(h.ReleaseHolds) > 0 || len(h.Reserves) == 0 || h.Reserves[0].Until.After(f.At) {
		return Answer{}, err
	}
	_, err = funding.ReleaseReserve{Issue: f.Issue, Hold: f.Hold}.Run(u)
	return Answer{Done: err == nil}, err
}

// CloseDispute ends a resolved dispute when its money has moved. Either the dispute is named, or
// the refund that has just ended.
type CloseDispute struct {
	domain.Issue
	Dispute domain.DisputeID
	Refund  domain.RefundID
}

// Run decides.
func (f CloseDispute) Run(u *domain.Unit) (any, error) {
	id := f.Dispute
	if id == "" {
		r, err := domain.StateOf(u, refund.Decider, string(f.Refund))
		if err != nil || r.Dispute == "" {
			return Answer{}, err
		}
		id = r.Dispute
	}
	d, err := domain.StateOf(u, dispute.Decider, string(id))
	if err != nil || d.Phase != dispute.PhaseResolved {
		return Answer{}, err
	}
	if d.Refund != "" {
		r, err := domain.StateOf(u, refund.Decider, string(d.Refund))
		if err != nil || !r.Final() {
			return Answer{}, err
		}
	}
	_, err = settlement.CloseDispute{Issue: f.Issue, Dispute: id}.Run(u)
	return Answer{Done: err == nil}, err
}

// RefundPart gives a buyer back what was confirmed of a payment that expired.
type RefundPart struct {
	domain.Issue
	Refund domain.RefundID
	Hold   domain.HoldID
}

// Run decides.
func (f RefundPart) Run(u *domain.Unit) (any, error) {
	h, err := domain.StateOf(u, escrow.Decider, string(f.Hold))
	if err != nil || h.Held.IsZero() || h.IsFunded {
		return Answer{}, err
	}
	r, err := domain.StateOf(u, refund.Decider, string(f.Refund))
	if err != nil || r.Phase != "" {
		return Answer{}, err
	}
	_, err = settlement.RequestRefund{
		Issue: f.Issue, Refund: f.Refund, Hold: f.Hold, Source: refund.FromHeld, Mode: refund.Full,
		Reason: domain.About(h.Buyer, "the payment ended before all of it had arrived"), Terms: &settlement.RefundTerms{},
	}.Run(u)
	return Answer{Done: err == nil}, err
}

// RefundRejected gives a buyer back what was confirmed before review rejected the rest: that part is
// in the hold, which nobody pays any more. Where it is sent is screened like every refund.
type RefundRejected struct {
	domain.Issue
	Payment domain.PaymentID
	Refund  domain.RefundID
}

// Run decides.
func (f RefundRejected) Run(u *domain.Unit) (any, error) {
	p, err := domain.StateOf(u, payment.Decider, string(f.Payment))
	if err != nil {
		return Answer{}, err
	}
	return RefundPart{Issue: f.Issue, Refund: f.Refund, Hold: p.Hold}.Run(u)
}

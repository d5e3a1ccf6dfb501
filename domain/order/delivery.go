package order

import (
	"slices"
	"time"

	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/request"
)

// MarkShipped by the selected seller. Errors: ESCROW_NOT_FUNDED.
type MarkShipped struct {
	domain.Issue
	Request  domain.RequestID
	Carrier  string
	Tracking domain.Personal
}

// Run decides.
func (f MarkShipped) Run(u *domain.Unit) (any, error) {
	r, err := existing(u, f.Request)
	if err != nil {
		return nil, err
	}
	c := request.MarkShipped{Issue: f.Issue, Carrier: f.Carrier, Tracking: f.Tracking}
	if r.Selected != nil {
		h, err := holdOf(u, r)
		if err != nil {
			return nil, err
		}
		c.Funded, c.AMLHold = h.IsFunded, slices.Contains(h.Stopped(), escrow.AMLHold)
	}
	return onRequest(u, f.Request, c)
}

// IssueDeliveryCode notes the MAC of a code that only the buyer has seen.
type IssueDeliveryCode struct {
	domain.Issue
	Request   domain.RequestID
	MAC       []byte
	ExpiresAt time.Time
}

// Run decides.
func (f IssueDeliveryCode) Run(u *domain.Unit) (any, error) {
	return onRequest(u, f.Request, request.IssueCode{Issue: f.Issue, MAC: f.MAC, ExpiresAt: f.ExpiresAt})
}

// VerifyDeliveryCode by the selected seller: the goods are delivered, the money becomes
// releasable, and the inspection begins. A wrong code is counted and refused. Errors:
// CODE_INVALID, CODE_EXPIRED, CODE_LOCKED.
type VerifyDeliveryCode struct {
	domain.Issue
	Request domain.RequestID
	MAC     []byte
}

// Run decides.
func (f VerifyDeliveryCode) Run(u *domain.Unit) (any, error) {
	r, err := existing(u, f.Request)
	if err != nil {
		return nil, err
	}
	events, err := domain.Do(u, request.Decider, string(f.Request), request.VerifyCode{Issue: f.Issue, MAC: f.MAC})
	if err != nil {
		return nil, err
	}
	for _, e := range events {
		if wrong, ok := e.(request.DeliveryCodeFailed); ok {
			return request.ErrCodeInvalid.With("attempts_left", request.CodeAttempts-wrong.Attempt), nil
		}
	}
	return delivered(u, f.Issue, r, "code")
}

// ConfirmDelivery by the buyer, an admin or the timer.
type ConfirmDelivery struct {
	domain.Issue
	Request domain.RequestID
	Reason  string
}

// Run decides.
func (f ConfirmDelivery) Run(u *domain.Unit) (any, error) {
	r, err := existing(u, f.Request)
	if err != nil {
		return nil, err
	}
	if _, err := domain.Do(u, request.Decider, string(f.Request), request.ConfirmDelivery{Issue: f.Issue, Reason: f.Reason}); err != nil {
		return nil, err
	}
	return delivered(u, f.Issue, r, "confirmed")
}

// delivered makes the money releasable and begins the inspection, unless a dispute has
// frozen it: then the dispute's end decides.
func delivered(u *domain.Unit, i domain.Issue, r request.State, cause string) (any, error) {
	h, err := holdOf(u, r)
	if err != nil {
		return nil, err
	}
	if h.Phase() != escrow.DisputedPhase {
		for _, c := range []domain.Command{
			escrow.MarkReleasable{Issue: own(i), Cause: cause},
			escrow.StartInspection{Issue: own(i)},
		} {
			if _, err := domain.Do(u, escrow.Decider, string(h.ID), c); err != nil {
				return nil, err
			}
		}
	}
	return requestAnswer(u, r.ID)
}

// RequestRevision by the buyer: what became releasable is held again. Errors: REVISION_LIMIT.
type RequestRevision struct {
	domain.Issue
	Request domain.RequestID
	Reason  domain.Personal
}

// Run decides.
func (f RequestRevision) Run(u *domain.Unit) (any, error) {
	r, err := existing(u, f.Request)
	if err != nil {
		return nil, err
	}
	h, err := holdOf(u, r)
	if err != nil {
		return nil, err
	}
	c := request.RequestRevision{Issue: f.Issue, Reason: f.Reason, InspectionTo: h.InspectionTo}
	if _, err := domain.Do(u, request.Decider, string(f.Request), c); err != nil {
		return nil, err
	}
	if !h.Releasable.IsZero() {
		if _, err := domain.Do(u, escrow.Decider, string(h.ID), escrow.RevokeRelease{Issue: own(f.Issue), Reason: "revision requested"}); err != nil {
			return nil, err
		}
	}
	return requestAnswer(u, f.Request)
}

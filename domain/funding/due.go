package funding

import (
	"holdfast/domain"
	"holdfast/domain/sweepplan"
)

// Flow is one command over one or several streams.
type Flow interface {
	Run(u *domain.Unit) (any, error)
}

// Due builds the flow of a deadline of this slice's streams; ok is false for a command that
// is not this slice's. A stale timer leads to a harmless refusal.
func Due(command string, s domain.Stream, i domain.Issue) (f Flow, ok bool) {
	switch command {
	case "funding.expire_payment":
		return ExpirePayment{Issue: i, Payment: domain.PaymentID(s.ID)}, true
	case "funding.release_reserve":
		return ReleaseReserve{Issue: i, Hold: domain.HoldID(s.ID)}, true
	case "funding.expire_sweep_plan":
		return ExpireSweepPlan{Issue: i, Plan: sweepplan.ID(s.ID)}, true
	case "funding.auto_release":
		return AutoRelease{Issue: i, Hold: domain.HoldID(s.ID)}, true
	}
	return nil, false
}

package funding

import (
	"holdfast/domain"
	"holdfast/domain/breakglass"
	"holdfast/domain/fault"
	"holdfast/domain/payment"
)

// ErrReviewTakesTwo: the review is not one that an admin may clear alone.
var ErrReviewTakesTwo = fault.New(fault.Forbidden, "APPROVAL_REQUIRED", "two admins must clear this review, also while the glass is broken")

// ClearReviewAlone lets an admin clear a review without a second one while the glass is
// broken, and notes that the glass was used. A review about money laundering is not lifted.
// Errors: BREAK_GLASS_INACTIVE, APPROVAL_REQUIRED.
type ClearReviewAlone struct {
	domain.Issue
	Payment domain.PaymentID
	Reason  string
}

// Run decides.
func (f ClearReviewAlone) Run(u *domain.Unit) (any, error) {
	s, err := existing(u, f.Payment)
	if err != nil {
		return nil, err
	}
	if s.Phase == payment.UnderReview && s.BlockedBy() == payment.ByAML {
		return nil, ErrReviewTakesTwo
	}
	use := breakglass.Use{Issue: f.Issue, Power: breakglass.ClearReview, Object: string(f.Payment), Reason: f.Reason}
	if _, err := domain.Do(u, breakglass.Decider, breakglass.Stream, use); err != nil {
		return nil, err
	}
	return ClearReview{Issue: f.Issue, Payment: f.Payment, alone: true}.Run(u)
}

package funding

import (
	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/payment"
)

// ReportFailure notes the provider's word that a buyer's attempt to pay failed.
type ReportFailure struct {
	domain.Issue
	Payment domain.PaymentID
	Code    string
	Reason  string
}

// Run decides.
func (f ReportFailure) Run(u *domain.Unit) (any, error) {
	return onPayment(u, f.Payment, payment.ReportFailure{Issue: f.Issue, Code: f.Code, Reason: f.Reason})
}

// DoubtPayer follows the provider's word that the payer did not pass its compliance check. Money
// that is seen and not confirmed waits for a review; before and after that the order's release
// is stopped. Nothing moves: a person decides what becomes of the money.
type DoubtPayer struct {
	domain.Issue
	Payment domain.PaymentID
	Reason  string
}

// Run decides.
func (f DoubtPayer) Run(u *domain.Unit) (any, error) {
	s, err := existing(u, f.Payment)
	if err != nil {
		return nil, err
	}
	switch {
	case s.Phase == payment.UnderReview:
	case s.Phase == payment.Confirming && !s.Reviewed:
		_, err = domain.Do(u, payment.Decider, string(f.Payment), payment.HoldForReview{Issue: own(f.Issue), Kind: "compliance"})
	default:
		_, err = domain.Do(u, escrow.Decider, string(s.Hold), escrow.PlaceReleaseHold{
			Issue: own(f.Issue), ID: "compliance:" + string(f.Payment), Kind: escrow.AMLHold, Reason: f.Reason,
		})
	}
	if err != nil {
		return nil, err
	}
	return paymentAnswer(u, f.Payment)
}

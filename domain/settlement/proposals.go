package settlement

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/dispute"
	"holdfast/domain/money"
)

// ProposeSettlement offers the other party a split.
type ProposeSettlement struct {
	domain.Issue
	Dispute    domain.DisputeID
	Settlement string
	SellerBPS  money.BPS
	Message    domain.Personal
	ExpiresAt  time.Time // zero: the terms' window
}

// Run decides.
func (f ProposeSettlement) Run(u *domain.Unit) (any, error) {
	return disputeStep(u, f.Dispute, dispute.ProposeSettlement{
		Issue: f.Issue, Settlement: f.Settlement, SellerBPS: f.SellerBPS, Message: f.Message, ExpiresAt: f.ExpiresAt,
	})
}

// AcceptSettlement agrees, and the split is carried out in the same transaction. Error:
// SETTLEMENT_EXPIRED.
type AcceptSettlement struct {
	domain.Issue
	Dispute    domain.DisputeID
	Settlement string
}

// Run decides.
func (f AcceptSettlement) Run(u *domain.Unit) (any, error) {
	return stepAndExecute(u, f.Issue, f.Dispute, dispute.AcceptSettlement{Issue: f.Issue, Settlement: f.Settlement})
}

// DeclineSettlement refuses the proposal, or takes one's own back.
type DeclineSettlement struct {
	domain.Issue
	Dispute    domain.DisputeID
	Settlement string
}

// Run decides.
func (f DeclineSettlement) Run(u *domain.Unit) (any, error) {
	return disputeStep(u, f.Dispute, dispute.DeclineSettlement{Issue: f.Issue, Settlement: f.Settlement})
}

// LapseSettlement ends a proposal that nobody answered.
type LapseSettlement struct {
	domain.Issue
	Dispute domain.DisputeID
}

// Run decides.
func (f LapseSettlement) Run(u *domain.Unit) (any, error) {
	return disputeStep(u, f.Dispute, dispute.LapseSettlement{Issue: f.Issue})
}

package settlement

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/dispute"
	"holdfast/domain/money"
	"holdfast/domain/payout"
	"holdfast/domain/refund"
)

// AssignResolver names who decides. Payouts are those of this order: whoever approved one
// of them cannot decide. Error: RESOLVER_CONFLICT.
type AssignResolver struct {
	domain.Issue
	Dispute  domain.DisputeID
	Resolver domain.UserID
	Payouts  []domain.PayoutID
}

// Run decides.
func (f AssignResolver) Run(u *domain.Unit) (any, error) {
	approvers, err := approversOf(u, f.Payouts)
	if err != nil {
		return nil, err
	}
	return disputeStep(u, f.Dispute, dispute.AssignResolver{Issue: f.Issue, Resolver: f.Resolver, PayoutApprovers: approvers})
}

func approversOf(u *domain.Unit, payouts []domain.PayoutID) ([]domain.UserID, error) {
	var all []domain.UserID
	for _, id := range payouts {
		s, err := domain.StateOf(u, payout.Decider, string(id))
		if err != nil {
			return nil, err
		}
		all = append(all, s.Approvers...)
	}
	return all, nil
}

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

// SideMeasure is taken against a party beside the money.
type SideMeasure struct {
	Measure dispute.Measure
	Target  domain.UserID
	Reason  domain.Personal
}

// DecideDispute is a round's decision. The last round's is final and carried out in the same
// transaction; an earlier one when its appeal window has closed. Errors: NOT_ASSIGNED,
// RESOLVER_CONFLICT, INVALID_SPLIT, ALREADY_RESOLVED.
type DecideDispute struct {
	domain.Issue
	Dispute      domain.DisputeID
	Action       dispute.Action
	SellerBPS    *money.BPS // nil: what the action implies
	FeePayer     dispute.FeePayer
	Reason       domain.Personal
	SideMeasures []SideMeasure
	Payouts      []domain.PayoutID // as in AssignResolver
}

// Run decides.
func (f DecideDispute) Run(u *domain.Unit) (any, error) {
	approvers, err := approversOf(u, f.Payouts)
	if err != nil {
		return nil, err
	}
	s, err := step(u, dispute.Decider, string(f.Dispute), dispute.Decide{
		Issue: f.Issue, Action: f.Action, SellerBPS: f.SellerBPS, FeePayer: f.FeePayer, Reason: f.Reason, PayoutApprovers: approvers,
	})
	if err != nil {
		return nil, err
	}
	for _, m := range f.SideMeasures {
		if err := m.take(u, f.Issue, f.Dispute); err != nil {
			return nil, err
		}
	}
	if !s.Outcome.Final {
		return disputeAnswer(s), nil
	}
	i := own(f.Issue, "disputes")
	return stepAndExecute(u, i, f.Dispute, dispute.CloseAppealWindow{Issue: i})
}

func (m SideMeasure) take(u *domain.Unit, i domain.Issue, id domain.DisputeID) error {
	_, err := domain.Do(u, dispute.Decider, string(id), dispute.TakeSideMeasure{
		Issue: i, Measure: m.Measure, Target: m.Target, Reason: m.Reason,
	})
	return err
}

// TakeSideMeasure warns or bans a party at any time.
type TakeSideMeasure struct {
	domain.Issue
	Dispute domain.DisputeID
	SideMeasure
}

// Run decides.
func (f TakeSideMeasure) Run(u *domain.Unit) (any, error) {
	if err := f.take(u, f.Issue, f.Dispute); err != nil {
		return nil, err
	}
	s, err := domain.StateOf(u, dispute.Decider, string(f.Dispute))
	return disputeAnswer(s), err
}

// AppealDispute asks another resolver. Errors: APPEAL_CLOSED, APPEAL_LIMIT.
type AppealDispute struct {
	domain.Issue
	Dispute  domain.DisputeID
	Grounds  domain.Personal
	Evidence []dispute.Evidence
}

// Run decides.
func (f AppealDispute) Run(u *domain.Unit) (any, error) {
	return disputeStep(u, f.Dispute, dispute.Appeal{Issue: f.Issue, Grounds: f.Grounds, Evidence: f.Evidence})
}

// CloseAppealWindow makes the decision final and carries it out, unless the goods must come
// back first.
type CloseAppealWindow struct {
	domain.Issue
	Dispute domain.DisputeID
}

// Run decides.
func (f CloseAppealWindow) Run(u *domain.Unit) (any, error) {
	return stepAndExecute(u, f.Issue, f.Dispute, dispute.CloseAppealWindow{Issue: f.Issue})
}

// ConfirmReturn says that the goods are back with the seller; the buyer is paid.
type ConfirmReturn struct {
	domain.Issue
	Dispute domain.DisputeID
}

// Run decides.
func (f ConfirmReturn) Run(u *domain.Unit) (any, error) {
	return stepAndExecute(u, f.Issue, f.Dispute, dispute.ConfirmReturn{Issue: f.Issue})
}

// LapseReturn ends the wait for the goods; the seller is paid.
type LapseReturn struct {
	domain.Issue
	Dispute domain.DisputeID
}

// Run decides.
func (f LapseReturn) Run(u *domain.Unit) (any, error) {
	return stepAndExecute(u, f.Issue, f.Dispute, dispute.LapseReturn{Issue: f.Issue})
}

// DefaultDispute applies the policy's split to a dispute that grew too old.
type DefaultDispute struct {
	domain.Issue
	Dispute domain.DisputeID
}

// Run decides.
func (f DefaultDispute) Run(u *domain.Unit) (any, error) {
	return stepAndExecute(u, f.Issue, f.Dispute, dispute.Default{Issue: f.Issue})
}

// stepAndExecute takes a step that may settle the outcome, and carries the outcome out.
func stepAndExecute(u *domain.Unit, i domain.Issue, id domain.DisputeID, c domain.Command) (any, error) {
	s, err := step(u, dispute.Decider, string(id), c)
	if err != nil {
		return nil, err
	}
	if s.Phase != dispute.PhaseExecuting {
		return disputeAnswer(s), nil
	}
	return execute(u, own(i, "disputes"), s)
}

// execute carries a final outcome out: the contested money leaves the hold, the buyer's part
// into a refund that is approved already, the seller's into what he has available. Each is
// then paid on its own, so that a party that cannot be paid does not block the other.
func execute(u *domain.Unit, i domain.Issue, s dispute.State) (any, error) {
	parts, err := settle(u, i, s)
	if err != nil {
		return nil, err
	}
	c := dispute.Resolve{Issue: i, Parts: parts}
	if !parts.Buyer.IsZero() {
		c.Refund = RefundOf(s.Dispute)
	}
	s, err = step(u, dispute.Decider, string(s.Dispute), c)
	if err != nil {
		return nil, err
	}
	if c.Refund != "" {
		if err := refundBuyer(u, i, s); err != nil {
			return nil, err
		}
	}
	return disputeAnswer(s), flag(u, i, s.Request, s.Dispute, false)
}

// RefundOf names the refund that pays the buyer's part of a dispute.
func RefundOf(d domain.DisputeID) domain.RefundID {
	return domain.RefundID(domain.DeriveID(string(d), "dispute refund"))
}

func refundBuyer(u *domain.Unit, i domain.Issue, s dispute.State) error {
	_, err := domain.Do(u, refund.Decider, string(s.Refund), refund.Request{
		Issue: i, Refund: s.Refund, Hold: s.Hold, Request: s.Request, Buyer: s.Buyer, Seller: s.Seller,
		Dispute: s.Dispute, Source: refund.FromDispute, Mode: refund.Partial, Amount: s.Parts.Buyer,
	})
	if err != nil {
		return err
	}
	_, err = domain.Do(u, refund.Decider, string(s.Refund), refund.Approve{
		Issue: i, Amount: s.Parts.Buyer, AddressWindow: AddressWindow,
	})
	return err
}

// CloseDispute ends a resolved dispute when the buyer's refund has run its course.
type CloseDispute struct {
	domain.Issue
	Dispute domain.DisputeID
}

// Run decides.
func (f CloseDispute) Run(u *domain.Unit) (any, error) {
	s, err := domain.StateOf(u, dispute.Decider, string(f.Dispute))
	if err != nil {
		return nil, err
	}
	settled := true
	if s.Refund != "" {
		r, err := domain.StateOf(u, refund.Decider, string(s.Refund))
		if err != nil {
			return nil, err
		}
		settled = r.Final()
	}
	return disputeStep(u, f.Dispute, dispute.Close{Issue: f.Issue, Settled: settled})
}

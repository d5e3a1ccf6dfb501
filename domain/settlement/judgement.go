package settlement

import (
	"holdfast/domain"
	"holdfast/domain/dispute"
	"holdfast/domain/money"
	"holdfast/domain/payout"
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

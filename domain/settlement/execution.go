package settlement

import (
	"holdfast/domain"
	"holdfast/domain/dispute"
	"holdfast/domain/refund"
)

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

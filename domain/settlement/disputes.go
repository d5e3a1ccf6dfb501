package settlement

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/dispute"
	"holdfast/domain/fault"
	"holdfast/domain/money"
)

// DisputeAnswer is what a dispute's flows answer.
type DisputeAnswer struct {
	Dispute  domain.DisputeID `json:"dispute"`
	Hold     domain.HoldID    `json:"hold"`
	State    string           `json:"state"`
	Round    int              `json:"round"`
	Resolver domain.UserID    `json:"resolver,omitempty"`
	Amount   money.Amount     `json:"amount"`
	// DueBy is until when the present state waits; absent when nothing is waited for.
	DueBy           *time.Time       `json:"due_by,omitempty"`
	SubmissionCount int              `json:"submission_count"`
	Outcome         *dispute.Outcome `json:"outcome,omitempty"`
	Refund          domain.RefundID  `json:"refund,omitempty"`
	Parts           *dispute.Parts   `json:"parts,omitempty"`
}

func disputeAnswer(s dispute.State) DisputeAnswer {
	a := DisputeAnswer{
		Dispute: s.Dispute, Hold: s.Hold, State: s.Phase, Round: s.Round, Resolver: s.Resolver,
		Amount: s.Amount(), SubmissionCount: len(s.EvidenceIDs), Outcome: s.Outcome, Refund: s.Refund,
	}
	if by := s.WaitsUntil(); !by.IsZero() {
		a.DueBy = &by
	}
	if s.Phase == dispute.PhaseResolved {
		a.Parts = &s.Parts
	}
	return a
}

// disputeStep is a flow of one command on one dispute.
func disputeStep(u *domain.Unit, id domain.DisputeID, c domain.Command) (any, error) {
	s, err := step(u, dispute.Decider, string(id), c)
	if err != nil {
		return nil, err
	}
	return disputeAnswer(s), nil
}

// OpenDispute contests money of a hold and freezes it in the same transaction. A zero Amount
// is all there is. Errors: DISPUTE_OPEN, WINDOW_CLOSED, NOTHING_TO_DISPUTE.
type OpenDispute struct {
	domain.Issue
	Dispute        domain.DisputeID
	Hold           domain.HoldID
	Category       string
	Priority       string
	Reason         domain.Personal
	DesiredOutcome string
	Amount         money.Amount
	Terms          dispute.Terms
	// Evidence that comes with the complaint.
	Evidence []dispute.Evidence
}

// Run decides.
func (f OpenDispute) Run(u *domain.Unit) (any, error) {
	h, err := existing(u, f.Hold)
	if err != nil {
		return nil, err
	}
	if !partyOf(h, f.By) {
		return nil, fault.ErrNotFound
	}
	if err := disputable(h, f.Amount); err != nil {
		return nil, err
	}
	held, releasable, err := freeze(u, f.Issue, h, f.Dispute, f.Amount)
	if err != nil {
		return nil, err
	}
	s, err := step(u, dispute.Decider, string(f.Dispute), dispute.Open{
		Issue: f.Issue, Dispute: f.Dispute, Hold: f.Hold, Request: h.Request, Buyer: h.Buyer, Seller: h.Seller,
		Category: f.Category, Priority: f.Priority, Reason: f.Reason, DesiredOutcome: f.DesiredOutcome,
		FromHeld: held, FromReleasable: releasable, WindowEnds: windowEnds(h), Terms: f.Terms,
	})
	if err != nil {
		return nil, err
	}
	for _, e := range f.Evidence {
		if s, err = step(u, dispute.Decider, string(f.Dispute), dispute.SubmitEvidence{Issue: f.Issue, Evidence: e}); err != nil {
			return nil, err
		}
	}
	return disputeAnswer(s), flag(u, f.Issue, h.Request, f.Dispute, true)
}

// RespondToDispute is the other party's answer.
type RespondToDispute struct {
	domain.Issue
	Dispute domain.DisputeID
	Text    domain.Personal
}

// Run decides.
func (f RespondToDispute) Run(u *domain.Unit) (any, error) {
	return disputeStep(u, f.Dispute, dispute.Respond{Issue: f.Issue, Text: f.Text})
}

// DefaultRespondent ends the wait for an answer.
type DefaultRespondent struct {
	domain.Issue
	Dispute domain.DisputeID
}

// Run decides.
func (f DefaultRespondent) Run(u *domain.Unit) (any, error) {
	return disputeStep(u, f.Dispute, dispute.DefaultRespondent{Issue: f.Issue})
}

// SubmitEvidence adds one piece of proof. Errors: EVIDENCE_CLOSED, EVIDENCE_LIMIT.
type SubmitEvidence struct {
	domain.Issue
	Dispute  domain.DisputeID
	Evidence dispute.Evidence
}

// Run decides.
func (f SubmitEvidence) Run(u *domain.Unit) (any, error) {
	return disputeStep(u, f.Dispute, dispute.SubmitEvidence{Issue: f.Issue, Evidence: f.Evidence})
}

// CloseEvidence ends the collection and begins the review.
type CloseEvidence struct {
	domain.Issue
	Dispute domain.DisputeID
}

// Run decides.
func (f CloseEvidence) Run(u *domain.Unit) (any, error) {
	return disputeStep(u, f.Dispute, dispute.CloseEvidence{Issue: f.Issue})
}

// RequestMoreEvidence reopens the collection. From is buyer, seller or both.
type RequestMoreEvidence struct {
	domain.Issue
	Dispute domain.DisputeID
	From    string
	DueBy   time.Time
	What    domain.Personal
}

// Run decides.
func (f RequestMoreEvidence) Run(u *domain.Unit) (any, error) {
	return disputeStep(u, f.Dispute, dispute.RequestMoreEvidence{Issue: f.Issue, From: f.From, DueBy: f.DueBy, What: f.What})
}

// EscalateDispute asks for attention.
type EscalateDispute struct {
	domain.Issue
	Dispute domain.DisputeID
}

// Run decides.
func (f EscalateDispute) Run(u *domain.Unit) (any, error) {
	return disputeStep(u, f.Dispute, dispute.Escalate{Issue: f.Issue})
}

// WithdrawDispute is the opener giving up: the money goes back where it was.
type WithdrawDispute struct {
	domain.Issue
	Dispute domain.DisputeID
}

// Run decides.
func (f WithdrawDispute) Run(u *domain.Unit) (any, error) {
	return endWithout(u, f.Issue, f.Dispute, func(held, releasable money.Amount) domain.Command {
		return dispute.Withdraw{Issue: f.Issue, Held: held, Releasable: releasable}
	})
}

// RejectDispute refuses an inadmissible dispute: the money goes back where it was.
type RejectDispute struct {
	domain.Issue
	Dispute domain.DisputeID
	Reason  domain.Personal
}

// Run decides.
func (f RejectDispute) Run(u *domain.Unit) (any, error) {
	return endWithout(u, f.Issue, f.Dispute, func(held, releasable money.Amount) domain.Command {
		return dispute.Reject{Issue: f.Issue, Held: held, Releasable: releasable, Reason: f.Reason}
	})
}

// endWithout ends a dispute without an outcome: what is still frozen goes back.
func endWithout(u *domain.Unit, i domain.Issue, id domain.DisputeID, c func(held, releasable money.Amount) domain.Command) (any, error) {
	s, err := domain.StateOf(u, dispute.Decider, string(id))
	if err != nil {
		return nil, err
	}
	var held, releasable money.Amount
	if s.Open() {
		if held, releasable, err = frozen(u, s); err != nil {
			return nil, err
		}
	}
	if s, err = step(u, dispute.Decider, string(id), c(held, releasable)); err != nil {
		return nil, err
	}
	if err := unfreeze(u, i, s); err != nil {
		return nil, err
	}
	return disputeAnswer(s), flag(u, i, s.Request, id, false)
}

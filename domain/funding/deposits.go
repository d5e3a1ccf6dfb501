package funding

import (
	"holdfast/domain"
	"holdfast/domain/payment"
	"holdfast/domain/suspense"
)

// UndoDeposit takes a deposit that belonged to no payment out of the books, because a
// reorganisation took its block. Reported again, or of another block, it changes nothing.
type UndoDeposit struct {
	domain.Issue
	Evidence payment.Evidence
	Reason   string
}

// Run decides.
func (f UndoDeposit) Run(u *domain.Unit) (any, error) {
	s, err := domain.StateOf(u, suspense.Decider, f.Evidence.Key())
	if err != nil || s.Phase == "" {
		return nil, err
	}
	_, err = domain.Do(u, suspense.Decider, f.Evidence.Key(), suspense.Undo{Issue: f.Issue, Evidence: f.Evidence, Reason: f.Reason})
	return struct {
		Undone string `json:"undone"`
	}{f.Evidence.Key()}, err
}

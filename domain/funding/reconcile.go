package funding

import (
	"fmt"

	"holdfast/domain"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/reconciliation"
)

// RunAnswer is what the flows of a run answer.
type RunAnswer struct {
	Run   string `json:"run"`
	State string `json:"state"`
}

// StartReconciliation begins a run.
type StartReconciliation struct {
	domain.Issue
	ID       string
	Position int64
}

// Run decides.
func (f StartReconciliation) Run(u *domain.Unit) (any, error) {
	_, err := domain.Do(u, reconciliation.RunDecider, f.ID, reconciliation.Start{Issue: f.Issue, Position: f.Position})
	return RunAnswer{Run: f.ID, State: reconciliation.Running}, err
}

// CompleteReconciliation ends a run.
type CompleteReconciliation struct {
	domain.Issue
	ID     string
	Result reconciliation.RunCompleted
}

// Run decides.
func (f CompleteReconciliation) Run(u *domain.Unit) (any, error) {
	_, err := domain.Do(u, reconciliation.RunDecider, f.ID, reconciliation.Complete{Issue: f.Issue, Result: f.Result})
	return RunAnswer{Run: f.ID, State: reconciliation.Done}, err
}

// BreakAnswer is what the flows of a break answer.
type BreakAnswer struct {
	Break string             `json:"break"`
	State string             `json:"state"`
	Way   reconciliation.Way `json:"way,omitempty"`
	// Booked is what was booked because of it: an entry's reference or a transfer's evidence.
	Booked string `json:"booked,omitempty"`
}

func breakAnswer(u *domain.Unit, id string) (BreakAnswer, error) {
	s, err := domain.StateOf(u, reconciliation.Decider, id)
	return BreakAnswer{Break: id, State: s.Phase}, err
}

// RecordBreak notes a difference that a run found. Found again, it changes nothing.
type RecordBreak struct {
	domain.Issue
	ID      string // of the run
	Finding reconciliation.Finding
}

// Run decides.
func (f RecordBreak) Run(u *domain.Unit) (any, error) {
	id := f.Finding.ID()
	if _, err := domain.Do(u, reconciliation.Decider, id, reconciliation.Find{Issue: f.Issue, Run: f.ID, Finding: f.Finding}); err != nil {
		return nil, err
	}
	return breakAnswer(u, id)
}

// CloseBreak ends a break whose difference is gone.
type CloseBreak struct {
	domain.Issue
	ID    string // of the run
	Break string
}

// Run decides.
func (f CloseBreak) Run(u *domain.Unit) (any, error) {
	if _, err := domain.Do(u, reconciliation.Decider, f.Break, reconciliation.Close{Issue: f.Issue, Run: f.ID}); err != nil {
		return nil, err
	}
	return breakAnswer(u, f.Break)
}

// ResolveBreak is an operator's resolution, together with what it books: all of it or nothing.
// Errors: BREAK_RESOLVED, RESOLUTION_NOT_ALLOWED, REASON_REQUIRED, SELF_APPROVAL,
// RESCAN_FOUND_NOTHING.
type ResolveBreak struct {
	domain.Issue
	Break    string
	Way      reconciliation.Way
	Reason   string
	Approver domain.Actor // of what books a variance
	// Shown is, for a rescan, the transfer as the chain shows it at this moment.
	Shown *network.Deposit
}

// Run decides.
func (f ResolveBreak) Run(u *domain.Unit) (any, error) {
	before, err := domain.StateOf(u, reconciliation.Decider, f.Break)
	if err != nil {
		return nil, err
	}
	c := reconciliation.Resolve{Issue: f.Issue, Way: f.Way, Reason: f.Reason, Approver: f.Approver}
	if _, err := domain.Do(u, reconciliation.Decider, f.Break, c); err != nil {
		return nil, err
	}
	answer, err := breakAnswer(u, f.Break)
	if err != nil {
		return nil, err
	}
	answer.Way = f.Way
	switch {
	case f.Way.Books():
		answer.Booked, err = f.variance(u, before)
	case f.Way == reconciliation.Rescan:
		answer.Booked, err = f.rescan(u, before.Finding)
	}
	return answer, err
}

// variance books the difference; its reference is the break's and the round's, so that one
// difference is booked once.
func (f ResolveBreak) variance(u *domain.Unit, s reconciliation.State) (string, error) {
	v := RecordCustodyVariance{
		Entry: Entry{
			Issue: f.Issue, Approver: f.Approver, Ref: fmt.Sprintf("reconciliation:%s:%d", f.Break, s.Round+1),
			Amount: s.Finding.Amount, Reason: f.Reason,
		},
		Custody: s.Finding.Account, Loss: f.Way == reconciliation.WriteOff,
	}
	_, err := v.Run(u)
	return v.Ref, err
}

// rescan books the transfer that the chain shows, as its follower would have done.
func (f ResolveBreak) rescan(u *domain.Unit, found reconciliation.Finding) (string, error) {
	if f.Shown == nil || found.Deposit == nil || reconciliation.EvidenceKey(*f.Shown) != reconciliation.EvidenceKey(*found.Deposit) {
		return "", reconciliation.ErrNothingThere
	}
	d := *f.Shown
	t := RecordTransfer{
		Issue: domain.Issue{By: domain.Machine(domain.Chain, "reconciliation"), At: f.At}, Payment: domain.PaymentID(found.Subject.ID),
		Evidence: reconciliation.Evidence(d), Amount: money.Of(d.Asset, d.Amount), From: d.From,
	}
	if found.Subject.Type == "destination" { // it serves no payment
		t.Payment, t.Custody = "", ledger.Derived(found.Subject.ID)
	}
	if _, err := t.Run(u); err != nil {
		return "", err
	}
	return t.Evidence.Key(), nil
}

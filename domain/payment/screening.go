package payment

import (
	"maps"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/safety"
)

// ErrSelfApproval: a review needs two people.
var ErrSelfApproval = fault.New(fault.Forbidden, "SELF_APPROVAL", "two different people must agree to this")

// Screened: what screening says of a transfer's payer.
type Screened struct {
	Evidence Evidence       `json:"evidence"`
	From     string         `json:"from"`
	Verdict  safety.Verdict `json:"verdict"`
}

// EventType implements domain.Event.
func (Screened) EventType() string { return "payment.screened" }
func (Screened) payment()          {}

// Screen notes a verdict on a transfer's payer.
type Screen struct {
	domain.Issue
	Evidence Evidence
	Verdict  safety.Verdict
}

// Doubtful: its payer is not surely clean, and nobody has cleared it.
func (t Transfer) Doubtful() bool { return t.Screening != safety.Clean && !t.Cleared }

// Doubtful reports that some transfer's payer is not surely clean: nothing may be released.
func (s State) Doubtful() bool {
	if s.Safety == nil || !s.Safety.Block {
		return false
	}
	for _, t := range s.Transfers {
		if t.Doubtful() {
			return true
		}
	}
	return false
}

// ToScreen lists the transfers whose payer has no answer yet.
func (s State) ToScreen() []Transfer {
	var all []Transfer
	for _, t := range s.Transfers {
		if s.Safety != nil && s.Safety.Screen && !t.Cleared && t.Screening != safety.Clean && t.Screening != safety.Flagged {
			all = append(all, t)
		}
	}
	return all
}

// stops says whether a transfer may not be confirmed: its payer was not screened yet, or is
// flagged. One that cannot be screened is confirmed all the same, and not released.
func (s State) stops(t Transfer) error {
	switch {
	case s.Safety == nil || !s.Safety.Screen || t.Cleared:
		return nil
	case t.Screening == "":
		return ErrUnderReview.Because("the payer was not screened yet")
	case t.Screening == safety.Flagged && s.Safety.Block:
		return ErrUnderReview.Because("the payer is flagged")
	}
	return nil
}

func screen(s State, c Screen) ([]Event, error) {
	t, known := s.Transfers[c.Evidence.Key()]
	if !known || t.Screening == c.Verdict.Outcome {
		return nil, nil
	}
	events := []Event{Screened{Evidence: t.Evidence, From: t.From, Verdict: c.Verdict}}
	if c.Verdict.Outcome == safety.Flagged && s.Safety != nil && s.Safety.Block && s.Phase == Confirming {
		events = append(events, HeldForReview{Kind: "aml", Score: c.Verdict.Score})
	}
	return events, nil
}

func screened(s State, e Screened) State {
	s.Transfers = maps.Clone(s.Transfers)
	t := s.Transfers[e.Evidence.Key()]
	// A new hit is no business of who cleared the payer before.
	t.Screening, t.Cleared = e.Verdict.Outcome, t.Cleared && e.Verdict.Outcome != safety.Flagged
	s.Transfers[e.Evidence.Key()] = t
	return s
}

// cleared marks the transfers that two people have looked at.
func cleared(s State) State {
	s.Transfers = maps.Clone(s.Transfers)
	for key, t := range s.Transfers {
		if t.Screening != "" && t.Screening != safety.Clean {
			t.Cleared = true
			s.Transfers[key] = t
		}
	}
	return s
}

// two people: who issues, and another one who has agreed before.
func two(by, approver domain.Actor) error {
	if approver.User() == "" || approver.ID == by.ID {
		return ErrSelfApproval
	}
	return nil
}

func clearReview(s State, c ClearReview) ([]Event, error) {
	if s.Phase != UnderReview && !s.Doubtful() {
		return nil, fault.ErrInvalidState.With("state", s.Phase)
	}
	if c.Alone && s.BlockedBy() != ByAML && !s.Doubtful() {
		return []Event{ReviewCleared{By: c.By}}, nil
	}
	if err := two(c.By, c.Approver); err != nil {
		return nil, err
	}
	return []Event{ReviewCleared{By: c.By, With: c.Approver.ID}}, nil
}

func rejectReview(_ State, c RejectReview) ([]Event, error) {
	if err := two(c.By, c.Approver); err != nil {
		return nil, err
	}
	return []Event{ReviewRejected{By: c.By, With: c.Approver.ID}}, nil
}

package breakglass

import (
	"time"

	"holdfast/domain"
)

// Answer is how the glass stands.
type Answer struct {
	Active   bool          `json:"active"`
	Session  string        `json:"session,omitempty"`
	By       domain.UserID `json:"by,omitempty"`
	Approver domain.UserID `json:"approver,omitempty"`
	Reason   string        `json:"reason,omitempty"`
	Until    *time.Time    `json:"until,omitempty"`
}

// AnswerOf shows a state at a time.
func AnswerOf(s State, at time.Time) Answer {
	if s.Active(at) == "" {
		return Answer{}
	}
	until := s.Until.UTC()
	return Answer{Active: true, Session: s.Session, By: s.By.User(), Approver: s.Approver.User(), Reason: s.Reason, Until: &until}
}

// Do is a flow of one command of the glass.
type Do struct{ domain.Command }

// Run decides.
func (f Do) Run(u *domain.Unit) (any, error) {
	if _, err := domain.Do(u, Decider, Stream, f.Command); err != nil {
		return nil, err
	}
	s, err := domain.StateOf(u, Decider, Stream)
	return AnswerOf(s, f.IssuedAt()), err
}

// Due builds the flow of the deadline of the glass; ok is false for other commands.
func Due(command string, i domain.Issue) (f Do, ok bool) {
	return Do{Expire{i}}, command == "break_glass.expire"
}

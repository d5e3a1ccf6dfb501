package policy

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/funding"
	"holdfast/domain/order"
	"holdfast/domain/settlement"
)

// Flow is one command over one or several streams.
type Flow interface {
	Run(u *domain.Unit) (any, error)
}

// Reaction is what a policy wants done about an event.
type Reaction struct {
	// Name says which policy asks; one event has at most one reaction of a name.
	Name string
	Flow Flow
}

// Due builds the flow of a deadline; ok is false for a command that no build knows.
func Due(command string, s domain.Stream, at time.Time) (f Flow, ok bool) {
	i := domain.Issue{By: domain.Machine(domain.Timer, command), At: at}
	if f, ok := order.Due(command, s, i); ok {
		return f, true
	}
	if f, ok := funding.Due(command, s, i); ok {
		return f, true
	}
	if f, ok := settlement.Due(command, s, i); ok {
		return f, true
	}
	return nil, false
}

package policy

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/breakglass"
	"holdfast/domain/dispute"
	"holdfast/domain/escrow"
	"holdfast/domain/funding"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/order"
	"holdfast/domain/payment"
	"holdfast/domain/refund"
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
	// Unless, when set, names an account: while it is empty there is nothing to do, and asking
	// costs less than deciding. It only saves work.
	Unless *Empty
}

// Empty is the condition that an account of an asset holds nothing.
type Empty struct {
	Account ledger.Account
	Asset   money.Asset
}

// Categories are the stream types that React knows; events of others lead to nothing.
func Categories() []string {
	return []string{escrow.Decider.Category, dispute.Decider.Category, refund.Decider.Category, payment.Decider.Category}
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
	if f, ok := breakglass.Due(command, i); ok {
		return f, true
	}
	if f, ok := settlement.Due(command, s, i); ok {
		return f, true
	}
	return nil, false
}

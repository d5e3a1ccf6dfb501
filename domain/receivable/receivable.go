package receivable

import (
	"slices"

	"holdfast/domain"
	"holdfast/domain/money"
)

// Category is the stream type of debts; the stream's id is ID(…).
const Category = "receivable"

// The phases of a debt.
const (
	PhaseOwing   = "Owing"
	PhaseSettled = "Settled"
)

// State is what the rules need to know of a debt.
type State struct {
	Party Party         `json:"party"`
	User  domain.UserID `json:"user"`
	// Owed is what is still open.
	Owed   money.Amount `json:"owed"`
	Causes []string     `json:"causes"`
}

// Decider is the debt as the executor runs it.
var Decider = domain.Decider[State, Event]{
	Category: Category,
	Decide:   Table().Decide,
	Evolve:   Evolve,
}

// Evolve folds one event.
func Evolve(s State, e Event) State {
	switch e := e.(type) {
	case Recorded:
		s.Party, s.User = e.Party, e.User
		s.Owed = money.Of(e.Amount.Asset, s.Owed.Units.Plus(e.Amount.Units))
		s.Causes = append(slices.Clone(s.Causes), e.Cause)
	case Reversed:
		s.Owed.Units = s.Owed.Units.Minus(e.Amount.Units)
	case Recovered:
		s.Owed.Units = s.Owed.Units.Minus(e.Amount.Units)
	case WrittenOff:
		s.Owed.Units = s.Owed.Units.Minus(e.Amount.Units)
	}
	return s
}

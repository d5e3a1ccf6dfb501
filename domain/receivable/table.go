package receivable

import (
	"holdfast/domain"
	"holdfast/domain/machine"
)

// Table is the debt's state machine.
func Table() machine.Table[State, Event] {
	const none = ""
	own := []domain.Capacity{domain.Process, domain.Chain, domain.Admin}
	type line = machine.Line
	return machine.Table[State, Event]{
		Name:   "Receivable",
		Phases: []string{none, PhaseOwing, PhaseSettled},
		Phase: func(s State) string {
			switch {
			case s.User == "":
				return none
			case s.Owed.IsZero():
				return PhaseSettled
			}
			return PhaseOwing
		},
		Rows: []machine.Row[State, Event]{
			machine.On(line{
				From: []string{none, PhaseOwing, PhaseSettled}, By: own, To: []string{PhaseOwing},
				Guard:  "a cause counts once",
				Events: []string{"receivable.recorded"},
			}, record),
			machine.On(line{
				From: []string{PhaseOwing}, By: own, To: []string{PhaseOwing, PhaseSettled},
				Guard:  "≤ owed → RECEIVABLE_EXCEEDED",
				Events: []string{"receivable.reversed"},
			}, reverse),
			machine.On(line{
				From: []string{PhaseOwing}, By: own, To: []string{PhaseOwing, PhaseSettled},
				Guard:  "≤ owed → RECEIVABLE_EXCEEDED; ≤ available → INSUFFICIENT_AVAILABLE",
				Events: []string{"receivable.recovered"},
			}, recoverDebt),
			machine.On(line{
				From: []string{PhaseOwing}, By: []domain.Capacity{domain.Admin}, To: []string{PhaseOwing, PhaseSettled},
				Guard:  "≤ owed → RECEIVABLE_EXCEEDED; two different people → SELF_APPROVAL",
				Events: []string{"receivable.written_off"},
			}, writeOff),
		},
		Refuse: func(State, domain.Command) error { return ErrNothingOwed },
	}
}

package reconciliation

import (
	"holdfast/domain"
	"holdfast/domain/machine"
)

// Start begins a run, Complete ends it.
type Start struct {
	domain.Issue
	Position int64
}

// Complete ends a run with what it found.
type Complete struct {
	domain.Issue
	Result RunCompleted
}

// The phases of a run.
const (
	Running = "Running"
	Done    = "Completed"
)

// RunState is what the rules need to know of a run.
type RunState struct {
	Phase string `json:"phase"`
}

// RunDecider is the run.
var RunDecider = domain.Decider[RunState, RunEvent]{Category: "reconciliation_run", Decide: RunTable().Decide, Evolve: func(s RunState, e RunEvent) RunState {
	switch e.(type) {
	case RunStarted:
		s.Phase = Running
	case RunCompleted:
		s.Phase = Done
	}
	return s
}}

// RunTable is the run's state machine.
func RunTable() machine.Table[RunState, RunEvent] {
	type line = machine.Line
	return machine.Table[RunState, RunEvent]{
		Name: "ReconciliationRun", Phases: []string{"", Running, Done}, Phase: func(s RunState) string { return s.Phase },
		Rows: []machine.Row[RunState, RunEvent]{
			machine.On(line{
				From: []string{""}, By: []domain.Capacity{domain.Admin, domain.Guard, domain.Process, domain.Key}, To: []string{Running},
				Events: []string{"reconciliation.run_started"},
			}, func(_ RunState, c Start) ([]RunEvent, error) {
				return []RunEvent{RunStarted{By: c.By, Position: c.Position, At: c.At}}, nil
			}),
			machine.On(line{
				From: []string{Running, Done}, By: []domain.Capacity{domain.Process}, To: []string{Done},
				Guard: "once; a repeat changes nothing", Events: []string{"reconciliation.run_completed"},
			}, func(s RunState, c Complete) ([]RunEvent, error) {
				if s.Phase == Done {
					return nil, nil
				}
				return []RunEvent{c.Result}, nil
			}),
		},
	}
}

// RunAggregate registers the runs with the log.
func RunAggregate() domain.Aggregate {
	return domain.Aggregate{Category: RunDecider.Category, Events: []domain.Event{RunStarted{}, RunCompleted{}}}
}

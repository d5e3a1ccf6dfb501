package ingestion

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/machine"
)

// Receive notes a report; the same report again is a repeat.
type Receive struct {
	domain.Issue
	Provider  string
	Delivery  string
	SHA256    string
	Type      string
	Request   string
	Reference string
	Tx        string
	At        time.Time // when it came
}

// Match says which payment it is about.
type Match struct {
	domain.Issue
	Payment  domain.PaymentID
	Evidence string
}

// Park leaves it to a person.
type Park struct {
	domain.Issue
	Reason string
}

// The phases.
const (
	ReceivedPhase = "Received"
	MatchedPhase  = "Matched"
	ParkedPhase   = "Parked"
)

// State is how far a report has come.
type State struct {
	Phase string `json:"phase"`
	// Reason is why it was parked last.
	Reason string `json:"reason,omitempty"`
}

// Decider is one report; its stream's id is the hash of the report's bytes.
var Decider = domain.Decider[State, Event]{Category: "ingestion", Decide: Table().Decide, Evolve: Evolve}

// Evolve folds one event.
func Evolve(s State, e Event) State {
	switch e := e.(type) {
	case Received:
		s.Phase = ReceivedPhase
	case Matched:
		s.Phase, s.Reason = MatchedPhase, ""
	case Parked:
		s.Phase, s.Reason = ParkedPhase, e.Reason
	}
	return s
}

// Table is the report's state machine.
func Table() machine.Table[State, Event] {
	type line = machine.Line
	known := []string{ReceivedPhase, MatchedPhase, ParkedPhase}
	provider := []domain.Capacity{domain.Provider}
	return machine.Table[State, Event]{
		Name: "ProviderReport", Phases: append([]string{""}, known...), Phase: func(s State) string { return s.Phase },
		Rows: []machine.Row[State, Event]{
			machine.On(line{
				From: append([]string{""}, known...), By: provider, To: known,
				Guard: "named by the hash of its bytes; a repeat changes nothing", Events: []string{"ingestion.received"},
			}, receive),
			machine.On(line{
				From: known, By: provider, To: []string{MatchedPhase},
				Guard: "a repeat changes nothing", Events: []string{"ingestion.matched"},
			}, match),
			machine.On(line{
				From: known, By: provider, To: []string{ParkedPhase, MatchedPhase},
				Guard: "with a reason; what is matched stays so; a repeat changes nothing", Events: []string{"ingestion.parked"},
			}, park),
		},
	}
}

func receive(s State, c Receive) ([]Event, error) {
	switch {
	case s.Phase != "":
		return nil, nil
	case len(c.SHA256) != 64 || c.Type == "" || c.Provider == "":
		return nil, fault.ErrValidation.At("report", "provider, type and the hash of the bytes are needed")
	}
	return []Event{Received{
		Provider: c.Provider, Delivery: c.Delivery, SHA256: c.SHA256, Type: c.Type, Request: c.Request, Reference: c.Reference, Tx: c.Tx, At: c.At,
	}}, nil
}

func match(s State, c Match) ([]Event, error) {
	if s.Phase == MatchedPhase {
		return nil, nil
	}
	return []Event{Matched{Payment: c.Payment, Evidence: c.Evidence}}, nil
}

func park(s State, c Park) ([]Event, error) {
	switch {
	case c.Reason == "":
		return nil, fault.ErrValidation.At("reason", "is required")
	case s.Phase == MatchedPhase || (s.Phase == ParkedPhase && s.Reason == c.Reason):
		return nil, nil
	}
	return []Event{Parked{Reason: c.Reason}}, nil
}

// Aggregate registers the report with the log.
func Aggregate() domain.Aggregate {
	return domain.Aggregate{Category: Decider.Category, Events: []domain.Event{Received{}, Matched{}, Parked{}}}
}

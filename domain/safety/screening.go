package safety

import (
	"strconv"
	"strings"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/machine"
)

// Refusals of an address.
var (
	ErrAddress     = fault.New(fault.Rule, "ADDRESS_SCREENED", "this address cannot be paid")
	ErrNotScreened = fault.New(fault.Unavailable, "SCREENING_UNAVAILABLE", "the address cannot be screened at the moment, so nothing is sent to it").Retry(60)
)

// Event is something that screening said of an address.
type Event interface {
	domain.Event
	safety()
}

// Recorded: the address was screened; For says before what.
type Recorded struct {
	Verdict
	For string `json:"for"` // payout/<id>, refund/<id>
}

// EventType implements domain.Event.
func (Recorded) EventType() string { return "screening.recorded" }
func (Recorded) safety()           {}

// Record notes a verdict.
type Record struct {
	domain.Issue
	Verdict Verdict
	For     string
}

// State is the newest verdict on an address.
type State struct {
	Outcome Outcome   `json:"outcome"`
	Score   int       `json:"score"`
	At      time.Time `json:"at"`
	For     string    `json:"for"`
}

// ID names an address's stream.
func ID(chain uint64, address string) string {
	return strconv.FormatUint(chain, 10) + ":" + strings.ToLower(address)
}

// Payable refuses what is not clean.
func (v Verdict) Payable() error {
	switch v.Outcome {
	case Clean:
		return nil
	case Flagged:
		return ErrAddress
	}
	return ErrNotScreened
}

// Decider is the screening of one address.
var Decider = domain.Decider[State, Event]{Category: "screening", Decide: Table().Decide, Evolve: Evolve}

// Evolve folds one event.
func Evolve(s State, e Event) State {
	if r, ok := e.(Recorded); ok {
		s = State{Outcome: r.Outcome, Score: r.Score, At: r.At, For: r.For}
	}
	return s
}

// repeat is how long the same verdict for the same purpose is not written again.
const repeat = time.Hour

// Table is the screening's state machine.
func Table() machine.Table[State, Event] {
	phases := []string{"", string(Clean), string(Flagged), string(Unanswered)}
	return machine.Table[State, Event]{
		Name: "Screening", Phases: phases, Phase: func(s State) string { return string(s.Outcome) },
		Rows: []machine.Row[State, Event]{
			machine.On(machine.Line{
				From: phases, By: []domain.Capacity{domain.Process}, To: phases[1:], Guard: "within an hour the same changes nothing", Events: []string{"screening.recorded"},
			}, func(s State, c Record) ([]Event, error) {
				if s.Outcome == c.Verdict.Outcome && s.Score == c.Verdict.Score && s.For == c.For && c.Verdict.At.Sub(s.At) < repeat {
					return nil, nil
				}
				return []Event{Recorded{Verdict: c.Verdict, For: c.For}}, nil
			}),
		},
	}
}

// Aggregate registers the screening with the log.
func Aggregate() domain.Aggregate {
	return domain.Aggregate{Category: Decider.Category, Events: []domain.Event{Recorded{}}}
}

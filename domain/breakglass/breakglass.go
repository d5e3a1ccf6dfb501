package breakglass

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/machine"
)

// Stream is the id of the only stream: there is one glass.
const Stream = "platform"

// Longest is how long the glass may be broken.
const Longest = time.Hour

// Refusals.
var (
	ErrActive       = fault.New(fault.Conflict, "BREAK_GLASS_ACTIVE", "the glass is broken already; end it first")
	ErrNotActive    = fault.New(fault.Conflict, "BREAK_GLASS_INACTIVE", "the glass is not broken (any more)")
	ErrOutOfRange   = fault.New(fault.Malformed, "OUT_OF_RANGE", "the number is out of its range")
	ErrSelfApproval = fault.New(fault.Forbidden, "SELF_APPROVAL", "two different people must agree to this")
)

// The phases.
const (
	Whole  = "Whole"
	Broken = "Broken"
)

// State is whether the glass is broken, by whom and until when.
type State struct {
	Session  string       `json:"session,omitempty"` // empty while it is whole
	By       domain.Actor `json:"by,omitzero"`
	Approver domain.Actor `json:"approver,omitzero"`
	Reason   string       `json:"reason,omitempty"`
	Until    time.Time    `json:"until,omitzero"`
}

// Phase names it.
func (s State) Phase() string {
	if s.Session == "" {
		return Whole
	}
	return Broken
}

// Active gives the running session, empty for none. The time is looked at as well: the timer
// that ends it may be late.
func (s State) Active(at time.Time) string {
	if s.Session == "" || !at.Before(s.Until) {
		return ""
	}
	return s.Session
}

// Decider is the glass.
var Decider = domain.Decider[State, Event]{Category: "break_glass", Decide: Table().Decide, Evolve: Evolve}

// Evolve folds one event.
func Evolve(s State, e Event) State {
	switch e := e.(type) {
	case Enabled:
		return State(e)
	case Ended, Expired:
		return State{}
	}
	return s
}

// Table is the state machine of the glass.
func Table() machine.Table[State, Event] {
	type line = machine.Line
	admin := []domain.Capacity{domain.Admin}
	return machine.Table[State, Event]{
		Name: "BreakGlass", Phases: []string{Whole, Broken}, Phase: State.Phase,
		Rows: []machine.Row[State, Event]{
			machine.On(line{
				From: []string{Whole, Broken}, By: admin, To: []string{Broken},
				Guard: "two admins → SELF_APPROVAL; a minute to an hour → OUT_OF_RANGE; not broken → BREAK_GLASS_ACTIVE", Events: []string{"break_glass.enabled"},
			}, enable),
			machine.On(line{
				From: []string{Broken}, By: admin, To: []string{Broken},
				Guard: "before its end → BREAK_GLASS_INACTIVE", Events: []string{"break_glass.used"},
			}, use),
			machine.On(line{
				From: []string{Whole, Broken}, By: admin, To: []string{Whole},
				Guard: "whole already is a repeat", Events: []string{"break_glass.ended"},
			}, end),
			machine.On(line{
				From: []string{Broken}, By: []domain.Capacity{domain.Timer}, To: []string{Whole},
				Guard: "not before its end → INVALID_STATE", Events: []string{"break_glass.expired"},
			}, expire),
		},
		Refuse: func(_ State, c domain.Command) error {
			if _, ok := c.(Use); ok {
				return ErrNotActive
			}
			return nil
		},
	}
}

func enable(s State, c Enable) ([]Event, error) {
	switch {
	case s.Active(c.At) != "":
		return nil, ErrActive.With("until", s.Until)
	case c.Approver.ID == "" || c.Approver.ID == c.By.ID || !c.Approver.Has(domain.Admin):
		return nil, ErrSelfApproval
	case c.For < time.Minute || c.For > Longest:
		return nil, ErrOutOfRange.At("minutes", "1 … 60")
	case c.Reason == "":
		return nil, fault.ErrValidation.At("reason", "is required")
	}
	return []Event{Enabled{Session: c.Session, By: c.By, Approver: c.Approver, Reason: c.Reason, Until: c.At.Add(c.For)}}, nil
}

func use(s State, c Use) ([]Event, error) {
	if s.Active(c.At) == "" {
		return nil, ErrNotActive
	}
	return []Event{Used{Session: s.Session, By: c.By, Power: c.Power, Object: c.Object, Reason: c.Reason}}, nil
}

func end(s State, c End) ([]Event, error) {
	if s.Session == "" {
		return nil, nil
	}
	return []Event{Ended{Session: s.Session, By: c.By}}, nil
}

func expire(s State, c Expire) ([]Event, error) {
	if c.At.Before(s.Until) {
		return nil, fault.ErrInvalidState.With("until", s.Until)
	}
	return []Event{Expired{Session: s.Session}}, nil
}

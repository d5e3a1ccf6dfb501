package reconciliation

import (
	"slices"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/machine"
)

// Refusals of a break.
var (
	ErrReason       = fault.New(fault.Rule, "REASON_REQUIRED", "a resolution needs a reason")
	ErrWay          = fault.New(fault.Rule, "RESOLUTION_NOT_ALLOWED", "this break cannot be resolved in this way")
	ErrSelfApproval = fault.New(fault.Forbidden, "SELF_APPROVAL", "two different people must agree to this")
	ErrResolved     = fault.New(fault.Conflict, "BREAK_RESOLVED", "the break has been resolved or is gone")
	ErrNothingThere = fault.New(fault.Conflict, "RESCAN_FOUND_NOTHING", "the chain does not show this transfer now")
)

// Find notes that a run found the difference; Close that a run did not find it any more.
type Find struct {
	domain.Issue
	Run     string
	Finding Finding
}

// Close ends a break whose difference is gone.
type Close struct {
	domain.Issue
	Run string
}

// Resolve is an operator's word. Approver is the second person where money is booked.
type Resolve struct {
	domain.Issue
	Way      Way
	Reason   string
	Approver domain.Actor
}

// The phases.
const (
	Open      = "Open"
	Explained = "Explained"
	Settled   = "Settled"
	Closed    = "Closed"
)

// State is what the rules need to know of a break.
type State struct {
	Phase   string  `json:"phase"`
	Finding Finding `json:"finding"`
	Round   int     `json:"round"` // resolutions so far
}

// Allows reports whether it may be resolved in a way now; the reason why not otherwise.
func (s State) Allows(w Way) error {
	switch {
	case s.Phase == "":
		return fault.ErrNotFound
	case s.Phase != Open:
		return ErrResolved.With("state", s.Phase)
	case !slices.Contains(s.Finding.Ways(), w):
		return ErrWay.With("way", w).With("kind", s.Finding.Kind)
	}
	return nil
}

// Decider is the break; its stream's id is Finding.ID.
var Decider = domain.Decider[State, BreakEvent]{Category: "reconciliation_break", Decide: Table().Decide, Evolve: Evolve}

// Evolve folds one event.
func Evolve(s State, e BreakEvent) State {
	switch e := e.(type) {
	case BreakFound:
		s.Phase, s.Finding = Open, e.Finding
	case BreakChanged:
		s.Finding = e.Finding
	case BreakResolved:
		s.Phase, s.Round = Settled, e.Round
		if e.Way == Explain {
			s.Phase = Explained
		}
	case BreakClosed:
		s.Phase = Closed
	}
	return s
}

// Table is the break's state machine.
func Table() machine.Table[State, BreakEvent] {
	type line = machine.Line
	all := []string{"", Open, Explained, Settled, Closed}
	machines := []domain.Capacity{domain.Process}
	return machine.Table[State, BreakEvent]{
		Name: "ReconciliationBreak", Phases: all, Phase: func(s State) string { return s.Phase },
		Rows: []machine.Row[State, BreakEvent]{
			machine.On(line{
				From: all, By: machines, To: []string{Open, Explained},
				Guard: "a fact; the same difference again changes nothing, nor does it reopen what was explained", Events: []string{"reconciliation.break_found", "reconciliation.break_changed"},
			}, find),
			machine.On(line{
				From: all[1:], By: machines, To: []string{Closed},
				Guard: "the difference is gone; a repeat changes nothing", Events: []string{"reconciliation.break_closed"},
			}, closeBreak),
			machine.On(line{
				From: []string{Open}, By: []domain.Capacity{domain.Admin, domain.Guard}, To: []string{Explained, Settled},
				Guard:  "a way that fits the break → RESOLUTION_NOT_ALLOWED; a reason → REASON_REQUIRED; what books money or looks again: an admin, and two of them for a variance → SELF_APPROVAL",
				Events: []string{"reconciliation.break_resolved"},
			}, resolve),
		},
		Refuse: func(s State, c domain.Command) error {
			if r, ok := c.(Resolve); ok {
				return s.Allows(r.Way)
			}
			return nil
		},
	}
}

func find(s State, c Find) ([]BreakEvent, error) {
	same := s.Finding.Same(c.Finding)
	switch {
	case s.Phase == Open && same, s.Phase == Explained && same:
		return nil, nil
	case s.Phase == Settled && same && c.Finding.bookedOff():
		return nil, nil
	case s.Phase == Open:
		return []BreakEvent{BreakChanged{Run: c.Run, Finding: c.Finding}}, nil
	}
	return []BreakEvent{BreakFound{Run: c.Run, Finding: c.Finding, Again: s.Phase != ""}}, nil
}

func closeBreak(s State, c Close) ([]BreakEvent, error) {
	if s.Phase == Closed {
		return nil, nil
	}
	return []BreakEvent{BreakClosed{Run: c.Run}}, nil
}

func resolve(s State, c Resolve) ([]BreakEvent, error) {
	if err := s.Allows(c.Way); err != nil {
		return nil, err
	}
	switch {
	case c.Reason == "":
		return nil, ErrReason
	case c.Way != Explain && !c.By.Has(domain.Admin):
		return nil, fault.ErrForbidden
	case c.Way.Books() && (c.Approver.ID == "" || c.Approver.ID == c.By.ID || !c.Approver.Has(domain.Admin)):
		return nil, ErrSelfApproval
	}
	return []BreakEvent{BreakResolved{Way: c.Way, Reason: c.Reason, By: c.By, Approver: c.Approver, Round: s.Round + 1}}, nil
}

// Aggregate registers the breaks with the log. They post nothing themselves: what is booked is
// an entry of the treasury or a transfer, in the same unit.
func Aggregate() domain.Aggregate {
	return domain.Aggregate{
		Category: Decider.Category,
		Events:   []domain.Event{BreakFound{}, BreakChanged{}, BreakResolved{}, BreakClosed{}},
	}
}

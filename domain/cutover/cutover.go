package cutover

import (
	"slices"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/machine"
)

// The modes, in the order of the way over. They are the phases too.
const (
	Configured = "Configured" // never moved: as the settings say
	Mongo      = "mongo"
	Dual       = "dual"
	Postgres   = "pg"
)

// order is the way over.
var order = []string{Mongo, Dual, Postgres}

// Fresh is how old a comparison may be.
const Fresh = time.Hour

// Refusals.
var (
	ErrStep     = fault.New(fault.Conflict, "CUTOVER_STEP", "a domain moves one step at a time: mongo, dual, pg, and back")
	ErrNotReady = fault.New(fault.Conflict, "CUTOVER_NOT_READY", "the collections lag, differ, or were not compared within the last hour")
	ErrEmpty    = fault.New(fault.Conflict, "CUTOVER_NO_COLLECTIONS", "no collection of this domain is kept yet: there is nothing to move until the domain comes")
	ErrForce    = fault.New(fault.Rule, "CUTOVER_FORCE", "only the way to pg can be forced")
)

// Event is something that happened to a domain's place.
type Event interface {
	domain.Event
	cutover()
}

// Moved: queries of the domain read there from now on.
type Moved struct {
	Domain string       `json:"domain"`
	From   string       `json:"from"`
	To     string       `json:"to"`
	By     domain.Actor `json:"by"`
	Reason string       `json:"reason"`
	// Position is how far the collections had come, Compared when they were compared last.
	Position int64      `json:"position"`
	Compared *time.Time `json:"compared,omitempty"`
	Forced   bool       `json:"forced,omitempty"`
}

// EventType names it for ever.
func (Moved) EventType() string { return "cutover.moved" }
func (Moved) cutover()          {}

// Move moves a domain. What it stands on is looked up before: the mode in force, and how the
// collections do.
type Move struct {
	domain.Issue
	Domain   string
	From     string // the mode in force, when nobody has moved the domain yet
	To       string
	Reason   string
	Lag      int64      // events that the slowest collection has not seen
	Gaps     int64      // open differences
	Compared *time.Time // the oldest of the collections' last comparisons; nil when one was never compared
	Position int64
	Force    bool
	// Collections is how many the domain has; without any there is nothing to move.
	Collections int
}

// State is where a domain is; empty until it was moved.
type State struct {
	Mode string `json:"mode,omitempty"`
}

// Phase names it.
func (s State) Phase() string {
	if s.Mode == "" {
		return Configured
	}
	return s.Mode
}

// Decider is the place of one domain.
var Decider = domain.Decider[State, Event]{Category: "domain_cutover", Decide: Table().Decide, Evolve: Evolve}

// Evolve folds one event.
func Evolve(s State, e Event) State {
	if m, ok := e.(Moved); ok {
		s.Mode = m.To
	}
	return s
}

// Table is the state machine of a domain's place.
func Table() machine.Table[State, Event] {
	all := []string{Configured, Mongo, Dual, Postgres}
	return machine.Table[State, Event]{
		Name: "DomainCutover", Phases: all, Phase: State.Phase,
		Rows: []machine.Row[State, Event]{machine.On(machine.Line{
			From: all, By: []domain.Capacity{domain.Admin}, To: all,
			Guard:  "collections → CUTOVER_NO_COLLECTIONS; a neighbour → CUTOVER_STEP; lag 0, no open gaps, compared within the hour → CUTOVER_NOT_READY; only pg is forced → CUTOVER_FORCE; where it is already is a repeat",
			Events: []string{"cutover.moved"},
		}, move)},
	}
}

func move(s State, c Move) ([]Event, error) {
	from := s.Mode
	if from == "" {
		from = c.From
	}
	at, to := slices.Index(order, from), slices.Index(order, c.To)
	switch {
	case at < 0 || to < 0:
		return nil, fault.ErrValidation.At("mode", "mongo, dual or pg")
	case c.Reason == "":
		return nil, fault.ErrValidation.At("reason", "is required")
	case c.Collections == 0:
		return nil, ErrEmpty
	case at == to:
		return nil, nil
	case c.Force && c.To != Postgres:
		return nil, ErrForce
	case at-to > 1 || to-at > 1 && !c.Force:
		return nil, ErrStep.With("from", from)
	}
	if !c.Force && (c.Lag > 0 || c.Gaps > 0 || c.Compared == nil || c.At.Sub(*c.Compared) > Fresh) {
		refusal := ErrNotReady.With("lag", c.Lag).With("openGaps", c.Gaps)
		if c.Compared != nil {
			refusal = refusal.With("comparedAt", c.Compared.UTC().Format(time.RFC3339))
		}
		return nil, refusal
	}
	return []Event{Moved{Domain: c.Domain, From: from, To: c.To, By: c.By, Reason: c.Reason, Position: c.Position, Compared: c.Compared, Forced: c.Force}}, nil
}

// Answer is where a domain is after a move.
type Answer struct {
	Domain string `json:"domain"`
	Mode   string `json:"mode"`
}

// Flow is a move as one unit.
type Flow struct{ Move }

// Run decides.
func (f Flow) Run(u *domain.Unit) (any, error) {
	if _, err := domain.Do(u, Decider, f.Domain, f.Move); err != nil {
		return nil, err
	}
	s, err := domain.StateOf(u, Decider, f.Domain)
	if s.Mode == "" {
		s.Mode = f.From
	}
	return Answer{Domain: f.Domain, Mode: s.Mode}, err
}

// Aggregate registers the moves with the log.
func Aggregate() domain.Aggregate {
	return domain.Aggregate{Category: Decider.Category, Events: []domain.Event{Moved{}}}
}

package legacyentry

import (
	"holdfast/domain"
	"holdfast/domain/machine"
)

// Event is something that happened to an entry: that it was imported.
type Event interface {
	domain.Event
	legacyEntry()
}

// Imported: an entry of the old books.
type Imported struct {
	domain.Legacy
	Payment domain.PaymentID `json:"payment"`
	// Body is the document without what people may have written into it, and Text that, both as
	// canonical extended JSON.
	Body string          `json:"body"`
	Text domain.Personal `json:"text,omitzero"`
}

// EventType implements domain.Event.
func (Imported) EventType() string { return "legacy_entry.imported" }
func (Imported) legacyEntry()      {}

// Import takes an entry's document, or takes it again when it has changed.
type Import struct {
	domain.Issue
	Fact Imported
}

// The phases.
const (
	None  = "None"
	Known = "Imported"
)

// State is what is known of an entry.
type State struct {
	Payment domain.PaymentID `json:"payment,omitempty"`
	Legacy  domain.Snapshot  `json:"legacy,omitzero"`
}

// Phase names how it stands.
func (s State) Phase() string {
	if s.Payment == "" {
		return None
	}
	return Known
}

// Decider is one entry; its stream's id follows from the document's.
var Decider = domain.Decider[State, Event]{Category: "legacy_entry", Decide: Table().Decide, Evolve: Evolve}

// Evolve folds one event.
func Evolve(s State, e Event) State {
	if i, ok := e.(Imported); ok {
		s.Payment = i.Payment
	}
	s.Legacy = s.Legacy.After(e)
	return s
}

// Table is the entry's state machine.
func Table() machine.Table[State, Event] {
	return machine.Table[State, Event]{
		Name: "LegacyEntry", Phases: []string{None, Known}, Phase: State.Phase,
		Rows: []machine.Row[State, Event]{
			machine.On(machine.Line{
				From: []string{None, Known}, By: []domain.Capacity{domain.Import}, To: []string{Known},
				Guard: "the same document again is no news", Events: []string{"legacy_entry.imported"},
			}, importEntry),
		},
	}
}

func importEntry(s State, c Import) ([]Event, error) {
	if again, err := s.Legacy.Takes(s.Payment != "", c.Fact.Legacy); err != nil || again {
		return nil, err
	}
	return []Event{c.Fact}, nil
}

// Aggregate registers the entry with the log.
func Aggregate() domain.Aggregate {
	return domain.Aggregate{Category: Decider.Category, Events: []domain.Event{Imported{}}}
}

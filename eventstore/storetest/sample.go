package storetest

import (
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/eventstore"
)

// Category is the made-up aggregate's.
const Category = "sample"

// USD is the asset of the suite.
const USD money.Asset = "USD@test"

// The made-up events.
type (
	// Noted does nothing beside being there.
	Noted struct {
		Text string `json:"text"`
	}
	// Told holds personal text.
	Told struct {
		What domain.Personal `json:"what"`
	}
	// Moved is a ledger transaction.
	Moved struct {
		Mode   ledger.Mode    `json:"mode"`
		Key    string         `json:"key,omitempty"`
		Fact   bool           `json:"fact,omitempty"`
		Debit  ledger.Account `json:"debit,omitempty"`
		Credit ledger.Account `json:"credit,omitempty"`
		Units  money.Units    `json:"units"`
		Custom bool           `json:"custom,omitempty"` // refuse with ErrCustom
	}
	// Claimed takes a name or gives it back.
	Claimed struct {
		Name string `json:"name"`
		Free bool   `json:"free,omitempty"`
		Once bool   `json:"once,omitempty"`
	}
	// Timed sets a deadline or cancels it.
	Timed struct {
		Key    string    `json:"key"`
		Due    time.Time `json:"due"`
		Cancel bool      `json:"cancel,omitempty"`
	}
)

// EventType implements domain.Event.
func (Noted) EventType() string   { return "sample.noted" }
func (Told) EventType() string    { return "sample.told" }
func (Moved) EventType() string   { return "sample.moved" }
func (Claimed) EventType() string { return "sample.claimed" }
func (Timed) EventType() string   { return "sample.timed" }

// Refusals of the made-up aggregate.
var (
	ErrTaken  = fault.New(fault.Conflict, "NAME_TAKEN", "the name is taken")
	ErrCustom = fault.New(fault.Rule, "NOT_ENOUGH_HERE", "there is not enough here")
)

// Aggregate registers the made-up events; with leaves out all but the named ones.
func Aggregate(only ...domain.Event) domain.Aggregate {
	events := []domain.Event{Noted{}, Told{}, Moved{}, Claimed{}, Timed{}}
	if len(only) > 0 {
		events = only
	}
	return domain.Aggregate{
		Category: Category, Events: events,
		Postings: func(_ domain.Stream, e domain.Event) (ledger.Transaction, bool) {
			m, ok := e.(Moved)
			if !ok {
				return ledger.Transaction{}, false
			}
			tx := ledger.Transaction{Mode: m.Mode, Key: m.Key, Fact: m.Fact}
			if m.Debit != "" {
				tx.Lines = []ledger.Line{ledger.Dr(m.Debit, m.Credit, money.Of(USD, m.Units))}
			}
			if m.Custom {
				tx.Refused = ErrCustom
			}
			return tx, true
		},
		Claims: func(_ domain.Stream, e domain.Event) []domain.Claim {
			if c, ok := e.(Claimed); ok {
				return []domain.Claim{{Name: c.Name, Free: c.Free, Once: c.Once, Taken: ErrTaken}}
			}
			return nil
		},
		Deadlines: func(_ domain.Stream, e domain.Event) []domain.Deadline {
			if d, ok := e.(Timed); ok {
				return []domain.Deadline{{Key: d.Key, Due: d.Due, Command: "sample.ring", Cancel: d.Cancel}}
			}
			return nil
		},
	}
}

// Stream names a stream of the made-up aggregate.
func Stream(id string) domain.Stream { return domain.Stream{Type: Category, ID: id} }

// Staged is events for a stream at a version.
func Staged(id string, expected int64, events ...domain.Event) domain.Staged {
	return domain.Staged{Stream: Stream(id), Expected: expected, Events: events}
}

// Of makes an append of staged streams.
func Of(staged ...domain.Staged) eventstore.Append {
	return eventstore.Append{Streams: staged, Metadata: Meta()}
}

// Meta is who does things in the suite.
func Meta() eventstore.Metadata {
	return eventstore.Metadata{Actor: domain.User("tester"), CommandID: "c-1", Source: "test"}
}

// Post is a decision that moves units from credit's to debit's side.
func Post(debit, credit ledger.Account, units uint64) Moved {
	return Moved{Mode: ledger.Post, Debit: debit, Credit: credit, Units: money.FromUint64(units)}
}

// Happened is the same as a fact.
func Happened(debit, credit ledger.Account, units uint64) Moved {
	m := Post(debit, credit, units)
	m.Fact = true
	return m
}

// Fund brings units into an account from outside, as a fact.
func Fund(account ledger.Account, units uint64) Moved {
	return Happened(ledger.Treasury, account, units)
}

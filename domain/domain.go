// Package domain holds what every aggregate is made of: events, commands, deciders, and the
// unit in which one command decides over several streams.
//
// Nothing below this folder does I/O, reads a clock or draws a random number. A command
// carries every fact it needs: who, when, ids, and whatever an adapter had to look up.
package domain

import (
	"time"

	"holdfast/domain/ledger"
)

// Event is something that happened. Its type name never changes.
type Event interface{ EventType() string }

// Command is a wish: who wants it and when. Embed Issue to satisfy it.
type Command interface {
	Issuer() Actor
	IssuedAt() time.Time
}

// Issue is the part that all commands share.
type Issue struct {
	By Actor     `json:"by"`
	At time.Time `json:"at"`
}

// Issuer says who wants it.
func (i Issue) Issuer() Actor { return i.By }

// IssuedAt is the database's time at which the command was taken.
func (i Issue) IssuedAt() time.Time { return i.At }

// Stream names one aggregate's history.
type Stream struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

func (s Stream) String() string { return s.Type + "/" + s.ID }

// Decider is an aggregate: what it starts as, what it decides, how it folds.
//
// Decide and Evolve are pure. Evolve never changes a map or slice of the state it was
// given (folded states are cached and shared); it copies before it writes. State must
// survive a round trip through encoding/json, since snapshots are made of it.
type Decider[S any, E Event] struct {
	Category string
	Initial  S
	Decide   func(S, Command) ([]E, error)
	Evolve   func(S, E) S
}

// Claim is a name that only one holder may have at a time, checked in the append's own
// transaction: one live offer a request and seller, one use of a chain transfer.
type Claim struct {
	Name string
	// Free gives the name back instead of taking it.
	Free bool
	// Once: not even its holder may take the name again. Else a repeat by the holder is fine.
	Once bool
	// Taken is returned to the command that came second.
	Taken error
}

// Deadline is a durable timer: at Due the command named Command is issued for the stream.
// Its row is written in the append's transaction. Key makes it unique within the stream;
// writing the same key again moves the deadline, Cancel removes it.
type Deadline struct {
	Key     string
	Due     time.Time
	Command string
	Cancel  bool
}

// Aggregate is what the log needs to know of one kind of stream; each aggregate package
// exports one as `Aggregate`, and cmd joins them in a list.
type Aggregate struct {
	Category string
	// Events holds one zero value of every event type of the stream.
	Events []Event
	// Schema gives the current schema version of types that are beyond version 1.
	Schema map[string]int
	// Upcast turns version n of a type's JSON into version n+1: Upcast["escrow.released"][1].
	Upcast map[string]map[int]func([]byte) ([]byte, error)
	// Postings is the ledger transaction an event implies; ok is false for none. Pure.
	Postings func(Stream, Event) (tx ledger.Transaction, ok bool)
	// Claims and Deadlines of an event; either may be nil. Pure.
	Claims    func(Stream, Event) []Claim
	Deadlines func(Stream, Event) []Deadline
}

package legacyimport

import (
	"context"
	"fmt"
	"iter"

	"holdfast/domain"
	"holdfast/domain/migration"
	"holdfast/eventstore"
)

// Source is where documents stand (adapters/legacydb).
type Source interface {
	Name() string
	Count(ctx context.Context, collection string) (int64, error)
	IDs(ctx context.Context, collection string) iter.Seq2[string, error]
	Read(ctx context.Context, collection, after string) iter.Seq2[migration.Document, error]
}

// Flow is one command over one or several streams.
type Flow interface {
	Run(u *domain.Unit) (any, error)
}

// Step is how one document is taken.
type Step struct {
	// Flow decides; nil for a collection of plain rows, which are then written alone.
	Flow Flow
	// Rows go with the events, and with the row of id_map.
	Rows []eventstore.Row
	// Sealed makes more rows, once the keys of Subjects are at hand; may be nil.
	Sealed func(ctx context.Context) ([]eventstore.Row, error)
	// Streams are read for a whole batch at once, before it is decided. Those named in Alone, and
	// any other name there, keep two documents of one batch from being decided at the same time:
	// the one that comes first in the source goes first.
	Streams []domain.Stream
	Alone   []string
	// ID is our id of the document, where that is not Taking's: what its view calls it.
	ID string
	// Subjects are the people whose personal text is in it.
	Subjects []domain.UserID
}

// name is our id of the document.
func (s Step) name(t Taker, found migration.Found) string {
	if s.ID != "" {
		return s.ID
	}
	return migration.ID(t.Collection, found.ObjectID)
}

// Taker takes one collection. Make one with Take.
type Taker struct {
	Collection string
	decode     func(raw []byte) (thing any, found migration.Found)
	step       func(ctx context.Context, thing any, t Taking) (Step, error)
	warm       []Warmer
	beside     []Naming
}

// Taking is what a step may use.
type Taking struct {
	domain.Issue
	// Names gives our id of a document that the thing names.
	Names migration.Names
	// ID is our id of the document itself.
	ID string
	// Beside gives the documents of another collection that name it, for a taker made With them.
	Beside func(collection string) [][]byte
}

// Take makes the taker of a collection: how a document is decoded, how the thing is taken, and which
// streams are worth reading together.
func Take[T any](collection string, decode func(raw []byte) T, found func(T) migration.Found, step func(ctx context.Context, thing T, t Taking) (Step, error), warm ...Warmer) Taker {
	return Taker{
		Collection: collection, warm: warm,
		decode: func(raw []byte) (any, migration.Found) { thing := decode(raw); return thing, found(thing) },
		step: func(ctx context.Context, thing any, t Taking) (Step, error) {
			x, ok := thing.(T)
			if !ok {
				return Step{}, fmt.Errorf("%s: %T is no document of it", collection, thing)
			}
			return step(ctx, x, t)
		},
	}
}

// Warmer reads the streams of one kind together.
type Warmer struct {
	category string
	warm     func(ctx context.Context, x *eventstore.Executor, ids []string) error
}

// Warm makes the warmer of an aggregate.
func Warm[S any, E domain.Event](d domain.Decider[S, E]) Warmer {
	return Warmer{d.Category, func(ctx context.Context, x *eventstore.Executor, ids []string) error {
		return eventstore.Warm(ctx, x, d, ids)
	}}
}

package legacyimport

import (
	"context"
	"log/slog"

	"holdfast/domain"
	"holdfast/domain/migration"
	"holdfast/eventstore"
)

// Known is what id_map says of an ObjectId.
type Known struct {
	Collection, ID string
	Imported       bool
	Hash           string // of what was imported last; empty for what has only been named
}

// Book keeps what an import must remember (adapters/records).
type Book interface {
	// Names looks ObjectIds up.
	Names(ctx context.Context, objectIDs []string) (map[string]Known, error)
	// Named is the row of id_map that goes with a document's events.
	Named(collection, id string, l domain.Legacy) eventstore.Row
	// Expected is the row of id_map for a document that is named and comes later.
	Expected(collection, id, objectID string) eventstore.Row
	// Plain writes rows that go with no event, all or nothing.
	Plain(ctx context.Context, rows []eventstore.Row) error
}

// Keys makes the keys of people before their text is sealed, many at once.
type Keys interface {
	Prepare(ctx context.Context, subjects []domain.UserID) error
}

// Engine takes documents. It is safe for one run at a time.
type Engine struct {
	x      *eventstore.Executor
	codec  *eventstore.Codec
	book   Book
	keys   Keys
	takers []Taker
	beside Beside // nil: only a run knows where to look
	log    *slog.Logger
}

// New makes an engine. Collections are imported in the order of the takers: one that others name
// comes before them.
func New(x *eventstore.Executor, codec *eventstore.Codec, book Book, keys Keys, log *slog.Logger, takers ...Taker) *Engine {
	return &Engine{x: x, codec: codec, book: book, keys: keys, takers: takers, log: log}
}

// Collections lists what can be imported, in order.
func (e *Engine) Collections() []string {
	all := make([]string, len(e.takers))
	for i, t := range e.takers {
		all[i] = t.Collection
	}
	return all
}

// taker finds the taker of a collection.
func (e *Engine) taker(collection string) (Taker, bool) {
	for _, t := range e.takers {
		if t.Collection == collection {
			return t, true
		}
	}
	return Taker{}, false
}

// Result says what became of a document.
type Result string

// The results. Ours are documents that we have written ourselves, as views.
const (
	Taken     Result = "taken"
	Unchanged Result = "unchanged"
	Refused   Result = "refused"
	Ours      Result = "ours"
	later     Result = "" // it names a document of its own collection that may still come
)

// Outcome is what became of one document.
type Outcome struct {
	Result   Result
	ObjectID string
	Reasons  []migration.Problem // of a refusal
	Notes    []migration.Note    // explained differences of what was taken
	// Position is where its events end in the log; 0 for none.
	Position int64
}

func refused(found migration.Found, reasons ...migration.Problem) Outcome {
	return Outcome{Result: Refused, ObjectID: found.ObjectID, Reasons: reasons}
}

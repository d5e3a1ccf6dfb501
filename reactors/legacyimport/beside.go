package legacyimport

import (
	"context"
	"fmt"
)

// Beside gives documents of a collection that name things of another one: the entries of payments.
// The result is by the ObjectIds that they name.
type Beside func(ctx context.Context, n Naming, objectIDs []string) (map[string][][]byte, error)

// Naming is where the documents of a collection name a thing that is taken together with them.
type Naming struct {
	Collection, Field string
	// Of reads the field of a document: an ObjectId in hex, empty for none.
	Of func(raw []byte) string
}

// With makes a taker that is given, with each of its things, the documents that name it.
func (t Taker) With(beside ...Naming) Taker {
	t.beside = beside
	return t
}

// Asking gives an engine whose batches ask for such documents where they stand; a run asks its source.
func (e *Engine) Asking(b Beside) *Engine {
	with := *e
	with.beside = b
	return &with
}

// gathered are the documents beside those of a batch, by their collection.
type gathered map[string]map[string][][]byte

// gather asks for what names the things of a batch.
func (e *Engine) gather(ctx context.Context, t Taker, items []*item, s scope) (gathered, error) {
	ask := s.beside
	if ask == nil {
		ask = e.beside
	}
	var ids []string
	for _, x := range items {
		if x.done == nil {
			ids = append(ids, x.found.ObjectID)
		}
	}
	all := gathered{}
	for _, n := range t.beside {
		if ask == nil {
			return nil, fmt.Errorf("%s cannot be taken without %s: nobody says where they stand", t.Collection, n.Collection)
		}
		docs, err := ask(ctx, n, ids)
		if err != nil {
			return nil, fmt.Errorf("look into %s: %w", n.Collection, err)
		}
		all[n.Collection] = docs
	}
	return all, nil
}

// of gives those that name one thing.
func (g gathered) of(objectID string) func(collection string) [][]byte {
	return func(collection string) [][]byte { return g[collection][objectID] }
}

// Keeper keeps documents by what they name, on the disk of the database: a source need not be able
// to look them up, and they need not fit into memory.
type Keeper interface {
	// Keep notes documents of a collection by the ObjectIds that they name.
	Keep(ctx context.Context, collection string, naming []string, docs [][]byte) error
	// Kept gives those that name one of these.
	Kept(ctx context.Context, collection string, objectIDs []string) (map[string][][]byte, error)
}

// keptAtOnce is how many documents are noted together.
const keptAtOnce = 2000

// besides answers from what has been kept of the source; each collection is read through once.
func (m *importing) besides(ctx context.Context, n Naming, objectIDs []string) (map[string][][]byte, error) {
	if !m.kept[n.Collection] {
		if err := m.keep(ctx, n); err != nil {
			return nil, err
		}
		if m.kept == nil {
			m.kept = map[string]bool{}
		}
		m.kept[n.Collection] = true
	}
	return m.lock.Kept(ctx, n.Collection, objectIDs)
}

func (m *importing) keep(ctx context.Context, n Naming) error {
	var naming []string
	var docs [][]byte
	flush := func() error {
		err := m.lock.Keep(ctx, n.Collection, naming, docs)
		naming, docs = naming[:0], docs[:0]
		return err
	}
	for doc, err := range m.Source.Read(ctx, n.Collection, "") {
		if err != nil {
			return err
		}
		if id := n.Of(doc.Raw); id != "" {
			naming, docs = append(naming, id), append(docs, doc.Raw)
		}
		if len(docs) == keptAtOnce {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

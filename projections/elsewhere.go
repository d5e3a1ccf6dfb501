package projections

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"holdfast/domain/fault"
)

// Elsewhere keeps copies of read models outside Postgres and answers their queries from there.
type Elsewhere interface {
	// Serves reports whether queries of a read model are to be answered from here: now, or since
	// the context's query began.
	Serves(ctx context.Context, view string) bool
	Find(ctx context.Context, view string, q Query) ([]Stored, error)
	Count(ctx context.Context, view, column string, f *Filter) (map[string]int64, error)
	// Compare is told of an answer given from here, that the same question may be asked of
	// Postgres; it must not wait.
	Compare(view string, q Query, answer []Stored, postgres func(context.Context) ([]Stored, error))
}

// Query asks for documents in an order.
type Query struct {
	Filter *Filter
	Sort   Sort
	// Key and Pos are of the last document of the page before; no page before when Pos is 0.
	Key   string
	Pos   int64
	Limit int
}

// Stored is a row whose document is JSON, personal text sealed. Key is what it was sorted by.
type Stored struct {
	ID                   string
	Version              int64
	FirstPos, Pos        int64
	CreatedAt, UpdatedAt time.Time
	Doc                  []byte
	Key                  string
}

// ErrElsewhere: the other store cannot answer now.
var ErrElsewhere = fault.New(fault.Unavailable, "LEGACY_STORE_UNAVAILABLE", "the legacy store does not answer; retry").Retry(2)

// From answers the collection's queries from another store while that serves them.
func (c Collection[D]) From(e Elsewhere) Collection[D] {
	c.elsewhere = e
	return c
}

func (c Collection[D]) served(ctx context.Context) bool {
	return c.elsewhere != nil && c.elsewhere.Serves(ctx, c.name)
}

// found gives the rows of a query, from wherever they are served.
func (c Collection[D]) found(ctx context.Context, q Query) ([]Row[D], []string, error) {
	if !c.served(ctx) {
		return c.ask(ctx, q)
	}
	stored, err := c.elsewhere.Find(ctx, c.name, q)
	if err != nil {
		return nil, nil, fmt.Errorf("query %s elsewhere: %w", c.name, err)
	}
	c.elsewhere.Compare(c.name, q, stored, func(ctx context.Context) ([]Stored, error) { return c.stored(ctx, q) })
	rows, keys := make([]Row[D], len(stored)), make([]string, len(stored))
	for i, s := range stored {
		row := Row[D]{ID: s.ID, Version: s.Version, FirstPos: s.FirstPos, Pos: s.Pos, CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt}
		if err := json.Unmarshal(s.Doc, &row.Doc); err != nil {
			return nil, nil, fmt.Errorf("decode %s %s: %w", c.name, s.ID, err)
		}
		rows[i], keys[i] = row, s.Key
	}
	return rows, keys, c.open(ctx, rows)
}

// stored asks Postgres and writes the answer as another store would give it.
func (c Collection[D]) stored(ctx context.Context, q Query) ([]Stored, error) {
	rows, keys, err := c.selectSealed(ctx, q)
	all := make([]Stored, len(rows))
	for i, r := range rows {
		doc, err := json.Marshal(r.Doc)
		if err != nil {
			return nil, err
		}
		all[i] = Stored{ID: r.ID, Version: r.Version, FirstPos: r.FirstPos, Pos: r.Pos, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt, Doc: doc, Key: keys[i]}
	}
	return all, err
}

package projections

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain/fault"
	"holdfast/eventstore"
)

// Row is one document of a read model.
type Row[D any] struct {
	ID        string
	Version   int64 // of the stream: the ETag
	FirstPos  int64 // position of the stream's first event
	Pos       int64 // position of its last event
	CreatedAt time.Time
	UpdatedAt time.Time
	Doc       D
}

const rowColumns = `id, version, first_pos, pos, created_at, updated_at, doc`

func scanRow[D any](row pgx.CollectableRow) (r Row[D], err error) {
	err = row.Scan(&r.ID, &r.Version, &r.FirstPos, &r.Pos, &r.CreatedAt, &r.UpdatedAt, &r.Doc)
	r.CreatedAt, r.UpdatedAt = r.CreatedAt.UTC(), r.UpdatedAt.UTC()
	return r, err
}

// Collection queries the documents of one table. Personal text comes opened; that of erased
// people is empty.
type Collection[D any] struct {
	pool      *pgxpool.Pool
	codec     *eventstore.Codec
	name      string
	table     string
	elsewhere Elsewhere // nil: Postgres alone
}

// NewCollection makes the queries of a read model made by Documents.
func NewCollection[D any](pool *pgxpool.Pool, codec *eventstore.Codec, name string) Collection[D] {
	return Collection[D]{pool: pool, codec: codec, name: name, table: Schema + "." + name}
}

// Get gives one document; fault.ErrNotFound when there is none.
func (c Collection[D]) Get(ctx context.Context, id string) (Row[D], error) {
	return c.One(ctx, new(Filter).Is("id", id))
}

// One gives the newest document that passes a filter; fault.ErrNotFound when there is none.
func (c Collection[D]) One(ctx context.Context, f *Filter) (Row[D], error) {
	rows, _, err := c.found(ctx, Query{Filter: f, Limit: 1})
	if err != nil {
		return Row[D]{}, err
	}
	if len(rows) == 0 {
		return Row[D]{}, fault.ErrNotFound
	}
	return rows[0], nil
}

// All gives every document that passes a filter, oldest first, at most a thousand: for what
// belongs to one order.
func (c Collection[D]) All(ctx context.Context, f *Filter) ([]Row[D], error) {
	rows, _, err := c.found(ctx, Query{Filter: f, Sort: Oldest, Limit: 1000})
	return rows, err
}

// Count counts the documents that pass a filter by a column's values.
func (c Collection[D]) Count(ctx context.Context, column string, f *Filter) (map[string]int64, error) {
	if c.served(ctx) {
		return c.elsewhere.Count(ctx, c.name, column, f)
	}
	where, args := f.SQL()
	rows, err := c.pool.Query(ctx, `SELECT COALESCE(`+column+`::text, ''), count(*) FROM `+c.table+where+` GROUP BY 1`, args...)
	if err != nil {
		return nil, fmt.Errorf("count %s: %w", c.table, err)
	}
	counts := map[string]int64{}
	var value string
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&value, &n}, func() error { counts[value] = n; return nil })
	return counts, err
}

// Page asks for a part of a list.
type Page struct {
	Cursor string // Next of the page before; empty = from the beginning
	Limit  int    // 1 … 100, 20 when 0
	Sort   Sort   // newest first when zero
}

// Sort is an order of a list: by a numeric column, then by age. A view names the ones it has.
type Sort struct {
	Name   string // part of the cursor, so that a cursor fits one order only
	Column string // empty = by age alone
	Up     bool
	// Plain is the column's name in stores that are no SQL database, when Column is an expression.
	Plain string
}

// key is what rows are sorted by first; rows without a value come as if it were -1.
func (s Sort) key() string {
	if s.Column == "" {
		return "first_pos"
	}
	return "COALESCE(" + s.Column + ", -1)"
}

func (s Sort) order() string {
	direction := " DESC"
	if s.Up {
		direction = " ASC"
	}
	if s.Column == "" {
		return s.key() + direction
	}
	return s.key() + direction + ", first_pos" + direction
}

// beyond demands what comes after a page, in SQL.
func (s Sort) beyond(f *Filter, key string, pos int64) {
	sign := "<"
	if s.Up {
		sign = ">"
	}
	if s.Column == "" {
		f.Where("first_pos "+sign+" ?", pos)
		return
	}
	f.Where("("+s.key()+", first_pos) "+sign+" (?::numeric, ?)", key, pos)
}

// The orders that every list has.
var (
	Newest = Sort{}
	Oldest = Sort{Name: "oldest", Up: true}
)

// List is a page of documents.
type List[D any] struct {
	Rows []Row[D]
	Next string // empty on the last page
}

// List gives the documents that pass a filter, page by page. ErrInvalidCursor for a cursor of
// another list or order.
func (c Collection[D]) List(ctx context.Context, f *Filter, p Page) (List[D], error) {
	limit := min(max(orDefault(p.Limit, 20), 1), 100)
	kind := c.table + "/" + p.Sort.Name
	q := Query{Filter: f, Sort: p.Sort, Limit: limit + 1}
	if p.Cursor != "" {
		at, err := readCursor(kind, p.Cursor)
		if err != nil {
			return List[D]{}, err
		}
		q.Key, q.Pos = at.Key, at.Pos
	}
	rows, keys, err := c.found(ctx, q)
	if err != nil {
		return List[D]{}, err
	}
	list := List[D]{Rows: rows}
	if len(rows) > limit {
		list.Rows = rows[:limit]
		list.Next = cursor{Kind: kind, Key: keys[limit-1], Pos: rows[limit-1].FirstPos}.String()
	}
	return list, nil
}

// ask asks Postgres.
func (c Collection[D]) ask(ctx context.Context, q Query) ([]Row[D], []string, error) {
	rows, keys, err := c.selectSealed(ctx, q)
	if err != nil {
		return nil, nil, err
	}
	return rows, keys, c.open(ctx, rows)
}

func (c Collection[D]) selectSealed(ctx context.Context, q Query) ([]Row[D], []string, error) {
	f := q.Filter
	if q.Pos > 0 {
		f = f.clone()
		q.Sort.beyond(f, q.Key, q.Pos)
	}
	where, args := f.SQL()
	found, err := c.pool.Query(ctx, fmt.Sprintf(`SELECT %s, (%s)::text AS sort_key FROM %s%s ORDER BY %s LIMIT %d`,
		rowColumns, q.Sort.key(), c.table, where, q.Sort.order(), q.Limit), args...)
	if err != nil {
		return nil, nil, fmt.Errorf("query %s: %w", c.table, err)
	}
	var keys []string
	rows, err := pgx.CollectRows(found, func(row pgx.CollectableRow) (r Row[D], err error) {
		var key string
		err = row.Scan(&r.ID, &r.Version, &r.FirstPos, &r.Pos, &r.CreatedAt, &r.UpdatedAt, &r.Doc, &key)
		r.CreatedAt, r.UpdatedAt = r.CreatedAt.UTC(), r.UpdatedAt.UTC()
		keys = append(keys, key)
		return r, err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("query %s: %w", c.table, err)
	}
	return rows, keys, nil
}

func (c Collection[D]) open(ctx context.Context, rows []Row[D]) error {
	for i := range rows {
		if err := c.codec.Open(ctx, &rows[i].Doc); err != nil {
			return fmt.Errorf("open the personal text of %s %s: %w", c.table, rows[i].ID, err)
		}
	}
	return nil
}

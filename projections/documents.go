package projections

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"holdfast/eventstore"
)

// documents is a projector whose read model is one JSON document a stream. Its table has these
// columns, and generated ones over doc for what queries filter by:
//
//	id text PRIMARY KEY, version bigint, first_pos bigint, pos bigint,
//	created_at timestamptz, updated_at timestamptz, doc jsonb
type documents[D any] struct{ view View[D] }

// Documents makes a projector that folds each stream of a category into a document, kept in the
// table of the projector's name. fold is called in the stream's order and decides by r.Event;
// an error halts the projector there.
func Documents[D any](name string, version int, category string, fold func(doc *D, r eventstore.Recorded) error) Projector {
	return &documents[D]{View[D]{Name: name, Version: version, Category: category, Fold: fold}}
}

func (d *documents[D]) Name() string         { return d.view.Name }
func (d *documents[D]) Version() int         { return d.view.Version }
func (d *documents[D]) Categories() []string { return []string{d.view.Category} }
func (d *documents[D]) Tables() []string     { return []string{d.view.Name} }

// Apply loads the documents the batch is about, folds in memory, and writes each once.
func (d *documents[D]) Apply(ctx context.Context, tx pgx.Tx, batch []eventstore.Recorded) error {
	rows, err := d.load(ctx, tx, batch)
	if err != nil {
		return fmt.Errorf("load %s: %w", d.view.Name, err)
	}
	for _, r := range batch {
		row := rows[r.Stream.ID]
		if row == nil {
			row = &Row[D]{}
			rows[r.Stream.ID] = row
		}
		if err := d.view.add(row, r); err != nil {
			return err
		}
	}
	if err := d.write(ctx, tx, rows); err != nil {
		return fmt.Errorf("write %s: %w", d.view.Name, err)
	}
	return nil
}

// load reads the documents that begin before the batch.
func (d *documents[D]) load(ctx context.Context, tx pgx.Tx, batch []eventstore.Recorded) (map[string]*Row[D], error) {
	rows, seen := map[string]*Row[D]{}, map[string]bool{}
	var ids []string
	for _, r := range batch {
		if !seen[r.Stream.ID] && r.Version > 1 {
			ids = append(ids, r.Stream.ID)
		}
		seen[r.Stream.ID] = true
	}
	if len(ids) == 0 {
		return rows, nil
	}
	found, err := tx.Query(ctx, `SELECT `+rowColumns+` FROM `+d.view.Name+` WHERE id = ANY($1)`, ids)
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(found, scanRow[D])
	for i := range all {
		rows[all[i].ID] = &all[i]
	}
	return rows, err
}

// write upserts all rows in one statement, in the order of their ids.
func (d *documents[D]) write(ctx context.Context, tx pgx.Tx, rows map[string]*Row[D]) error {
	n := len(rows)
	ids, docs := slices.Sorted(maps.Keys(rows)), make([]string, 0, n)
	versions, first, pos := make([]int64, 0, n), make([]int64, 0, n), make([]int64, 0, n)
	created, updated := make([]time.Time, 0, n), make([]time.Time, 0, n)
	for _, id := range ids {
		row := rows[id]
		doc, err := json.Marshal(row.Doc)
		if err != nil {
			return err
		}
		docs, versions, first, pos = append(docs, string(doc)), append(versions, row.Version), append(first, row.FirstPos), append(pos, row.Pos)
		created, updated = append(created, row.CreatedAt), append(updated, row.UpdatedAt)
	}
	_, err := tx.Exec(ctx, `INSERT INTO `+d.view.Name+` (id, version, first_pos, pos, created_at, updated_at, doc)
		SELECT i, v, f, p, c, u, d::jsonb FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::timestamptz[], $6::timestamptz[], $7::text[])
			AS x (i, v, f, p, c, u, d)
		ON CONFLICT (id) DO UPDATE SET version = excluded.version, pos = excluded.pos, updated_at = excluded.updated_at, doc = excluded.doc`,
		ids, versions, first, pos, created, updated, docs)
	return err
}

package records

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain/fault"
	"holdfast/eventstore"
)

// Category is where a request stands in the market.
type Category struct {
	ID     string `json:"id"`
	Parent string `json:"parentId,omitempty"`
	Name   string `json:"name"`
	Slug   string `json:"slug"`
	Active bool   `json:"active"`
}

// Categories are the market's shelves.
type Categories struct{ pool *pgxpool.Pool }

// Active reports whether requests may be put in the category.
func (s *Categories) Active(ctx context.Context, id string) (active bool, err error) {
	if !isID(id) {
		return false, nil
	}
	err = s.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM categories WHERE id = $1 AND active)`, id).Scan(&active)
	return active, failed("look a category up", err)
}

// List gives all categories in their order.
func (s *Categories) List(ctx context.Context) ([]Category, error) {
	rows, err := s.pool.Query(ctx, `SELECT id::text, COALESCE(parent_id::text, ''), name, slug, active FROM categories ORDER BY position, name`)
	if err != nil {
		return nil, failed("list categories", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c Category, err error) {
		err = row.Scan(&c.ID, &c.Parent, &c.Name, &c.Slug, &c.Active)
		return c, err
	})
	return all, failed("list categories", err)
}

// Put adds a category or replaces the one with its id.
func (s *Categories) Put(ctx context.Context, c Category, position int) error {
	_, err := s.pool.Exec(ctx, `INSERT INTO categories (id, parent_id, name, slug, position, active)
		VALUES ($1, NULLIF($2, '')::uuid, $3, $4, $5, $6)
		ON CONFLICT (id) DO UPDATE SET parent_id = EXCLUDED.parent_id, name = EXCLUDED.name, slug = EXCLUDED.slug,
			position = EXCLUDED.position, active = EXCLUDED.active`,
		c.ID, c.Parent, c.Name, c.Slug, position, c.Active)
	return failed("put a category", err)
}

// ErrSlugTaken: two categories would have one slug.
var ErrSlugTaken = fault.New(fault.Conflict, "SLUG_TAKEN", "another category has this slug")

// Imported is Put for an import: it is carried out with the category's name in id_map.
func (s *Categories) Imported(c Category, position int) eventstore.Row {
	return eventstore.Row{
		SQL: `INSERT INTO categories (id, parent_id, name, slug, position, active)
			VALUES ($1, NULLIF($2, '')::uuid, $3, $4, $5, $6)
			ON CONFLICT (id) DO UPDATE SET parent_id = EXCLUDED.parent_id, name = EXCLUDED.name, slug = EXCLUDED.slug,
				position = EXCLUDED.position, active = EXCLUDED.active`,
		Args: []any{c.ID, c.Parent, c.Name, c.Slug, position, c.Active}, Refused: ErrSlugTaken,
	}
}

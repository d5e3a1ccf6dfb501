package legacymongo

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"go.mongodb.org/mongo-driver/bson"
)

// categories is the collection of the market's shelves. They are plain rows without events, so it
// is compared with them every so often instead of following the log.
func categories() Collection {
	return Collection{
		Name: "categories", Domain: Marketplace, Version: 1, Rows: categoryRows,
		About: "The market's shelves. They are plain rows that no event tells of, so the collection is written from them at the start and whenever one has changed, within half a minute; `_pos` is 0 and there are no timestamps.",
		Fields: []Field{
			{"name", "string", "row of categories"},
			{"slug", "string", "row of categories"},
			{"parentId", "ObjectId → categories, or null", "row of categories"},
			{"order", "int", "row of categories"},
			{"isActive", "bool", "row of categories"},
		},
	}
}

// categoryRows renders all rows.
func categoryRows(ctx context.Context, tx pgx.Tx, r *Reading) ([]rendered, error) {
	rows, err := tx.Query(ctx, `SELECT id::text, COALESCE(parent_id::text, ''), name, slug, position, active FROM public.categories ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("read the categories: %w", err)
	}
	var ids, parents []string
	var fields []bson.D
	var id, parent, title, slug string
	var position int32
	var active bool
	if _, err := pgx.ForEachRow(rows, []any{&id, &parent, &title, &slug, &position, &active}, func() error {
		ids, parents = append(ids, id), append(parents, parent)
		fields = append(fields, bson.D{{Key: "name", Value: title}, {Key: "slug", Value: slug}, {Key: "parentId", Value: nil}, {Key: "order", Value: position}, {Key: "isActive", Value: active}})
		return nil
	}); err != nil {
		return nil, fmt.Errorf("read the categories: %w", err)
	}
	known := map[string]int{}
	for i, id := range ids {
		known[id] = i
		r.unnamed[name{"categories", id}] = true
	}
	if _, err := r.fetch(tx); err != nil {
		return nil, err
	}
	var all []rendered
	for i, id := range ids {
		if _, ok := known[parents[i]]; ok {
			fields[i][2].Value = r.objects[name{"categories", parents[i]}]
		}
		object := r.objects[name{"categories", id}]
		body := append(bson.D{{Key: "_id", Value: object}}, fields[i]...)
		all = append(all, rendered{id: id, object: object, body: append(body, bson.E{Key: "__v", Value: int64(0)}, bson.E{Key: markKey, Value: mark}, bson.E{Key: posKey, Value: int64(0)})})
	}
	return all, nil
}

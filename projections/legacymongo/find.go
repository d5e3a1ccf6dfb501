package legacymongo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo/options"

	"holdfast/projections"
)

// Serves reports whether a read model's queries are to be answered from the legacy store: now, or
// since the context was pinned.
func (s *Store) Serves(ctx context.Context, view string) bool {
	c, ok := ByView(view)
	return ok && s.modes != nil && s.modes.For(ctx, c.Domain).Kept() && !s.owners.Legacy(c.Domain)
}

// missingKey is what a row without a value is sorted by, as in Postgres.
const missingKey = "-1"

// Find answers a query as Postgres would.
func (s *Store) Find(ctx context.Context, viewName string, q projections.Query) ([]projections.Stored, error) {
	c, ok := ByView(viewName)
	if !ok {
		return nil, fmt.Errorf("no legacy collection answers for %s", viewName)
	}
	tests, ok := q.Filter.Tests()
	if !ok {
		return nil, fmt.Errorf("a filter of %s is SQL only", viewName)
	}
	filter, err := c.filter(tests)
	if err != nil {
		return nil, err
	}
	if q.Pos > 0 {
		beyond, err := c.beyond(q)
		if err != nil {
			return nil, err
		}
		filter = append(filter, bson.E{Key: "$and", Value: bson.A{beyond}})
	}
	direction := -1
	if q.Sort.Up {
		direction = 1
	}
	var order bson.D
	if column := sortColumn(q.Sort); column != "" {
		order = append(order, bson.E{Key: path(column), Value: direction})
	}
	order = append(order, bson.E{Key: viewKey + ".first", Value: direction})
	cursor, err := s.db.Collection(c.Name).Find(ctx, filter, options.Find().SetSort(order).SetLimit(int64(q.Limit)).SetProjection(bson.D{{Key: viewKey, Value: 1}}))
	if err != nil {
		return nil, unavailable(fail("query "+c.Name, err))
	}
	var found []struct {
		View shown `bson:"_view"`
	}
	if err := cursor.All(ctx, &found); err != nil {
		return nil, unavailable(fail("query "+c.Name, err))
	}
	rows := make([]projections.Stored, len(found))
	for i, f := range found {
		rows[i] = f.View.stored()
		if rows[i].Key, err = c.key(q.Sort, f.View); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// shown is the view part of a document as it comes back.
type shown struct {
	ID      string `bson:"id"`
	Version int64  `bson:"version"`
	First   int64  `bson:"first"`
	Pos     int64  `bson:"pos"`
	Created int64  `bson:"created"`
	Updated int64  `bson:"updated"`
	State   string `bson:"state"`
}

func (v shown) stored() projections.Stored {
	return projections.Stored{
		ID: v.ID, Version: v.Version, FirstPos: v.First, Pos: v.Pos,
		CreatedAt: time.UnixMicro(v.Created).UTC(), UpdatedAt: time.UnixMicro(v.Updated).UTC(), Doc: []byte(v.State),
	}
}

// unavailable says it in the words of the API.
func unavailable(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w (%w)", projections.ErrElsewhere, err)
}

// path is where a column of the read model stands in a document.
func path(column string) string {
	switch column {
	case "id":
		return viewKey + ".id"
	case "created_at":
		return viewKey + ".created"
	}
	return viewKey + ".columns." + column
}

func sortColumn(s projections.Sort) string {
	if s.Plain != "" {
		return s.Plain
	}
	return s.Column
}

// filter turns conditions into a query document.
func (c Collection) filter(tests []projections.Test) (bson.D, error) {
	all := bson.A{}
	for _, t := range tests {
		one, err := c.condition(t)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	if len(all) == 0 {
		return bson.D{{Key: viewKey, Value: bson.D{{Key: "$exists", Value: true}}}}, nil
	}
	return bson.D{{Key: "$and", Value: all}}, nil
}

func (c Collection) condition(t projections.Test) (bson.D, error) {
	if t.Op == "any" {
		alternatives := bson.A{}
		for _, tests := range t.AnyOf {
			one, err := c.filter(tests)
			if err != nil {
				return nil, err
			}
			alternatives = append(alternatives, one)
		}
		return bson.D{{Key: "$or", Value: alternatives}}, nil
	}
	if _, known := c.Columns[t.Column]; !known && t.Column != "id" && t.Column != "created_at" && t.Column != "escrow_state" {
		return nil, fmt.Errorf("%s keeps no column %s", c.Name, t.Column)
	}
	on := func(value any) bson.D { return bson.D{{Key: path(t.Column), Value: value}} }
	by := func(operator string, value any) bson.D { return on(bson.D{{Key: operator, Value: value}}) }
	switch t.Op {
	case "is", "has":
		return on(t.Value), nil
	case "not":
		return by("$nin", bson.A{t.Value, nil}), nil
	case "in":
		return by("$in", t.Value), nil
	case "missing":
		return on(nil), nil
	case "contains":
		return on(primitive.Regex{Pattern: regexp.QuoteMeta(fmt.Sprint(t.Value)), Options: "i"}), nil
	case "at-least", "at-most":
		decimal := fmt.Sprint(t.Value)
		if !decimalRE.MatchString(decimal) {
			return nil, fmt.Errorf("%q is no decimal", decimal)
		}
		return by(map[string]string{"at-least": "$gte", "at-most": "$lte"}[t.Op], sortable(decimal)), nil
	case "from", "before":
		at, ok := t.Value.(time.Time)
		if !ok {
			return nil, fmt.Errorf("%v is no time", t.Value)
		}
		return by(map[string]string{"from": "$gte", "before": "$lt"}[t.Op], ceilMicro(at)), nil
	}
	return nil, fmt.Errorf("a condition %q is not known here", t.Op)
}

// ceilMicro counts in microseconds, as both stores keep times: one that lies between two of them
// is compared as the later.
func ceilMicro(t time.Time) int64 {
	if t.Nanosecond()%1000 == 0 {
		return t.UnixMicro()
	}
	return t.UnixMicro() + 1
}

// beyond demands what comes after a page.
func (c Collection) beyond(q projections.Query) (bson.D, error) {
	step := "$lt"
	if q.Sort.Up {
		step = "$gt"
	}
	later := bson.D{{Key: viewKey + ".first", Value: bson.D{{Key: step, Value: q.Pos}}}}
	column := sortColumn(q.Sort)
	if column == "" {
		return later, nil
	}
	at := path(column)
	missing, present := bson.D{{Key: at, Value: nil}}, bson.D{{Key: at, Value: bson.D{{Key: "$exists", Value: true}}}}
	if q.Key == missingKey {
		rest := bson.A{bson.D{{Key: "$and", Value: bson.A{missing, later}}}}
		if q.Sort.Up {
			rest = append(rest, present)
		}
		return bson.D{{Key: "$or", Value: rest}}, nil
	}
	var value any = sortable(q.Key)
	if c.Columns[column].Kind == "number" {
		n, err := strconv.ParseInt(q.Key, 10, 64)
		if err != nil {
			return nil, projections.ErrInvalidCursor
		}
		value = n
	}
	rest := bson.A{
		bson.D{{Key: at, Value: bson.D{{Key: step, Value: value}}}},
		bson.D{{Key: "$and", Value: bson.A{bson.D{{Key: at, Value: value}}, later}}},
	}
	if !q.Sort.Up {
		rest = append(rest, missing)
	}
	return bson.D{{Key: "$or", Value: rest}}, nil
}

// key is what a document was sorted by, as Postgres writes it.
func (c Collection) key(s projections.Sort, v shown) (string, error) {
	column := sortColumn(s)
	if column == "" {
		return strconv.FormatInt(v.First, 10), nil
	}
	var doc map[string]any
	d := json.NewDecoder(bytes.NewReader([]byte(v.State)))
	d.UseNumber()
	if err := d.Decode(&doc); err != nil {
		return "", err
	}
	kept := c.Columns[column]
	found, ok := text(at(doc, kept.Path))
	switch {
	case !ok || kept.Kind == "decimal" && !decimalRE.MatchString(found):
		return missingKey, nil
	case kept.Kind == "decimal":
		return plain(found), nil
	}
	return found, nil
}

// Count counts a read model's documents by a column's values; "" is for those without.
func (s *Store) Count(ctx context.Context, viewName, column string, f *projections.Filter) (map[string]int64, error) {
	c, ok := ByView(viewName)
	tests, plain := f.Tests()
	if !ok || !plain {
		return nil, fmt.Errorf("no legacy collection can count %s by this filter", viewName)
	}
	filter, err := c.filter(tests)
	if err != nil {
		return nil, err
	}
	cursor, err := s.db.Collection(c.Name).Aggregate(ctx, bson.A{
		bson.D{{Key: "$match", Value: filter}},
		bson.D{{Key: "$group", Value: bson.D{{Key: "_id", Value: "$" + path(column)}, {Key: "n", Value: bson.D{{Key: "$sum", Value: int64(1)}}}}}},
	})
	if err != nil {
		return nil, unavailable(fail("count "+c.Name, err))
	}
	var groups []struct {
		Value any   `bson:"_id"`
		N     int64 `bson:"n"`
	}
	if err := cursor.All(ctx, &groups); err != nil {
		return nil, unavailable(fail("count "+c.Name, err))
	}
	counts := map[string]int64{}
	for _, g := range groups {
		key := ""
		if g.Value != nil {
			key = fmt.Sprint(g.Value)
		}
		counts[key] += g.N
	}
	return counts, nil
}

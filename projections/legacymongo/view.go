package legacymongo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/bson"

	"holdfast/projections"
)

// view is what our own queries need of a document: the read model's row, and the columns that
// they filter and sort by. The row's document is kept as JSON text, personal text sealed, so that
// an answer from here has the same bytes as one from Postgres.
type view struct {
	id       string
	first    int64
	pos      int64
	version  int64
	created  time.Time
	updated  time.Time
	state    string
	columns  bson.D
	subjects []string // whose personal text is in it
}

// Column is where a column of the read model's table is found in its document, and what it is.
type Column struct {
	Path string // of names, with dots between
	Kind string // text, lower (text in lower case), number, bool, list, decimal, keys (of amounts that are not zero)
	// More are paths whose texts follow Path's, with a space between.
	More []string
}

// viewOf makes the view part of a row. It is called before personal text is opened.
func viewOf[D any](row projections.Row[D], columns map[string]Column) (*view, error) {
	state, err := json.Marshal(row.Doc)
	if err != nil {
		return nil, err
	}
	v := &view{id: row.ID, first: row.FirstPos, pos: row.Pos, version: row.Version, created: row.CreatedAt, updated: row.UpdatedAt, state: string(state)}
	var doc map[string]any
	d := json.NewDecoder(bytes.NewReader(state))
	d.UseNumber()
	if err := d.Decode(&doc); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(columns)) {
		value, err := columns[name].value(doc)
		if err != nil {
			return nil, fmt.Errorf("column %s of %s: %w", name, row.ID, err)
		}
		if value != nil {
			v.columns = append(v.columns, bson.E{Key: name, Value: value})
		}
	}
	for _, m := range subjectRE.FindAllStringSubmatch(v.state, -1) {
		if !slices.Contains(v.subjects, m[1]) {
			v.subjects = append(v.subjects, m[1])
		}
	}
	return v, nil
}

var subjectRE = regexp.MustCompile(`"subject":"([^"]{1,64})"`)

// at walks a path; nil where it ends early.
func at(doc any, path string) any {
	for name := range strings.SplitSeq(path, ".") {
		m, ok := doc.(map[string]any)
		if !ok {
			return nil
		}
		doc = m[name]
	}
	return doc
}

// text is a value as ->> gives it; ok is false for null.
func text(v any) (s string, ok bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return fmt.Sprint(v), true
	}
	return "", false
}

// value is the column's value as Mongo keeps it, nil for none.
func (c Column) value(doc map[string]any) (any, error) {
	found := at(doc, c.Path)
	s, ok := text(found)
	switch c.Kind {
	case "text":
		for _, path := range c.More {
			more, _ := text(at(doc, path))
			s, ok = s+" "+more, true
		}
		if ok {
			return s, nil
		}
	case "lower":
		if ok {
			return strings.ToLower(s), nil
		}
	case "number":
		if ok {
			return json.Number(s).Int64()
		}
	case "bool":
		return s == "true", nil
	case "decimal":
		if ok && decimalRE.MatchString(s) {
			return sortable(s), nil
		}
	case "list":
		if list, ok := found.([]any); ok {
			return bson.A(list), nil
		}
	case "keys":
		all := bson.A{}
		if m, ok := found.(map[string]any); ok {
			for _, k := range slices.Sorted(maps.Keys(m)) {
				if s, _ := text(m[k]); s != "0" {
					all = append(all, k)
				}
			}
		}
		return all, nil
	default:
		return nil, fmt.Errorf("%q is no kind of column", c.Kind)
	}
	return nil, nil //nolint:nilnil // no value
}

// decimalRE is what Postgres takes for a price.
var decimalRE = regexp.MustCompile(`^[0-9]{1,40}([.][0-9]{1,40})?$`)

const digits = 40

// sortable writes a decimal so that texts sort as the numbers do: there is no exact number in
// Mongo that the server of development knows too.
func sortable(decimal string) string {
	whole, fraction, _ := strings.Cut(decimal, ".")
	whole = strings.TrimLeft(whole, "0")
	return strings.Repeat("0", digits-len(whole)) + whole + "." + fraction + strings.Repeat("0", digits-len(fraction))
}

// plain is a decimal as Postgres writes a numeric: no leading zeros, its own scale.
func plain(decimal string) string {
	whole, fraction, has := strings.Cut(decimal, ".")
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	if has {
		return whole + "." + fraction
	}
	return whole
}

// document is how the view stands in a document.
func (v *view) document() bson.D {
	columns := v.columns
	if columns == nil {
		columns = bson.D{}
	}
	return bson.D{
		{Key: "id", Value: v.id},
		{Key: "version", Value: v.version},
		{Key: "first", Value: v.first},
		{Key: "pos", Value: v.pos},
		{Key: "created", Value: v.created.UnixMicro()},
		{Key: "updated", Value: v.updated.UnixMicro()},
		{Key: "columns", Value: columns},
		{Key: "state", Value: v.state},
	}
}

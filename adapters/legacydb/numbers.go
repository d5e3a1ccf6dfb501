package legacydb

import (
	"fmt"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/bson"

	"holdfast/domain/migration"
)

// Decimal reads a number of at least nothing as its exact text; empty where there is none. Of a
// double it is the shortest text that reads back as the same double.
func (f Fields) Decimal(name string) string {
	v, ok := f.Value(name)
	if !ok {
		return ""
	}
	said, isText := v.StringValueOK()
	if isText && strings.TrimSpace(said) == "" {
		return ""
	}
	if !isText {
		said, _ = number(v)
	}
	plain, ok := migration.Plain(said)
	if !ok {
		f.problem(name, clip(v.String()), "a number of at least 0")
		return ""
	}
	if isText {
		f.Note(name, "text for a number")
	}
	return plain
}

// Int reads a whole number between two bounds; fallback where there is none, with a note.
func (f Fields) Int(name string, fallback, low, high int) int {
	if !f.Has(name) {
		f.Note(name, fmt.Sprintf("missing: %d", fallback))
		return fallback
	}
	problems := len(f.found.Problems)
	said := f.Decimal(name)
	n, err := strconv.Atoi(said)
	if err != nil || n < low || n > high {
		if len(f.found.Problems) == problems {
			f.problem(name, f.shown(name), fmt.Sprintf("a whole number, %d … %d", low, high))
		}
		return fallback
	}
	return n
}

// number is the exact text of a numeric value.
func number(v bson.RawValue) (text string, ok bool) {
	switch v.Type {
	case bson.TypeInt32:
		return strconv.FormatInt(int64(v.Int32()), 10), true
	case bson.TypeInt64:
		return strconv.FormatInt(v.Int64(), 10), true
	case bson.TypeDouble:
		return migration.Shortest(v.Double())
	case bson.TypeDecimal128:
		return v.Decimal128().String(), true
	}
	return "", false
}

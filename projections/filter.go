package projections

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Filter is a conjunction of conditions. Columns are constants of the view, never input.
//
// Conditions are kept twice: as SQL, and as Tests for stores that are no SQL database. Where adds
// one that only Postgres understands.
type Filter struct {
	conditions []condition
	onlySQL    bool
}

type condition struct {
	sql  string // each ? stands for the next argument
	args []any
	test Test
}

// Test is a condition in words: Column Op Value. AnyOf holds when one of its alternatives does.
type Test struct {
	Op     string // is, not, in, has, contains, at-least, at-most, from, before, missing, any
	Column string
	Value  any
	AnyOf  [][]Test
}

// add appends a condition that every store understands.
func (f *Filter) add(test Test, sql string, args ...any) *Filter {
	f.conditions = append(f.conditions, condition{sql: sql, args: args, test: test})
	return f
}

// Where adds a condition in SQL in which each ? is the next argument; only Postgres can answer it.
func (f *Filter) Where(sql string, args ...any) *Filter {
	f.onlySQL = true
	return f.add(Test{}, sql, args...)
}

// Eq demands a value, unless it is empty.
func (f *Filter) Eq(column, value string) *Filter {
	if value == "" {
		return f
	}
	return f.Is(column, value)
}

// Is demands a value: text, a number or a boolean.
func (f *Filter) Is(column string, value any) *Filter {
	return f.add(Test{Op: "is", Column: column, Value: value}, column+" = ?", value)
}

// Not demands that the column has another value than this one.
func (f *Filter) Not(column, value string) *Filter {
	return f.add(Test{Op: "not", Column: column, Value: value}, column+" <> ?", value)
}

// In demands one of some values.
func (f *Filter) In(column string, values ...string) *Filter {
	return f.add(Test{Op: "in", Column: column, Value: values}, column+" = ANY(?)", values)
}

// Has demands that a list contains a text.
func (f *Filter) Has(column, text string) *Filter {
	return f.add(Test{Op: "has", Column: column, Value: text}, column+" @> to_jsonb(?::text)", text)
}

// Missing demands that the column has no value.
func (f *Filter) Missing(column string) *Filter {
	return f.add(Test{Op: "missing", Column: column}, column+" IS NULL")
}

// AtLeast demands a number ≥ a decimal, AtMost one ≤ it.
func (f *Filter) AtLeast(column, decimal string) *Filter {
	return f.add(Test{Op: "at-least", Column: column, Value: decimal}, column+" >= ?::numeric", decimal)
}

// AtMost demands a number ≤ a decimal.
func (f *Filter) AtMost(column, decimal string) *Filter {
	return f.add(Test{Op: "at-most", Column: column, Value: decimal}, column+" <= ?::numeric", decimal)
}

// As adds a condition whose SQL is not plain: in other stores it is the equality of a column.
func (f *Filter) As(column string, value any, sql string, args ...any) *Filter {
	return f.add(Test{Op: "is", Column: column, Value: value}, sql, args...)
}

// Any demands that one of some filters holds.
func (f *Filter) Any(filters ...*Filter) *Filter {
	var sql []string
	var args []any
	test := Test{Op: "any"}
	for _, one := range filters {
		var parts []string
		for _, c := range one.conditions {
			parts, args = append(parts, c.sql), append(args, c.args...)
		}
		sql = append(sql, strings.Join(parts, " AND "))
		test.AnyOf = append(test.AnyOf, one.tests())
		f.onlySQL = f.onlySQL || one.onlySQL
	}
	return f.add(test, "("+strings.Join(sql, " OR ")+")", args...)
}

// Between demands a time from … to (exclusive); a zero bound is none.
func (f *Filter) Between(column string, from, to time.Time) *Filter {
	if !from.IsZero() {
		f.add(Test{Op: "from", Column: column, Value: from}, column+" >= ?", from)
	}
	if !to.IsZero() {
		f.add(Test{Op: "before", Column: column, Value: to}, column+" < ?", to)
	}
	return f
}

// Contains demands that a text is contained in the named column, which in SQL is an expression;
// letter case apart. % and _ mean themselves.
func (f *Filter) Contains(column, expression, text string) *Filter {
	if text == "" {
		return f
	}
	return f.add(Test{Op: "contains", Column: column, Value: text}, expression+" ILIKE ?",
		"%"+strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text)+"%")
}

// Tests gives the conditions in words; ok is false when one of them is SQL only.
func (f *Filter) Tests() (tests []Test, ok bool) {
	if f == nil {
		return nil, true
	}
	return f.tests(), !f.onlySQL
}

func (f *Filter) tests() []Test {
	all := make([]Test, len(f.conditions))
	for i, c := range f.conditions {
		all[i] = c.test
	}
	return all
}

func (f *Filter) clone() *Filter {
	if f == nil {
		return &Filter{}
	}
	return &Filter{conditions: slices.Clone(f.conditions), onlySQL: f.onlySQL}
}

// SQL gives the WHERE clause, empty for no condition, and its arguments $1 … $n.
func (f *Filter) SQL() (where string, args []any) {
	if f == nil || len(f.conditions) == 0 {
		return "", nil
	}
	var parts []string
	for _, c := range f.conditions {
		sql := c.sql
		for _, a := range c.args {
			args = append(args, a)
			sql = strings.Replace(sql, "?", fmt.Sprintf("$%d", len(args)), 1)
		}
		parts = append(parts, sql)
	}
	return " WHERE " + strings.Join(parts, " AND "), args
}

package projections

import (
	"fmt"
	"strings"
	"time"
)

// Filter is a conjunction of conditions. Columns are constants of the view, never input.
type Filter struct {
	conditions []string
	args       []any
}

// add appends a condition; each ? stands for the next argument.
func (f *Filter) add(condition string, args ...any) *Filter {
	for _, a := range args {
		f.args = append(f.args, a)
		condition = strings.Replace(condition, "?", fmt.Sprintf("$%d", len(f.args)), 1)
	}
	f.conditions = append(f.conditions, condition)
	return f
}

// Where adds a condition in SQL in which each ? is the next argument.
func (f *Filter) Where(condition string, args ...any) *Filter { return f.add(condition, args...) }

// Eq demands a value, unless it is empty.
func (f *Filter) Eq(column, value string) *Filter {
	if value == "" {
		return f
	}
	return f.add(column+" = ?", value)
}

// Between demands a time from … to (exclusive); a zero bound is none.
func (f *Filter) Between(column string, from, to time.Time) *Filter {
	if !from.IsZero() {
		f.add(column+" >= ?", from)
	}
	if !to.IsZero() {
		f.add(column+" < ?", to)
	}
	return f
}

// Contains demands that a column contains a text, letter case apart. % and _ mean themselves.
func (f *Filter) Contains(column, text string) *Filter {
	if text == "" {
		return f
	}
	return f.add(column+" ILIKE ?", "%"+strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text)+"%")
}

func (f *Filter) clone() *Filter {
	if f == nil {
		return &Filter{}
	}
	return &Filter{conditions: append([]string(nil), f.conditions...), args: append([]any(nil), f.args...)}
}

func (f *Filter) where() string {
	if f == nil || len(f.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(f.conditions, " AND ")
}

// SQL gives the WHERE clause, empty for no condition, and its arguments $1 … $n.
func (f *Filter) SQL() (where string, args []any) { return f.where(), f.args }

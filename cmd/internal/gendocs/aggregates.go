package gendocs

import (
	"fmt"
	"strings"
)

// Table is what an aggregate's state machine can say of itself.
type Table interface {
	Markdown() string
	Mermaid() string
}

// Aggregate joins a table with its names.
type Aggregate struct {
	Name  string // as people say it
	Slug  string // file name
	Table Table
}

// Page is the document of one aggregate.
func (a Aggregate) Page() string {
	return fmt.Sprintf("# %s\n\nGenerated from `domain/%s` (`make verify`): the decider runs this table, the diagram is drawn from it, and a test holds that every state × command is listed or refused.\n\n```mermaid\n%s```\n\n%s",
		a.Name, a.Slug, a.Table.Mermaid(), a.Table.Markdown())
}

// Index lists all pages.
func Index(all []Aggregate) string {
	var b strings.Builder
	b.WriteString("# Aggregates\n\nGenerated (`make verify`).\n\n")
	for _, a := range all {
		fmt.Fprintf(&b, "- [%s](%s.md)\n", a.Name, a.Slug)
	}
	return b.String()
}

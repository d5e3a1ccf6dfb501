package legacymongo

import (
	"fmt"
	"strings"
)

// Page is a collection's page of docs/legacy.
func (c Collection) Page() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n\n", c.Name, c.About)
	fmt.Fprintf(&b, "Domain `%s` (`REPO_%s`). ", c.Domain, c.Domain)
	switch {
	case c.Rows != nil:
		b.WriteString("Written from plain rows.")
	case c.Find != nil:
		b.WriteString("Written from every event that posts to the ledger.")
	default:
		fmt.Fprintf(&b, "Written from the streams %s.", quoted(c.Streams))
		if len(c.Reads) > 0 {
			fmt.Fprintf(&b, " It looks at %s too, and is written again when they move.", quoted(c.Reads))
		}
	}
	if c.View != "" {
		fmt.Fprintf(&b, " In the modes `mongo` and `dual` the queries of `%s` are answered from here.", c.View)
	}
	b.WriteString("\n\n| field | type | from |\n| --- | --- | --- |\n| `_id` | ObjectId | the imported one, else derived from the UUID |\n")
	for _, f := range c.Fields {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.Name, f.Type, f.From)
	}
	if c.Rows == nil {
		b.WriteString("| `createdAt`, `updatedAt` | date | first and last event |\n")
	}
	b.WriteString("| `__v` | long | events of the document's stream, from 0 |\n| `_src` | `\"holdfast\"` | whose document it is |\n| `_pos` | long | position of the log that it stands for |\n")
	if c.View != "" || c.Columns != nil {
		b.WriteString("| `_view` | {id, version, columns, state …} | what our own queries need; `id` is the UUID, personal text in `state` is sealed |\n")
	}
	return b.String()
}

func quoted(names []string) string { return "`" + strings.Join(names, "`, `") + "`" }

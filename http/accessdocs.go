package http

import (
	"fmt"
	"slices"
	"strings"

	"holdfast/domain"
	"holdfast/domain/apikey"
)

// AccessMarkdown writes docs/access.md from the table: for every route who may call it, with
// which key, and whose things it is about.
func AccessMarkdown() string {
	var b strings.Builder
	b.WriteString("# Who may do what\n\nGenerated from the route table (`holdfast docs`); do not edit. How it works: [access-control.md](access-control.md).\n\n")
	b.WriteString("A person holds one or several roles; one that the route names is enough. *user* is everybody who is signed in, *public* needs nothing. A key opens the routes of its scopes and no others. ")
	b.WriteString("An object that is not there and one that the caller does not see are the same 404. ")
	b.WriteString("Tested for every route, every set of roles and every scope: `http` TestRoleMatrix, TestKeysOpenTheirScopesAlone, TestForeignIsUnknown, TestPartiesSeeTheirOwn, TestEveryRouteSaysWhoseItsThingsAre.\n\n")
	columns := []domain.Capacity{domain.Buyer, domain.Seller, domain.Resolver, domain.Guard, domain.Admin}
	b.WriteString("| Method | Path | public |")
	for _, c := range columns {
		b.WriteString(" " + string(c) + " |")
	}
	b.WriteString(" key | Whose | Seen by beside them |\n|---|---|---|---|---|---|---|---|---|---|---|\n")
	routes := Routes()
	slices.SortStableFunc(routes, func(a, b Route) int { return strings.Compare(a.Path, b.Path) })
	for _, r := range routes {
		whose, _ := r.Owned()
		fmt.Fprintf(&b, "| %s | `%s` | %s |", r.Method, r.Path, tick(r.Public()))
		for _, c := range columns {
			b.WriteString(" " + tick(r.Admits([]domain.Capacity{c})) + " |")
		}
		fmt.Fprintf(&b, " %s | %s | %s |\n", words(r.Scopes), whose.Whose(), words(whose.Sees()))
	}
	b.WriteString("\n## Scopes of API keys\n")
	for _, scope := range apikey.Scopes() {
		fmt.Fprintf(&b, "\n**%s**: `%s`\n", scope, strings.Join(Opens(scope), "`, `"))
	}
	return b.String()
}

func tick(yes bool) string {
	if yes {
		return "✓"
	}
	return ""
}

func words[T ~string](all []T) string {
	var out []string
	for _, one := range all {
		out = append(out, string(one))
	}
	return strings.Join(out, ", ")
}

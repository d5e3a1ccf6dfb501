package http

import (
	"fmt"
	"slices"
	"strings"
)

// Markdown writes docs/api.md from the table.
func Markdown() string {
	var b strings.Builder
	b.WriteString("# The HTTP API\n\nGenerated from the route table (`holdfast docs`); do not edit. Bodies and answers: `/openapi.json`, or `/docs` in a browser.\n\n")
	b.WriteString("Every answer has one envelope: `{success:true,data,meta?}` or `{success:false,error:{code,message,details?}}`. ")
	b.WriteString("Every route can answer 400 VALIDATION_FAILED, 401 UNAUTHENTICATED, 403 FORBIDDEN, 404 NOT_FOUND, 409 INVALID_STATE, 413, 415, 429, 500 INTERNAL, 503; the column names the special codes.\n\n")
	b.WriteString("Roles: *public* needs no token, *user* any token. Class: C appends events, C* writes plain rows, Q reads, I brings facts in. `!` = needs an Idempotency-Key. Rate: a auth, p payment, i AI, g global, – none; a request with an API key (`key:` in the roles) counts in the key's own budget.\n")
	routes := Routes()
	slices.SortStableFunc(routes, func(a, b Route) int { return strings.Compare(a.Tag(), b.Tag()) })
	tag := ""
	for _, r := range routes {
		if r.Tag() != tag {
			tag = r.Tag()
			fmt.Fprintf(&b, "\n## %s\n\n| Method | Path | Roles | Class | Rate | What | Codes |\n|---|---|---|---|---|---|---|\n", tag)
		}
		b.WriteString(r.line())
	}
	return b.String()
}

func (r *Route) line() string {
	paths := []string{"`" + r.Path + "`"}
	for _, a := range r.Aliases {
		paths = append(paths, "≈ `"+a+"`")
	}
	class := string(r.Class)
	if r.Money {
		class += " !"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s |\n", r.Method, strings.Join(paths, "<br>"),
		strings.Join(r.roleNames(), ", "), class, strings.ReplaceAll(string(r.Rate), "-", "–"), r.Summary, strings.Join(r.Errors, ", "))
}

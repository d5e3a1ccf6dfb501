// Package gendocs writes the parts of docs/ that follow from the code: error codes, state
// tables and diagrams. `make verify` fails when they are out of date.
package gendocs

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

type code struct{ code, kind, message, where string }

// statuses maps fault kinds to HTTP statuses for the reader of docs/errors.md; http/respond
// holds the table that is in force, and a test there compares the two.
var Statuses = map[string]int{
	"Internal": 500, "Malformed": 400, "Unauthenticated": 401, "Forbidden": 403, "NotFound": 404, "Conflict": 409, "Gone": 410,
	"Stale": 412, "TooLarge": 413, "Unsupported": 415, "Rule": 422, "Locked": 423, "RateLimited": 429, "Upstream": 502, "Unavailable": 503, "Timeout": 504,
}

// Errors lists every code declared with fault.New below root, as a Markdown page.
func Errors(root string) (string, error) {
	codes, err := collect(root)
	if err != nil {
		return "", err
	}
	slices.SortFunc(codes, func(a, b code) int { return cmp.Or(cmp.Compare(a.code, b.code), cmp.Compare(a.where, b.where)) })
	codes = slices.CompactFunc(codes, func(a, b code) bool { return a.code == b.code && a.kind == b.kind && a.message == b.message })
	var b strings.Builder
	b.WriteString("# Error codes\n\nGenerated from the `fault.New` declarations (`make verify`). A code never changes its meaning; clients branch on it, never on the message.\n\n" +
		"| Code | Status | Says | Declared in |\n|---|---|---|---|\n")
	for _, c := range codes {
		fmt.Fprintf(&b, "| `%s` | %d | %s | %s |\n", c.code, Statuses[c.kind], c.message, c.where)
	}
	return b.String(), nil
}

func collect(root string) ([]code, error) {
	var codes []code
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "tools" || name == "node_modules" || name == "testdata") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if c, ok := declared(n); ok {
				c.where = filepath.ToSlash(rel)
				codes = append(codes, c)
			}
			return true
		})
		return nil
	})
	return codes, err
}

// declared recognises fault.New(fault.Kind, "CODE", "message").
func declared(n ast.Node) (code, bool) {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) != 3 {
		return code{}, false
	}
	fun, ok := call.Fun.(*ast.SelectorExpr)
	if ident := (*ast.Ident)(nil); ok {
		ident, _ = fun.X.(*ast.Ident)
		ok = fun.Sel.Name == "New" && ident != nil && ident.Name == "fault"
	} else if f, isIdent := call.Fun.(*ast.Ident); isIdent && f.Name == "New" {
		ok = true // inside package fault itself
	}
	if !ok {
		return code{}, false
	}
	kind := ""
	switch k := call.Args[0].(type) {
	case *ast.SelectorExpr:
		kind = k.Sel.Name
	case *ast.Ident:
		kind = k.Name
	}
	if _, known := Statuses[kind]; !known {
		return code{}, false
	}
	c, err1 := text(call.Args[1])
	m, err2 := text(call.Args[2])
	return code{code: c, kind: kind, message: m}, err1 == nil && err2 == nil
}

// text evaluates a string literal or a sum of them.
func text(e ast.Expr) (string, error) {
	switch e := e.(type) {
	case *ast.BasicLit:
		return strconv.Unquote(e.Value)
	case *ast.BinaryExpr:
		a, err1 := text(e.X)
		b, err2 := text(e.Y)
		return a + b, cmp.Or(err1, err2)
	}
	return "", fmt.Errorf("not a literal")
}

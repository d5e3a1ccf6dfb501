package legacymongo_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/projections/legacymongo"
)

// A read model that the legacy store can answer for must ask in words that both stores understand:
// Filter.Where is SQL, which is an error in the mode `mongo` and no comparison in `dual`. Where may
// stand only in functions that make a statement for Postgres themselves and ask no collection. The
// columns it asks by must be ones that the collection keeps.
func TestBridgedReadModelsAskInNoSQL(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../*/*.go")
	require.NoError(t, err)
	packages, named := map[string][]*ast.FuncDecl{}, map[string]string{}
	bridged := map[string]bool{}
	positions := token.NewFileSet()
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(positions, path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		dir := filepath.Base(filepath.Dir(path))
		if name, ok := viewNamed(f); ok {
			named[dir] = name
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				packages[dir] = append(packages[dir], fn)
				bridged[dir] = bridged[dir] || takesElsewhere(fn)
			}
		}
	}
	views := 0
	for _, c := range legacymongo.Collections() {
		if c.View != "" {
			views++
		}
	}
	n, asked := 0, 0
	for dir, is := range bridged {
		if !is {
			continue
		}
		n++
		c, ok := legacymongo.ByView(named[dir])
		require.True(t, ok, dir)
		for _, fn := range packages[dir] {
			called, columns := calls(fn)
			if called["SQL"] && !called["List"] && !called["One"] && !called["All"] && !called["Count"] {
				continue // a statement of its own
			}
			assert.False(t, called["Where"], "%s: %s asks a collection in SQL", positions.Position(fn.Pos()), fn.Name.Name)
			for _, column := range columns {
				asked++
				_, kept := c.Columns[column]
				assert.True(t, kept || slices.Contains([]string{"id", "created_at", "escrow_state"}, column),
					"%s: %s asks for %s, which %s does not keep", positions.Position(fn.Pos()), fn.Name.Name, column, c.Name)
			}
		}
	}
	assert.Equal(t, views, n, "every bridged read model is looked at")
	assert.Greater(t, asked, 30, "and its columns")
}

// takesElsewhere: it is the method `From` that hands a read model the other store.
func takesElsewhere(fn *ast.FuncDecl) bool {
	if fn.Name.Name != "From" || fn.Recv == nil || len(fn.Type.Params.List) != 1 {
		return false
	}
	kind, ok := fn.Type.Params.List[0].Type.(*ast.SelectorExpr)
	return ok && kind.Sel.Name == "Elsewhere"
}

// viewNamed finds the constant Name.
func viewNamed(f *ast.File) (name string, ok bool) {
	for _, d := range f.Decls {
		g, _ := d.(*ast.GenDecl)
		if g == nil || g.Tok != token.CONST {
			continue
		}
		for _, spec := range g.Specs {
			if v := spec.(*ast.ValueSpec); v.Names[0].Name == "Name" {
				return text(v.Values[0])
			}
		}
	}
	return "", false
}

func text(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil
}

// conditions are the methods of a filter whose first argument is a column.
var conditions = []string{"Eq", "Is", "Not", "In", "Has", "Missing", "AtLeast", "AtMost", "As", "Between", "Contains"}

// calls names the methods that a function calls, and the columns that it sets conditions on.
func calls(fn *ast.FuncDecl) (all map[string]bool, columns []string) {
	all = map[string]bool{}
	ast.Inspect(fn, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		all[method.Sel.Name] = true
		if slices.Contains(conditions, method.Sel.Name) && len(call.Args) > 0 {
			if column, ok := text(call.Args[0]); ok {
				columns = append(columns, column)
			}
		}
		return true
	})
	return all, columns
}

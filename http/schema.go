package http

import (
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"holdfast/domain/money"
)

// schemaName names a type in the document. Types of other rooms carry their package's name.
func schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	name := huma.DefaultSchemaNamer(t, hint)
	pkg := t.PkgPath()
	own := pkg == "" || pkg == "holdfast/http"
	if own {
		return genericName(t, name)
	}
	last := pkg[strings.LastIndexByte(pkg, '/')+1:]
	return strings.ToUpper(last[:1]) + last[1:] + name
}

// genericName keeps Envelope[a.State] and Envelope[b.State] apart.
func genericName(t reflect.Type, name string) string {
	open := strings.IndexByte(t.Name(), '[')
	if open < 0 {
		return name
	}
	arg := strings.TrimSuffix(t.Name()[open+1:], "]")
	words := strings.FieldsFunc(arg, func(r rune) bool { return strings.ContainsRune("[]*/", r) })
	var b strings.Builder
	b.WriteString(t.Name()[:open])
	if strings.HasPrefix(arg, "[]") {
		b.WriteString("List")
	}
	for _, part := range strings.Split(words[len(words)-1], ".") {
		if part != "" && part != "http" {
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return b.String()
}

// schemas gives the registry of the OpenAPI document: types of other rooms are shown in
// their JSON form, and named with their package, so that two States do not collide.
func schemas() huma.Registry {
	r := huma.NewMapRegistry("#/components/schemas/", schemaName)
	r.RegisterTypeAlias(reflect.TypeFor[money.Amount](), reflect.TypeFor[Amount]())
	r.RegisterTypeAlias(reflect.TypeFor[money.Units](), reflect.TypeFor[Decimal]())
	return r
}

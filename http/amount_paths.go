package http

import (
	"reflect"
	"slices"
	"strings"

	"holdfast/domain/fault"
)

// amountPaths lists where a body holds Decimals, so that a wrong one is INVALID_AMOUNT.
func amountPaths(t reflect.Type) []string {
	body, ok := t.FieldByName("Body")
	if !ok {
		return nil
	}
	return decimalsIn(body.Type, "")
}

func decimalsIn(t reflect.Type, path string) []string {
	switch {
	case t == reflect.TypeFor[Decimal]():
		return []string{path}
	case t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice:
		return decimalsIn(t.Elem(), path)
	case t.Kind() != reflect.Struct || !strings.HasPrefix(t.PkgPath()+"holdfast", "holdfast"):
		return nil
	}
	var all []string
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		inner := join(path, name)
		if f.Anonymous {
			inner = path
		}
		all = append(all, decimalsIn(f.Type, inner)...)
	}
	return all
}

// code gives the refusal that fits the details: the special code when all of them are of
// its kind, VALIDATION_FAILED otherwise.
func (r *Route) refusal(details []fault.Detail, unknown int) *fault.Error {
	amounts := 0
	for _, d := range details {
		if slices.Contains(r.amounts, d.Path) {
			amounts++
		}
	}
	base := fault.ErrValidation
	switch {
	case len(details) > 0 && amounts == len(details):
		base = errInvalidAmount
	case len(details) > 0 && unknown == len(details):
		base = errUnknownField
	}
	f := base.Because("%s", base.Message)
	f.Details = details
	return f
}

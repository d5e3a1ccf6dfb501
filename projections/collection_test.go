package projections_test

import (
	"encoding/base64"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"holdfast/domain/fault"
	"holdfast/projections"
)

var bySum = projections.Sort{Name: "sum", Column: "sum", Up: true}

func TestListsGoOnByCursor(t *testing.T) {
	t.Parallel()
	w := setup(t)
	r := w.running(jarProjector())
	for i := range 25 {
		w.append(fmt.Sprintf("jar-%02d", i), 0, put{N: i % 3})
	}
	w.caughtUp(r, "jars")
	jars := newJars(w)
	for name, sort := range map[string]projections.Sort{"newest": projections.Newest, "oldest": projections.Oldest, "by sum": bySum} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var ids []string
			var last projections.Row[jarDoc]
			page := projections.Page{Limit: 4, Sort: sort}
			for {
				list, err := jars.List(t.Context(), nil, page)
				require.NoError(t, err)
				require.LessOrEqual(t, len(list.Rows), 4)
				for _, row := range list.Rows {
					if len(ids) > 0 && sort.Name == "sum" {
						require.GreaterOrEqual(t, row.Doc.Sum, last.Doc.Sum)
					}
					ids, last = append(ids, row.ID), row
				}
				if page.Cursor = list.Next; page.Cursor == "" {
					break
				}
			}
			require.Len(t, ids, 25)
			seen := map[string]bool{}
			for _, id := range ids {
				require.False(t, seen[id], "%s twice", id)
				seen[id] = true
			}
			if sort.Name == "" {
				require.Equal(t, "jar-24", ids[0])
			}
		})
	}
}

func TestForeignCursorsAreRefused(t *testing.T) {
	t.Parallel()
	w := setup(t)
	r := w.running(jarProjector())
	w.fill(40)
	w.caughtUp(r, "jars")
	jars := newJars(w)
	first, err := jars.List(t.Context(), nil, projections.Page{Limit: 1})
	require.NoError(t, err)
	raw := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	for name, cursor := range map[string]string{
		"garbage":        "%%%",
		"not JSON":       raw("hello"),
		"another order":  first.Next,
		"another list":   raw(`{"k":"views.requests/sum","v":"1","p":1}`),
		"SQL":            raw(`{"k":"views.jars/sum","v":"1); DROP TABLE views.jars","p":1}`),
		"unknown field":  raw(`{"k":"views.jars/sum","v":"1","p":1,"x":2}`),
		"position 0":     raw(`{"k":"views.jars/sum","v":"1","p":0}`),
		"other spelling": raw(`{"p":1,"v":"1","k":"views.jars/sum"}`),
		"padding":        first.Next + "==",
	} {
		_, err := jars.List(t.Context(), nil, projections.Page{Cursor: cursor, Sort: bySum})
		require.ErrorIs(t, err, projections.ErrInvalidCursor, name)
	}
}

func TestFiltersTakeTextLiterally(t *testing.T) {
	t.Parallel()
	w := setup(t)
	r := w.running(jarProjector())
	for _, id := range []string{"100%", "100x", "a_b", "axb", `back\slash`} {
		w.append(id, 0, put{N: 1})
	}
	w.caughtUp(r, "jars")
	for text, want := range map[string][]string{"0%": {"100%"}, "a_": {"a_b"}, `k\s`: {`back\slash`}, "A_B": {"a_b"}, "'": nil, "": {"100%", "100x", "a_b", "axb", `back\slash`}} {
		rows, err := newJars(w).All(t.Context(), new(projections.Filter).Contains("id", "id", text))
		require.NoError(t, err)
		var ids []string
		for _, row := range rows {
			ids = append(ids, row.ID)
		}
		require.ElementsMatch(t, want, ids, "search %q", text)
	}
	_, err := newJars(w).Get(t.Context(), "")
	require.ErrorIs(t, err, fault.ErrNotFound)
}

func TestRegistriesRefuseTwoWriters(t *testing.T) {
	t.Parallel()
	_, err := projections.NewRegistry(jarProjector(), jarProjector())
	require.ErrorContains(t, err, "twice")
	_, err = projections.NewRegistry(projections.Documents("Bad Name", 1, "jar", foldJar))
	require.Error(t, err)
	_, err = projections.NewRegistry(projections.Documents("jars", 0, "jar", foldJar))
	require.Error(t, err)
}

package legacymongo_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/bson"

	"holdfast/domain/scenariotest"
	"holdfast/domain/trezor"
	"holdfast/projections/legacymongo"
)

const docs = "../../docs/legacy"

func TestEachCollectionHasItsPage(t *testing.T) {
	t.Parallel()
	index, err := os.ReadFile(filepath.Join(docs, "README.md"))
	require.NoError(t, err)
	events := map[string]bool{}
	for _, a := range append(scenariotest.Aggregates(), trezor.Aggregate()) {
		for _, e := range a.Events {
			events[e.EventType()] = true
		}
	}
	eventRE := regexp.MustCompile(`\b[a-z]+\.[a-z_]+\b`)
	for _, c := range legacymongo.Collections() {
		page, err := os.ReadFile(filepath.Join(docs, c.Name+".md"))
		require.NoError(t, err)
		require.Equal(t, c.Page(), string(page), "docs/legacy/%s.md: run `holdfast docs`", c.Name)
		require.Contains(t, string(index), "("+c.Name+".md)")
		for _, f := range c.Fields {
			for _, e := range eventRE.FindAllString(f.From, -1) {
				require.True(t, events[e], "%s.%s comes from %s, which is no event", c.Name, f.Name, e)
			}
		}
	}
	pages, err := filepath.Glob(filepath.Join(docs, "*.md"))
	require.NoError(t, err)
	for _, page := range pages {
		name := strings.TrimSuffix(filepath.Base(page), ".md")
		known := slices.ContainsFunc(legacymongo.Collections(), func(c legacymongo.Collection) bool { return c.Name == name })
		require.True(t, known || slices.Contains(prose, name), "%s: a page without a collection", page)
	}
}

// prose are the pages of docs/legacy that people write.
var prose = []string{"README", "original", "import", "import-money", "follow"}

// documented checks that every document has the fields of its page, and no others.
func (w *world) documented() {
	w.t.Helper()
	for _, c := range legacymongo.Collections() {
		want := []string{"_id", "__v", "_src", "_pos"}
		for _, f := range c.Fields {
			want = append(want, f.Name)
		}
		if c.Rows == nil {
			want = append(want, "createdAt", "updatedAt")
		}
		slices.Sort(want)
		for _, raw := range w.dump(c.Name) {
			elements, err := bson.Raw(raw).Elements()
			require.NoError(w.t, err)
			var has []string
			for _, e := range elements {
				if e.Key() != "_view" {
					has = append(has, e.Key())
				}
			}
			slices.Sort(has)
			require.Equal(w.t, want, has, "fields of %s", c.Name)
		}
	}
}

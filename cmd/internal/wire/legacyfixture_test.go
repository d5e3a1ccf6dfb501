package wire

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/cmd/internal/legacyfixture"
	legacy "holdfast/domain/migration"
	"holdfast/reactors/legacyimport"
)

// fixture writes a believable database into the import's directory, and gives the truth about it.
func (w *importWorld) fixture(o legacyfixture.Options) legacyfixture.Truth {
	w.t.Helper()
	var truth bytes.Buffer
	_, err := legacyfixture.Generate(w.t.Context(), o, &legacyfixture.Files{Folder: w.dir, Format: "bson"}, &truth)
	require.NoError(w.t, err)
	var out legacyfixture.Truth
	require.NoError(w.t, json.Unmarshal(truth.Bytes(), &out))
	return out
}

// refusedIDs are the documents of a file of refused ones.
func (w *importWorld) refusedIDs(collection string) (ids []string, why map[string]string) {
	w.t.Helper()
	why = map[string]string{}
	for _, line := range w.refusals(collection) {
		var x struct {
			Reasons  []legacy.Problem
			Document struct {
				ID struct {
					OID string `json:"$oid"`
				} `json:"_id"`
			}
		}
		require.NoError(w.t, json.Unmarshal([]byte(line), &x), line)
		ids = append(ids, x.Document.ID.OID)
		why[x.Document.ID.OID] = strings.TrimSpace(line[:min(len(line), 400)])
	}
	slices.Sort(ids)
	return ids, why
}

// moneyless are the collections that need no payments.
var moneyless = []string{legacy.Users, legacy.Categories, legacy.PurchaseRequests, legacy.SellerOffers}

func TestTheFixtureIsImported(t *testing.T) {
	t.Parallel()
	w := withImport(t)
	o := legacyfixture.Small(20, 7)
	o.Dirt = 0.1
	truth := w.fixture(o)
	only := func(wish *legacyimport.Wish) { wish.Collections = moneyless }
	before, err := w.Store.Head(t.Context())
	require.NoError(t, err)
	dry, err := w.run(only, func(wish *legacyimport.Wish) { wish.Dry = true })
	require.NoError(t, err)
	untouched, err := w.Store.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, before.Position, untouched.Position, "a dry run writes nothing")
	wouldRefuse := map[string][]string{}
	for _, c := range moneyless {
		wouldRefuse[c], _ = w.refusedIDs(c)
	}
	runs, err := w.run(only)
	require.NoError(t, err)
	for _, c := range moneyless {
		want := []string{}
		for _, d := range truth.Dirty {
			if d.Collection == c && d.Refuse {
				want = append(want, d.ID)
			}
		}
		slices.Sort(want)
		got, why := w.refusedIDs(c)
		assert.Equal(t, got, wouldRefuse[c], "%s: the dry run said otherwise", c)
		assert.Equal(t, runs[c].Taken, dry[c].Taken, c)
		for _, id := range got {
			if !slices.Contains(want, id) {
				t.Errorf("%s %s was refused: %s", c, id, why[id])
			}
		}
		for _, d := range truth.Dirty {
			if d.Collection == c && d.Refuse && !slices.Contains(got, d.ID) {
				t.Errorf("%s %s was taken: %s", c, d.ID, d.Kind)
			}
		}
		assert.EqualValues(t, truth.Collections[c].Documents, runs[c].Read, c)
		assert.EqualValues(t, truth.Collections[c].Documents-truth.Collections[c].Refused, runs[c].Taken, c)
		var notes int64
		for _, n := range runs[c].Notes {
			notes += n
		}
		assert.GreaterOrEqual(t, notes, int64(truth.Collections[c].Noted), c)
	}

	head, err := w.Store.Head(t.Context())
	require.NoError(t, err)
	again, err := w.run(only)
	require.NoError(t, err)
	for _, c := range moneyless {
		assert.Zero(t, again[c].Taken, c)
		assert.Equal(t, runs[c].Taken, again[c].Unchanged, c)
		assert.Equal(t, runs[c].Refused, again[c].Refused, c)
	}
	after, err := w.Store.Head(t.Context())
	require.NoError(t, err)
	assert.Equal(t, head.Position, after.Position, "a second import changes nothing")
}

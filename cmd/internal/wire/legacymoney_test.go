package wire

import (
	"context"
	"math/big"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/cmd/internal/legacyfixture"
	legacy "holdfast/domain/migration"
	"holdfast/domain/money"
	"holdfast/eventstore/audit"
	"holdfast/projections/legacymongo"
	"holdfast/projections/legacymongo/mongotest"
	"holdfast/reactors/legacyimport"
)

// banking are the collections that touch money.
var banking = []string{legacy.Payments, legacy.LedgerEntries, legacy.ReleaseHolds, legacy.Disputes, legacy.TrezorAccounts, legacy.Destinations, legacy.Thresholds}

// sound checks the log and its books as `holdfast verify` does, and gives the sums of each asset.
func (w *importWorld) sound() map[string]*audit.Sums {
	w.t.Helper()
	books, holds := audit.NewLedger(w.Codec), audit.Holds{}
	for after := int64(0); ; {
		events, err := w.Store.Read(w.t.Context(), after, 2000)
		require.NoError(w.t, err)
		if len(events) == 0 {
			break
		}
		for _, r := range events {
			require.NoError(w.t, books.Apply(r))
			holds.Apply(r)
		}
		after = events[len(events)-1].Position
	}
	totals := books.Totals()
	problems, err := audit.CheckTotals(totals)
	require.NoError(w.t, err)
	more, err := holds.Check(totals)
	require.NoError(w.t, err)
	require.Empty(w.t, append(problems, more...))
	sums, err := audit.PerAsset(totals)
	require.NoError(w.t, err)
	all := map[string]*audit.Sums{}
	for asset, s := range sums {
		all[string(asset)] = s
	}
	return all
}

func TestTheFixturesMoneyIsImported(t *testing.T) {
	t.Parallel()
	w := withImport(t)
	o := legacyfixture.Small(10, 11)
	o.Dirt = 0.1
	truth := w.fixture(o)
	before, err := w.Store.Head(t.Context())
	require.NoError(t, err)
	dry, err := w.run(func(wish *legacyimport.Wish) { wish.Dry = true })
	require.NoError(t, err)
	untouched, err := w.Store.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, before.Position, untouched.Position, "a dry run writes nothing")
	runs, err := w.run()
	require.NoError(t, err)
	for _, c := range banking {
		got, why := w.refusedIDs(c)
		var want []string
		for _, d := range truth.Dirty {
			if d.Collection == c && d.Refuse {
				want = append(want, d.ID)
				if !slices.Contains(got, d.ID) {
					t.Errorf("%s %s was taken: %s", c, d.ID, d.Kind)
				}
			}
		}
		for _, id := range got {
			if !slices.Contains(want, id) {
				t.Errorf("%s %s was refused: %s", c, id, why[id])
			}
		}
		assert.EqualValues(t, truth.Collections[c].Documents, runs[c].Read, c)
		assert.Equal(t, runs[c].Taken, dry[c].Taken, "%s: the dry run said otherwise", c)
		var notes int64
		for _, n := range runs[c].Notes {
			notes += n
		}
		assert.GreaterOrEqual(t, notes, int64(truth.Collections[c].Noted), "%s: %v", c, runs[c].Notes)
	}
	sums := w.sound()
	assert.NotEmpty(t, sums)
	for asset, s := range sums {
		assert.True(t, s.Solvent(), asset)
		fees, err := w.Store.Balance(t.Context(), "equity:opening:legacy", money.Asset(asset))
		require.NoError(t, err)
		own := new(big.Int).Sub(fees.CreditsPosted.Uint256().ToBig(), fees.DebitsPosted.Uint256().ToBig())
		assert.Equal(t, s.Custody.String(), own.Add(own, s.Liabilities).String(), "%s: what is there is owed, or a fee", asset)
	}

	head, err := w.Store.Head(t.Context())
	require.NoError(t, err)
	again, err := w.run()
	require.NoError(t, err)
	for _, c := range banking {
		assert.Zero(t, again[c].Taken, c)
		assert.Equal(t, runs[c].Taken, again[c].Unchanged, c)
	}
	after, err := w.Store.Head(t.Context())
	require.NoError(t, err)
	assert.Equal(t, head.Position, after.Position, "a second import books nothing")
}

func TestMoneysDocumentsComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	uri := mongotest.URI(t)
	db := mongotest.Open(t, uri)
	t.Cleanup(func() { _ = db.Drop(context.Background()) })
	w := withImport(t)
	o := legacyfixture.Small(5, 5)
	o.Dirt = 0
	truth := w.fixture(o)
	_, err := w.run()
	require.NoError(t, err)
	for _, c := range banking {
		require.Empty(t, w.refusals(c), c)
	}

	ctx, l, head := w.kept(uri)
	seen := map[string]int{}
	for _, c := range banking {
		require.NoError(t, l.Runner.WaitFor(ctx, legacymongo.Prefix+c, head.Position), c)
		assert.Equal(t, truth.Collections[c].Documents, w.compareAll(db, c, seen), c)
	}
	for what, n := range seen {
		t.Log(n, what)
	}
}

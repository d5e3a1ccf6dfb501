package wire

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/bson"

	"holdfast/cmd/internal/legacyfixture"
	"holdfast/projections/legacymongo"
)

// TestAWholeDatabaseIsFollowed: a believable database with its dirt, followed from nothing. Every
// document is taken, refused with a reason, or explained.
func TestAWholeDatabaseIsFollowed(t *testing.T) {
	t.Parallel()
	w := withOld(t, legacymongo.Domains()...)
	o := legacyfixture.Small(10, 11)
	o.Dirt = 0.05
	var truth bytes.Buffer
	_, err := legacyfixture.Generate(t.Context(), o, &legacyfixture.Mongo{DB: w.db}, &truth)
	require.NoError(t, err)
	var out legacyfixture.Truth
	require.NoError(t, json.Unmarshal(truth.Bytes(), &out))
	stop := w.follow(Follow{Poll: 100 * time.Millisecond, Sweep: time.Hour})
	began := time.Now()
	require.Eventually(t, func() bool {
		var left, due int
		err := w.HTTP.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE swept_at IS NULL), (SELECT count(*) FROM legacy_follow_refused WHERE tries < 3) FROM legacy_follow_collections`).Scan(&left, &due)
		return err == nil && left+due == 0 && time.Since(began) > time.Second
	}, 3*time.Minute, 200*time.Millisecond)
	t.Logf("followed from nothing in %s", time.Since(began).Round(time.Millisecond))
	stop()
	refused := map[string]bool{}
	for _, d := range out.Dirty {
		refused[d.ID] = d.Refuse
	}
	for _, g := range w.gaps() {
		if g.Kind == "refused" {
			assert.True(t, refused[g.Document], "%s %s was refused: %s", g.Collection, g.Document, g.Error)
		}
	}
	differences, explained := w.verify(w.Core)
	assert.Zero(t, differences)
	assert.Positive(t, explained)
}

// The old backend pays sellers out by entries of its books alone: what was opened for them here goes,
// although no document of a payment has changed.
func TestPaymentsAreFollowedWithTheirBooks(t *testing.T) {
	t.Parallel()
	w := withOld(t, legacymongo.Domains()...)
	o := legacyfixture.Small(3, 3)
	o.Dirt = 0
	_, err := legacyfixture.Generate(t.Context(), o, &legacyfixture.Mongo{DB: w.db}, io.Discard)
	require.NoError(t, err)
	books := w.db.Collection("fundsledgerentries")
	found, err := books.Find(t.Context(), bson.D{{Key: "entryType", Value: "payout"}})
	require.NoError(t, err)
	var late []any
	for found.Next(t.Context()) {
		late = append(late, append(bson.Raw(nil), found.Current...))
	}
	require.NotEmpty(t, late)
	_, err = books.DeleteMany(t.Context(), bson.D{{Key: "entryType", Value: "payout"}})
	require.NoError(t, err)
	have := func() (n int) {
		all, err := w.Store.Balances(t.Context(), "seller:", 0)
		require.NoError(t, err)
		for _, b := range all {
			if b.CreditsPosted != b.DebitsPosted {
				n++
			}
		}
		return n
	}
	reversed := func() (n int) {
		require.NoError(t, w.HTTP.QueryRow(t.Context(), `SELECT count(*) FROM events WHERE type = 'treasury.opening_balance_reversed'`).Scan(&n))
		return n
	}
	w.follow(Follow{Poll: 100 * time.Millisecond, Sweep: time.Second})
	w.until("every payment", func() bool {
		var left int
		err := w.HTTP.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE swept_at IS NULL) FROM legacy_follow_collections`).Scan(&left)
		return err == nil && left == 0 && have() > 0 && len(w.gaps()) == 0
	})
	opened, moved := have(), reversed()
	_, err = books.InsertMany(t.Context(), late)
	require.NoError(t, err)
	w.until("what was paid out there", func() bool { return have() < opened && reversed() >= moved+len(late) })
}

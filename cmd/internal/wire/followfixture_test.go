package wire

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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

package wire

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/bson"

	"holdfast/adapters/legacydb"
	"holdfast/cmd/internal/legacyfixture"
	legacy "holdfast/domain/migration"
)

// entriesFile is the file of the old books, and what stands in it.
func (w *importWorld) entriesFile() (path string, docs []bson.Raw) {
	w.t.Helper()
	require.NoError(w.t, filepath.WalkDir(w.dir, func(p string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(p, legacy.LedgerEntries+".bson") {
			path = p
		}
		return err
	}))
	s, err := legacydb.Open(w.t.Context(), w.dir)
	require.NoError(w.t, err)
	for d, err := range s.Read(w.t.Context(), legacy.LedgerEntries, "") {
		require.NoError(w.t, err)
		docs = append(docs, d.Raw)
	}
	return path, docs
}

// The old backend pays a seller out by one entry more: the payment's own document stays as it is. What
// was opened for him must go with the next import, else he could take it out here once more.
func TestAPaymentIsJudgedAgainWithItsBooks(t *testing.T) {
	t.Parallel()
	w := withImport(t)
	o := legacyfixture.Small(5, 3)
	o.Dirt = 0
	w.fixture(o)
	path, whole := w.entriesFile()
	var before []byte
	late := 0
	for _, raw := range whole {
		if text, _ := raw.Lookup("entryType").StringValueOK(); text == "payout" {
			late++
			continue
		}
		before = append(before, raw...)
	}
	require.Positive(t, late)
	require.NoError(t, os.WriteFile(path, before, 0o600))
	_, err := w.run()
	require.NoError(t, err)
	w.sound()
	opened := w.sellersHave()
	require.NotEmpty(t, opened)

	require.NoError(t, os.WriteFile(path, joined(whole), 0o600))
	again, err := w.run()
	require.NoError(t, err)
	assert.Equal(t, int64(late), again[legacy.Payments].Taken, "each payment that was paid out since")
	w.sound()
	assert.NotEqual(t, opened, w.sellersHave())

	once := withImport(t)
	once.dir = w.dir
	_, err = once.run()
	require.NoError(t, err)
	assert.Equal(t, once.sellersHave(), w.sellersHave(), "as if it had been imported once, afterwards")

	head, err := w.Store.Head(t.Context())
	require.NoError(t, err)
	last, err := w.run()
	require.NoError(t, err)
	assert.Zero(t, last[legacy.Payments].Taken)
	after, err := w.Store.Head(t.Context())
	require.NoError(t, err)
	assert.Equal(t, head.Position, after.Position, "and nothing more")
}

func joined(docs []bson.Raw) (all []byte) {
	for _, d := range docs {
		all = append(all, d...)
	}
	return all
}

// sellersHave is what sellers may take out, account by account.
func (w *importWorld) sellersHave() map[string]string {
	w.t.Helper()
	all, err := w.Store.Balances(w.t.Context(), "seller:", 0)
	require.NoError(w.t, err)
	have := map[string]string{}
	for _, b := range all {
		left, ok := b.CreditsPosted.Sub(b.DebitsPosted)
		require.True(w.t, ok, b.Account)
		if !left.IsZero() {
			have[string(b.Account)+" "+string(b.Asset)] = left.String()
		}
	}
	return have
}

package wire

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/legacydb"
	"holdfast/cmd/internal/config"
	legacy "holdfast/domain/migration"
	"holdfast/domain/request"
	"holdfast/eventstore"
	"holdfast/eventstore/postgres/pgtest"
	"holdfast/reactors/legacyimport"
)

// importWorld is a log with an importer, and a directory that holds what mongoexport wrote.
type importWorld struct {
	*Core
	t       testing.TB
	dir     string
	refused string
}

func withImport(t testing.TB) *importWorld {
	t.Helper()
	return importInto(t, pgtest.URL(t))
}

func importInto(t testing.TB, url string) *importWorld {
	t.Helper()
	cfg := &config.Config{
		Env: "development", DataDir: t.TempDir(), PGURL: url, PGPoolHTTP: 8, PGPoolProjectors: 4, PGPoolJobs: 4,
		PGPoolLegacy: 4,
	}
	cfg.LegacyCurrencies = map[string]string{"USDT": "USDT@56", "USDC": "USDC@56"}
	cfg.LedgerEnforced, cfg.AppealWindow = true, 72*time.Hour
	core, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, core.Close(context.Background())) })
	return &importWorld{Core: core, t: t, dir: t.TempDir(), refused: t.TempDir()}
}

// put writes a collection, a line a document.
func (w *importWorld) put(collection string, lines ...string) {
	w.t.Helper()
	require.NoError(w.t, os.WriteFile(filepath.Join(w.dir, collection+".json"), []byte(strings.Join(lines, "\n")), 0o600))
}

// run imports what the directory holds.
func (w *importWorld) run(change ...func(*legacyimport.Wish)) (runs map[string]legacyimport.Run, err error) {
	w.t.Helper()
	source, err := legacydb.Open(w.t.Context(), w.dir)
	require.NoError(w.t, err)
	importer, err := w.Importer(w.t.Context())
	require.NoError(w.t, err)
	sink := legacydb.NewRefusals(w.refused)
	defer func() { assert.NoError(w.t, sink.Close()) }()
	wish := legacyimport.Wish{Source: source, Sink: sink, Progress: importer.Progress}
	for _, c := range change {
		c(&wish)
	}
	list, err := importer.Run(w.t.Context(), wish)
	runs = map[string]legacyimport.Run{}
	for _, r := range list {
		runs[r.Collection] = r
		assert.Equal(w.t, r.Read, r.Taken+r.Unchanged+r.Refused+r.Ours, r.Collection)
	}
	return runs, err
}

// refusals are the lines of a file of refused documents.
func (w *importWorld) refusals(collection string) []string {
	w.t.Helper()
	raw, err := os.ReadFile(filepath.Join(w.refused, "refused-"+collection+".jsonl"))
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(w.t, err)
	return strings.Split(strings.TrimSpace(string(raw)), "\n")
}

func oid(n int) string { return fmt.Sprintf("65a000000000000000%06x", n) }

func ref(n int) string { return fmt.Sprintf(`{"$oid":%q}`, oid(n)) }

const dates = `"createdAt":{"$date":"2025-02-03T04:05:06.789Z"},"updatedAt":{"$date":"2025-03-04T05:06:07.890Z"},"__v":3`

func category(n int, more string) string {
	return fmt.Sprintf(`{"_id":%s,"name":"Shelf %d","slug":"shelf-%d"%s,%s}`, ref(n), n, n, more, dates)
}

func purchase(n, buyer, shelf int, status, more string) string {
	return fmt.Sprintf(`{"_id":%s,"buyerId":%s,"categoryId":%s,"title":"A lamp","description":"To read by.","quantity":2,"budget":{"min":10,"max":20.5,"currency":"EUR"},
		"urgency":"high","productType":"lamp","deliveryInfo":{"deliveryType":"physical","address":"Main St 1"},"status":%q%s,%s}`, ref(n), ref(buyer), ref(shelf), status, more, dates)
}

func TestCategoriesAndRequestsAreImported(t *testing.T) {
	t.Parallel()
	w := withImport(t)
	_, err := w.HTTP.Exec(t.Context(), `INSERT INTO id_map (object_id, id, collection, imported, snapshot_hash) VALUES ($1, $2, 'users', true, 'aa')`, oid(1), legacy.ID("users", oid(1)))
	require.NoError(t, err)
	w.put("categories", category(12, `,"parentId":`+ref(11)), category(11, ""), category(13, `,"parentId":`+ref(99)))
	w.put("purchaserequests", purchase(21, 1, 11, "active", ""), purchase(22, 1, 12, "pending", ""), purchase(23, 2, 11, "active", ""), purchase(24, 1, 11, "seller_paid", ""))

	runs, err := w.run()
	require.NoError(t, err)
	assert.Equal(t, [3]int64{3, 2, 1}, [3]int64{runs["categories"].Read, runs["categories"].Taken, runs["categories"].Refused}, runs["categories"].Reasons)
	assert.Equal(t, [3]int64{4, 2, 2}, [3]int64{runs["purchaserequests"].Read, runs["purchaserequests"].Taken, runs["purchaserequests"].Refused}, runs["purchaserequests"].Reasons)
	refused := w.refusals("purchaserequests")
	require.Len(t, refused, 2)
	assert.Contains(t, refused[0], `"field":"buyerId"`)
	assert.Contains(t, refused[1], `seller_paid`)
	assert.Len(t, w.refusals("categories"), 1)

	s, version, err := eventstore.State(t.Context(), w.Executor, request.Decider, string(legacy.RequestID(oid(21))))
	require.NoError(t, err)
	assert.EqualValues(t, 1, version)
	assert.Equal(t, request.Open, s.Phase)
	assert.Equal(t, "20.5", s.Details.Budget.Max)
	assert.Equal(t, "To read by.", s.Details.Description.Text)
	assert.Equal(t, legacy.ID("categories", oid(11)), s.Details.CategoryID)

	runs, err = w.run()
	require.NoError(t, err)
	assert.EqualValues(t, 2, runs["purchaserequests"].Unchanged)
	assert.Zero(t, runs["purchaserequests"].Taken)
	assert.Len(t, w.refusals("purchaserequests"), 2, "the same refusals, once")
}

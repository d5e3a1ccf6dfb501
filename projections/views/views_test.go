package views_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"holdfast/domain/ledger"
	"holdfast/domain/scenariotest"
	"holdfast/eventstore"
	"holdfast/eventstore/postgres"
	"holdfast/eventstore/postgres/pgtest"
	"holdfast/projections"
	"holdfast/projections/statementview"
	"holdfast/projections/views"
)

// world is a log with every read model on it.
type world struct {
	*scenariotest.World
	t      *testing.T
	pool   *pgxpool.Pool
	codec  *eventstore.Codec
	store  *postgres.Store
	runner *projections.Runner
	views  *views.Queries
}

func setup(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, pool: pgtest.New(t)}
	var err error
	w.codec, err = eventstore.NewCodec(postgres.NewKeyRing(w.pool, make([]byte, 32)), scenariotest.Aggregates()...)
	require.NoError(t, err)
	w.store, err = postgres.New(t.Context(), w.pool, w.codec, postgres.Options{})
	require.NoError(t, err)
	t.Cleanup(w.store.Close)
	w.World = scenariotest.NewWorld(t, w.store)
	registry, err := projections.NewRegistry(views.Projectors()...)
	require.NoError(t, err)
	w.runner, err = projections.New(pgtest.Open(t, w.pool.Config().ConnString()), w.codec, registry, projections.Options{Poll: 50 * time.Millisecond, Linger: time.Millisecond, Slice: 7})
	require.NoError(t, err)
	w.views = views.New(w.pool, w.codec)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	require.NoError(t, w.runner.Register(ctx))
	go func() { ended <- w.runner.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the runner ended with %v", err)
		}
	})
	return w
}

// caughtUp waits for every view and says which one halted, if one did.
func (w *world) caughtUp() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	for _, p := range views.Projectors() {
		for head := w.Position(); ; {
			short, cancel := context.WithTimeout(ctx, 2*time.Second)
			err := w.runner.WaitFor(short, p.Name(), head)
			cancel()
			if err == nil {
				break
			}
			require.NoError(w.t, ctx.Err(), "%s never caught up", p.Name())
			w.noneHalted()
		}
	}
}

func (w *world) noneHalted() {
	w.t.Helper()
	all, err := w.runner.Status(context.Background())
	require.NoError(w.t, err)
	for _, s := range all {
		require.Nil(w.t, s.Poison, "%s halted", s.Name)
	}
}

func (w *world) dump(table string) []string {
	w.t.Helper()
	rows, err := w.pool.Query(context.Background(), `SELECT t::text FROM views.`+table+` t ORDER BY 1`)
	require.NoError(w.t, err)
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(w.t, err)
	return all
}

// rebuiltEqualsLive rebuilds every view and compares all tables byte for byte.
func (w *world) rebuiltEqualsLive() {
	w.t.Helper()
	for _, p := range views.Projectors() {
		live := map[string][]string{}
		for _, table := range p.Tables() {
			live[table] = w.dump(table)
		}
		require.NoError(w.t, w.runner.Rebuild(w.t.Context(), p.Name(), nil), p.Name())
		for _, table := range p.Tables() {
			require.Equal(w.t, live[table], w.dump(table), "%s after a rebuild", table)
		}
	}
}

// statementsEqualTheLedger compares the last balance of every statement with the ledger.
func (w *world) statementsEqualTheLedger() {
	w.t.Helper()
	totals, err := w.store.Balances(w.t.Context(), "", 0)
	require.NoError(w.t, err)
	for _, b := range totals {
		if !statementview.Has(b.Account) {
			continue
		}
		kind, err := ledger.KindOf(b.Account)
		require.NoError(w.t, err)
		more, less := b.CreditsPosted, b.DebitsPosted
		if kind.Debit {
			more, less = less, more
		}
		want := ""
		if units, ok := more.Sub(less); ok {
			want = units.String()
		} else {
			want = "-" + less.Minus(more).String()
		}
		lines, err := w.views.Statements.Lines(w.t.Context(), statementview.Filter{Account: b.Account, Asset: b.Asset, Limit: 1000})
		require.NoError(w.t, err)
		if len(lines) == 0 {
			require.Equal(w.t, "0", want, "%s has a balance and no statement", b.Account)
			continue
		}
		require.Equal(w.t, want, lines[len(lines)-1].Balance, "balance of %s in %s", b.Account, b.Asset)
		for i, l := range lines {
			require.EqualValues(w.t, i+1, l.N, "lines of %s", b.Account)
		}
	}
}

// Every worked scenario of the design, through the real flows, with all views running live in
// slices of seven: no view halts, each equals its rebuild byte for byte, and statements end at
// the ledger's balances.
func TestViewsOfEveryScenario(t *testing.T) {
	t.Parallel()
	for _, s := range scenariotest.Scenarios(t) {
		t.Run(s.ID, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			scenariotest.Play(w.World, s)
			w.caughtUp()
			w.rebuiltEqualsLive()
			w.statementsEqualTheLedger()
			w.documentsEqualStates()
		})
	}
}

// documentsEqualStates checks that each document stands for its whole stream.
func (w *world) documentsEqualStates() {
	w.t.Helper()
	versions := map[string]int64{}
	for _, r := range w.Read(0) {
		versions[r.Stream.String()] = r.Version
	}
	checked := 0
	for table, category := range map[string]string{
		"requests": "purchase_request", "offers": "seller_offer", "payments": "payment", "holds": "escrow_hold", "disputes": "dispute",
		"payouts": "payout", "refunds": "refund", "destinations": "derived_destination", "deposits": "suspense",
	} {
		rows, err := w.pool.Query(w.t.Context(), `SELECT id, version FROM views.`+table)
		require.NoError(w.t, err)
		var id string
		var version int64
		_, err = pgx.ForEachRow(rows, []any{&id, &version}, func() error {
			if versions[category+"/"+id] != version {
				return fmt.Errorf("%s %s is at version %d of %d", table, id, version, versions[category+"/"+id])
			}
			delete(versions, category+"/"+id)
			checked++
			return nil
		})
		require.NoError(w.t, err)
	}
	for stream := range versions {
		category, _, _ := strings.Cut(stream, "/")
		switch category {
		case "receivable", "treasury", "asset_breaker", "points", "payment_quote", "seed":
		default:
			w.t.Errorf("%s is in no view", stream)
		}
	}
	require.Positive(w.t, checked+len(versions))
}

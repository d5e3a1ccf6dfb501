package legacymongo_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/bson"

	"holdfast/domain/money"
	"holdfast/domain/scenariotest"
	"holdfast/projections"
	"holdfast/projections/destinationview"
	"holdfast/projections/disputeview"
	"holdfast/projections/escrowview"
	"holdfast/projections/legacymongo"
	"holdfast/projections/offerview"
	"holdfast/projections/paymentview"
	"holdfast/projections/requestview"
)

// Every worked scenario of the design, with the collections kept live in small slices: none halts,
// every document is ours, an empty store is filled with the same bytes, and every query gives the
// same answer from either store.
func TestCollectionsOfEveryScenario(t *testing.T) {
	t.Parallel()
	for _, s := range scenariotest.Scenarios(t) {
		t.Run(s.ID, func(t *testing.T) {
			w := setup(t, 7)
			scenariotest.Play(w.World, s)
			w.caughtUp()
			live, documents := w.dumpAll(), 0
			for collection, all := range live {
				for id, raw := range all {
					var doc bson.M
					require.NoError(t, bson.Unmarshal([]byte(raw), &doc))
					require.Equal(t, "holdfast", doc["_src"], "%s %s", collection, id)
					documents++
				}
			}
			require.Positive(t, documents)
			require.NoError(t, w.db.Drop(t.Context()))
			w.rebuild()
			for collection, all := range w.dumpAll() {
				require.Equal(t, live[collection], all, "%s, rebuilt into an empty store", collection)
			}
			w.documented()
			w.sameAnswers()
		})
	}
}

// sameAnswers asks every query of every bridged read model of both stores.
func (w *world) sameAnswers() {
	w.t.Helper()
	sorts := []projections.Sort{projections.Newest, projections.Oldest}
	for _, r := range rows(w, requestview.New(w.pool, w.codec)) {
		d := r.Doc
		both(w, func(q requestview.Queries, ctx context.Context) (any, error) { return q.Get(ctx, d.ID) })
		if d.Selected != nil {
			both(w, func(q requestview.Queries, ctx context.Context) (any, error) { return q.OfHold(ctx, d.Selected.Hold) })
		}
		for _, f := range []requestview.Filter{{}, {Buyer: d.Buyer}, {VisibleTo: "somebody"}, {Phase: d.Phase}, {Category: d.Details.CategoryID, Urgency: d.Details.Urgency}, {BudgetMin: "1", BudgetMax: "5000.5"}, {Search: "A"}, {Currency: "EUR"}} {
			for _, sort := range append(sorts, requestview.CheapestFirst, requestview.DearestFirst) {
				both(w, func(q requestview.Queries, ctx context.Context) (any, error) {
					return q.List(ctx, f, projections.Page{Limit: 2, Sort: sort})
				})
			}
		}
	}
	for _, r := range rowsOf(w, offerview.New(w.pool, w.codec), func(q offerview.Queries) (projections.List[offerview.Doc], error) {
		return q.List(w.t.Context(), offerview.Filter{}, projections.Page{Limit: 100})
	}) {
		both(w, func(q offerview.Queries, ctx context.Context) (any, error) { return q.Get(ctx, r.Doc.ID) })
		both(w, func(q offerview.Queries, ctx context.Context) (any, error) {
			return q.OfRequest(ctx, r.Doc.Request, r.Doc.Seller)
		})
		both(w, func(q offerview.Queries, ctx context.Context) (any, error) {
			return q.List(ctx, offerview.Filter{Phase: r.Doc.Phase, Party: r.Doc.Seller}, projections.Page{Sort: projections.Oldest, Limit: 1})
		})
	}
	w.samePayments()
	w.sameHoldsAndDisputes()
	w.sameDestinations()
}

func (w *world) samePayments() {
	for _, r := range rowsOf(w, paymentview.New(w.pool, w.codec), func(q paymentview.Queries) (projections.List[paymentview.Doc], error) {
		return q.List(w.t.Context(), paymentview.Filter{}, projections.Page{Limit: 100})
	}) {
		d := r.Doc
		both(w, func(q paymentview.Queries, ctx context.Context) (any, error) { return q.Get(ctx, d.ID) })
		both(w, func(q paymentview.Queries, ctx context.Context) (any, error) { return q.OfRequest(ctx, d.Request) })
		both(w, func(q paymentview.Queries, ctx context.Context) (any, error) { return q.OfHold(ctx, d.Hold) })
		both(w, func(q paymentview.Queries, ctx context.Context) (any, error) { return q.Unscreened(ctx) })
		both(w, func(q paymentview.Queries, ctx context.Context) (any, error) {
			return q.InReview(ctx, projections.Page{})
		})
		for _, tx := range d.Txs {
			both(w, func(q paymentview.Queries, ctx context.Context) (any, error) { return q.ByTransaction(ctx, tx) })
		}
		if d.Address != "" {
			both(w, func(q paymentview.Queries, ctx context.Context) (any, error) { return q.ByAddress(ctx, d.Address) })
		}
		for _, f := range []paymentview.Filter{{Party: d.Buyer}, {Party: d.Seller, Phase: d.Phase}, {LegacyStatus: d.LegacyStatus}, {EscrowState: "released"}, {EscrowState: "funded"}, {From: r.CreatedAt}, {To: r.CreatedAt}, {Exception: "over"}} {
			both(w, func(q paymentview.Queries, ctx context.Context) (any, error) {
				return q.List(ctx, f, projections.Page{Limit: 1})
			})
		}
	}
}

func (w *world) sameHoldsAndDisputes() {
	for _, r := range rowsOf(w, paymentview.New(w.pool, w.codec), func(q paymentview.Queries) (projections.List[paymentview.Doc], error) {
		return q.List(w.t.Context(), paymentview.Filter{}, projections.Page{Limit: 100})
	}) {
		both(w, func(q escrowview.Queries, ctx context.Context) (any, error) { return q.Get(ctx, r.Doc.Hold) })
		both(w, func(q escrowview.Queries, ctx context.Context) (any, error) { return q.OfRequest(ctx, r.Doc.Request) })
		both(w, func(q escrowview.Queries, ctx context.Context) (any, error) { return q.OpenOf(ctx, r.Doc.Buyer) })
		both(w, func(q escrowview.Queries, ctx context.Context) (any, error) { return q.Latest(ctx, r.Doc.Request) })
	}
	for _, r := range rowsOf(w, disputeview.New(w.pool, w.codec), func(q disputeview.Queries) (projections.List[disputeview.Doc], error) {
		return q.List(w.t.Context(), disputeview.Filter{}, projections.Page{Limit: 100})
	}) {
		d := r.Doc
		both(w, func(q disputeview.Queries, ctx context.Context) (any, error) { return q.Get(ctx, d.Dispute) })
		both(w, func(q disputeview.Queries, ctx context.Context) (any, error) { return q.OfRequest(ctx, d.Request) })
		for _, f := range []disputeview.Filter{{}, {Party: d.Buyer, OpenOnly: true}, {Unassigned: true}, {Resolver: d.Resolver, Category: d.Category}, {LegacyStatus: d.LegacyStatus}} {
			both(w, func(q disputeview.Queries, ctx context.Context) (any, error) {
				return q.List(ctx, f, projections.Page{Limit: 1, Sort: disputeview.DueFirst})
			})
			both(w, func(q disputeview.Queries, ctx context.Context) (any, error) { return q.Statistics(ctx, f, w.Now()) })
		}
	}
}

func (w *world) sameDestinations() {
	for _, r := range rowsOf(w, destinationview.New(w.pool, w.codec), func(q destinationview.Queries) (projections.List[destinationview.Doc], error) {
		return q.List(w.t.Context(), destinationview.Filter{}, projections.Page{Limit: 100})
	}) {
		d := r.Doc
		both(w, func(q destinationview.Queries, ctx context.Context) (any, error) { return q.Get(ctx, d.ID) })
		both(w, func(q destinationview.Queries, ctx context.Context) (any, error) { return q.ByAddress(ctx, d.Address) })
		both(w, func(q destinationview.Queries, ctx context.Context) (any, error) { return q.Ends(ctx, d.Fingerprint) })
		for _, f := range []destinationview.Filter{{}, {Chain: d.Chain}, {Phase: d.PhaseName, Asset: money.Asset("USDT@56")}} {
			both(w, func(q destinationview.Queries, ctx context.Context) (any, error) {
				return q.List(ctx, f, projections.Page{Limit: 1})
			})
		}
	}
}

// served is a kind of queries that may be answered from another store.
type served[Q any] interface {
	From(e projections.Elsewhere) Q
}

// both asks a question of Postgres and of the legacy store and wants the same bytes.
func both[Q served[Q]](w *world, ask func(Q, context.Context) (any, error)) {
	w.t.Helper()
	here := queries[Q](w)
	for _, d := range legacymongo.Domains() {
		w.modes.Set(d, legacymongo.Mongo)
	}
	want, wantErr := ask(here, w.t.Context())
	got, gotErr := ask(here.From(w.legacy), w.t.Context())
	require.Equal(w.t, wantErr, gotErr)
	require.Equal(w.t, asJSON(w, want), asJSON(w, got))
}

// queries makes the queries of a kind over Postgres.
func queries[Q any](w *world) Q {
	var q any
	switch any(*new(Q)).(type) {
	case requestview.Queries:
		q = requestview.New(w.pool, w.codec)
	case offerview.Queries:
		q = offerview.New(w.pool, w.codec)
	case paymentview.Queries:
		q = paymentview.New(w.pool, w.codec)
	case escrowview.Queries:
		q = escrowview.New(w.pool, w.codec)
	case disputeview.Queries:
		q = disputeview.New(w.pool, w.codec)
	case destinationview.Queries:
		q = destinationview.New(w.pool, w.codec)
	}
	return q.(Q)
}

func asJSON(w *world, v any) string {
	w.t.Helper()
	raw, err := json.Marshal(v)
	require.NoError(w.t, err)
	return string(raw)
}

func rows(w *world, q requestview.Queries) []requestview.Row {
	return rowsOf(w, q, func(q requestview.Queries) (projections.List[requestview.Doc], error) {
		return q.List(w.t.Context(), requestview.Filter{}, projections.Page{Limit: 100})
	})
}

func rowsOf[Q, D any](w *world, q Q, list func(Q) (projections.List[D], error)) []projections.Row[D] {
	w.t.Helper()
	all, err := list(q)
	require.NoError(w.t, err)
	return all.Rows
}

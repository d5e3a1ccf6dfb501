package views_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/money"
	"holdfast/domain/payment"
	"holdfast/domain/scenariotest"
	"holdfast/eventstore"
	"holdfast/eventstore/memory"
	"holdfast/eventstore/postgres/pgtest"
	"holdfast/projections"
	"holdfast/projections/views"
)

// BenchmarkRebuild rebuilds views from a log in which orders are paid and released, several at
// the same time. It reports the events of the log that pass a second.
func BenchmarkRebuild(b *testing.B) {
	pool := pgtest.New(b)
	codec, err := eventstore.NewCodec(memory.NewKeyRing(), scenariotest.Aggregates()...)
	require.NoError(b, err)
	head := fillLog(b, pool, codec, 8000)
	for _, p := range views.Projectors() {
		switch p.Name() {
		case "payments", "holds", "timeline":
		default:
			continue
		}
		b.Run(p.Name(), func(b *testing.B) {
			registry, err := projections.NewRegistry(p)
			require.NoError(b, err)
			r, err := projections.New(pool, codec, registry, projections.Options{})
			require.NoError(b, err)
			require.NoError(b, r.Register(b.Context()))
			for b.Loop() {
				require.NoError(b, r.Rebuild(b.Context(), p.Name(), nil))
			}
			b.ReportMetric(float64(head)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// fillLog writes the events of so many orders straight into the table: appending is not what
// is measured. Fifty orders are under way at a time.
func fillLog(b *testing.B, pool *pgxpool.Pool, codec *eventstore.Codec, orders int) int64 {
	b.Helper()
	var rows [][]any
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	meta, err := json.Marshal(eventstore.Metadata{Actor: domain.User("buyer"), Source: "api", CommandID: uuid.NewString()})
	require.NoError(b, err)
	versions := map[domain.Stream]int64{}
	for first := 0; first < orders; first += 50 {
		for step := range len(orderStory(0)) {
			for n := first; n < first+50; n++ {
				e := orderStory(n)[step]
				s := domain.Stream{Type: "payment", ID: fmt.Sprintf("p%06d", n)}
				if _, hold := e.(escrow.Event); hold {
					s = domain.Stream{Type: "escrow_hold", ID: fmt.Sprintf("h%06d", n)}
				}
				versions[s]++
				name, schema, data, err := codec.Encode(context.Background(), s.Type, e)
				require.NoError(b, err)
				leaf := sha256.Sum256(data)
				rows = append(rows, []any{int64(len(rows) + 1), s.Type, s.ID, versions[s], uuid.New(), name, schema, string(data), string(meta), at, leaf[:]})
			}
		}
	}
	_, err = pool.CopyFrom(b.Context(), pgx.Identifier{"events"}, []string{
		"position", "stream_type", "stream_id", "version", "event_id",
		"type", "schema_version", "data", "metadata", "recorded_at", "leaf_hash",
	}, pgx.CopyFromRows(rows))
	require.NoError(b, err)
	_, err = pool.Exec(b.Context(), `UPDATE log_head SET position = $1`, len(rows))
	require.NoError(b, err)
	_, err = pool.Exec(b.Context(), `ANALYZE events`)
	require.NoError(b, err)
	return int64(len(rows))
}

// orderStory is one order from selection to closing.
func orderStory(n int) []domain.Event {
	request, pay, hold := domain.RequestID(fmt.Sprintf("r%06d", n)), domain.PaymentID(fmt.Sprintf("p%06d", n)), domain.HoldID(fmt.Sprintf("h%06d", n))
	due := money.Of("eip155:56/erc20:0x55d398326f99059fF775485246999027B3197955", money.MustUnits("100000000000000000000"))
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	evidence := payment.Evidence{Chain: 56, Tx: fmt.Sprintf("0x%064d", n), Block: uint64(n), BlockHash: fmt.Sprintf("0x%064d", n)}
	return []domain.Event{
		escrow.Opened{Hold: hold, Request: request, Offer: "o", Buyer: "buyer", Seller: "seller", Due: due, Terms: escrow.Terms{FeeBPS: 250}, At: at},
		payment.Initiated{Payment: pay, Request: request, Offer: "o", Hold: hold, Buyer: "buyer", Seller: "seller", Due: due, Threshold: payment.Threshold{Need: 12, Floor: 3}, ExpiresAt: at, At: at},
		payment.DestinationAssigned{Destination: "d", Address: fmt.Sprintf("0x%040d", n), Path: "m/44'/60'/0'/0/1", Token: "0x55d398326f99059fF775485246999027B3197955", Chain: 56},
		payment.IntentRegistered{Provider: "request-network", RequestID: fmt.Sprintf("rn%d", n), Reference: fmt.Sprintf("0x%016d", n), Topic: "0x1", Proxy: "0x2"},
		payment.Detected{Payment: pay, Hold: hold, Destination: "d", Evidence: evidence, Amount: due, From: "0x3"},
		payment.Confirmed{Payment: pay, Hold: hold, Evidence: evidence, Amount: due, Depth: 12, At: at},
		payment.Paid{At: at},
		escrow.Credited{Payment: pay, Amount: due},
		escrow.Funded{At: at},
		escrow.MadeReleasable{Hold: hold, Amount: due, Cause: "buyer"},
		escrow.Released{Hold: hold, Seller: "seller", Gross: due, Fee: due, Net: due},
		escrow.Closed{At: at},
	}
}

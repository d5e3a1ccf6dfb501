package views_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"holdfast/domain"
	"holdfast/domain/scenariotest"
	"holdfast/eventstore"
	"holdfast/eventstore/memory"
	"holdfast/eventstore/postgres"
	"holdfast/eventstore/postgres/pgtest"
	"holdfast/projections"
	"holdfast/projections/views"
)

// BenchmarkLag appends 300 commands a second with every projector running as in production, and
// reports how long after the append's answer the slowest view had it.
func BenchmarkLag(b *testing.B) {
	pool := pgtest.New(b)
	codec, err := eventstore.NewCodec(memory.NewKeyRing(), scenariotest.Aggregates()...)
	require.NoError(b, err)
	store, err := postgres.New(b.Context(), pool, codec, postgres.Options{})
	require.NoError(b, err)
	defer store.Close()
	registry, err := projections.NewRegistry(views.Projectors()...)
	require.NoError(b, err)
	r, err := projections.New(pgtest.Open(b, pool.Config().ConnString()), codec, registry, projections.Options{})
	require.NoError(b, err)
	require.NoError(b, r.Register(b.Context()))
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	var mu sync.Mutex
	var lags []time.Duration
	var clients sync.WaitGroup
	tick := time.NewTicker(time.Second / 300)
	defer tick.Stop()
	n := 0
	for b.Loop() {
		<-tick.C
		n++
		order := n
		clients.Go(func() {
			s := domain.Stream{Type: "payment", ID: fmt.Sprintf("p%06d", order)}
			a, err := store.Append(context.Background(), eventstore.Append{
				Metadata: eventstore.Metadata{Source: "bench"},
				Streams:  []domain.Staged{{Stream: s, Events: orderStory(order)[1:4]}},
			})
			if err != nil {
				b.Error(err)
				return
			}
			started := time.Now()
			for _, name := range registry.Names() {
				if err := r.WaitFor(ctx, name, a.Last); err != nil {
					b.Error(err)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			lags = append(lags, time.Since(started))
		})
	}
	clients.Wait()
	slices.Sort(lags)
	b.ReportMetric(float64(lags[len(lags)/2].Milliseconds()), "p50-ms")
	b.ReportMetric(float64(lags[len(lags)*99/100].Milliseconds()), "p99-ms")
	stop()
	require.NoError(b, <-ended)
}

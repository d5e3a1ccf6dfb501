package http_test

import (
	"context"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"holdfast/eventstore/postgres"
	"holdfast/eventstore/postgres/pgtest"
	apihttp "holdfast/http"
	"holdfast/projections"
	"holdfast/projections/views"
)

// onPostgres puts the world on a database of its own, with its read models kept by the real
// projectors.
func onPostgres(w *world) {
	tb := w.t
	pool := pgtest.New(tb)
	store, err := postgres.New(tb.Context(), pool, w.codec, postgres.Options{})
	require.NoError(tb, err)
	registry, err := projections.NewRegistry(views.Projectors()...)
	require.NoError(tb, err)
	runner, err := projections.New(pool, w.codec, registry, projections.Options{Linger: time.Millisecond, Poll: 50 * time.Millisecond})
	require.NoError(tb, err)
	require.NoError(tb, runner.Register(tb.Context()))
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = runner.Run(ctx) })
	tb.Cleanup(func() { stop(); running.Wait(); store.Close() })
	w.store = store
	w.deps.Views, w.deps.Positions = apihttp.NewViews(pool, w.codec), runner
}

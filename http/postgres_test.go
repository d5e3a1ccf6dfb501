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

// onLog puts the world's log on a PostgreSQL database of its own.
func onLog(w *world) {
	w.pool = pgtest.New(w.t)
	store, err := postgres.New(w.t.Context(), w.pool, w.codec, postgres.Options{})
	require.NoError(w.t, err)
	w.t.Cleanup(store.Close)
	w.store = store
}

// onPostgres is onLog with read models, kept by the real projectors.
func onPostgres(w *world) {
	onLog(w)
	registry, err := projections.NewRegistry(views.Projectors()...)
	require.NoError(w.t, err)
	runner, err := projections.New(w.pool, w.codec, registry, projections.Options{Linger: time.Millisecond, Poll: 50 * time.Millisecond})
	require.NoError(w.t, err)
	require.NoError(w.t, runner.Register(w.t.Context()))
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = runner.Run(ctx) })
	w.t.Cleanup(func() { stop(); running.Wait() })
	w.deps.Views, w.deps.Positions = apihttp.NewViews(w.pool, w.codec), runner
}

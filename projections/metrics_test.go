package projections_test

import (
	"context"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"holdfast/eventstore/postgres/pgtest"
	"holdfast/projections"
)

func TestMetricsTellWhoHalted(t *testing.T) {
	t.Parallel()
	w := setup(t)
	p, _ := poisoned()
	registry, err := projections.NewRegistry(p)
	require.NoError(t, err)
	metrics := prometheus.NewRegistry()
	r, err := projections.New(pgtest.Open(t, w.pool.Config().ConnString()), w.codec, registry, projections.Options{Metrics: metrics})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	w.append("a", 0, put{N: 1})
	w.append("a", 1, put{N: 13})
	go func() { ended <- r.Run(ctx) }()
	value := func(name string) float64 {
		families, err := metrics.Gather()
		require.NoError(t, err)
		for _, f := range families {
			if f.GetName() == name {
				return f.GetMetric()[0].GetGauge().GetValue()
			}
		}
		return -1
	}
	w.eventually("the metric never told", func() bool { return value("projection_halted") == 1 })
	require.EqualValues(t, 1, value("projection_position"))
	require.Positive(t, value("projection_lag_seconds"))
	stop()
	require.NoError(t, <-ended)
}

func TestASmallPoolIsRefused(t *testing.T) {
	t.Parallel()
	w := setup(t)
	registry, err := projections.NewRegistry(jarProjector())
	require.NoError(t, err)
	cfg := w.pool.Config()
	cfg.MaxConns = 3
	small, err := pgtestPool(t, cfg)
	require.NoError(t, err)
	_, err = projections.New(small, w.codec, registry, projections.Options{})
	require.ErrorContains(t, err, "needs at least 4")
}

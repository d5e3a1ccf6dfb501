package projections

import (
	"context"
	"errors"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/prometheus/client_golang/prometheus"
)

// metrics are what an operator watches.
type metrics struct {
	position, lag, halted *prometheus.GaugeVec
	slices                *prometheus.HistogramVec
	failures              *prometheus.CounterVec
}

func newMetrics(to prometheus.Registerer, names []string) (*metrics, error) {
	label := []string{"projector"}
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, label)
	}
	m := &metrics{
		position: gauge("projection_position", "Position up to which the log is applied."),
		lag:      gauge("projection_lag_seconds", "Age of the first event that is not applied yet."),
		halted:   gauge("projection_halted", "1 when the projector halted at an event."),
		slices: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "projection_slice_seconds", Help: "Time to apply one slice.",
			Buckets: []float64{.001, .002, .005, .01, .02, .05, .1, .25, .5, 1, 5},
		}, label),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "projection_retries_total", Help: "Slices that failed for the moment and were tried again."}, label),
	}
	for _, n := range names {
		m.halted.WithLabelValues(n).Set(0)
	}
	if to == nil {
		return m, nil
	}
	var errs []error
	for _, c := range []prometheus.Collector{m.position, m.lag, m.halted, m.slices, m.failures} {
		errs = append(errs, to.Register(c))
	}
	return m, errors.Join(errs...)
}

// measured is the router's middleware that times slices and counts failures.
func (r *Runner) measured(next message.HandlerFunc) message.HandlerFunc {
	return func(msg *message.Message) ([]*message.Message, error) {
		started, name := time.Now(), message.HandlerNameFromCtx(msg.Context())
		out, err := next(msg)
		r.metrics.slices.WithLabelValues(name).Observe(time.Since(started).Seconds())
		if err != nil {
			r.metrics.failures.WithLabelValues(name).Inc()
		}
		return out, err
	}
}

// watch keeps the gauges fresh.
func (r *Runner) watch(ctx context.Context) {
	for ctx.Err() == nil {
		if all, err := r.Status(ctx); err == nil {
			for _, s := range all {
				r.metrics.show(s)
			}
		}
		pause(ctx, 5*time.Second, nil)
	}
}

func (m *metrics) show(s Status) {
	m.position.WithLabelValues(s.Name).Set(float64(s.Position))
	m.lag.WithLabelValues(s.Name).Set(s.Behind.Seconds())
	halted := 0.0
	if s.State == Halted {
		halted = 1
	}
	m.halted.WithLabelValues(s.Name).Set(halted)
}

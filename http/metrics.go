package http

import (
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the server's own; those of other rooms come in through Deps.Metrics.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	series   seriesCache
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "http_requests_total", Help: "Requests by route and status."}, []string{"method", "route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "http_request_seconds", Help: "Time to answer by route.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"method", "route"}),
	}
	m.registry.MustRegister(m.requests, m.seconds)
	return m
}

// observe counts one request. The route is the table's pattern, never the caller's path, so
// that a scanner cannot make series.
func (m *metrics) observe(c echo.Context, status int, took time.Duration) {
	key := seriesKey{method: method(c), route: c.Path(), status: status}
	one := m.series.get(key, func() series {
		return series{count: m.requests.WithLabelValues(key.method, key.route, strconv.Itoa(key.status)), seconds: m.seconds.WithLabelValues(key.method, key.route)}
	})
	one.count.Inc()
	one.seconds.Observe(took.Seconds())
}

package http

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// seriesCache keeps the resolved series of a (method, route, status): resolving labels
// afresh for each request is measurable on the hot path.
type seriesCache struct{ known sync.Map }

type seriesKey struct {
	method, route string
	status        int
}

type series struct {
	count   prometheus.Counter
	seconds prometheus.Observer
}

func (s *seriesCache) get(key seriesKey, resolve func() series) series {
	if v, ok := s.known.Load(key); ok {
		return v.(series)
	}
	v, _ := s.known.LoadOrStore(key, resolve())
	return v.(series)
}

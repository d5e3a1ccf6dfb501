package wire

import (
	"context"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"holdfast/adapters/records"
	"holdfast/projections/legacymongo"
)

// Following is how the changes of a domain that the old backend owns are taken.
type Following struct {
	Way     string     `json:"way"`   // stream or poll
	Alive   bool       `json:"alive"` // a follower has been heard of lately
	SeenTo  *time.Time `json:"seenTo,omitempty"`
	Lag     float64    `json:"lagSeconds"` // since then; below zero: not every document was looked at yet
	Taken   int64      `json:"taken"`
	Refused int64      `json:"refused"`
	Error   string     `json:"-"` // may name hosts
}

// silence is how long nothing may be heard of a follower that is alive.
const silence = time.Minute

// following tells of each domain that is or was followed, by the database that was followed last.
func (l *Legacy) following(ctx context.Context) (map[string]Following, error) {
	all, err := l.follows.All(ctx)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b records.Follow) int { return a.Beat.Compare(b.Beat) })
	found := map[string]Following{}
	for _, f := range all {
		for domain, d := range followedDomains(f, time.Now()) {
			if l.Owners.Legacy(domain) {
				found[domain] = d
			}
		}
	}
	return found, nil
}

func followedDomains(f records.Follow, now time.Time) map[string]Following {
	found := map[string]Following{}
	for _, c := range f.Collections {
		i := slices.IndexFunc(legacymongo.Collections(), func(l legacymongo.Collection) bool { return l.Name == c.Name })
		if i < 0 {
			continue
		}
		domain := legacymongo.Collections()[i].Domain
		d, ok := found[domain]
		if !ok {
			d = Following{Way: f.Way, Alive: now.Sub(f.Beat) < silence, Error: f.Error, SeenTo: &c.SeenTo}
		}
		d.Taken, d.Refused = d.Taken+c.Taken, d.Refused+c.Refused
		if c.SeenTo.Before(*d.SeenTo) {
			d.SeenTo = &c.SeenTo
		}
		found[domain] = d
	}
	for domain, d := range found {
		if d.Lag = -1; !d.SeenTo.IsZero() {
			d.Lag = max(0, now.Sub(*d.SeenTo).Seconds())
		} else {
			d.SeenTo = nil
		}
		found[domain] = d
	}
	return found
}

// followMetrics shows the same to Prometheus, read when it asks.
type followMetrics struct{ legacy *Legacy }

var (
	followLag     = prometheus.NewDesc("legacy_follow_lag_seconds", "Time since everything that the old backend wrote was seen; -1 while not every document was looked at.", []string{"domain"}, nil)
	followAlive   = prometheus.NewDesc("legacy_follow_up", "1 while a follower is heard of.", []string{"domain"}, nil)
	followTaken   = prometheus.NewDesc("legacy_follow_taken_total", "Changes of the old backend that were taken.", []string{"domain"}, nil)
	followRefused = prometheus.NewDesc("legacy_follow_refused_total", "Documents of the old backend that were refused, each try.", []string{"domain"}, nil)
)

// Describe implements prometheus.Collector.
func (m followMetrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{followLag, followAlive, followTaken, followRefused} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (m followMetrics) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	all, err := m.legacy.following(ctx)
	if err != nil {
		return // the database is away; its own metrics say so
	}
	for domain, f := range all {
		up := 0.0
		if f.Alive {
			up = 1
		}
		to <- prometheus.MustNewConstMetric(followLag, prometheus.GaugeValue, f.Lag, domainName(domain))
		to <- prometheus.MustNewConstMetric(followAlive, prometheus.GaugeValue, up, domainName(domain))
		to <- prometheus.MustNewConstMetric(followTaken, prometheus.CounterValue, float64(f.Taken), domainName(domain))
		to <- prometheus.MustNewConstMetric(followRefused, prometheus.CounterValue, float64(f.Refused), domainName(domain))
	}
}

// followLegacy takes the old backend's changes until ctx ends, where LEGACY_FOLLOW says so.
func (s *Service) followLegacy(ctx context.Context) error {
	for ctx.Err() == nil {
		f, err := s.Follower(ctx, Follow{From: s.Config.FollowFrom, Poll: s.Config.FollowPoll})
		if err == nil {
			return f.Run(ctx)
		}
		s.Log.WarnContext(ctx, "the old backend cannot be followed; it is tried again", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(5 * time.Second):
		}
	}
	return nil
}

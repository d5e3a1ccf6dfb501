package legacymongo

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"time"

	"holdfast/projections"
)

// question is an answer that was given from the legacy store, to be asked of Postgres too.
type question struct {
	view     string
	q        projections.Query
	postgres func(context.Context) ([]projections.Stored, error)
}

// sampled is one of how many answers is compared in dual mode; those that come while too many
// wait are not.
const (
	sampled = 4
	waiting = 64
)

// Compare takes a sample of the answers of domains in dual mode. It never waits.
func (s *Store) Compare(view string, q projections.Query, _ []projections.Stored, postgres func(context.Context) ([]projections.Stored, error)) {
	c, ok := ByView(view)
	if !ok || s.modes.Of(c.Domain) != Dual || s.owners.Legacy(c.Domain) || rand.N(sampled) != 0 {
		return
	}
	select {
	case s.questions <- question{view, q, postgres}:
	default:
	}
}

// Sample compares what Compare has taken, until ctx ends. A difference is written down when it is
// still there, unchanged, after the slower of the two sides had time to catch up.
func (s *Store) Sample(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case x := <-s.questions:
			if err := s.compare(ctx, x, settle); err != nil && ctx.Err() == nil {
				s.log.Warn("an answer of the legacy store could not be compared", "view", x.view, "error", err)
			}
		}
	}
}

// settle is how often both sides are asked again, and how long after.
var settle = []time.Duration{0, 300 * time.Millisecond, 2 * time.Second, 5 * time.Second}

func (s *Store) compare(ctx context.Context, x question, pauses []time.Duration) error {
	c, _ := ByView(x.view)
	var gaps []Gap
	for n, wait := range pauses {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		if s.modes.Of(c.Domain) != Dual {
			return nil // it was moved: the collections may rest
		}
		ask, cancel := context.WithTimeout(ctx, 3*patience)
		mongo, err := s.Find(ask, x.view, x.q)
		var postgres []projections.Stored
		if err == nil {
			postgres, err = x.postgres(ask)
		}
		cancel()
		if err != nil {
			return err
		}
		found, err := differences(c, mongo, postgres, len(mongo) == x.q.Limit || len(postgres) == x.q.Limit)
		if err != nil {
			return err
		}
		if n > 0 {
			found = lasting(gaps, found)
		}
		if gaps = found; len(gaps) == 0 {
			return nil
		}
	}
	for _, g := range gaps {
		if err := s.gaps.Note(ctx, g); err != nil {
			return err
		}
	}
	return nil
}

// lasting gives the differences that were there before, exactly so. While people write, the sides
// differ whenever they are asked, each time in something else: the one comes after the other.
func lasting(before, now []Gap) (all []Gap) {
	for _, g := range now {
		if slices.Contains(before, g) {
			all = append(all, g)
		}
	}
	return all
}

// differences compares two answers. On a page that is full, what lies beyond its end on one side
// only is no difference.
func differences(c Collection, mongo, postgres []projections.Stored, full bool) ([]Gap, error) {
	there := map[string]projections.Stored{}
	for _, m := range mongo {
		there[m.ID] = m
	}
	var gaps []Gap
	gap := func(id, kind, field, pg, other string) {
		gaps = append(gaps, Gap{Domain: c.Domain, Collection: c.Name, Document: id, Severity: "critical", Kind: kind, Field: field, Postgres: pg, Mongo: other})
	}
	for _, p := range postgres {
		m, ok := there[p.ID]
		delete(there, p.ID)
		if !ok {
			if !full {
				gap(p.ID, "missing", "", fmt.Sprint("version ", p.Version), "")
			}
			continue
		}
		field, pg, other, err := firstDifference(p.Doc, m.Doc)
		switch {
		case err != nil:
			return nil, err
		case p.Version != m.Version:
			gap(p.ID, "answer", "version", fmt.Sprint(p.Version), fmt.Sprint(m.Version))
		case field != "":
			gap(p.ID, "answer", field, pg, other)
		}
	}
	if !full {
		for _, id := range slices.Sorted(maps.Keys(there)) {
			gap(id, "extra", "", "", fmt.Sprint("version ", there[id].Version))
		}
	}
	return gaps, nil
}

// firstDifference names the first path at which two JSON documents differ; empty for none.
func firstDifference(pg, mongo []byte) (field, a, b string, err error) {
	var left, right any
	if err := json.Unmarshal(pg, &left); err != nil {
		return "", "", "", err
	}
	if err := json.Unmarshal(mongo, &right); err != nil {
		return "state", "", "not JSON", nil //nolint:nilerr // that it cannot be read is the difference
	}
	field, a, b = differ("", left, right)
	return field, a, b, nil
}

func differ(path string, a, b any) (field, left, right string) {
	x, ok := a.(map[string]any)
	y, both := b.(map[string]any)
	if !ok || !both {
		if reflect.DeepEqual(a, b) {
			return "", "", ""
		}
		return path, short(a), short(b)
	}
	for _, k := range slices.Sorted(maps.Keys(x)) {
		if field, left, right = differ(under(path, k), x[k], y[k]); field != "" {
			return field, left, right
		}
	}
	for _, k := range slices.Sorted(maps.Keys(y)) {
		if _, known := x[k]; !known {
			return under(path, k), "", short(y[k])
		}
	}
	return "", "", ""
}

func under(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// short is a value for the table of gaps.
func short(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(raw[:min(len(raw), 500)])
}

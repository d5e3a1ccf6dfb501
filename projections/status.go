package projections

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Status is how a read model stands.
type Status struct {
	Name     string
	Version  int
	Position int64
	Head     int64
	Lag      int64         // events not applied yet
	Behind   time.Duration // age of the first of them
	State    string        // running, paused, halted
	Poison   *Poison       // set when halted
	Build    *Progress     // a rebuild under way, or finished and not in place yet
}

// Progress is how far a rebuild has come.
type Progress struct {
	Name     string
	Position int64
	Head     int64
	Ready    bool // everything is built; Promote puts it in place
}

// buildingSQL: somebody holds the rebuild's lock. What an interrupted rebuild left does not count.
const buildingSQL = `EXISTS (SELECT FROM pg_locks l WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
	AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
	AND l.classid = (hashtext('holdfast.rebuild')::bigint & 4294967295)::oid AND l.objid = (hashtext(c.name)::bigint & 4294967295)::oid)`

const statusSQL = `SELECT c.name, c.version, c.position, c.state, c.poison_position, c.poison_type, c.poison_error, c.halted_at,
	h.position, COALESCE(EXTRACT(epoch FROM clock_timestamp() - e.recorded_at), 0)::float8, b.position, b.ready
	FROM projection_checkpoints c CROSS JOIN log_head h
	LEFT JOIN events e ON e.position = c.position + 1
	LEFT JOIN projection_builds b ON b.name = c.name AND (b.ready OR ` + buildingSQL + `)
	WHERE c.name = ANY($1)`

// Status lists the registered projectors in the registry's order.
func (r *Runner) Status(ctx context.Context) ([]Status, error) {
	rows, err := r.engine.pool.Query(ctx, statusSQL, r.registry.Names())
	if err != nil {
		return nil, fmt.Errorf("read the projectors' status: %w", err)
	}
	found := map[string]Status{}
	all, err := pgx.CollectRows(rows, scanStatus)
	if err != nil {
		return nil, fmt.Errorf("read the projectors' status: %w", err)
	}
	for _, s := range all {
		found[s.Name] = s
	}
	ordered := make([]Status, 0, len(all))
	for _, name := range r.registry.Names() {
		if s, ok := found[name]; ok {
			ordered = append(ordered, s)
		}
	}
	return ordered, nil
}

func scanStatus(row pgx.CollectableRow) (s Status, err error) {
	var poison, built *int64
	var kind, text *string
	var since *time.Time
	var ready *bool
	var behind float64
	if err := row.Scan(&s.Name, &s.Version, &s.Position, &s.State, &poison, &kind, &text, &since, &s.Head, &behind, &built, &ready); err != nil {
		return s, err
	}
	s.Lag = max(0, s.Head-s.Position)
	s.Behind = max(0, time.Duration(behind*float64(time.Second)))
	if s.State == Halted {
		s.Poison = &Poison{Position: *poison, Type: *kind, Error: *text, Since: since.UTC()}
	}
	if built != nil {
		s.Build = &Progress{Name: s.Name, Position: *built, Head: s.Head, Ready: *ready}
	}
	return s, nil
}

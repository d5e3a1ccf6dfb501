package projections

import (
	"context"
	"fmt"
	"regexp"

	"github.com/jackc/pgx/v5"

	"holdfast/eventstore"
)

// Schema is where the read models stand. A projector names its tables without it: the
// transaction's search path decides whether the live tables are meant or those of a rebuild.
const Schema = "views"

// Projector keeps one read model.
type Projector interface {
	// Name is the read model's, for ever: requests, offers, payments …
	Name() string
	// Version counts the shapes of the tables' content; a new one makes the runner rebuild.
	Version() int
	// Categories are the stream types it wants to see, nil for all.
	Categories() []string
	// Tables are all tables it writes, without schema. Nobody else writes them.
	Tables() []string
	// Apply folds a batch into the tables, in order of position. It is called again after an
	// error with the same or smaller batches; whatever tx did is undone then. Apply must depend on
	// nothing but the tables and the batch, and must give the same rows however the log is cut
	// into batches. Personal text of the events is sealed.
	Apply(ctx context.Context, tx pgx.Tx, batch []eventstore.Recorded) error
}

// PositionsOnly marks a projector that looks at nothing of an event but where and when it
// stands: its batches may come without Data, Metadata and Event, and no event type is unknown to it.
type PositionsOnly interface{ PositionsOnly() }

// Registry is the list of projectors that a process runs.
type Registry struct {
	order  []Projector
	byName map[string]Projector
}

// names are part of schema names.
var names = regexp.MustCompile(`^[a-z][a-z_]{0,30}$`)

// NewRegistry joins projectors. It refuses two that share a name or a table.
func NewRegistry(projectors ...Projector) (*Registry, error) {
	r := &Registry{order: projectors, byName: map[string]Projector{}}
	owner := map[string]string{}
	for _, p := range projectors {
		if !names.MatchString(p.Name()) || p.Version() < 1 {
			return nil, fmt.Errorf("projector %q version %d: a name is lower case, a version counts from 1", p.Name(), p.Version())
		}
		if r.byName[p.Name()] != nil {
			return nil, fmt.Errorf("projector %q is registered twice", p.Name())
		}
		r.byName[p.Name()] = p
		for _, t := range p.Tables() {
			if !names.MatchString(t) {
				return nil, fmt.Errorf("projector %q: table %q is not a plain name", p.Name(), t)
			}
			if owner[t] != "" {
				return nil, fmt.Errorf("projectors %q and %q both write table %q", owner[t], p.Name(), t)
			}
			owner[t] = p.Name()
		}
	}
	return r, nil
}

// Names lists the projectors in the order in which they were given.
func (r *Registry) Names() []string {
	all := make([]string, len(r.order))
	for i, p := range r.order {
		all[i] = p.Name()
	}
	return all
}

// find gives a projector; ErrUnknown for a name that nobody registered.
func (r *Registry) find(name string) (Projector, error) {
	if p := r.byName[name]; p != nil {
		return p, nil
	}
	return nil, ErrUnknown.With("name", name)
}

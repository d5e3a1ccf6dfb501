package legacymongo

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"

	"holdfast/eventstore"
	"holdfast/projections"
)

// Prefix begins the names of the projectors: legacy_purchaserequests …
const Prefix = "legacy_"

// erasure is the fact after which somebody's personal text cannot be opened any more. It touches
// every document that holds such text, whatever collection it stands in.
const (
	people = "user"
	erased = "user.erased"
)

// projector keeps one collection.
type projector struct {
	Collection
	store *Store
}

// Projectors keep the store's collections; the runner that runs them must be given a pool of its
// own, since a slice waits for the legacy store.
func (s *Store) Projectors() []projections.Projector {
	var all []projections.Projector
	for _, c := range s.collections {
		if c.Rows != nil {
			continue
		}
		p := &projector{Collection: c, store: s}
		if c.Find != nil {
			all = append(all, positionsOnly{p})
			continue
		}
		all = append(all, p)
	}
	return all
}

// positionsOnly spares a collection that finds its documents by position the decoding of all events.
type positionsOnly struct{ *projector }

func (positionsOnly) PositionsOnly() {}

func (p *projector) Name() string     { return Prefix + p.Collection.Name }
func (p *projector) Version() int     { return p.Collection.Version }
func (p *projector) Tables() []string { return nil } // it stands in Mongo

// Categories are the streams of the documents, what they look at, and erasures; all of them for a
// collection that comes from every stream.
func (p *projector) Categories() []string {
	if p.Find != nil {
		return nil
	}
	all := p.categories()
	if !slices.Contains(all, people) {
		all = append(all, people)
	}
	return all
}

// Apply renders every document that the batch touches as the log stands at its end, and writes
// them. When it returns, a majority of the store has them.
func (p *projector) Apply(ctx context.Context, tx pgx.Tx, batch []eventstore.Recorded) error {
	ids, err := p.touched(ctx, tx, batch)
	if err != nil || len(ids) == 0 {
		return err
	}
	r := newReading(ctx, p.store.codec, p.store.assets, batch[len(batch)-1].Position)
	r.since = batch[0].Position
	if p.Find == nil { // else the events have come without what they say
		r.have(batch)
	}
	return p.store.put(ctx, tx, p.Collection, r, ids)
}

// touched names the documents that a batch is about, in the order of their first event.
func (p *projector) touched(ctx context.Context, tx pgx.Tx, batch []eventstore.Recorded) ([]string, error) {
	if p.Find != nil {
		return p.Find(ctx, tx, batch)
	}
	var ids, moved []string
	seen := map[string]bool{}
	add := func(id string) {
		if !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	for _, e := range batch {
		switch {
		case slices.Contains(p.Streams, e.Stream.Type):
			if p.Documents == nil {
				add(e.Stream.ID)
				break
			}
			for _, id := range p.Documents(e) {
				add(id)
			}
		case slices.Contains(p.Reads, e.Stream.Type):
			moved = append(moved, e.Stream.String())
		}
		if e.Type == erased {
			moved = append(moved, erasureOf(e.Stream.ID))
		}
	}
	if len(moved) == 0 {
		return ids, nil
	}
	rows, err := tx.Query(ctx, `SELECT DISTINCT document FROM public.legacy_sources WHERE collection = $1 AND stream = ANY($2) ORDER BY 1`, p.Collection.Name, moved)
	if err != nil {
		return nil, fmt.Errorf("look up who has read what moved: %w", err)
	}
	var id string
	_, err = pgx.ForEachRow(rows, []any{&id}, func() error { add(id); return nil })
	return ids, err
}

func erasureOf(user string) string { return "erasure/" + user }

// have takes in the streams that begin in a batch: they need not be read again.
func (r *Reading) have(batch []eventstore.Recorded) {
	for _, e := range batch {
		if _, ok := r.streams[e.Stream]; ok || e.Version == 1 {
			r.streams[e.Stream] = append(r.streams[e.Stream], e)
		}
	}
}

// rendered is a document ready to be written.
type rendered struct {
	id      string // of the thing
	object  primitive.ObjectID
	pos     int64
	body    bson.D
	sources []string
	born    bool // nobody can have written it before
}

// render gives the documents as they stand; those that are none (yet) are left out.
func (r *Reading) render(tx pgx.Tx, c Collection, ids []string) ([]rendered, error) {
	var all []rendered
	for left := ids; len(left) > 0; {
		var again []string
		for _, id := range left {
			d, err := r.one(c, id)
			switch {
			case errors.Is(err, errWanted):
				again = append(again, id)
			case err != nil:
				return nil, fmt.Errorf("render %s %s: %w", c.Name, id, err)
			case d != nil:
				all = append(all, *d)
			}
		}
		more, err := r.fetch(tx)
		if err != nil {
			return nil, err
		}
		if !more && len(again) > 0 {
			return nil, fmt.Errorf("%s %s asks for what is not there", c.Name, again[0])
		}
		left = again
	}
	return all, nil
}

func (r *Reading) one(c Collection, id string) (*rendered, error) {
	r.sources, r.pos = map[string]bool{}, 0
	d, err := c.Render(r, id)
	if err != nil || d == nil {
		return nil, err
	}
	object, err := r.object(name{c.Name, id})
	if err != nil {
		return nil, err
	}
	out := &rendered{id: id, object: object, pos: r.pos, born: d.First >= r.since, body: bson.D{{Key: "_id", Value: object}}}
	out.body = append(out.body, d.Fields...)
	out.body = append(out.body, bson.E{Key: "__v", Value: d.Version - 1}, bson.E{Key: markKey, Value: mark}, bson.E{Key: posKey, Value: r.pos})
	for s := range r.sources {
		if err := r.allowed(c, s); err != nil {
			return nil, err
		}
		out.sources = append(out.sources, s)
	}
	if d.view != nil {
		out.body = append(out.body, bson.E{Key: viewKey, Value: d.view.document()})
		for _, who := range d.view.subjects {
			out.sources = append(out.sources, erasureOf(who))
		}
	}
	for _, who := range d.subjects {
		out.sources = append(out.sources, erasureOf(string(who)))
	}
	slices.Sort(out.sources)
	return out, nil
}

// allowed refuses a document that reads a stream whose events its collection does not see: it
// would not be written again when that moves.
func (r *Reading) allowed(c Collection, source string) error {
	if slices.ContainsFunc(c.categories(), func(t string) bool { return len(source) > len(t) && source[:len(t)+1] == t+"/" }) {
		return nil
	}
	return fmt.Errorf("it reads %s, which %s does not list", source, c.Name)
}

package legacymongo

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo/options"
	"golang.org/x/sync/errgroup"

	"holdfast/projections"
)

// sight is how many documents are read before they are dealt with, under one lock.
const sight = 1000

// onlyMarks is what a rebuild needs to see of a document.
var onlyMarks = bson.D{{Key: "_id", Value: 1}, {Key: markKey, Value: 1}, {Key: posKey, Value: 1}}

// pass reads a collection through and has something done with every document that the log implies:
// first with those that are there, as they are read, then with those that were not seen. To look
// each of them up would cost several times as much. It keeps the names of what it has seen, some 20
// bytes a document.
type pass struct {
	*projector
	pool       *pgxpool.Pool
	projection any // of what is read; nil for whole documents
	report     func(projections.Progress)
	// seen is the task with documents that were read, under the projector's lock; they may have
	// changed since.
	seen func(there map[primitive.ObjectID]bson.Raw) task
	// unseen is the task with the others; they may have come since.
	unseen task
	// between is done when all has been read, before the others are looked for; nil for nothing.
	between func(context.Context) error

	known        map[primitive.ObjectID]struct{}
	mine, theirs bson.A // documents without a name, with our mark and without
	documents    int64  // that were read
	expected     int64  // about how many there are: to count them, FerretDB reads them all
}

// run makes the pass and says where the projector stood at its end.
func (p *pass) run(ctx context.Context) (stands int64, err error) {
	p.known = map[primitive.ObjectID]struct{}{}
	if err := p.pool.QueryRow(ctx, `SELECT count(*) FROM public.id_map WHERE collection = $1`, p.Collection.Name).Scan(&p.expected); err != nil {
		return 0, fmt.Errorf("count the names of %s: %w", p.Collection.Name, err)
	}
	group, inner := errgroup.WithContext(ctx)
	batches := make(chan []bson.Raw, 1)
	group.Go(func() error {
		defer close(batches)
		return p.read(inner, batches)
	})
	group.Go(func() error {
		for batch := range batches {
			if err := p.batch(inner, batch); err != nil {
				return err
			}
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		return 0, err
	}
	if p.between != nil {
		if err := p.between(ctx); err != nil {
			return 0, err
		}
	}
	return p.walk(ctx, p.pool, 0, p.rest(), p.missed, p.unseen)
}

// tell reports how much of the collection has been read, as a part of the way.
func (p *pass) tell(stands int64) {
	if p.report == nil {
		return
	}
	read := min(float64(p.documents)/float64(max(p.expected, p.documents)), 0.99)
	p.report(projections.Progress{Name: p.Name(), Position: int64(float64(stands) * read), Head: stands})
}

// rest reports the second part of the way: where there was a first, only its end.
func (p *pass) rest() func(projections.Progress) {
	if p.report == nil || p.documents == 0 {
		return p.report
	}
	return func(at projections.Progress) {
		if at.Ready {
			p.report(at)
		}
	}
}

// read gives the collection's documents, batch by batch.
func (p *pass) read(ctx context.Context, out chan<- []bson.Raw) error {
	some := options.Find().SetBatchSize(inserts)
	if p.projection != nil {
		some.SetProjection(p.projection)
	}
	cursor, err := p.store.db.Collection(p.Collection.Name).Find(ctx, bson.D{}, some)
	if err != nil {
		return fail("read "+p.Collection.Name, err)
	}
	defer func() { _ = cursor.Close(context.WithoutCancel(ctx)) }()
	var batch []bson.Raw
	send := func() error {
		select {
		case out <- batch:
			batch = nil
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for cursor.Next(ctx) {
		if batch = append(batch, slices.Clone(cursor.Current)); len(batch) == sight {
			if err := send(); err != nil {
				return err
			}
		}
	}
	if err := cursor.Err(); err != nil {
		return fail("read "+p.Collection.Name, err)
	}
	return send()
}

// batch has the documents of a batch dealt with.
func (p *pass) batch(ctx context.Context, batch []bson.Raw) error {
	there := map[primitive.ObjectID]bson.Raw{}
	var objects []string
	for _, raw := range batch {
		p.documents++
		if id, ok := raw.Lookup("_id").ObjectIDOK(); ok {
			there[id], objects = raw, append(objects, id.Hex())
		} else {
			p.nameless(raw.Lookup("_id"), raw)
		}
	}
	var stands int64
	err := pgx.BeginFunc(ctx, p.pool, func(tx pgx.Tx) (err error) {
		if stands, err = p.stands(ctx, tx); err != nil {
			return err
		}
		names, err := namesOf(ctx, tx, p.Collection, objects)
		if err != nil {
			return err
		}
		var ids []string
		for _, raw := range batch {
			object, ok := raw.Lookup("_id").ObjectIDOK()
			if !ok {
				continue
			}
			if id, named := names[object]; named {
				p.known[object] = struct{}{}
				ids = append(ids, id)
			} else {
				p.nameless(object, raw)
			}
		}
		r := newReading(ctx, p.store.codec, p.store.assets, stands)
		r.since = stands + 1 // none of them is new
		return r.inPieces(ctx, tx, p.Collection, ids, p.seen(there))
	})
	p.tell(stands)
	return err
}

func (p *pass) nameless(id any, raw bson.Raw) {
	if said, _ := raw.Lookup(markKey).StringValueOK(); said == mark {
		p.mine = append(p.mine, id)
	} else {
		p.theirs = append(p.theirs, id)
	}
}

// missed keeps the ids of documents that the pass has not seen.
func (p *pass) missed(ctx context.Context, tx pgx.Tx, ids []string) ([]string, error) {
	rows, err := tx.Query(ctx, `SELECT id, object_id FROM public.id_map WHERE collection = $1 AND id = ANY($2)`, p.Collection.Name, ids)
	if err != nil {
		return nil, fmt.Errorf("look up the names of %s: %w", p.Collection.Name, err)
	}
	objects := map[string]primitive.ObjectID{}
	var id, hex string
	if _, err := pgx.ForEachRow(rows, []any{&id, &hex}, func() (err error) {
		objects[id], err = primitive.ObjectIDFromHex(hex)
		return err
	}); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(ids, func(id string) bool {
		object, named := objects[id]
		if !named {
			object = ObjectID(p.Collection.Name, id)
		}
		_, seen := p.known[object]
		return seen
	}), nil
}

// namesOf gives the things that documents stand for, as far as id_map knows them.
func namesOf(ctx context.Context, tx pgx.Tx, c Collection, objects []string) (map[primitive.ObjectID]string, error) {
	rows, err := tx.Query(ctx, `SELECT object_id, id FROM public.id_map WHERE collection = $1 AND object_id = ANY($2)`, c.Name, objects)
	if err != nil {
		return nil, fmt.Errorf("look up the documents of %s: %w", c.Name, err)
	}
	names := map[primitive.ObjectID]string{}
	var hex, id string
	_, err = pgx.ForEachRow(rows, []any{&hex, &id}, func() error {
		object, err := primitive.ObjectIDFromHex(hex)
		names[object] = id
		return err
	})
	return names, err
}

package legacymongo

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// put renders documents and writes them. What is kept in Postgres about them goes with tx; the
// caller holds the lock that makes us the collection's one writer.
func (s *Store) put(ctx context.Context, tx pgx.Tx, c Collection, r *Reading, ids []string) error {
	docs, err := r.render(tx, c, ids)
	if err != nil || len(docs) == 0 {
		return err
	}
	return s.store(ctx, tx, c, docs)
}

// store writes documents, and what is kept about them.
func (s *Store) store(ctx context.Context, tx pgx.Tx, c Collection, docs []rendered) error {
	if s.owners.Legacy(c.Domain) {
		return owned{c.Name}
	}
	if err := remember(ctx, tx, c, docs); err != nil {
		return err
	}
	docs, changed, err := s.takeOver(ctx, tx, c, docs)
	if err != nil {
		return err
	}
	foreign, err := s.write(ctx, c.Name, docs)
	if err != nil {
		return err
	}
	foreign = append(foreign, changed...)
	for _, d := range foreign {
		if err := note(ctx, tx, Gap{
			Domain: c.Domain, Collection: c.Name, Document: d.object.Hex(), Severity: "critical", Kind: "foreign",
			Error: "a document that is not ours stands in its place; it was left alone",
		}); err != nil {
			return err
		}
	}
	return nil
}

// remember notes the names of documents and what they were made of.
func remember(ctx context.Context, tx pgx.Tx, c Collection, docs []rendered) error {
	var objects, ids, streams, documents []string
	for _, d := range docs {
		objects, ids = append(objects, d.object.Hex()), append(ids, d.id)
		for _, s := range d.sources {
			if c.follows(s, d.id) {
				streams, documents = append(streams, s), append(documents, d.id)
			}
		}
	}
	batch := &pgx.Batch{}
	batch.Queue(`INSERT INTO public.id_map (object_id, id, collection) SELECT o, i, $3 FROM unnest($1::text[], $2::text[]) AS d (o, i)
		ON CONFLICT DO NOTHING`, objects, ids, c.Name)
	batch.Queue(`INSERT INTO public.legacy_sources (collection, stream, document) SELECT $1, s, d FROM unnest($2::text[], $3::text[]) AS x (s, d)
		ON CONFLICT DO NOTHING`, c.Name, streams, documents)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("remember the documents of %s: %w", c.Name, err)
	}
	return nil
}

// follows reports whether a document must be looked up when a stream moves: its own stream names
// it without.
func (c Collection) follows(source, id string) bool {
	return c.Documents != nil || !slices.ContainsFunc(c.Streams, func(t string) bool { return source == t+"/"+id })
}

// The documents of one command. FerretDB keeps one of its 100 connections busy for each statement
// of an update until the command's end, and then waits for ever for one that it holds itself.
const (
	inserts = 500
	updates = 50
)

// write brings documents into a collection: those that are there and stand for no later position
// are replaced, those of somebody else are given back untouched.
func (s *Store) write(ctx context.Context, collection string, docs []rendered) (foreign []rendered, err error) {
	if s.kind.Load() == unknown {
		if err := s.Ping(ctx); err != nil {
			return nil, err
		}
	}
	into := s.db.Collection(collection)
	left, err := insert(ctx, into, docs)
	if err != nil || len(left) == 0 {
		return nil, err
	}
	if s.kind.Load() == byID {
		if left, foreign, err = standBack(ctx, into, left); err != nil {
			return nil, err
		}
	}
	for part := range slices.Chunk(left, updates) {
		if s.kind.Load() == byID {
			err = replaceByID(ctx, into, part)
		} else {
			var held []rendered
			held, err = replaceGuarded(ctx, into, part)
			foreign = append(foreign, held...)
		}
		if err != nil {
			return nil, err
		}
	}
	return foreign, nil
}

// insert writes the documents whose first version was just made, and gives those that are there
// already together with all others.
func insert(ctx context.Context, into *mongo.Collection, docs []rendered) (left []rendered, err error) {
	var fresh []rendered
	for _, d := range docs {
		if d.born {
			fresh = append(fresh, d)
		} else {
			left = append(left, d)
		}
	}
	for part := range slices.Chunk(fresh, inserts) {
		bodies := make([]any, len(part))
		for i, d := range part {
			bodies[i] = d.body
		}
		_, err := into.InsertMany(ctx, bodies, options.InsertMany().SetOrdered(false))
		there, err := duplicates(err)
		if err != nil {
			return nil, fail("insert into "+into.Name(), err)
		}
		for _, i := range there {
			left = append(left, part[i])
		}
	}
	return left, nil
}

// duplicates gives the indexes of the documents that were there already, when that is all that
// went wrong.
func duplicates(err error) ([]int, error) {
	var bulk mongo.BulkWriteException
	if err == nil || !errors.As(err, &bulk) || bulk.WriteConcernError != nil {
		return nil, err
	}
	var at []int
	for _, e := range bulk.WriteErrors {
		if e.Code != 11000 {
			return nil, err
		}
		at = append(at, e.Index)
	}
	return at, nil
}

// replaceGuarded compares in the update itself: who comes late finds nothing to replace, and
// cannot insert either.
func replaceGuarded(ctx context.Context, into *mongo.Collection, docs []rendered) (foreign []rendered, err error) {
	models := make([]mongo.WriteModel, len(docs))
	for i, d := range docs {
		models[i] = mongo.NewReplaceOneModel().SetUpsert(true).SetReplacement(d.body).SetFilter(bson.D{
			{Key: "_id", Value: d.object}, {Key: markKey, Value: mark}, {Key: posKey, Value: bson.D{{Key: "$lte", Value: d.pos}}},
		})
	}
	_, err = into.BulkWrite(ctx, models, options.BulkWrite().SetOrdered(false))
	held, err := duplicates(err)
	if err != nil {
		return nil, fail("replace in "+into.Name(), err)
	}
	for _, i := range held {
		there, err := marks(ctx, into, docs[i:i+1])
		if err != nil {
			return nil, err
		}
		if there[docs[i].object].mark != mark {
			foreign = append(foreign, docs[i])
		}
	}
	return foreign, nil
}

// standBack gives the documents that may be written: those in whose place nothing stands, or one
// of ours that stands for no later position.
func standBack(ctx context.Context, into *mongo.Collection, docs []rendered) (left, foreign []rendered, err error) {
	there, err := marks(ctx, into, docs)
	if err != nil {
		return nil, nil, err
	}
	for _, d := range docs {
		have, stands := there[d.object]
		switch {
		case stands && have.mark != mark:
			foreign = append(foreign, d)
		case !stands || have.pos <= d.pos:
			left = append(left, d)
		}
	}
	return left, foreign, nil
}

// replaceByID replaces what was looked at before; the update names only the _id.
func replaceByID(ctx context.Context, into *mongo.Collection, docs []rendered) error {
	models := make([]mongo.WriteModel, len(docs))
	for i, d := range docs {
		models[i] = mongo.NewReplaceOneModel().SetUpsert(true).SetReplacement(d.body).SetFilter(bson.D{{Key: "_id", Value: d.object}})
	}
	_, err := into.BulkWrite(ctx, models, options.BulkWrite().SetOrdered(false))
	return fail("replace in "+into.Name(), err)
}

// standing is whose document stands in a place, and for which position.
type standing struct {
	mark string
	pos  int64
}

// few documents are looked up one by one: that is cheap on every server. For many, FerretDB reads
// the whole collection once, which is cheaper than so many round trips.
const few = 20

// marks looks up what stands in the documents' places.
func marks(ctx context.Context, in *mongo.Collection, docs []rendered) (map[primitive.ObjectID]standing, error) {
	found, err := lookUp(ctx, in, docs, bson.D{{Key: markKey, Value: 1}, {Key: posKey, Value: 1}})
	there := map[primitive.ObjectID]standing{}
	for _, raw := range found {
		var have standing
		have.mark, _ = raw.Lookup(markKey).StringValueOK() // of another type: no mark of ours
		have.pos, _ = raw.Lookup(posKey).Int64OK()
		there[raw.Lookup("_id").ObjectID()] = have
	}
	return there, err
}

// lookUp reads the documents that stand in the places of others; projection may be nil.
func lookUp(ctx context.Context, in *mongo.Collection, docs []rendered, projection any) (all []bson.Raw, err error) {
	if len(docs) <= few {
		one := options.FindOne()
		if projection != nil {
			one.SetProjection(projection)
		}
		for _, d := range docs {
			raw, err := in.FindOne(ctx, bson.D{{Key: "_id", Value: d.object}}, one).Raw()
			if errors.Is(err, mongo.ErrNoDocuments) {
				continue
			}
			if err != nil {
				return nil, fail("look up a document of "+in.Name(), err)
			}
			all = append(all, raw)
		}
		return all, nil
	}
	ids := make(bson.A, len(docs))
	for i, d := range docs {
		ids[i] = d.object
	}
	some := options.Find()
	if projection != nil {
		some.SetProjection(projection)
	}
	cursor, err := in.Find(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}, some)
	if err != nil {
		return nil, fail("look up documents of "+in.Name(), err)
	}
	return all, fail("look up documents of "+in.Name(), cursor.All(ctx, &all))
}

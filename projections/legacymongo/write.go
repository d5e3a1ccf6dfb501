package legacymongo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
	"golang.org/x/sync/errgroup"
)

// put renders documents and writes them. What is kept in Postgres about them goes with tx; the
// caller holds the lock that makes us the collection's one writer.
func (s *Store) put(ctx context.Context, tx pgx.Tx, c Collection, r *Reading, ids []string) error {
	return r.inPieces(ctx, tx, c, ids, s.storing(c))
}

// store writes documents, and what is kept about them.
func (s *Store) store(ctx context.Context, tx pgx.Tx, c Collection, docs []rendered) error {
	if len(docs) == 0 {
		return nil
	}
	e, err := s.storing(c)(ctx, tx, docs)
	if err != nil {
		return err
	}
	return e.run(ctx)
}

// storing is the task of writing documents.
func (s *Store) storing(c Collection) task { return s.storingOver(c, nil) }

// storingOver is the task of writing documents over those that were read a moment ago; nil: nothing
// was.
func (s *Store) storingOver(c Collection, there map[primitive.ObjectID]bson.Raw) task {
	return func(ctx context.Context, tx pgx.Tx, docs []rendered) (errand, error) {
		if s.owners.Legacy(c.Domain) {
			return errand{}, owned{c.Name}
		}
		if err := remember(ctx, tx, c, docs); err != nil {
			return errand{}, err
		}
		docs, foreign, err := s.takeOver(ctx, tx, c, docs)
		if err != nil {
			return errand{}, err
		}
		return errand{
			beside: func(ctx context.Context) error {
				more, err := s.write(ctx, c.Name, docs, there)
				foreign = append(foreign, more...)
				return err
			},
			after: func(ctx context.Context) error { return noteForeign(ctx, tx, c, foreign) },
		}, nil
	}
}

func noteForeign(ctx context.Context, tx pgx.Tx, c Collection, docs []rendered) error {
	for _, d := range docs {
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

// The documents of one command, and how many commands of one collection's are under way at once.
// FerretDB keeps one of a database's 100 connections busy for each statement of an update until the
// command's end, and then waits for ever for one that it holds itself: there they are shorter, and
// one is under way over all collections (SQLite has one writer anyway).
const (
	inserts     = 500
	updates     = 500
	updatesByID = 40
	lanes       = 2
)

// write brings documents into a collection: those that are there and stand for no later position
// are replaced, those of somebody else are given back untouched.
func (s *Store) write(ctx context.Context, collection string, docs []rendered, there map[primitive.ObjectID]bson.Raw) (foreign []rendered, err error) {
	if err := s.acquainted(ctx); err != nil {
		return nil, err
	}
	into := s.db.Collection(collection)
	left, err := insert(ctx, into, docs)
	if err != nil || len(left) == 0 {
		return nil, err
	}
	size, replace := updates, s.replaceGuarded
	if s.kind.Load() == byID {
		size = updatesByID
		replace = func(ctx context.Context, into *mongo.Collection, part []rendered) ([]rendered, error) {
			return s.replaceByID(ctx, into, part, there)
		}
	}
	parts := slices.Collect(slices.Chunk(left, size))
	held := make([][]rendered, len(parts))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(lanes)
	for i, part := range parts {
		group.Go(func() (err error) {
			held[i], err = replace(ctx, into, part)
			return err
		})
	}
	err = group.Wait()
	return slices.Concat(held...), err
}

// acquainted makes sure that we know what sort of server it is.
func (s *Store) acquainted(ctx context.Context) error {
	if s.kind.Load() != unknown {
		return nil
	}
	return s.Ping(ctx)
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
		if e.Code != 11000 || elsewhere(e) {
			return nil, err
		}
		at = append(at, e.Index)
	}
	return at, nil
}

// elsewhere reports that a document was refused by another index than that of _id: a unique one that
// somebody has made. FerretDB names none.
func elsewhere(e mongo.BulkWriteError) bool {
	return strings.Contains(e.Message, "index: ") && !strings.Contains(e.Message, "index: _id_")
}

// replaceGuarded compares in the update itself: who comes late finds nothing to replace, and
// cannot insert either.
func (s *Store) replaceGuarded(ctx context.Context, into *mongo.Collection, docs []rendered) (foreign []rendered, err error) {
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
		there, err := s.marks(ctx, into, docs[i:i+1])
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
func (s *Store) standBack(ctx context.Context, into *mongo.Collection, docs []rendered, read map[primitive.ObjectID]bson.Raw) (left, foreign []rendered, err error) {
	var found []bson.Raw
	for _, d := range docs {
		if raw, stands := read[d.object]; stands {
			found = append(found, raw)
		}
	}
	there := standings(found)
	if read == nil {
		if there, err = s.marks(ctx, into, docs); err != nil {
			return nil, nil, err
		}
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

// replaceByID looks at what it is to replace before; the update names only the _id.
func (s *Store) replaceByID(ctx context.Context, into *mongo.Collection, docs []rendered, there map[primitive.ObjectID]bson.Raw) (foreign []rendered, err error) {
	docs, foreign, err = s.standBack(ctx, into, docs, there)
	if err != nil || len(docs) == 0 {
		return foreign, err
	}
	models := make([]mongo.WriteModel, len(docs))
	for i, d := range docs {
		models[i] = mongo.NewReplaceOneModel().SetUpsert(true).SetReplacement(d.body).SetFilter(bson.D{{Key: "_id", Value: d.object}})
	}
	select {
	case s.updating <- struct{}{}:
		defer func() { <-s.updating }()
	case <-ctx.Done():
		return foreign, ctx.Err()
	}
	_, err = into.BulkWrite(ctx, models, options.BulkWrite().SetOrdered(false))
	return foreign, fail("replace in "+into.Name(), err)
}

// standing is whose document stands in a place, and for which position.
type standing struct {
	mark string
	pos  int64
}

// marks looks up what stands in the documents' places.
func (s *Store) marks(ctx context.Context, in *mongo.Collection, docs []rendered) (map[primitive.ObjectID]standing, error) {
	found, err := s.lookUp(ctx, in, docs, bson.D{{Key: markKey, Value: 1}, {Key: posKey, Value: 1}})
	return standings(found), err
}

func standings(found []bson.Raw) map[primitive.ObjectID]standing {
	there := map[primitive.ObjectID]standing{}
	for _, raw := range found {
		var have standing
		have.mark, _ = raw.Lookup(markKey).StringValueOK() // of another type: no mark of ours
		have.pos, _ = raw.Lookup(posKey).Int64OK()
		there[raw.Lookup("_id").ObjectID()] = have
	}
	return there
}

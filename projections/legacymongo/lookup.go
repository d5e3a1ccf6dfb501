package legacymongo

import (
	"context"
	"errors"
	"slices"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
	"golang.org/x/sync/errgroup"
)

// lookers is how many documents are looked up at once where that goes one by one.
const lookers = 4

// lookUp reads the documents that stand in the places of others; projection may be nil. FerretDB
// finds a document by its _id alone, and reads the whole collection for a list of them.
func (s *Store) lookUp(ctx context.Context, in *mongo.Collection, docs []rendered, projection any) (all []bson.Raw, err error) {
	if err := s.acquainted(ctx); err != nil {
		return nil, err
	}
	if s.kind.Load() == byID {
		all, err = oneByOne(ctx, in, docs, projection)
	} else {
		all, err = together(ctx, in, docs, projection)
	}
	return all, fail("look up documents of "+in.Name(), err)
}

func oneByOne(ctx context.Context, in *mongo.Collection, docs []rendered, projection any) ([]bson.Raw, error) {
	some := options.FindOne()
	if projection != nil {
		some.SetProjection(projection)
	}
	all := make([]bson.Raw, len(docs))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(lookers)
	for i, d := range docs {
		group.Go(func() (err error) {
			all[i], err = in.FindOne(ctx, bson.D{{Key: "_id", Value: d.object}}, some).Raw()
			if errors.Is(err, mongo.ErrNoDocuments) {
				return nil
			}
			return err
		})
	}
	err := group.Wait()
	return slices.DeleteFunc(all, func(r bson.Raw) bool { return r == nil }), err
}

func together(ctx context.Context, in *mongo.Collection, docs []rendered, projection any) (all []bson.Raw, err error) {
	some := options.Find().SetBatchSize(updates)
	if projection != nil {
		some.SetProjection(projection)
	}
	ids := make(bson.A, len(docs))
	for i, d := range docs {
		ids[i] = d.object
	}
	cursor, err := in.Find(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}, some)
	if err != nil {
		return nil, err
	}
	return all, cursor.All(ctx, &all)
}

package legacymongo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo/options"

	"holdfast/eventstore"
	"holdfast/projections"
)

// part is how many positions of the log a rebuild takes at once.
const part = 2000

// Rebuild writes every document of a collection anew, as the log says up to where the projector
// stands, and takes away what has our mark and is no document of ours. Each piece is written under
// the projector's lock, so live projection goes on in between and readers never see a document
// that is not whole. pool is the runner's; report may be nil.
func (s *Store) Rebuild(ctx context.Context, pool *pgxpool.Pool, collection string, report func(projections.Progress)) error {
	c, ok := s.collection(collection)
	if !ok {
		return projections.ErrUnknown.With("name", collection)
	}
	if s.owners.Legacy(c.Domain) {
		return owned{c.Name}
	}
	if c.Rows != nil {
		return s.writeRows(ctx, pool, c, map[string][32]byte{})
	}
	p := &projector{Collection: c, store: s}
	n, err := s.db.Collection(c.Name).CountDocuments(ctx, bson.D{}, options.Count().SetLimit(1))
	if err != nil {
		return fail("look whether "+c.Name+" is empty", err)
	}
	since := int64(0) // nothing is there: insert
	if n > 0 {
		since = math.MaxInt64
	}
	_, err = p.walk(ctx, pool, since, report, func(ctx context.Context, tx pgx.Tx, docs []rendered) error { return s.store(ctx, tx, c, docs) })
	if err != nil {
		return err
	}
	return s.tidy(ctx, pool, p)
}

// walk renders every document of the collection, piece by piece, as it stands where the projector
// stands, and gives it to do under the projector's lock.
func (p *projector) walk(ctx context.Context, pool *pgxpool.Pool, since int64, report func(projections.Progress), do func(context.Context, pgx.Tx, []rendered) error) (stands int64, err error) {
	reader := projections.NewReader(pool, p.store.codec, p.Categories()...)
	for after := int64(0); ; {
		slice, err := reader.Slice(ctx, after, part)
		if err != nil {
			return 0, err
		}
		err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			if stands, err = p.stands(ctx, tx); err != nil {
				return err
			}
			docs, err := p.begun(ctx, tx, reader, slice.Events, stands, since)
			if err != nil || len(docs) == 0 {
				return err
			}
			return do(ctx, tx, docs)
		})
		if err != nil {
			return 0, fmt.Errorf("%s, up to %d: %w", p.Collection.Name, slice.To, err)
		}
		if report != nil {
			report(projections.Progress{Name: p.Name(), Position: min(slice.To, stands), Head: stands, Ready: slice.To >= stands})
		}
		if slice.To >= stands || slice.To == after {
			return stands, nil
		}
		after = slice.To
	}
}

// standsAt locks the projector's checkpoint.
func standsAt(ctx context.Context, tx pgx.Tx, name string) (stands int64, err error) {
	err = tx.QueryRow(ctx, `SELECT position FROM projection_checkpoints WHERE name = $1 FOR UPDATE`, name).Scan(&stands)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, projections.ErrUnknown.With("name", name)
	}
	if err != nil {
		return 0, fmt.Errorf("lock the checkpoint: %w", err)
	}
	return stands, nil
}

// begun renders the documents that begin in a piece of the log.
func (p *projector) begun(ctx context.Context, tx pgx.Tx, reader *projections.Reader, events []eventstore.Recorded, stands, since int64) ([]rendered, error) {
	var begin []eventstore.Recorded
	for _, e := range events {
		if e.Position > stands || p.Documents == nil && p.Find == nil && e.Version > 1 {
			continue
		}
		if p.Find == nil {
			if err := reader.Decode(&e); err != nil {
				return nil, err
			}
		}
		begin = append(begin, e)
	}
	if len(begin) == 0 {
		return nil, nil
	}
	ids, err := p.touched(ctx, tx, begin)
	if err != nil {
		return nil, err
	}
	r := newReading(ctx, p.store.codec, p.store.assets, stands)
	r.since = since
	return r.render(tx, p.Collection, ids)
}

// tidy deletes documents that carry our mark but are none of ours: somebody made them by hand.
func (s *Store) tidy(ctx context.Context, pool *pgxpool.Pool, p *projector) error {
	var extra bson.A
	_, err := s.unnamed(ctx, pool, p.Collection, func(id any, mine bool) {
		if mine {
			extra = append(extra, id)
		}
	})
	if err != nil || len(extra) == 0 {
		return err
	}
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		// The projector writes a document before id_map has it: what was new is named once it stands
		// still.
		if _, err := standsAt(ctx, tx, p.Name()); err != nil {
			return err
		}
		if extra, err = stillUnnamed(ctx, tx, p.Collection, extra); err != nil || len(extra) == 0 {
			return err
		}
		_, err = s.db.Collection(p.Collection.Name).DeleteMany(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: extra}}}, {Key: markKey, Value: mark}})
		return fail("delete what is not ours from "+p.Collection.Name, err)
	})
}

// stillUnnamed keeps the ids that id_map does not know now either.
func stillUnnamed(ctx context.Context, tx pgx.Tx, c Collection, ids bson.A) (still bson.A, err error) {
	byHex := map[string]any{}
	for _, id := range ids {
		if o, ok := id.(primitive.ObjectID); ok {
			byHex[o.Hex()] = id
		} else {
			still = append(still, id)
		}
	}
	rows, err := tx.Query(ctx, `SELECT o FROM unnest($1::text[]) AS o
		WHERE NOT EXISTS (SELECT FROM id_map m WHERE m.object_id = o AND m.collection = $2)`, slices.Collect(maps.Keys(byHex)), c.Name)
	if err != nil {
		return nil, fmt.Errorf("look up the documents of %s again: %w", c.Name, err)
	}
	var hex string
	_, err = pgx.ForEachRow(rows, []any{&hex}, func() error { still = append(still, byHex[hex]); return nil })
	return still, err
}

// unnamed calls visit for every document of a collection that id_map does not know, and counts all.
func (s *Store) unnamed(ctx context.Context, pool *pgxpool.Pool, c Collection, visit func(id any, mine bool)) (total int64, err error) {
	cursor, err := s.db.Collection(c.Name).Find(ctx, bson.D{}, options.Find().SetProjection(bson.D{{Key: "_id", Value: 1}, {Key: markKey, Value: 1}}).SetBatchSize(inserts))
	if err != nil {
		return 0, fail("list the documents of "+c.Name, err)
	}
	defer func() { _ = cursor.Close(context.WithoutCancel(ctx)) }()
	mine := map[string]bool{}
	look := func() error {
		rows, err := pool.Query(ctx, `SELECT o FROM unnest($1::text[]) AS o
			WHERE NOT EXISTS (SELECT FROM id_map m WHERE m.object_id = o AND m.collection = $2)`, slices.Collect(maps.Keys(mine)), c.Name)
		if err != nil {
			return fmt.Errorf("look up the documents of %s: %w", c.Name, err)
		}
		var hex string
		_, err = pgx.ForEachRow(rows, []any{&hex}, func() error {
			id, err := primitive.ObjectIDFromHex(hex)
			visit(id, mine[hex])
			return err
		})
		clear(mine)
		return err
	}
	for cursor.Next(ctx) {
		total++
		said, _ := cursor.Current.Lookup(markKey).StringValueOK()
		id, ok := cursor.Current.Lookup("_id").ObjectIDOK()
		if !ok {
			odd := cursor.Current.Lookup("_id")
			visit(bson.RawValue{Type: odd.Type, Value: slices.Clone(odd.Value)}, said == mark)
			continue
		}
		if mine[id.Hex()] = said == mark; len(mine) == inserts {
			if err := look(); err != nil {
				return total, err
			}
		}
	}
	if err := cursor.Err(); err != nil {
		return total, fail("list the documents of "+c.Name, err)
	}
	return total, look()
}

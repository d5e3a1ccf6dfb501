package legacymongo

import (
	"context"
	"errors"
	"fmt"
	"math"

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
	if c.Rows != nil {
		return s.writeRows(ctx, pool, c, map[string][32]byte{})
	}
	p := &projector{Collection: c, store: s}
	reader := projections.NewReader(pool, s.codec, p.Categories()...)
	n, err := s.db.Collection(c.Name).CountDocuments(ctx, bson.D{}, options.Count().SetLimit(1))
	if err != nil {
		return fail("look whether "+c.Name+" is empty", err)
	}
	since := int64(0) // nothing is there: insert
	if n > 0 {
		since = math.MaxInt64
	}
	for after := int64(0); ; {
		slice, err := reader.Slice(ctx, after, part)
		if err != nil {
			return err
		}
		stands, err := p.rewrite(ctx, pool, reader, slice.Events, since)
		if err != nil {
			return fmt.Errorf("rebuild %s at %d: %w", c.Name, slice.To, err)
		}
		if report != nil {
			report(projections.Progress{Name: p.Name(), Position: min(slice.To, stands), Head: stands, Ready: slice.To >= stands})
		}
		if slice.To >= stands || slice.To == after {
			break
		}
		after = slice.To
	}
	return s.tidy(ctx, pool, c)
}

// rewrite writes the documents that begin in a piece of the log, as they stand where the projector
// stands.
func (p *projector) rewrite(ctx context.Context, pool *pgxpool.Pool, reader *projections.Reader, events []eventstore.Recorded, since int64) (stands int64, err error) {
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `SELECT position FROM projection_checkpoints WHERE name = $1 FOR UPDATE`, p.Name()).Scan(&stands)
		if errors.Is(err, pgx.ErrNoRows) {
			return projections.ErrUnknown.With("name", p.Name())
		}
		if err != nil {
			return fmt.Errorf("lock the checkpoint: %w", err)
		}
		var begin []eventstore.Recorded
		for _, e := range events {
			if e.Position > stands || p.Documents == nil && p.Find == nil && e.Version > 1 {
				continue
			}
			if p.Find == nil {
				if err := reader.Decode(&e); err != nil {
					return err
				}
			}
			begin = append(begin, e)
		}
		if len(begin) == 0 {
			return nil
		}
		ids, err := p.touched(ctx, tx, begin)
		if err != nil {
			return err
		}
		r := newReading(ctx, p.store.codec, p.store.assets, stands)
		r.since = since
		return p.store.put(ctx, tx, p.Collection, r, ids)
	})
	return stands, err
}

// tidy deletes documents that carry our mark but are none of ours: somebody made them by hand.
func (s *Store) tidy(ctx context.Context, pool *pgxpool.Pool, c Collection) error {
	cursor, err := s.db.Collection(c.Name).Find(ctx, bson.D{{Key: markKey, Value: mark}}, options.Find().SetProjection(bson.D{{Key: "_id", Value: 1}}).SetBatchSize(inserts))
	if err != nil {
		return fail("list the documents of "+c.Name, err)
	}
	defer func() { _ = cursor.Close(context.WithoutCancel(ctx)) }()
	var named []string
	var extra bson.A
	look := func() error {
		rows, err := pool.Query(ctx, `SELECT o FROM unnest($1::text[]) AS o
			WHERE NOT EXISTS (SELECT FROM id_map m WHERE m.object_id = o AND m.collection = $2)`, named, c.Name)
		if err != nil {
			return fmt.Errorf("look up the documents of %s: %w", c.Name, err)
		}
		var hex string
		_, err = pgx.ForEachRow(rows, []any{&hex}, func() error {
			id, err := primitive.ObjectIDFromHex(hex)
			extra = append(extra, id)
			return err
		})
		named = named[:0]
		return err
	}
	for cursor.Next(ctx) {
		id, ok := cursor.Current.Lookup("_id").ObjectIDOK()
		if !ok {
			extra = append(extra, cursor.Current.Lookup("_id"))
			continue
		}
		if named = append(named, id.Hex()); len(named) == inserts {
			if err := look(); err != nil {
				return err
			}
		}
	}
	if err := cursor.Err(); err != nil {
		return fail("list the documents of "+c.Name, err)
	}
	if err := look(); err != nil || len(extra) == 0 {
		return err
	}
	_, err = s.db.Collection(c.Name).DeleteMany(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: extra}}}, {Key: markKey, Value: mark}})
	return fail("delete what is not ours from "+c.Name, err)
}

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

// takeOver puts our documents in the place of those of the old backend that they came from. That
// happens once in a document's life, and only while it still says what was imported: one that
// somebody has changed since stays, and is given back as foreign. rest is what is written as ever.
func (s *Store) takeOver(ctx context.Context, tx pgx.Tx, c Collection, docs []rendered) (rest, foreign []rendered, err error) {
	origins, err := imported(ctx, tx, c, docs)
	if err != nil {
		return nil, nil, err
	}
	theirs := slices.DeleteFunc(slices.Clone(docs), func(d rendered) bool { from, ok := origins[d.object]; return !ok || from.taken })
	if len(theirs) == 0 {
		return docs, nil, nil
	}
	if s.kind.Load() == unknown {
		if err := s.Ping(ctx); err != nil {
			return nil, nil, err
		}
	}
	there, err := s.standing(ctx, c, theirs)
	if err != nil {
		return nil, nil, err
	}
	var replace []replacement
	var settled []primitive.ObjectID
	for _, d := range docs {
		raw, stands := there[d.object]
		said, _ := raw.Lookup(markKey).StringValueOK()
		switch from, ok := origins[d.object]; {
		case !ok || from.taken:
			rest = append(rest, d)
		case !stands || said == mark:
			d.born = false // it may be there by now
			rest, settled = append(rest, d), append(settled, d.object)
		case from.hash != "" && s.says(raw) == from.hash:
			replace = append(replace, replacement{d, raw})
		default:
			foreign = append(foreign, d)
		}
	}
	lost, err := s.replaceRead(ctx, s.db.Collection(c.Name), replace)
	if err != nil {
		return nil, nil, err
	}
	for _, r := range replace {
		if slices.ContainsFunc(lost, func(d rendered) bool { return d.object == r.object }) {
			foreign = append(foreign, r.rendered)
		} else {
			settled = append(settled, r.object)
		}
	}
	return rest, foreign, markTaken(ctx, tx, settled)
}

// says is the hash of a document; empty for one that cannot be read.
func (s *Store) says(raw bson.Raw) string {
	if s.hash == nil {
		return ""
	}
	hash, err := s.hash(raw)
	if err != nil {
		return ""
	}
	return hash
}

// origin is how a document came by import.
type origin struct {
	hash  string // of the old backend's document, as it was imported last
	taken bool   // ours has stood in its place since
}

// imported gives the origins of the documents among these that came by import.
func imported(ctx context.Context, tx pgx.Tx, c Collection, docs []rendered) (map[primitive.ObjectID]origin, error) {
	objects := make([]string, len(docs))
	for i, d := range docs {
		objects[i] = d.object.Hex()
	}
	rows, err := tx.Query(ctx, `SELECT object_id, snapshot_hash, taken_at IS NOT NULL FROM public.id_map
		WHERE collection = $1 AND object_id = ANY($2) AND imported`, c.Name, objects)
	if err != nil {
		return nil, fmt.Errorf("look up what was imported: %w", err)
	}
	all := map[primitive.ObjectID]origin{}
	var hex string
	var from origin
	_, err = pgx.ForEachRow(rows, []any{&hex, &from.hash, &from.taken}, func() error {
		o, err := primitive.ObjectIDFromHex(hex)
		all[o] = from
		return err
	})
	return all, err
}

// markTaken: what is ours is not looked at again.
func markTaken(ctx context.Context, tx pgx.Tx, objects []primitive.ObjectID) error {
	if len(objects) == 0 {
		return nil
	}
	hex := make([]string, len(objects))
	for i, o := range objects {
		hex[i] = o.Hex()
	}
	if _, err := tx.Exec(ctx, `UPDATE public.id_map SET taken_at = clock_timestamp() WHERE object_id = ANY($1)`, hex); err != nil {
		return fmt.Errorf("note what was taken over: %w", err)
	}
	return nil
}

// standing reads what stands in the places of documents.
func (s *Store) standing(ctx context.Context, c Collection, docs []rendered) (map[primitive.ObjectID]bson.Raw, error) {
	found, err := lookUp(ctx, s.db.Collection(c.Name), docs, nil)
	there := map[primitive.ObjectID]bson.Raw{}
	for _, raw := range found {
		there[raw.Lookup("_id").ObjectID()] = raw
	}
	return there, err
}

// replacement is a document with the one that was read in its place.
type replacement struct {
	rendered
	read bson.Raw
}

// replaceRead replaces documents that still are what was read, byte for byte, and gives back those
// that are not.
func (s *Store) replaceRead(ctx context.Context, in *mongo.Collection, all []replacement) (lost []rendered, err error) {
	if s.kind.Load() == byID {
		for _, r := range all {
			ok, err := s.swap(ctx, in, r)
			if err != nil {
				return nil, err
			}
			if !ok {
				lost = append(lost, r.rendered)
			}
		}
		return lost, nil
	}
	for part := range slices.Chunk(all, updates) {
		some, err := swapGuarded(ctx, in, part)
		if err != nil {
			return nil, err
		}
		lost = append(lost, some...)
	}
	return lost, nil
}

// swapGuarded compares in the update itself: the whole document that was read.
func swapGuarded(ctx context.Context, in *mongo.Collection, part []replacement) (lost []rendered, err error) {
	models, docs := make([]mongo.WriteModel, len(part)), make([]rendered, len(part))
	for i, r := range part {
		docs[i] = r.rendered
		models[i] = mongo.NewReplaceOneModel().SetReplacement(r.body).SetFilter(asRead(r))
	}
	done, err := in.BulkWrite(ctx, models, options.BulkWrite().SetOrdered(false))
	if err != nil {
		return nil, fail("take over documents of "+in.Name(), err)
	}
	if done.MatchedCount == int64(len(part)) {
		return nil, nil
	}
	there, err := marks(ctx, in, docs)
	if err != nil {
		return nil, err
	}
	for _, d := range docs {
		if there[d.object].mark != mark {
			lost = append(lost, d)
		}
	}
	return lost, nil
}

// asRead fits the document that was read and no other.
func asRead(r replacement) bson.D {
	return bson.D{{Key: "_id", Value: r.object}, {Key: "$expr", Value: bson.D{{Key: "$eq", Value: bson.A{"$$ROOT", bson.D{{Key: "$literal", Value: r.read}}}}}}}
}

// swap is for a server that cannot compare in an update: it looks at what it has replaced, and puts
// that back where somebody was quicker.
func (s *Store) swap(ctx context.Context, in *mongo.Collection, r replacement) (ok bool, err error) {
	here := bson.D{{Key: "_id", Value: r.object}}
	before, err := in.FindOneAndReplace(ctx, here, r.body).Raw()
	if errors.Is(err, mongo.ErrNoDocuments) {
		return false, nil // somebody has deleted it
	}
	if err != nil {
		return false, fail("take over a document of "+in.Name(), err)
	}
	said, _ := before.Lookup(markKey).StringValueOK()
	if said == mark || s.says(before) == s.says(r.read) {
		return true, nil
	}
	_, err = in.ReplaceOne(ctx, here, before)
	return false, fail("put back a document of "+in.Name(), err)
}

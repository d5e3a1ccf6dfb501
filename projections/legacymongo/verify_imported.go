package legacymongo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
)

// explain counts a difference that is explained.
func (p *Parity) explain(why string) {
	if p.Reasons == nil {
		p.Reasons = map[string]int64{}
	}
	p.Explained++
	p.Reasons[why]++
}

// compareImported compares a document that the old backend wrote, and that no one has touched since
// it was imported, with what we would write in its place, by value.
func (s *Store) compareImported(ctx context.Context, tx pgx.Tx, gap Gap, d rendered, raw bson.Raw, out *Parity) error {
	wanted, err := bson.Marshal(d.body)
	if err != nil {
		return err
	}
	elements, err := bson.Raw(wanted).Elements()
	if err != nil {
		return err
	}
	var noted error
	for _, e := range elements {
		if slices.Contains(notTheirs, e.Key()) {
			continue
		}
		have := raw.Lookup(e.Key())
		sameValue(e.Value(), have, e.Key(), func(path string, want, have bson.RawValue) {
			if why := explained(gap.Collection, path, want, have); why != "" {
				out.explain(path + ": " + why)
				return
			}
			gap.Kind, gap.Field, gap.Postgres, gap.Mongo = "different", path, shownValue(d, want), shownValue(d, have)
			out.Differences++
			if err := note(ctx, tx, gap); err != nil && noted == nil {
				noted = err
			}
		})
	}
	return noted
}

// notTheirs are the fields that only we count with.
var notTheirs = []string{"_id", "__v", markKey, posKey, viewKey}

// settling is how often a document that has just been changed by the old backend is looked at again,
// and how long after: following needs its moment.
var settling = []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}

// compareLater looks again at documents that said something else than what was imported last.
func (s *Store) compareLater(ctx context.Context, pool *pgxpool.Pool, p *projector, out *Parity) error {
	for _, wait := range settling {
		if len(out.moving) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		again := out.moving
		out.moving, out.lastLook = nil, wait == settling[len(settling)-1]
		for ids := range slices.Chunk(again, inserts) {
			if err := s.compareAgain(ctx, pool, p, ids, out); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Store) compareAgain(ctx context.Context, pool *pgxpool.Pool, p *projector, ids []string, out *Parity) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if p.Rows != nil {
			docs, err := p.Rows(ctx, tx, newReading(ctx, s.codec, s.assets, 0))
			if err != nil {
				return err
			}
			docs = slices.DeleteFunc(docs, func(d rendered) bool { return !slices.Contains(ids, d.id) })
			return s.compareDocuments(ctx, tx, p.Collection, docs, out)
		}
		stands, err := p.stands(ctx, tx)
		if err != nil {
			return err
		}
		docs, err := newReading(ctx, s.codec, s.assets, stands).render(tx, p.Collection, ids)
		if err != nil {
			return err
		}
		return s.compareDocuments(ctx, tx, p.Collection, docs, out)
	})
}

// stands locks the projector's checkpoint and says where it stands. In a domain that the old backend
// owns the projector rests, so its collections are compared with the log's end.
func (p *projector) stands(ctx context.Context, tx pgx.Tx) (stands int64, err error) {
	stands, err = standsAt(ctx, tx, p.Name())
	if err != nil || !p.store.owners.Legacy(p.Domain) {
		return stands, err
	}
	if err := tx.QueryRow(ctx, `SELECT position FROM public.log_head`).Scan(&stands); err != nil {
		return 0, fmt.Errorf("look up the log's end: %w", err)
	}
	return stands, nil
}

// compareUnnamed looks for documents that nothing implies. What the projector is writing at this
// moment has no name yet, and what the old backend is writing has not been followed yet: they are
// looked at again.
func (s *Store) compareUnnamed(ctx context.Context, pool *pgxpool.Pool, p *projector, out *Parity) (err error) {
	var mine, theirs bson.A
	out.Documents, err = s.unnamed(ctx, pool, p.Collection, func(id any, ours bool) {
		if ours {
			mine = append(mine, id)
		} else {
			theirs = append(theirs, id)
		}
	})
	if err != nil {
		return err
	}
	if mine, err = s.namelessNow(ctx, pool, p, mine); err != nil {
		return err
	}
	for _, id := range mine {
		if err := s.noteUnnamed(ctx, p.Collection, id, "extra", "the log implies no such document", out); err != nil {
			return err
		}
	}
	waits := append([]time.Duration{0}, settling...)
	if !s.owners.Legacy(p.Domain) {
		waits = waits[:1]
	}
	for _, wait := range waits {
		if len(theirs) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		if theirs, err = s.namelessNow(ctx, pool, p, theirs); err != nil {
			return err
		}
		if theirs, err = s.notRefused(ctx, pool, p.Collection, theirs, out); err != nil {
			return err
		}
	}
	for _, id := range theirs {
		if err := s.noteUnnamed(ctx, p.Collection, id, "foreign", "a document that is not ours and that no import has named", out); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) noteUnnamed(ctx context.Context, c Collection, id any, kind, what string, out *Parity) error {
	out.Differences++
	return s.gaps.Note(ctx, Gap{Domain: c.Domain, Collection: c.Name, Document: idText(id), Severity: "warning", Kind: kind, Error: what})
}

// namelessNow keeps the ids that id_map does not know while the projector stands still.
func (s *Store) namelessNow(ctx context.Context, pool *pgxpool.Pool, p *projector, ids bson.A) (still bson.A, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if p.Rows != nil {
			err = lockRows(ctx, tx, p.Collection)
		} else {
			_, err = standsAt(ctx, tx, p.Name())
		}
		if err == nil {
			still, err = stillUnnamed(ctx, tx, p.Collection, ids)
		}
		return err
	})
	return still, err
}

// notRefused leaves out the documents that the import has refused and that say the same still: each
// has a gap of its own with the reason.
func (s *Store) notRefused(ctx context.Context, pool *pgxpool.Pool, c Collection, ids bson.A, out *Parity) (left bson.A, err error) {
	for part := range slices.Chunk(ids, inserts) {
		texts := make([]string, len(part))
		for i, id := range part {
			texts[i] = idText(id)
		}
		rows, err := pool.Query(ctx, `SELECT DISTINCT ON (document) document, mongo_value FROM pg_dualwrite_gaps
			WHERE collection = $1 AND document = ANY($2) AND kind = 'refused' ORDER BY document, id DESC`, c.Name, texts)
		if err != nil {
			return nil, fmt.Errorf("look up what was refused: %w", err)
		}
		hashes := map[string]string{}
		var document, hash string
		if _, err := pgx.ForEachRow(rows, []any{&document, &hash}, func() error { hashes[document] = hash; return nil }); err != nil {
			return nil, err
		}
		for i, id := range part {
			same := false
			if hash := hashes[texts[i]]; hash != "" {
				raw, err := s.db.Collection(c.Name).FindOne(ctx, bson.D{{Key: "_id", Value: id}}).Raw()
				if errors.Is(err, mongo.ErrNoDocuments) {
					continue // deleted meanwhile
				}
				if err != nil {
					return nil, fail("look up a document of "+c.Name, err)
				}
				same = s.says(raw) == hash
			}
			if same {
				out.explain("refused by the import: it has a gap of its own, with the reason")
			} else {
				left = append(left, id)
			}
		}
	}
	return left, nil
}

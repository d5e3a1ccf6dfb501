package legacymongo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"

	"holdfast/projections"
)

// Parity is how a collection compares with the log.
type Parity struct {
	Collection  string `json:"collection"`
	Domain      string `json:"domain"`
	Position    int64  `json:"position"`    // up to which they were compared
	Documents   int64  `json:"documents"`   // that the legacy store has
	Differences int64  `json:"differences"` // fields that differ, documents that are missing or too many
	// Explained are differences that the import makes on purpose, and why: no gaps.
	Explained int64            `json:"explained"`
	Reasons   map[string]int64 `json:"explainedAs,omitempty"`
	Started   time.Time        `json:"startedAt"`
	Finished  time.Time        `json:"finishedAt"`

	// moving are documents that the old backend has changed since they were imported; lastLook says
	// that they have had their time.
	moving   []string
	lastLook bool
}

// Verify compares every document of a collection with what the log implies, field by field, and
// looks for documents that nothing implies. Differences go to the gaps; open gaps of before that
// are gone are closed. report may be nil. Nothing in the legacy store is changed.
func (s *Store) Verify(ctx context.Context, pool *pgxpool.Pool, collection string, report func(projections.Progress)) (Parity, error) {
	c, ok := s.collection(collection)
	if !ok {
		return Parity{}, projections.ErrUnknown.With("name", collection)
	}
	out := Parity{Collection: c.Name, Domain: c.Domain}
	if err := pool.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&out.Started); err != nil {
		return out, fmt.Errorf("ask the database for the time: %w", err)
	}
	if err := s.verify(ctx, pool, &projector{Collection: c, store: s}, report, &out); err != nil {
		return out, err
	}
	return s.finish(ctx, pool, out)
}

func (s *Store) verify(ctx context.Context, pool *pgxpool.Pool, p *projector, report func(projections.Progress), out *Parity) (err error) {
	if p.Rows != nil {
		if err := s.compareUnnamed(ctx, pool, p, out); err != nil {
			return err
		}
		if err := s.verifyRows(ctx, pool, p.Collection, out); err != nil {
			return err
		}
		return s.compareLater(ctx, pool, p, out)
	}
	through := &pass{projector: p, pool: pool, report: report}
	through.unseen = func(_ context.Context, tx pgx.Tx, docs []rendered) (errand, error) {
		return s.comparing(tx, p.Collection, docs, out), nil
	}
	through.seen = func(there map[primitive.ObjectID]bson.Raw) task { return s.comparingRead(p.Collection, there, out) }
	// What has got a name by the end of this lies before the end of what is walked next.
	through.between = func(ctx context.Context) error {
		out.Documents = through.documents
		return s.settleUnnamed(ctx, pool, p, through.mine, through.theirs, out)
	}
	if out.Position, err = through.run(ctx); err != nil {
		return err
	}
	return s.compareLater(ctx, pool, p, out)
}

// finish closes the gaps that are gone and keeps the run.
func (s *Store) finish(ctx context.Context, pool *pgxpool.Pool, out Parity) (Parity, error) {
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE pg_dualwrite_gaps SET resolved_at = clock_timestamp(), resolved_by = 'verify', notes = 'gone: both sides agree'
			WHERE collection = $1 AND resolved_at IS NULL AND last_seen < $2 AND kind NOT IN ('refused', 'conflict') AND field <> $3`, out.Collection, out.Started, booksField); err != nil {
			return fmt.Errorf("close the gaps that are gone: %w", err)
		}
		return tx.QueryRow(ctx, `INSERT INTO legacy_parity_runs (domain, collection, position, documents, differences, explained, started_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING finished_at`, out.Domain, out.Collection, out.Position, out.Documents, out.Differences, out.Explained, out.Started).Scan(&out.Finished)
	})
	out.Started, out.Finished = out.Started.UTC(), out.Finished.UTC()
	return out, err
}

func (s *Store) verifyRows(ctx context.Context, pool *pgxpool.Pool, c Collection, out *Parity) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		docs, err := c.Rows(ctx, tx, newReading(ctx, s.codec, s.assets, 0))
		if err != nil {
			return err
		}
		return s.compareDocuments(ctx, tx, c, docs, out)
	})
}

// compareDocuments compares documents with those that stand in the store.
func (s *Store) compareDocuments(ctx context.Context, tx pgx.Tx, c Collection, docs []rendered, out *Parity) error {
	return s.comparing(tx, c, docs, out).run(ctx)
}

// comparingRead is the task of comparing documents with what was read a moment ago. Where that makes
// a difference they are read again: it may be older than what the log implies.
func (s *Store) comparingRead(c Collection, there map[primitive.ObjectID]bson.Raw, out *Parity) task {
	return func(ctx context.Context, tx pgx.Tx, docs []rendered) (errand, error) {
		var again []rendered
		for part := range slices.Chunk(docs, closely) {
			same, err := s.same(ctx, tx, c, part, there, out)
			if err != nil {
				return errand{}, err
			}
			if !same {
				again = append(again, part...)
			}
		}
		if len(again) == 0 {
			return errand{beside: func(context.Context) error { return nil }}, nil
		}
		return s.comparing(tx, c, again, out), nil
	}
}

// closely is how many documents are looked at again when one of them differs.
const closely = 25

// same reports whether nothing differs between documents and what was read; if so, what is explained
// has been counted.
func (s *Store) same(ctx context.Context, tx pgx.Tx, c Collection, docs []rendered, there map[primitive.ObjectID]bson.Raw, out *Parity) (bool, error) {
	var left []rendered
	for _, d := range docs {
		wanted, err := bson.Marshal(d.body)
		if err != nil {
			return false, err
		}
		if !bytes.Equal(wanted, there[d.object]) {
			left = append(left, d)
		}
	}
	if len(left) == 0 {
		return true, nil
	}
	try, err := tx.Begin(ctx) // gaps that are noted now are forgotten
	if err != nil {
		return false, err
	}
	found := Parity{lastLook: out.lastLook}
	if err := errors.Join(s.compareStanding(ctx, try, c, left, there, &found), try.Rollback(ctx)); err != nil {
		return false, err
	}
	if found.Differences > 0 || len(found.moving) > 0 {
		return false, nil
	}
	for why, n := range found.Reasons {
		out.explainMany(why, n)
	}
	return true, nil
}

// comparing is the errand of comparing documents.
func (s *Store) comparing(tx pgx.Tx, c Collection, docs []rendered, out *Parity) errand {
	var there map[primitive.ObjectID]bson.Raw
	return errand{
		beside: func(ctx context.Context) (err error) {
			there, err = s.standing(ctx, c, docs)
			return err
		},
		after: func(ctx context.Context) error { return s.compareStanding(ctx, tx, c, docs, there, out) },
	}
}

func (s *Store) compareStanding(ctx context.Context, tx pgx.Tx, c Collection, docs []rendered, there map[primitive.ObjectID]bson.Raw, out *Parity) error {
	origins, err := imported(ctx, tx, c, docs)
	if err != nil {
		return err
	}
	for _, d := range docs {
		gap := Gap{Domain: c.Domain, Collection: c.Name, Document: d.object.Hex(), Severity: "critical"}
		raw, ok := there[d.object]
		said, _ := raw.Lookup(markKey).StringValueOK()
		from, known := origins[d.object]
		came := known && !from.taken
		switch {
		case !ok && s.owners.Legacy(c.Domain) && !known:
			out.explain("made here: it is written once Holdfast owns the domain")
			continue
		case !ok && s.owners.Legacy(c.Domain):
			open, err := remind(ctx, tx, Deleted(c.Domain, c.Name, d.object.Hex()))
			if err != nil {
				return err
			}
			if open {
				out.Differences++
			} else {
				out.explain("deleted by the old backend: somebody has said why that is right")
			}
			continue
		case !ok:
			gap.Kind, gap.Error = "missing", "the log implies it, and it is not there"
		case said == mark:
			n, err := compareFields(ctx, tx, gap, d, raw)
			if err != nil {
				return err
			}
			out.Differences += n
			continue
		case came && from.hash != "" && s.says(raw) == from.hash:
			if err := s.compareImported(ctx, tx, gap, d, raw, out); err != nil {
				return err
			}
			continue
		case came && s.owners.Legacy(c.Domain) && !out.lastLook:
			out.moving = append(out.moving, d.id)
			continue
		case came:
			gap.Kind, gap.Error = "foreign", "somebody has changed it since it was imported"
		default:
			gap.Kind, gap.Error = "foreign", "a document that is not ours stands in its place"
		}
		out.Differences++
		if err := note(ctx, tx, gap); err != nil {
			return err
		}
	}
	return nil
}

// compareFields notes each field that differs.
func compareFields(ctx context.Context, tx pgx.Tx, gap Gap, d rendered, raw bson.Raw) (n int64, err error) {
	wanted, err := bson.Marshal(d.body)
	if err != nil || bytes.Equal(wanted, raw) {
		return 0, err
	}
	want, err := bson.Raw(wanted).Elements()
	if err != nil {
		return 0, err
	}
	known := map[string]bool{}
	differs := func(field string, a, b bson.RawValue) error {
		gap.Kind, gap.Field, gap.Postgres, gap.Mongo = "different", field, shownValue(d, a), shownValue(d, b)
		n++
		return note(ctx, tx, gap)
	}
	for _, e := range want {
		known[e.Key()] = true
		if have := raw.Lookup(e.Key()); !have.Equal(e.Value()) {
			if err := differs(e.Key(), e.Value(), have); err != nil {
				return n, err
			}
		}
	}
	have, err := raw.Elements()
	if err != nil {
		return n, differs("", bson.RawValue{}, bson.RawValue{})
	}
	for _, e := range have {
		if !known[e.Key()] {
			if err := differs(e.Key(), bson.RawValue{}, e.Value()); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// shownValue is a value for the table of gaps. Of a document with text about somebody only a hash
// is kept there: erasing the person does not reach that table.
func shownValue(d rendered, v bson.RawValue) string {
	if v.Type == 0 {
		return ""
	}
	for _, s := range d.sources {
		if len(s) > len("erasure/") && s[:len("erasure/")] == "erasure/" {
			sum := sha256.Sum256(v.Value)
			return "sha256:" + hex.EncodeToString(sum[:8])
		}
	}
	text := v.String()
	return text[:min(len(text), 500)]
}

func idText(id any) string {
	if o, ok := id.(interface{ Hex() string }); ok {
		return o.Hex()
	}
	return fmt.Sprint(id)
}

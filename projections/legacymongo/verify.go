package legacymongo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.mongodb.org/mongo-driver/bson"

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
	check := func(ctx context.Context, tx pgx.Tx, docs []rendered) error {
		return s.compareDocuments(ctx, tx, c, docs, &out)
	}
	p := &projector{Collection: c, store: s}
	// What has got a name by the end of this lies before the end of what is walked next.
	if err := s.compareUnnamed(ctx, pool, p, &out); err != nil {
		return out, err
	}
	var err error
	if c.Rows != nil {
		err = s.verifyRows(ctx, pool, c, check)
	} else {
		out.Position, err = p.walk(ctx, pool, math.MaxInt64, report, check)
	}
	if err == nil {
		err = s.compareLater(ctx, pool, p, &out)
	}
	if err != nil {
		return out, err
	}
	return s.finish(ctx, pool, out)
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

func (s *Store) verifyRows(ctx context.Context, pool *pgxpool.Pool, c Collection, check func(context.Context, pgx.Tx, []rendered) error) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		docs, err := c.Rows(ctx, tx, newReading(ctx, s.codec, s.assets, 0))
		if err != nil {
			return err
		}
		return check(ctx, tx, docs)
	})
}

// compareDocuments compares documents with those that stand in the store.
func (s *Store) compareDocuments(ctx context.Context, tx pgx.Tx, c Collection, docs []rendered, out *Parity) error {
	there, err := s.standing(ctx, c, docs)
	if err != nil {
		return err
	}
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

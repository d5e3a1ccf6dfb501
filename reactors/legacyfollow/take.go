package legacyfollow

import (
	"context"
	"fmt"
	"strings"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"

	"holdfast/domain"
	"holdfast/domain/migration"
	"holdfast/projections/legacymongo"
	"holdfast/reactors/legacyimport"
)

// What one batch may hold.
const (
	batchDocuments = 500
	batchBytes     = 4 << 20
)

// pile gathers documents of a collection for one batch.
type pile struct {
	f          *Follower
	collection string
	docs       []migration.Document
	size       int
	force      bool                     // refused documents, too, though they have not changed
	taken      func(ids []string) error // after each batch; nil for nothing
}

func (f *Follower) pile(collection string) *pile { return &pile{f: f, collection: collection} }

func (p *pile) add(ctx context.Context, d migration.Document) error {
	p.docs, p.size = append(p.docs, d), p.size+len(d.Raw)
	if len(p.docs) < batchDocuments && p.size < batchBytes {
		return nil
	}
	return p.end(ctx)
}

func (p *pile) end(ctx context.Context) error {
	if len(p.docs) == 0 {
		return nil
	}
	docs := p.docs
	p.docs, p.size = nil, 0
	if err := p.f.take(ctx, p.collection, docs, p.force); err != nil {
		return fmt.Errorf("follow %s: %w", p.collection, err)
	}
	if p.taken == nil {
		return nil
	}
	var ids []string
	for _, d := range docs {
		if d.Cursor != "" {
			ids = append(ids, d.Cursor)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return p.taken(ids)
}

// candidate is a document that may have changed.
type candidate struct {
	raw        []byte
	name, hash string
}

// take takes those of some documents that are not known yet as they stand.
func (f *Follower) take(ctx context.Context, collection string, docs []migration.Document, force bool) error {
	all := make([]candidate, len(docs))
	names := make([]string, len(docs))
	for i, d := range docs {
		hash, err := f.Hash(d.Raw)
		if err != nil {
			return err
		}
		if all[i] = (candidate{d.Raw, d.Cursor, hash}); d.Cursor == "" {
			all[i].name = bson.Raw(d.Raw).Lookup("_id").String() // no ObjectId: as the table of gaps names it
		}
		names[i] = all[i].name
	}
	known, err := f.Book.Hashes(ctx, collection, names)
	if err != nil {
		return err
	}
	before, err := f.Book.Refusals(ctx, collection, names)
	if err != nil {
		return err
	}
	var changed []candidate
	var raws [][]byte
	var same []string
	for _, c := range all {
		switch {
		case known[c.name] == c.hash && collection != migration.Payments:
			// A payment stands for its entries and its address too: whether those have changed its
			// document does not say.
			same = append(same, c.name)
		case before[c.name] != c.hash || force:
			changed, raws = append(changed, c), append(raws, c.raw)
		}
	}
	if err := f.settle(ctx, collection, same, before); err != nil || len(changed) == 0 {
		return err
	}
	outcomes, err := f.Taker.Batch(ctx, collection, raws)
	if err != nil {
		return err
	}
	return f.enter(ctx, collection, changed, outcomes, before)
}

// enter keeps what became of documents.
func (f *Follower) enter(ctx context.Context, collection string, docs []candidate, outcomes []legacyimport.Outcome, before map[string]string) error {
	var done []string
	var taken, refused int64
	for i, o := range outcomes {
		switch o.Result {
		case legacyimport.Refused:
			refused++
			if err := f.refuse(ctx, collection, docs[i], o.Reasons); err != nil {
				return err
			}
		case legacyimport.Taken:
			taken++
			done = append(done, docs[i].name)
		default: // unchanged, or one of ours
			done = append(done, docs[i].name)
		}
	}
	if err := f.settle(ctx, collection, done, before); err != nil {
		return err
	}
	return f.Book.Count(ctx, f.Source.Name(), collection, taken, refused)
}

// settle closes what was noted about documents that are well now.
func (f *Follower) settle(ctx context.Context, collection string, names []string, before map[string]string) error {
	if len(names) == 0 {
		return nil
	}
	for _, n := range names {
		if _, was := before[n]; was {
			if err := f.Book.Forgive(ctx, collection, names); err != nil {
				return err
			}
			break
		}
	}
	return f.Gaps.Settle(ctx, collection, names, []string{"refused", "missing"}, "taken as it stands now")
}

// refuse notes a document that cannot be taken, and why.
func (f *Follower) refuse(ctx context.Context, collection string, c candidate, reasons []migration.Problem) error {
	g := legacymongo.Gap{Domain: f.Domain(collection), Collection: collection, Document: c.name, Severity: "critical", Kind: "refused", Mongo: c.hash}
	for _, r := range reasons {
		if strings.HasPrefix(r.Promised, domain.ErrLegacyConflict.Code+":") {
			g.Kind = "conflict"
		}
	}
	g.Error = migration.Promises(reasons)
	if err := f.Gaps.Remind(ctx, g); err != nil {
		return err
	}
	return f.Book.Refuse(ctx, collection, c.name, c.hash)
}

// again tries documents once more that were refused: the reason may have been another document.
func (f *Follower) again(ctx context.Context) error {
	due, err := f.Book.Due(ctx, f.Collections, batchDocuments)
	if err != nil {
		return err
	}
	for _, collection := range f.Collections {
		var ids, nameless []string
		for _, name := range due[collection] {
			if _, err := primitive.ObjectIDFromHex(name); err == nil {
				ids = append(ids, name)
			} else {
				nameless = append(nameless, name) // only a look at every document finds it again
			}
		}
		if len(nameless) > 0 {
			if err := f.Book.Forgive(ctx, collection, nameless); err != nil {
				return err
			}
		}
		if len(ids) == 0 {
			continue
		}
		docs, err := f.Source.Get(ctx, collection, ids)
		if err != nil {
			return err
		}
		p := f.pile(collection)
		p.force = true
		there := map[string]bool{}
		for _, d := range docs {
			there[d.Cursor] = true
			if err := p.add(ctx, d); err != nil {
				return err
			}
		}
		if err := p.end(ctx); err != nil {
			return err
		}
		var gone []string
		for _, id := range ids {
			if !there[id] {
				gone = append(gone, id)
			}
		}
		if err := f.gone(ctx, collection, gone); err != nil {
			return err
		}
	}
	return nil
}

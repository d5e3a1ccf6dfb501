package legacyfollow

import (
	"context"
	"slices"
	"time"

	"holdfast/domain/migration"
	"holdfast/projections/legacymongo"
)

// sweep looks at every document of a collection, by _id, and for those that are gone. It goes on
// where one was interrupted.
func (f *Follower) sweep(ctx context.Context, lock Lock, collection string) error {
	m := f.marks[collection]
	if m.SweepFrom.IsZero() {
		m.SweepFrom, m.SweepID = time.Now().UTC(), ""
		if err := f.Book.Sweep(ctx, f.Source.Name(), collection, m.SweepFrom, ""); err != nil {
			return err
		}
	}
	p := f.pile(collection)
	p.taken = func(ids []string) error {
		slices.Sort(ids)
		if last := ids[len(ids)-1]; last > m.SweepID {
			if err := f.lost(ctx, collection, m.SweepID, last, ids); err != nil {
				return err
			}
			m.SweepID = last
		}
		f.marks[collection] = m
		if err := f.Book.Sweep(ctx, f.Source.Name(), collection, m.SweepFrom, m.SweepID); err != nil {
			return err
		}
		return f.alive(ctx, lock)
	}
	for doc, err := range f.Source.Read(ctx, collection, m.SweepID) {
		if err != nil {
			return err
		}
		if err := p.add(ctx, doc); err != nil {
			return err
		}
	}
	if err := p.end(ctx); err != nil {
		return err
	}
	if err := f.lost(ctx, collection, m.SweepID, "", nil); err != nil {
		return err
	}
	if m.SeenTo.Before(m.SweepFrom) {
		m.SeenTo = m.SweepFrom
	}
	f.marks[collection] = Mark{SeenTo: m.SeenTo, SweptAt: time.Now().UTC()}
	return f.Book.Swept(ctx, f.Source.Name(), collection)
}

// page is how many names are compared at once.
const page = 1000

// lost looks which of the documents that were imported, between two names, are not among those that
// were read.
func (f *Follower) lost(ctx context.Context, collection, after, upTo string, read []string) error {
	for {
		known, err := f.Book.Imported(ctx, collection, after, upTo, page)
		if err != nil || len(known) == 0 {
			return err
		}
		after = known[len(known)-1]
		missing := slices.DeleteFunc(slices.Clone(known), func(id string) bool { _, there := slices.BinarySearch(read, id); return there })
		// What came back meanwhile, or was not seen by a cursor that documents move under, is there.
		docs, err := f.Source.Get(ctx, collection, missing)
		if err != nil {
			return err
		}
		missing = slices.DeleteFunc(missing, func(id string) bool {
			return slices.ContainsFunc(docs, func(d migration.Document) bool { return d.Cursor == id })
		})
		if err := f.gone(ctx, collection, missing); err != nil {
			return err
		}
		if len(known) < page {
			return nil
		}
	}
}

// gone notes documents that are not there. What was imported of them stays: nothing is deleted here.
func (f *Follower) gone(ctx context.Context, collection string, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	hashes, err := f.Book.Hashes(ctx, collection, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if _, imported := hashes[id]; !imported {
			continue // it was never taken: there is nothing to miss
		}
		if err := f.Gaps.Remind(ctx, legacymongo.Deleted(f.Domain(collection), collection, id)); err != nil {
			return err
		}
	}
	if err := f.Book.Forgive(ctx, collection, ids); err != nil {
		return err
	}
	return f.Gaps.Settle(ctx, collection, ids, []string{"refused"}, "the document is gone")
}

package legacyfollow

import (
	"context"
	"errors"
	"slices"
	"time"

	"holdfast/domain/migration"
)

// A batch of changes is ended by its size or its age.
const (
	mostChanges = 500
	batchAge    = 200 * time.Millisecond
)

// stream takes what a stream tells. Before the first change of a stream without a token every
// document is looked at: the stream began before that, so nothing falls between.
func (f *Follower) stream(ctx context.Context, lock Lock, s Changes) error {
	for ctx.Err() == nil {
		if err := f.alive(ctx, lock); err != nil {
			return err
		}
		if err := f.sweepAll(ctx, lock); err != nil {
			return err
		}
		changed, to, err := f.gather(ctx, s)
		if errors.Is(err, f.TokenLost) {
			return errors.Join(err, f.Book.SaveToken(ctx, f.Source.Name(), nil))
		}
		if err != nil {
			return err
		}
		if err := f.sweepAll(ctx, lock); err != nil { // a collection was dropped or renamed
			return err
		}
		if err := f.apply(ctx, changed); err != nil {
			return err
		}
		if token := s.Token(); len(token) > 0 && !slices.Equal(token, f.token) {
			if err := f.Book.SaveToken(ctx, f.Source.Name(), token); err != nil {
				return err
			}
			f.token = token
		}
		if err := f.Book.Seen(ctx, f.Source.Name(), f.Collections, to); err != nil {
			return err
		}
		if err := f.beside(ctx); err != nil {
			return err
		}
	}
	return nil
}

// sweepAll looks at every document of the collections where that is due.
func (f *Follower) sweepAll(ctx context.Context, lock Lock) error {
	for _, c := range f.Collections {
		if f.sweepDue(f.marks[c]) {
			if err := f.sweep(ctx, lock, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// gather waits for changes and gives which documents they are about. to is up to when the source has
// been seen.
func (f *Follower) gather(ctx context.Context, s Changes) (changed map[string][]string, to time.Time, err error) {
	changed = map[string][]string{}
	patience, until := f.Poll, time.Time{}
	for n := 0; n < mostChanges; n++ {
		c, ok, err := s.Next(ctx, patience)
		if err != nil {
			return nil, to, err
		}
		if !ok {
			return changed, time.Now().UTC(), nil
		}
		if to = c.At; to.IsZero() {
			to = time.Now().UTC()
		}
		f.note(changed, c)
		if until.IsZero() {
			until = time.Now().Add(batchAge)
		}
		if patience = time.Until(until); patience <= 0 {
			break
		}
	}
	return changed, to, nil
}

// note adds what a change is about. One that is about a whole collection makes it due for a look at
// every document, and so does one about a document that has no name.
func (f *Follower) note(changed map[string][]string, c migration.Change) {
	for _, name := range f.Collections {
		switch {
		case c.Collection != name && (!c.Whole || c.Collection != ""):
		case c.Whole || c.ObjectID == "":
			f.marks[name] = Mark{}
		case !slices.Contains(changed[name], c.ObjectID):
			changed[name] = append(changed[name], c.ObjectID)
		}
	}
}

// apply takes documents as they stand now. One that is not there is gone.
func (f *Follower) apply(ctx context.Context, changed map[string][]string) error {
	for _, collection := range f.Collections {
		ids := changed[collection]
		if len(ids) == 0 {
			continue
		}
		docs, err := f.Source.Get(ctx, collection, ids)
		if err != nil {
			return err
		}
		p := f.pile(collection)
		for _, d := range docs {
			if err := p.add(ctx, d); err != nil {
				return err
			}
		}
		if err := p.end(ctx); err != nil {
			return err
		}
		gone := slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
			return slices.ContainsFunc(docs, func(d migration.Document) bool { return d.Cursor == id })
		})
		if err := f.gone(ctx, collection, gone); err != nil {
			return err
		}
	}
	return nil
}

package legacyfollow

import (
	"context"
	"time"
)

// poll looks again and again at what was touched lately.
func (f *Follower) poll(ctx context.Context, lock Lock) error {
	for ctx.Err() == nil {
		began := time.Now()
		if err := f.alive(ctx, lock); err != nil {
			return err
		}
		for _, c := range f.Collections {
			if err := f.look(ctx, lock, c); err != nil {
				return err
			}
		}
		if err := f.beside(ctx); err != nil {
			return err
		}
		// A server that reads whole collections for a look is given as much time to rest.
		wait(ctx, max(f.Poll, time.Since(began)))
	}
	return nil
}

// look takes what was touched since the last look at a collection, with an overlap for clocks that
// differ and commits that are late; every document when that is due.
func (f *Follower) look(ctx context.Context, lock Lock, collection string) error {
	m := f.marks[collection]
	if f.sweepDue(m) {
		return f.sweep(ctx, lock, collection)
	}
	began := time.Now().UTC()
	p := f.pile(collection)
	for doc, err := range f.Source.Since(ctx, collection, m.SeenTo.Add(-f.Overlap)) {
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
	m.SeenTo = began
	f.marks[collection] = m
	return f.Book.Seen(ctx, f.Source.Name(), []string{collection}, began)
}

func (f *Follower) sweepDue(m Mark) bool {
	return m.SeenTo.IsZero() || !m.SweepFrom.IsZero() || time.Since(m.SweptAt) > f.Sweep
}

// beside does what is due beside the changes of the source.
func (f *Follower) beside(ctx context.Context) error {
	if err := f.again(ctx); err != nil {
		return err
	}
	return f.ours(ctx)
}

package legacymongo

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
)

// piece is how many documents are rendered while those before them are with the legacy store.
const piece = 250

// errand is what is to be done with some documents. It has had the transaction already.
type errand struct {
	// beside talks to the legacy store and to nothing else: the transaction is in use meanwhile.
	beside func(ctx context.Context) error
	// after has the transaction again; nil for nothing.
	after func(ctx context.Context) error
}

// task makes the errand of some documents. What it does itself, it does in the transaction.
type task func(ctx context.Context, tx pgx.Tx, docs []rendered) (errand, error)

// run does an errand at once.
func (e errand) run(ctx context.Context) error {
	if err := e.beside(ctx); err != nil || e.after == nil {
		return err
	}
	return e.after(ctx)
}

// inPieces renders documents and has something done with them, piece by piece: while the legacy
// store is busy with one, the next is rendered. It returns when everything is done.
func (r *Reading) inPieces(ctx context.Context, tx pgx.Tx, c Collection, ids []string, do task) (err error) {
	wait := func() error { return nil }
	defer func() {
		if err != nil {
			_ = wait() // nothing may be under way when the transaction ends; err came first
		}
	}()
	for part := range slices.Chunk(ids, piece) {
		docs, err := r.render(tx, c, part)
		if err != nil {
			return err
		}
		if len(docs) == 0 {
			continue
		}
		e, err := do(ctx, tx, docs)
		if err != nil {
			return err
		}
		before := wait
		wait = func() error { return nil }
		if err := before(); err != nil {
			return err
		}
		wait = start(ctx, e)
	}
	last := wait
	wait = func() error { return nil }
	return last()
}

// start does an errand's first part in the background; wait ends it.
func start(ctx context.Context, e errand) (wait func() error) {
	done := make(chan error, 1)
	go func() { done <- e.beside(ctx) }()
	return func() error {
		if err := <-done; err != nil || e.after == nil {
			return err
		}
		return e.after(ctx)
	}
}

package reactors

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"holdfast/domain"
)

// ErasureBook is where people wait to be forgotten. Their accounts have ended already.
type ErasureBook interface {
	// Waiting lists who is still to be forgotten.
	Waiting(ctx context.Context) ([]domain.UserID, error)
	// Purge destroys a person's key and every row that is theirs; repeating it changes nothing.
	Purge(ctx context.Context, u domain.UserID) error
}

// Eraser works off what follows from an erasure: keys and rows are destroyed, and what this
// process remembers of anybody is dropped.
type Eraser struct {
	*loop
	book   ErasureBook
	forget []func()
}

// NewEraser makes the worker; forget is what empties the memories of this process.
func NewEraser(book ErasureBook, log *slog.Logger, forget ...func()) *Eraser {
	e := &Eraser{book: book, forget: forget}
	e.loop = newLoop("erasures", 30*time.Second, log, e.round)
	return e
}

func (e *Eraser) round(ctx context.Context) (more bool, err error) {
	people, err := e.book.Waiting(ctx)
	if err != nil {
		return false, err
	}
	for _, u := range people {
		if err := e.book.Purge(ctx, u); err != nil {
			return false, fmt.Errorf("forget %s: %w", u, err)
		}
		e.log.InfoContext(ctx, "person erased", "user", u)
	}
	if len(people) > 0 {
		e.Forget()
	}
	return false, nil
}

// Forget empties the memories of this process. It is safe at any time; what is asked next is
// read anew.
func (e *Eraser) Forget() {
	for _, f := range e.forget {
		f()
	}
}

// Forgetting hears of erasures that other processes carry out.
type Forgetting struct{ *Eraser }

// Wake forgets, and looks whether there is something to work off.
func (f Forgetting) Wake() {
	f.Forget()
	f.Eraser.Wake()
}

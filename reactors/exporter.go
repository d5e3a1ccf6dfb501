package reactors

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"holdfast/domain"
)

// ExportOrder is a person's wish for everything that is held about them.
type ExportOrder struct {
	ID       string
	User     domain.UserID
	Attempts int // this one included
	Expires  time.Time
}

// ExportBook is where the orders wait, and where what was gathered is kept.
type ExportBook interface {
	Take(ctx context.Context, lease time.Duration) (o ExportOrder, ok bool, err error)
	Ready(ctx context.Context, o ExportOrder, content []byte) error
	Failed(ctx context.Context, id string) error
	// Expire forgets what has been kept long enough.
	Expire(ctx context.Context) error
}

// Gatherer finds everything about a person.
type Gatherer interface {
	Gather(ctx context.Context, u domain.UserID) ([]byte, error)
	// Told lets the person know that it can be downloaded.
	Told(ctx context.Context, o ExportOrder)
}

// Exporter makes the files that people ask for.
type Exporter struct {
	*loop
	book     ExportBook
	gatherer Gatherer
}

const (
	exportLease = 5 * time.Minute
	exportTries = 5
)

// NewExporter makes the worker.
func NewExporter(book ExportBook, g Gatherer, log *slog.Logger) *Exporter {
	e := &Exporter{book: book, gatherer: g}
	e.loop = newLoop("exports", time.Minute, log, e.round)
	return e
}

// round makes one file: the next pass the next one.
func (e *Exporter) round(ctx context.Context) (more bool, err error) {
	if err := e.book.Expire(ctx); err != nil {
		return false, err
	}
	o, ok, err := e.book.Take(ctx, exportLease)
	if err != nil || !ok {
		return false, err
	}
	content, err := e.gatherer.Gather(ctx, o.User)
	if err != nil {
		if o.Attempts >= exportTries {
			return true, e.book.Failed(ctx, o.ID)
		}
		return false, fmt.Errorf("gather export %s: %w", o.ID, err)
	}
	if err := e.book.Ready(ctx, o, content); err != nil {
		return false, err
	}
	e.gatherer.Told(ctx, o)
	return true, nil
}

package reactors

import (
	"context"
	"log/slog"
	"time"
)

// OldRows is where rows lie that have had their time.
type OldRows interface {
	// Remove deletes at most so many of each kind, and says how many went by kind; more when
	// others may be left.
	Remove(ctx context.Context, batch int) (gone map[string]int64, more bool, err error)
}

// Expiry removes what nothing needs any more, once an hour. No answer depends on it.
type Expiry struct {
	*loop
	rows OldRows
}

// expiryBatch bounds what one statement locks and writes.
const expiryBatch = 1000

// NewExpiry makes the loop.
func NewExpiry(rows OldRows, log *slog.Logger) *Expiry {
	e := &Expiry{rows: rows}
	e.loop = newLoop("expiry", time.Hour, log, e.round)
	return e
}

func (e *Expiry) round(ctx context.Context) (more bool, err error) {
	gone, more, err := e.rows.Remove(ctx, expiryBatch)
	for what, n := range gone {
		e.log.InfoContext(ctx, "old rows removed", "what", what, "rows", n)
	}
	return more, err
}

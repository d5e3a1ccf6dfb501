package postgres

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"holdfast/eventstore"
)

// rowProgress follows the statements on plain rows, so that a refused one can be named.
type rowProgress struct {
	queued []eventstore.Row
	begun  bool // everything before them was taken
	done   int
}

// rowLockTimeout is how long one plain row may keep the whole log waiting.
const rowLockTimeout = "200ms"

// queueRows sends the commands' own statements last, behind everything that is the log's. Their
// answers come in order: when one is refused, done says which.
func (b *batch) queueRows(q *pgx.Batch) {
	for _, g := range b.granted {
		b.rows.queued = append(b.rows.queued, g.wish.Rows...)
	}
	if len(b.rows.queued) == 0 {
		return
	}
	// The head is locked meanwhile: who waits for a row that somebody holds has everybody wait.
	q.Queue(`SET LOCAL lock_timeout = '` + rowLockTimeout + `'`).Exec(func(pgconn.CommandTag) error { b.rows.begun = true; return nil })
	for _, r := range b.rows.queued {
		q.Queue(r.SQL, r.Args...).Exec(func(pgconn.CommandTag) error { b.rows.done++; return nil })
	}
}

// refusal says what a refused batch means to the one command that is left in it: a row's own
// refusal where its statement broke a constraint, else what the log's schema says.
func (b *batch) refusal(err error) error {
	if bad, unmade := errors.AsType[pgx.ErrPreprocessingBatch](err); unmade && unsendable(err) {
		return fmt.Errorf("a statement of the command does not fit its arguments (%s): %w", bad.SQL(), err)
	}
	pg, reported := errors.AsType[*pgconn.PgError](err)
	if !reported || !b.rows.begun || b.rows.done >= len(b.rows.queued) || !refusesRow(pg.Code) {
		return translate(err)
	}
	refused := b.rows.queued[b.rows.done].Refused
	if refused == nil {
		refused = eventstore.ErrRowRefused
	}
	return fmt.Errorf("%w: %w", refused, err)
}

// refusesRow lists what a row may be refused for: constraints (23) and exceptions that a
// statement raises itself (P0001). Other trouble is a bug of the statement.
func refusesRow(code string) bool { return strings.HasPrefix(code, "23") || code == "P0001" }

package projections

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"holdfast/domain/fault"
)

// Refusals of the operator's verbs and of queries.
var (
	ErrUnknown       = fault.New(fault.NotFound, "NOT_FOUND", "there is no such read model")
	ErrNotHalted     = fault.New(fault.Conflict, "PROJECTOR_NOT_HALTED", "the projector has not halted, so there is nothing to retry or skip")
	ErrReason        = fault.New(fault.Malformed, "VALIDATION_FAILED", "skipping an event needs a reason")
	ErrNotSkippable  = fault.New(fault.Conflict, "CHECKPOINT_AHEAD", "the projector halted because its checkpoint does not belong to this log; rebuild it instead of skipping")
	ErrRebuilding    = fault.New(fault.Conflict, "REBUILD_RUNNING", "this read model is being rebuilt already")
	ErrNoBuild       = fault.New(fault.Conflict, "NO_REBUILD_READY", "there is no finished rebuild to put in place; start one first")
	ErrNoOld         = fault.New(fault.Conflict, "NO_PREVIOUS_TABLES", "there are no tables of before the last rebuild that this build can go on with")
	ErrInvalidCursor = fault.New(fault.Malformed, "INVALID_CURSOR", "the cursor does not belong to this list; start again without one")
	ErrLag           = fault.New(fault.Unavailable, "PROJECTION_LAG", "the read model has not reached that position yet; retry").Retry(1)
)

// PoisonError is why a projector halted, or why a rebuild ended: the first event that could
// not be applied.
type PoisonError struct {
	Position int64
	Type     string
	Err      error
}

func (e *PoisonError) Error() string {
	return fmt.Sprintf("event %d (%s) cannot be applied: %v", e.Position, e.Type, e.Err)
}

func (e *PoisonError) Unwrap() error { return e.Err }

// passing reports whether an error is likely to go away by itself, without a change of code or
// data: then the slice is tried again. Everything else is poison.
func passing(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return passingCode(pg.Code)
	}
	var said interface{ Passing() bool }
	if errors.As(err, &said) {
		return said.Passing() // a projector that writes elsewhere knows its own store's errors
	}
	var network net.Error
	if errors.As(err, &network) || pgconn.SafeToRetry(err) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return true
	}
	text := err.Error()
	return strings.Contains(text, "conn closed") || strings.Contains(text, "unexpected EOF") || strings.Contains(text, "closed pool")
}

// passingCode knows lost races and locks (40, 55P03), connections (08), resources (53), the
// server's own trouble (57, 58, XX), a standby (25006, 25P03), and a plan made before a swap (0A000).
func passingCode(code string) bool {
	switch code {
	case "55P03", "25006", "25P03", "0A000":
		return true
	}
	for _, class := range []string{"08", "40", "53", "57", "58", "XX"} {
		if strings.HasPrefix(code, class) {
			return true
		}
	}
	return false
}

package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"holdfast/eventstore"
)

// outcome of an attempt to commit a batch.
type outcome int

const (
	fine    outcome = iota
	passing         // nothing was written; again is likely to help
	refused         // nothing was written, because of what one of the commands wants
	lost            // the database is not there; it may or may not have committed
)

// verdict classifies once what the database, or the way to it, said. What the server itself
// reports about a statement means that the transaction is undone.
func verdict(err error, mayHaveCommitted bool) outcome {
	if err == nil {
		return fine
	}
	pg, reported := errors.AsType[*pgconn.PgError](err)
	switch {
	case !reported && unsendable(err):
		return refused
	case !reported && mayHaveCommitted:
		return lost
	case !reported && connection(err) && !errors.Is(err, context.DeadlineExceeded):
		return passing // the round trip that only reads; a server that was restarted, say
	case !reported && !connection(err):
		return refused
	case !reported:
		return lost
	}
	switch pg.Code {
	case "40001", "40P01", "55P03": // serialization failure, deadlock, lock time-out
		return passing
	}
	if unavailableCode(pg.Code) {
		return lost
	}
	return refused
}

// unsendable reports a statement that never left for the server, because its arguments do not fit it: an
// argument that has no encoding, or one too many. The COMMIT behind it did not leave either.
func unsendable(err error) bool {
	_, unmade := errors.AsType[pgx.ErrPreprocessingBatch](err)
	return unmade && !connection(err)
}

// connection reports trouble on the way to the server, as opposed to trouble in our own data.
func connection(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || pgconn.SafeToRetry(err) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errTooSlow) || isClosed(err)
}

func isClosed(err error) bool {
	s := err.Error()
	return strings.Contains(s, "conn closed") || strings.Contains(s, "unexpected EOF") || strings.Contains(s, "closed pool")
}

// unavailableCode lists the states in which the server cannot take any command: shutting down
// or starting (57P), out of resources (53), read-only (25006), cancelled by a time-out (57014,
// 25P03), or broken inside (58, XX, 08).
func unavailableCode(code string) bool {
	if code == "25006" || code == "25P03" || code == "57014" {
		return true
	}
	for _, class := range []string{"57P", "53", "58", "XX", "08"} {
		if strings.HasPrefix(code, class) {
			return true
		}
	}
	return false
}

func unavailable(cause error) error {
	return fmt.Errorf("%w: %w", eventstore.ErrUnavailable, cause)
}

// translate turns what the schema refused into the refusal it stands for. The guards in Go
// come first, so this speaks only when they were wrong or somebody wrote behind their back.
func translate(err error) error {
	pg, reported := errors.AsType[*pgconn.PgError](err)
	switch {
	case err == nil:
		return nil
	case !reported && connection(err):
		return unavailable(err)
	case !reported:
		return err
	case pg.ConstraintName == "events_stream_version":
		return fmt.Errorf("%w: %w", eventstore.ErrVersion, err)
	case pg.ConstraintName == "ledger_balances_guard":
		return fmt.Errorf("%w: %w", eventstore.ErrInsufficient, err)
	case pg.ConstraintName == "ledger_pending_pkey":
		return fmt.Errorf("%w: %w", eventstore.ErrPending, err)
	case unavailableCode(pg.Code):
		return unavailable(err)
	}
	return err
}

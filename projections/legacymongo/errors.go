package legacymongo

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/mongo"
)

// storeError is what went wrong at the legacy store. Whether it passes is said here and not by the
// runner, which does not know this store.
type storeError struct {
	what string
	err  error
}

func fail(what string, err error) error {
	if err == nil {
		return nil
	}
	return &storeError{what, err}
}

func (e *storeError) Error() string { return fmt.Sprintf("%s: %v", e.what, e.err) }
func (e *storeError) Unwrap() error { return e.err }

// refusals are the codes of a document that this server will never take: trying again is of no use.
var refusals = []int{
	2,     // BadValue
	9,     // FailedToParse
	14,    // TypeMismatch
	22,    // InvalidBSON
	121,   // DocumentValidationFailure
	10334, // BSONObjectTooLarge
	17280, // key too large to index
}

// Passing reports whether the same write may go well later. A server that is away, slow, out of
// space or not the primary comes back; only a document that it refuses is poison.
func (e *storeError) Passing() bool {
	if errors.Is(e.err, context.Canceled) || errors.Is(e.err, context.DeadlineExceeded) || mongo.IsNetworkError(e.err) || mongo.IsTimeout(e.err) {
		return true
	}
	var server mongo.ServerError
	if errors.As(e.err, &server) {
		for _, code := range refusals {
			if server.HasErrorCode(code) {
				return false
			}
		}
		return true
	}
	return !errors.Is(e.err, mongo.ErrUnacknowledgedWrite)
}

// Package fault is the vocabulary of refusals: what kind of refusal it is, a code that
// never changes, and a message that says what was wrong and what would be right.
//
// The domain returns a fault for everything a caller can put right, and a plain error
// for a bug. The HTTP layer maps Kind to a status in one table; nothing else does.
package fault

import (
	"errors"
	"fmt"
	"maps"
)

// Kind classifies a refusal. The zero value is Internal, so that a forgotten kind is
// never shown to a caller as their own mistake.
type Kind uint8

// The kinds, in the order of the status table of docs/errors.md.
const (
	Internal        Kind = iota // a bug or a broken part: 500
	Malformed                   // the input cannot be read or is out of its grammar: 400
	Unauthenticated             // nobody is signed in, or the token is not good: 401
	Forbidden                   // signed in, but the role or ownership does not allow it: 403
	NotFound                    // absent, or not visible to this caller: 404
	Conflict                    // the state does not allow it now, a duplicate, a lost race: 409
	Gone                        // it was here and is closed for good: 410
	Stale                       // If-Match named another version: 412
	TooLarge                    // 413
	Unsupported                 // media type: 415
	Rule                        // well-formed, but a business rule refuses it: 422
	Locked                      // too many tries: 423
	RateLimited                 // 429
	Upstream                    // an outside system failed: 502
	Unavailable                 // database, lag, breaker, maintenance: 503
	Timeout                     // 504
)

// Detail names one offending field.
type Detail struct {
	Path    string `json:"path"`
	Message string `json:"msg"`
}

// Error is a refusal.
type Error struct {
	Kind    Kind
	Code    string            // stable, UPPER_SNAKE; clients branch on it
	Message string            // for people; no internals
	Fields  map[string]string // facts that help the caller: have, need, state …
	Details []Detail          // one entry per offending input field
	// RetryAfter is the number of seconds after which a repeat makes sense; 0 = not said.
	RetryAfter int

	base *Error // the declared value this one was derived from
}

// New declares a refusal; use it for package-level values such as ErrNotBuyer.
func New(kind Kind, code, message string) *Error {
	return &Error{Kind: kind, Code: code, Message: message}
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Is reports whether target is the declared value that e was derived from,
// or carries the same code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && (t == e.base || t.Code == e.Code)
}

func (e *Error) derive() *Error {
	c := *e
	c.Fields = maps.Clone(e.Fields)
	if c.base == nil {
		c.base = e
	}
	return &c
}

// With returns a copy that carries one more fact.
func (e *Error) With(field string, value any) *Error {
	c := e.derive()
	if c.Fields == nil {
		c.Fields = map[string]string{}
	}
	c.Fields[field] = fmt.Sprint(value)
	return c
}

// Because returns a copy with a message that fits this very case; the code stays.
func (e *Error) Because(format string, args ...any) *Error {
	c := e.derive()
	c.Message = fmt.Sprintf(format, args...)
	return c
}

// At returns a copy that points at one input field.
func (e *Error) At(path, message string) *Error {
	c := e.derive()
	c.Details = append(append([]Detail(nil), e.Details...), Detail{Path: path, Message: message})
	return c
}

// Retry returns a copy that says after how many seconds a repeat makes sense.
func (e *Error) Retry(seconds int) *Error {
	c := e.derive()
	c.RetryAfter = seconds
	return c
}

// From finds the refusal in an error chain; ok is false for bugs.
func From(err error) (*Error, bool) { return errors.AsType[*Error](err) }

// Refusals that every aggregate shares.
var (
	// ErrValidation is the refusal of input that is readable but out of its bounds.
	ErrValidation = New(Malformed, "VALIDATION_FAILED", "the input is not valid")
	// ErrForbidden: the actor has no capacity that may issue this command.
	ErrForbidden = New(Forbidden, "FORBIDDEN", "you may not do this")
	// ErrNotFound: absent, or not visible to the caller; the two are never told apart.
	ErrNotFound = New(NotFound, "NOT_FOUND", "there is no such object")
	// ErrInvalidState: the table has no row for this command in this state.
	ErrInvalidState = New(Conflict, "INVALID_STATE", "the current state does not allow this")
	// ErrConcurrentUpdate: the stream moved on too often while the command was decided.
	ErrConcurrentUpdate = New(Conflict, "CONCURRENT_UPDATE", "the object was changed by others meanwhile; read it again and retry")
)

package http

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"holdfast/domain/fault"
)

// statusOf is the one table from a fault's kind to its status.
var statusOf = map[fault.Kind]int{
	fault.Internal:        http.StatusInternalServerError,
	fault.Malformed:       http.StatusBadRequest,
	fault.Unauthenticated: http.StatusUnauthorized,
	fault.Forbidden:       http.StatusForbidden,
	fault.NotFound:        http.StatusNotFound,
	fault.Conflict:        http.StatusConflict,
	fault.Gone:            http.StatusGone,
	fault.Stale:           http.StatusPreconditionFailed,
	fault.TooLarge:        http.StatusRequestEntityTooLarge,
	fault.Unsupported:     http.StatusUnsupportedMediaType,
	fault.Rule:            http.StatusUnprocessableEntity,
	fault.Locked:          http.StatusLocked,
	fault.RateLimited:     http.StatusTooManyRequests,
	fault.Upstream:        http.StatusBadGateway,
	fault.Unavailable:     http.StatusServiceUnavailable,
	fault.Timeout:         http.StatusGatewayTimeout,
}

// Meta stands beside the data: the log position a command wrote, or where a list goes on.
type Meta struct {
	Position   int64  `json:"position,omitempty" doc:"Log position of the command's last event; send it as X-Min-Position to read your own write"`
	NextCursor string `json:"next_cursor,omitempty" doc:"Send as ?cursor= for the next page; absent on the last one"`
	Limit      int    `json:"limit,omitempty"`
}

// Envelope is the shape of every success, for the OpenAPI document.
type Envelope[T any] struct {
	Success bool  `json:"success" doc:"true"`
	Data    T     `json:"data"`
	Meta    *Meta `json:"meta,omitempty"`
}

// Failure is the shape of every refusal.
type Failure struct {
	Success bool        `json:"success" doc:"false"`
	Error   FailureBody `json:"error"`
}

// FailureBody says what was wrong. Clients branch on the code, which never changes.
type FailureBody struct {
	Code    string         `json:"code"`
	Message string         `json:"message"`
	Details []fault.Detail `json:"details,omitempty" doc:"One entry per offending field"`
	// Facts are what helps the caller: have, need, state.
	Facts map[string]string `json:"facts,omitempty"`
}

// reply is what a handler answers with.
type reply struct {
	status   int // 0 = the route's
	data     any // encoded to JSON; a json.RawMessage goes out as it is
	meta     Meta
	version  int64 // of the stream, for the ETag; 0 = none
	etag     string
	replayed bool
	// write, when set, writes the whole answer itself: files and streams.
	write func(echo.Context) error
}

// succeed writes a success; nothing else does.
func (s *Server) succeed(c echo.Context, r reply, status int) error {
	h := c.Response().Header()
	if r.status != 0 {
		status = r.status
	}
	if r.etag == "" && r.version > 0 {
		r.etag = etagOf(r.version)
	}
	if r.etag != "" {
		h.Set("ETag", r.etag)
	}
	if r.replayed {
		h.Set("Idempotent-Replayed", "true")
	}
	if r.write != nil {
		return r.write(c)
	}
	if status == http.StatusNotModified {
		return c.NoContent(status)
	}
	body, err := s.encode(r)
	if err != nil {
		return err
	}
	return c.JSONBlob(status, body)
}

func (s *Server) encode(r reply) ([]byte, error) {
	data, raw := r.data.(json.RawMessage)
	if !raw {
		var err error
		if data, err = json.Marshal(r.data); err != nil {
			return nil, err
		}
	}
	body := make([]byte, 0, len(data)+len(data)/4+96)
	body = append(body, `{"success":true,"data":`...)
	body = s.dress(body, data)
	if r.meta != (Meta{}) {
		meta, err := json.Marshal(r.meta)
		if err != nil {
			return nil, err
		}
		body = append(append(body, `,"meta":`...), meta...)
	}
	return append(body, '}'), nil
}

func etagOf(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// Refusals that only this layer knows.
var (
	errInternal       = fault.New(fault.Internal, "INTERNAL", "something went wrong on our side; it has been recorded")
	errNotConfigured  = fault.New(fault.Unavailable, "NOT_CONFIGURED", "this part of the service is not switched on here")
	errNoRoute        = fault.New(fault.NotFound, "NOT_FOUND", "there is no such route")
	errTooLarge       = fault.New(fault.TooLarge, "PAYLOAD_TOO_LARGE", "the body is larger than this route takes")
	errMediaType      = fault.New(fault.Unsupported, "UNSUPPORTED_MEDIA_TYPE", "send application/json in UTF-8")
	errTooMany        = fault.New(fault.RateLimited, "TOO_MANY_IN_FLIGHT", "too many requests are being worked on; retry").Retry(1)
	errRateLimited    = fault.New(fault.RateLimited, "RATE_LIMITED", "the budget of this window is used up")
	errKeyRequired    = fault.New(fault.Malformed, "IDEMPOTENCY_KEY_REQUIRED", "send an Idempotency-Key of 1 to 255 visible ASCII characters")
	errStale          = fault.New(fault.Stale, "VERSION_CONFLICT", "the object has moved on from the version in If-Match")
	errLag            = fault.New(fault.Unavailable, "PROJECTION_LAG", "the view has not reached X-Min-Position yet; retry").Retry(1)
	errInvalidID      = fault.New(fault.Malformed, "INVALID_ID", "an id is a UUID or 24 hex digits")
	errStatusByPatch  = fault.New(fault.Rule, "STATUS_NOT_SETTABLE", "this status follows from what happens; it cannot be set")
	errInvalidCursor  = fault.New(fault.Malformed, "INVALID_CURSOR", "the cursor is not one that this list gave out")
	errInvalidAmount  = fault.New(fault.Malformed, "INVALID_AMOUNT", "an amount is a decimal string without sign, exponent or leading zeros")
	errUnknownField   = fault.New(fault.Malformed, "UNKNOWN_FIELD", "the body has a field that this route does not know")
	errInvalidJSON    = fault.New(fault.Malformed, "INVALID_JSON", "the body is not one JSON object")
	errDuplicateField = fault.New(fault.Malformed, "DUPLICATE_FIELD", "a field occurs twice, perhaps in another case")
	errInvalidString  = fault.New(fault.Malformed, "INVALID_STRING", "a string holds a character that cannot be stored")
)

// methodNotAllowed has no kind of its own: only the router ever says it.
const codeMethodNotAllowed = "METHOD_NOT_ALLOWED"

// fail writes a refusal or a bug; nothing else does. A bug is logged whole, once, and shown
// as INTERNAL.
func (s *Server) fail(c echo.Context, err error) {
	if c.Response().Committed {
		s.log.Error("answer was already begun", "error", err, "request_id", requestID(c))
		return
	}
	status, f := s.classify(c, err)
	h := c.Response().Header()
	if f.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(f.RetryAfter))
	}
	h.Set(echo.HeaderContentType, echo.MIMEApplicationJSON)
	if f.Kind == fault.TooLarge {
		h.Set("Connection", "close")
	}
	message, facts := f.Message, f.Fields
	if f.Kind == fault.Internal {
		message, facts = errInternal.Message, nil
	}
	body := Failure{Error: FailureBody{Code: f.Code, Message: message, Details: f.Details, Facts: facts}}
	if err := c.JSON(status, body); err != nil {
		s.log.Debug("client went away", "error", err, "request_id", requestID(c))
	}
}

func (s *Server) classify(c echo.Context, err error) (int, *fault.Error) {
	if f, ok := fault.From(err); ok && f.Kind != fault.Internal {
		return statusOf[f.Kind], f
	}
	if he, ok := errors.AsType[*echo.HTTPError](err); ok {
		switch he.Code {
		case http.StatusNotFound:
			return he.Code, errNoRoute
		case http.StatusMethodNotAllowed:
			return he.Code, fault.New(fault.Malformed, codeMethodNotAllowed, "this route does not take "+method(c))
		case http.StatusRequestEntityTooLarge:
			return he.Code, errTooLarge
		}
	}
	if errors.Is(err, errPanic) {
		return http.StatusInternalServerError, errInternal // logged with its stack already
	}
	if c.Request().Context().Err() != nil {
		return http.StatusServiceUnavailable, fault.New(fault.Unavailable, "CANCELLED", "the request ended before the answer was there").Retry(1)
	}
	s.log.LogAttrs(c.Request().Context(), slog.LevelError, "request failed",
		slog.Any("error", err), slog.String("request_id", requestID(c)), slog.String("route", c.Path()))
	return http.StatusInternalServerError, errInternal
}

// method gives the request's method when it is one; a made-up one is not echoed.
func method(c echo.Context) string {
	m := c.Request().Method
	for _, r := range m {
		if r < 'A' || r > 'Z' || len(m) > 10 {
			return "this method"
		}
	}
	return m
}

package http

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
)

const (
	headerRequestID = "X-Request-Id"
	keyRequestID    = "request_id"
)

// requestID gives the id under which this request is logged.
func requestID(c echo.Context) string { id, _ := c.Get(keyRequestID).(string); return id }

// identifyRequest keeps a caller's request id when it is harmless and makes one otherwise.
func identifyRequest(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id := c.Request().Header.Get(headerRequestID)
		if !harmlessID(id) {
			id = uuid.NewString()
		}
		c.Set(keyRequestID, id)
		c.Response().Header().Set(headerRequestID, id)
		return next(c)
	}
}

func harmlessID(id string) bool {
	if len(id) < 8 || len(id) > 128 {
		return false
	}
	return !strings.ContainsFunc(id, func(r rune) bool { return !strings.ContainsRune(harmless, r) })
}

const harmless = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

// securityHeaders are those that helmet set, for an API that serves no pages but its docs.
// Over plain http nothing is promised about https: a development machine would be locked out.
func (s *Server) securityHeaders(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		if s.proxies.secure(c.Request()) {
			h.Set("Strict-Transport-Security", "max-age=15552000; includeSubDomains")
		}
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-site")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Cache-Control", "no-store")
		return next(c)
	}
}

const corsMethods = "GET, POST, PUT, PATCH, DELETE, OPTIONS"

const (
	corsRequestHeaders = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Min-Position, X-Request-Id, X-Session"
	corsAnswerHeaders  = "ETag, Idempotent-Replayed, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, RateLimit-Policy, X-Request-Id"
)

// cors lets one origin in, compared as a whole: no prefix, no suffix, never "null".
func (s *Server) cors(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Add("Vary", "Origin")
		origin := c.Request().Header.Get("Origin")
		friendly := origin != "" && origin == s.config.FrontendURL
		if friendly {
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Allow-Credentials", "true")
			h.Set("Access-Control-Expose-Headers", corsAnswerHeaders)
		}
		if c.Request().Method != http.MethodOptions || c.Request().Header.Get("Access-Control-Request-Method") == "" {
			return next(c)
		}
		if friendly {
			h.Set("Access-Control-Allow-Methods", corsMethods)
			h.Set("Access-Control-Allow-Headers", corsRequestHeaders)
			h.Set("Access-Control-Max-Age", "600")
		}
		return c.NoContent(http.StatusNoContent)
	}
}

// bodyLimit refuses by the announced length before anything is read; the gate holds the
// limit for bodies that announce none.
func bodyLimit(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if c.Request().ContentLength > maxBody {
			return errTooLarge
		}
		return next(c)
	}
}

// accessLog writes one line a request and counts it. Health and metrics are not logged.
func (s *Server) accessLog(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := time.Now()
		err := next(c)
		if err != nil {
			// Answer here, so that the status is known.
			s.fail(c, err)
		}
		took := time.Since(start)
		status := c.Response().Status
		s.metrics.observe(c, status, took)
		if !s.config.AccessLog || quiet(c.Path()) {
			return nil
		}
		level := slog.LevelInfo
		if status >= http.StatusInternalServerError {
			level = slog.LevelWarn
		}
		ctx := c.Request().Context()
		if s.log.Enabled(ctx, level) {
			s.log.LogAttrs(ctx, level, "request", slog.String("method", method(c)), slog.String("route", c.Path()),
				slog.Int("status", status), slog.Int64("micros", took.Microseconds()), slog.String("request_id", requestID(c)))
		}
		return nil
	}
}

func quiet(path string) bool { return strings.HasPrefix(path, "/health") || path == "/metrics" }

// recoverPanic turns a panic into a bug like any other: logged with its stack, shown as 500.
func (s *Server) recoverPanic(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
				panic(p)
			}
			s.log.Error("panic", "panic", fmt.Sprint(p), "stack", string(debug.Stack()), "request_id", requestID(c))
			err = errPanic
		}()
		return next(c)
	}
}

// errPanic is shown as INTERNAL and not logged a second time.
var errPanic = fmt.Errorf("a handler panicked")

// admitInFlight bounds what is worked on at once. Health, metrics and webhooks have room of
// their own, so that a flood of requests shuts out neither the operator nor the provider.
func (s *Server) admitInFlight(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		room := s.inFlight
		switch path := c.Request().URL.Path; {
		case quiet(path):
			return next(c)
		case path == webhookPath:
			room = s.webhooksInFlight
		case waitOf(c) > 0:
			room = s.pollsInFlight
		}
		select {
		case room <- struct{}{}:
			defer func() { <-room }()
			return next(c)
		default:
			return errTooMany
		}
	}
}

// deadline bounds the work of a request; a long poll's wait comes on top, and a stream has
// a limit for each of its parts instead.
func (s *Server) deadline(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if s.streams[c.Path()] {
			return next(c)
		}
		ctx, cancel := context.WithTimeout(c.Request().Context(), s.config.RequestTimeout+waitOf(c))
		defer cancel()
		c.SetRequest(c.Request().WithContext(ctx))
		return next(c)
	}
}

// partLimit is how long a client may take to read one part of a stream.
const partLimit = 30 * time.Second

// nextPart gives a stream time for one more part.
func nextPart(c echo.Context) {
	// A writer that knows no deadlines (tests) has none to move.
	_ = http.NewResponseController(c.Response()).SetWriteDeadline(time.Now().Add(partLimit))
}

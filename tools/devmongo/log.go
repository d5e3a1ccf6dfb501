package main

import (
	"context"
	"log/slog"
)

// lately is a handler that formats attributes only for records that are written. FerretDB gives its
// logger new ones at every command, and slog's own handlers write them down at once.
type lately struct {
	slog.Handler
	with []func(slog.Handler) slog.Handler
}

func (h lately) Handle(ctx context.Context, r slog.Record) error {
	full := h.Handler
	for _, add := range h.with {
		full = add(full)
	}
	return full.Handle(ctx, r)
}

func (h lately) WithAttrs(attrs []slog.Attr) slog.Handler {
	return h.and(func(to slog.Handler) slog.Handler { return to.WithAttrs(attrs) })
}

func (h lately) WithGroup(name string) slog.Handler {
	return h.and(func(to slog.Handler) slog.Handler { return to.WithGroup(name) })
}

func (h lately) and(add func(slog.Handler) slog.Handler) slog.Handler {
	h.with = append(h.with[:len(h.with):len(h.with)], add)
	return h
}

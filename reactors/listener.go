package reactors

import (
	"context"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/projections"
)

// Sleeper is a loop that can be woken.
type Sleeper interface{ Wake() }

// Listener wakes loops early when the database says that there is something for them. Without
// it they find out by themselves, a moment later.
type Listener struct {
	pool     *pgxpool.Pool
	channels []string
	sleepers map[string][]Sleeper
	log      *slog.Logger
}

// NewListener makes a listener over its channels: projections.LogChannel is rung by every
// append, records.InboxChannel by every notice.
func NewListener(pool *pgxpool.Pool, sleepers map[string][]Sleeper, log *slog.Logger) *Listener {
	l := &Listener{pool: pool, sleepers: sleepers, log: log}
	if log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	for c := range sleepers {
		l.channels = append(l.channels, c)
	}
	return l
}

// Status is always good: what a listener misses the loops find by themselves.
func (l *Listener) Status() Status { return Status{Name: "listener"} }

// Run listens until ctx ends.
func (l *Listener) Run(ctx context.Context) error {
	projections.Listen(ctx, l.pool, func(channel, _ string) {
		for _, s := range l.sleepers[channel] {
			s.Wake()
		}
	}, l.log.With("reactor", "listener"), l.channels...)
	return nil
}

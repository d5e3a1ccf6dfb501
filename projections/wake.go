package projections

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// bell wakes everybody who waits.
type bell struct {
	mu   sync.Mutex
	rung chan struct{}
}

func newBell() *bell { return &bell{rung: make(chan struct{})} }

// next gives a channel that is closed at the next ring. Take it before looking at what the
// ring is about, and nothing is missed.
func (b *bell) next() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rung
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.rung)
	b.rung = make(chan struct{})
}

// The channels that are listened to: the log's, rung by every append, and our own, rung when
// an operator changes a projector's state.
const (
	LogChannel   = "holdfast_log"
	stateChannel = "holdfast_projections"
)

// silence is how long nothing may be heard before the connection is tested.
const silence = 15 * time.Second

// listen rings the bell whenever the log grows or a projector's state changes.
func listen(ctx context.Context, pool *pgxpool.Pool, b *bell, log *slog.Logger) {
	Listen(ctx, pool, func(string, string) { b.ring() }, log, LogChannel, stateChannel)
}

// Listen calls ring with the channel's name and what was said for every notification on the
// channels, until ctx ends. It is a hint that saves time: who waits also polls. A lost
// connection is made again, a hung one is found by its silence; after either, every channel
// rings once with nothing said, since something may have been missed. The connection is one of
// its own beside the pool.
func Listen(ctx context.Context, pool *pgxpool.Pool, ring func(channel, said string), log *slog.Logger, channels ...string) {
	var wait backoff
	for ctx.Err() == nil {
		err := listenOnce(ctx, pool, ring, &wait, channels)
		if ctx.Err() != nil {
			return
		}
		log.Warn("listening for notifications was interrupted; polling goes on", "error", err)
		ringAll(ring, channels)
		wait.sleep(ctx)
	}
}

func ringAll(ring func(string, string), channels []string) {
	for _, c := range channels {
		ring(c, "")
	}
}

func listenOnce(ctx context.Context, pool *pgxpool.Pool, ring func(string, string), wait *backoff, channels []string) error {
	connecting, cancel := context.WithTimeout(ctx, readDeadline)
	defer cancel()
	// A connection of its own: one of the pool would be missing there for good.
	conn, err := pgx.ConnectConfig(connecting, pool.Config().ConnConfig)
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(closing) // it is given up either way
	}()
	for _, c := range channels {
		if _, err := conn.Exec(connecting, "LISTEN "+pgx.Identifier{c}.Sanitize()); err != nil {
			return err
		}
	}
	ringAll(ring, channels)
	wait.reset()
	for {
		quiet, cancel := context.WithTimeout(ctx, silence)
		n, err := conn.WaitForNotification(quiet)
		cancel()
		switch {
		case err == nil:
			ring(n.Channel, n.Payload)
		case ctx.Err() != nil || quiet.Err() == nil:
			return err
		default:
			if err := ping(ctx, conn); err != nil {
				return err
			}
		}
	}
}

func ping(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return conn.Ping(ctx)
}

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
	logChannel   = "holdfast_log"
	stateChannel = "holdfast_projections"
)

// silence is how long nothing may be heard before the connection is tested.
const silence = 15 * time.Second

// listen rings the bell whenever the log grows. It is a hint that saves time: who waits also
// polls. A lost connection is made again; a hung one is found by its silence.
func listen(ctx context.Context, pool *pgxpool.Pool, b *bell, log *slog.Logger) {
	var wait backoff
	for ctx.Err() == nil {
		err := listenOnce(ctx, pool, b, &wait)
		if ctx.Err() != nil {
			return
		}
		log.Warn("listening to the log was interrupted; polling goes on", "error", err)
		b.ring()
		wait.sleep(ctx)
	}
}

func listenOnce(ctx context.Context, pool *pgxpool.Pool, b *bell, wait *backoff) error {
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
	if _, err := conn.Exec(connecting, "LISTEN "+logChannel+"; LISTEN "+stateChannel); err != nil {
		return err
	}
	b.ring()
	wait.reset()
	for {
		quiet, cancel := context.WithTimeout(ctx, silence)
		_, err := conn.WaitForNotification(quiet)
		cancel()
		switch {
		case err == nil:
			b.ring()
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

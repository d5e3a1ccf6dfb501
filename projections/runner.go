package projections

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/message/router/middleware"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"holdfast/eventstore"
)

// Options tune a runner; the zero value is good.
type Options struct {
	Log *slog.Logger
	// Slice is the largest number of positions in one live slice, 1000 when 0.
	Slice int
	// Linger is the least time between two live slices, 40 ms when 0: commits gather meanwhile.
	Linger time.Duration
	// Poll is how often the log is looked at when no notification comes, 1 s when 0.
	Poll time.Duration
	// Metrics gets projection_position, projection_lag_seconds and projection_halted; may be nil.
	Metrics prometheus.Registerer
}

// leastConnections is what a pool must have: a slice, a rebuild (two), and a query beside them.
const leastConnections = 4

// Runner keeps the read models up to date and steers them. Any number of processes may run
// one; the checkpoints are the fence between them.
type Runner struct {
	engine   *engine
	tail     *tail
	registry *Registry
	opts     Options
	bell     *bell // the log grew, or somebody changed a projector's state
	seen     *positions
	metrics  *metrics
}

// New makes a runner over the log's database. pool must not be the one that serves requests:
// projectors that wait for a connection would make requests wait too.
func New(pool *pgxpool.Pool, codec *eventstore.Codec, registry *Registry, opts Options) (*Runner, error) {
	if size := pool.Config().MaxConns; size < leastConnections {
		return nil, fmt.Errorf("the projectors' pool has %d connections, it needs at least %d", size, leastConnections)
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	opts.Slice = orDefault(opts.Slice, 1000)
	opts.Linger = orDefault(opts.Linger, 40*time.Millisecond)
	opts.Poll = orDefault(opts.Poll, time.Second)
	log := &logReader{codec}
	r := &Runner{
		engine: &engine{pool: pool, log: log, slog: opts.Log, batchApplier: batchApplier{log}},
		tail:   &tail{pool: pool, log: log}, registry: registry, opts: opts, bell: newBell(), seen: newPositions(),
	}
	var err error
	r.metrics, err = newMetrics(opts.Metrics, registry.Names())
	return r, err
}

func orDefault[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}

// Register makes the checkpoint rows of projectors that have none yet.
func (r *Runner) Register(ctx context.Context) error {
	for _, p := range r.registry.order {
		if _, err := r.engine.pool.Exec(ctx, registerSQL, p.Name(), p.Version()); err != nil {
			return fmt.Errorf("register projector %s: %w", p.Name(), err)
		}
	}
	return nil
}

// Run registers the projectors and follows the log until ctx ends. A projector whose tables
// are of another version is rebuilt first, while queries go on with the old tables.
func (r *Runner) Run(ctx context.Context) error {
	if err := r.Register(ctx); err != nil {
		return err
	}
	router, err := message.NewRouter(message.RouterConfig{CloseTimeout: 30 * time.Second}, watermill.NewSlogLogger(quietBelowWarn(r.opts.Log)))
	if err != nil {
		return fmt.Errorf("make the router: %w", err)
	}
	router.AddMiddleware(middleware.Recoverer, r.measured)
	sub := &subscriber{
		engine: r.engine, tail: r.tail, registry: r.registry, bell: r.bell, slog: r.opts.Log,
		limit: r.opts.Slice, linger: r.opts.Linger, poll: r.opts.Poll, closing: make(chan struct{}),
	}
	for _, p := range r.registry.order {
		router.AddConsumerHandler(p.Name(), p.Name(), sub, r.handle(p))
	}
	var beside sync.WaitGroup
	defer beside.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	beside.Go(func() { listen(ctx, r.engine.pool, r.bell, r.opts.Log) })
	beside.Go(func() { r.renew(ctx) })
	beside.Go(func() { r.watch(ctx) })
	if err := router.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("run the projectors: %w", err)
	}
	return nil
}

// handle is the message handler of one projector. It returns only passing errors.
func (r *Runner) handle(p Projector) message.NoPublishHandlerFunc {
	return func(m *message.Message) error {
		d, ok := deliveryOf(m)
		if !ok {
			return errors.New("a message without a slice")
		}
		c, err := r.engine.advance(m.Context(), p, d.slice)
		if err != nil {
			return err
		}
		d.after = c
		r.seen.note(p.Name(), c.position)
		return nil
	}
}

// renew rebuilds, one after the other, the projectors whose tables are of another version.
func (r *Runner) renew(ctx context.Context) {
	for _, p := range r.registry.order {
		c, err := readCheckpoint(ctx, r.engine.pool, checkpointSQL, p.Name())
		if err == nil && c.version != p.Version() {
			r.opts.Log.Info("the read model is of another version and is rebuilt", "projector", p.Name(), "is", c.version, "wanted", p.Version())
			err = r.Rebuild(ctx, p.Name(), nil)
		}
		if err != nil && ctx.Err() == nil {
			r.opts.Log.Error("the read model cannot be renewed", "projector", p.Name(), "error", err)
		}
	}
}

// quietBelowWarn drops Watermill's own chatter: it logs every message at debug and every
// start and stop at info.
func quietBelowWarn(log *slog.Logger) *slog.Logger {
	return slog.New(atLeastWarn{log.Handler()})
}

type atLeastWarn struct{ slog.Handler }

func (h atLeastWarn) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.Handler.Enabled(ctx, level)
}

func (h atLeastWarn) WithAttrs(attrs []slog.Attr) slog.Handler {
	return atLeastWarn{h.Handler.WithAttrs(attrs)}
}

func (h atLeastWarn) WithGroup(name string) slog.Handler {
	return atLeastWarn{h.Handler.WithGroup(name)}
}

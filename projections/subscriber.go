package projections

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
)

// delivery travels in the context of a message: the slice, and after the handler where the
// checkpoint stands.
type delivery struct {
	slice Slice
	after checkpoint
}

type deliveryKey struct{}

func deliveryOf(m *message.Message) (*delivery, bool) {
	d, ok := m.Context().Value(deliveryKey{}).(*delivery)
	return d, ok
}

// subscriber is a Watermill subscriber on the log itself: the topic is a projector's name, a
// message is the next slice after its checkpoint, and there is one message at a time. No table
// of messages or offsets stands between: the log is the queue, the checkpoint the offset.
type subscriber struct {
	engine   *engine
	tail     *tail
	registry *Registry
	bell     *bell
	slog     *slog.Logger
	limit    int           // positions a slice
	linger   time.Duration // least time between two slices that are not full
	poll     time.Duration // how long a lost wake-up may go unnoticed

	closing chan struct{}
	once    sync.Once
	open    sync.WaitGroup
}

// Subscribe implements message.Subscriber.
func (s *subscriber) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	p, err := s.registry.find(topic)
	if err != nil {
		return nil, err
	}
	select {
	case <-s.closing:
		return nil, errors.New("the subscriber is closed")
	default:
	}
	ctx, cancel := context.WithCancel(ctx)
	out := make(chan *message.Message)
	s.open.Go(func() {
		defer cancel()
		defer close(out)
		f := &follower{subscriber: s, projector: p, out: out}
		f.run(ctx)
	})
	go func() {
		select {
		case <-s.closing:
			cancel()
		case <-ctx.Done():
		}
	}()
	return out, nil
}

// Close implements message.Subscriber: no slice is read any more; the message that is being
// handled is waited for.
func (s *subscriber) Close() error {
	s.once.Do(func() { close(s.closing) })
	s.open.Wait()
	return nil
}

// follower reads the log for one projector.
type follower struct {
	*subscriber
	projector Projector
	out       chan<- *message.Message
	wait      backoff
}

// run repeats: look where the checkpoint stands, follow the log from there until something is
// unusual, look again.
func (f *follower) run(ctx context.Context) {
	for ctx.Err() == nil {
		rung := f.bell.next()
		c, err := readCheckpoint(ctx, f.engine.pool, checkpointSQL, f.projector.Name())
		switch {
		case err != nil:
			f.failed(ctx, fmt.Errorf("look up the checkpoint: %w", err))
		case !c.ready(f.projector.Version()):
			pause(ctx, f.poll, rung)
		default:
			f.follow(ctx, c)
		}
	}
}

// follow hands out slice after slice. It returns when the projector is not running any more
// or a slice failed, after a pause, and on an idle log now and then.
func (f *follower) follow(ctx context.Context, c checkpoint) {
	for {
		rung, started := f.bell.next(), time.Now()
		slice, err := f.next(ctx, c.position)
		if err != nil {
			f.failed(ctx, err)
			return
		}
		if slice.To == c.position && c.fits(slice) {
			pause(ctx, f.poll, rung)
			if time.Since(started) >= f.poll || ctx.Err() != nil {
				return
			}
			continue
		}
		var ok bool
		if c, ok = f.deliver(ctx, slice); !ok || !c.ready(f.projector.Version()) {
			return
		}
		f.wait.reset()
		if slice.To == slice.Head {
			// Caught up: let a few commits gather, so that a slice is worth its transaction.
			pause(ctx, f.gather(slice)-time.Since(started), nil)
		}
	}
}

// next reads a slice, from memory where others have read it.
func (f *follower) next(ctx context.Context, after int64) (Slice, error) {
	if s, ok, err := f.tail.slice(ctx, f.projector.Categories(), after, f.limit); err != nil || ok {
		return s, err
	}
	return f.engine.log.slice(ctx, f.engine.pool, f.projector, after, f.limit)
}

// A log that grows by more than these positions in one linger is busy: then commits gather up to
// this many times longer, so that a slice's cost is shared by more of them and a dozen read models
// leave the writers their share.
//
// A slice that holds nothing for this projector only moves its checkpoint; that is worth a
// transaction less often.
const (
	calm     = 20
	patience = 10
	bare     = 3
)

// gather is how long commits gather before the next slice.
func (f *follower) gather(s Slice) time.Duration {
	times := min(max((s.To-s.After)/calm, 1), patience)
	if len(s.Events) == 0 {
		times = max(times, bare)
	}
	return f.linger * time.Duration(times)
}

// deliver hands one slice to the handler and waits for its end. ok is false when it failed.
func (f *follower) deliver(ctx context.Context, s Slice) (checkpoint, bool) {
	d := &delivery{slice: s}
	m := message.NewMessage(fmt.Sprintf("%s/%d-%d", f.projector.Name(), s.After+1, s.To), nil)
	m.SetContext(context.WithValue(ctx, deliveryKey{}, d))
	select {
	case f.out <- m:
	case <-ctx.Done():
		return checkpoint{}, false
	}
	select {
	case <-m.Acked():
		return d.after, true
	case <-m.Nacked():
		f.wait.sleep(ctx)
		return checkpoint{}, false
	}
}

func (f *follower) failed(ctx context.Context, err error) {
	if ctx.Err() == nil {
		f.slog.Warn("reading the log failed; it is tried again", "projector", f.projector.Name(), "error", err)
		f.wait.sleep(ctx)
	}
}

package postgres

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"holdfast/eventstore"
)

// counters are what Stats shows.
type counters struct {
	batches, commands, retries, alone atomic.Int64
}

// Stats tells how the group commit is doing.
type Stats struct {
	Batches  int64 // commits tried
	Commands int64 // commands in them; divided by Batches it is the size of a batch
	Retries  int64 // batches tried again after a deadlock, a time-out or a serialization failure
	Alone    int64 // commands tried one by one because their batch was refused as a whole
	Waiting  int   // commands waiting now
}

// Stats gives the counters since New.
func (s *Store) Stats() Stats {
	s.queue.mu.Lock()
	waiting := len(s.queue.waiting)
	s.queue.mu.Unlock()
	return Stats{
		Batches: s.stats.batches.Load(), Commands: s.stats.commands.Load(), Retries: s.stats.retries.Load(),
		Alone: s.stats.alone.Load(), Waiting: waiting,
	}
}

// commitLoop commits batch after batch until the queue is closed.
func (s *Store) commitLoop() {
	for {
		requests := s.queue.take(s.opts.MaxBatch)
		if requests == nil {
			return
		}
		if live := stillWanted(requests); len(live) > 0 {
			s.commit(live)
		}
	}
}

// stillWanted drops requests whose callers have gone before anything was done for them.
func stillWanted(requests []*request) []*request {
	live := requests[:0]
	for _, r := range requests {
		if err := r.ctx.Err(); err != nil {
			r.answer(eventstore.Appended{}, err)
			continue
		}
		live = append(live, r)
	}
	return live
}

// What one batch may cost when the database refuses it for passing reasons: callers wait.
const (
	maxTries = 5
	maxTrial = 5 * time.Second
)

// commit sees a batch through: again after passing trouble, one by one when the database
// refuses the whole because of one, and with an answer to everybody in the end.
func (s *Store) commit(requests []*request) {
	began := time.Now()
	for try := 1; ; try++ {
		s.stats.batches.Add(1)
		s.stats.commands.Add(int64(len(requests)))
		b := newBatch(s, requests)
		err := b.run()
		switch verdict(err, b.mayHaveCommitted) {
		case fine:
			b.answer()
			return
		case passing:
			// A plain row that somebody holds is its own command's trouble, not everybody's.
			if b.rows.begun && len(requests) > 1 {
				s.oneByOne(requests)
				return
			}
			if !b.rows.begun && try < maxTries && time.Since(began) < maxTrial {
				s.stats.retries.Add(1)
				s.opts.Log.Warn("append is tried again", "try", try, "commands", len(requests), "error", err)
				time.Sleep(time.Duration(rand.Int64N(int64(try) * int64(20*time.Millisecond))))
				continue
			}
			err = unavailable(err)
		case refused:
			if len(requests) > 1 {
				s.oneByOne(requests)
				return
			}
			err = b.refusal(err)
		case lost:
			err = unavailable(err)
		}
		s.opts.Log.Error("append failed", "commands", len(requests), "error", err)
		for _, r := range requests {
			r.answer(eventstore.Appended{}, err)
		}
		return
	}
}

// oneByOne finds the culprit of a refused batch: it alone fails.
func (s *Store) oneByOne(requests []*request) {
	for _, r := range requests {
		s.stats.alone.Add(1)
		s.commit([]*request{r})
	}
}

// run decides and writes the batch within the client's deadline. The callers' contexts play
// no part: one that ends must not break the others.
func (b *batch) run() error {
	ctx, cancel := context.WithTimeoutCause(context.Background(), clientTimeout, errTooSlow)
	defer cancel()
	conn, err := b.store.write.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	if err := b.gather(ctx, conn.Conn()); err != nil {
		return b.rollback(ctx, conn.Conn(), err)
	}
	if err := b.decide(); err != nil {
		return b.rollback(ctx, conn.Conn(), err)
	}
	if !b.writes() {
		return b.rollback(ctx, conn.Conn(), nil)
	}
	b.mayHaveCommitted = true
	if err := b.write(ctx, conn.Conn()); err != nil {
		return b.rollback(ctx, conn.Conn(), err)
	}
	return nil
}

var errTooSlow = errors.New("the database did not answer in time")

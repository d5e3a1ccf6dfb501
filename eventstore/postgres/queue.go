package postgres

import (
	"context"
	"runtime"
	"sync"
	"time"

	"holdfast/eventstore"
	"holdfast/eventstore/commit"
)

// request is one caller's wish on its way.
type request struct {
	ctx  context.Context
	wish *commit.Wish
	done chan result // buffered: a caller that has gone away holds nothing up
}

type result struct {
	appended eventstore.Appended
	err      error
}

func (r *request) answer(appended eventstore.Appended, err error) { r.done <- result{appended, err} }

// queue collects requests while a batch is being committed.
type queue struct {
	mu      sync.Mutex
	waiting []*request
	closed  bool
	wake    chan struct{}
	last    int // how many the batch before took
}

func newQueue() *queue { return &queue{wake: make(chan struct{}, 1)} }

// put hands a request over; false when the queue is closed.
func (q *queue) put(r *request) bool {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return false
	}
	q.waiting = append(q.waiting, r)
	q.mu.Unlock()
	q.nudge()
	return true
}

func (q *queue) nudge() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// linger is how long a batch waits for the callers of the one before, who have just been
// answered and are about to ask again. Without it batches alternate between one and all.
const linger = 300 * time.Microsecond

// take waits for requests and gives up to limit of them; nil once the queue is closed and empty.
func (q *queue) take(limit int) []*request {
	for {
		q.mu.Lock()
		n, closed := len(q.waiting), q.closed
		q.mu.Unlock()
		if n > 0 {
			break
		}
		if closed {
			return nil
		}
		<-q.wake
	}
	q.gather(limit)
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(limit, len(q.waiting))
	batch := q.waiting[:n:n]
	q.waiting = append([]*request(nil), q.waiting[n:]...)
	q.last = n
	return batch
}

// gather gives the callers of the last batch a moment to come back, so that everybody rides
// together instead of in two groups that take turns.
func (q *queue) gather(limit int) {
	q.mu.Lock()
	want := min(limit, len(q.waiting)+q.last*3/4)
	q.mu.Unlock()
	for deadline := time.Now().Add(linger); ; {
		q.mu.Lock()
		n, closed := len(q.waiting), q.closed
		q.mu.Unlock()
		if n >= want || closed || time.Now().After(deadline) {
			return
		}
		runtime.Gosched()
	}
}

func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.nudge()
}

package ratelimit

import (
	"sync"
	"time"
)

// window is a count and when it begins anew. missed are those of the count that Redis was not
// told of.
type window struct {
	count  int
	missed int
	ends   time.Time
}

// windows are this process's counts: bounded, the ended ones dropped first.
type windows struct {
	mu  sync.Mutex
	all map[string]window
	max int
}

func newWindows(most int) *windows { return &windows{all: map[string]window{}, max: most} }

// add counts one that nobody else knows of.
func (w *windows) add(key string, now time.Time, length time.Duration) window {
	w.mu.Lock()
	defer w.mu.Unlock()
	mine, ok := w.all[key]
	if !ok || !now.Before(mine.ends) {
		mine = window{ends: now.Add(length)}
	}
	mine.count++
	mine.missed++
	w.put(key, mine, now)
	return mine
}

// agree takes what Redis says of one that was counted there. A window that began anew there
// before it ended here was lost there: then this process goes on counting. slack is by how much
// two answers about one window may differ.
func (w *windows) agree(key string, now time.Time, theirs window, slack time.Duration) window {
	w.mu.Lock()
	defer w.mu.Unlock()
	mine, ok := w.all[key]
	if ok && now.Before(mine.ends) {
		if theirs.ends.Sub(mine.ends) > slack {
			mine.count = max(mine.count+1, theirs.count)
			w.put(key, mine, now)
			return mine
		}
		// Answers come in any order: each counts as the number that Redis gave it.
		theirs.count, theirs.ends = theirs.count+mine.missed, mine.ends
		w.put(key, window{count: max(mine.count, theirs.count), missed: mine.missed, ends: mine.ends}, now)
		return theirs
	}
	w.put(key, theirs, now)
	return theirs
}

func (w *windows) put(key string, mine window, now time.Time) {
	if _, known := w.all[key]; !known && len(w.all) >= w.max {
		w.shrink(now)
	}
	w.all[key] = mine
}

// shrink drops what has ended, and when that is not enough a quarter of the rest, in no order:
// who sends from ever new addresses cannot make this process grow.
func (w *windows) shrink(now time.Time) {
	for key, one := range w.all {
		if !now.Before(one.ends) {
			delete(w.all, key)
		}
	}
	for key := range w.all {
		if len(w.all) <= w.max-max(1, w.max/4) {
			return
		}
		delete(w.all, key)
	}
}

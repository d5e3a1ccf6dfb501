package ratelimit

import (
	"sync"
	"time"
)

// window is a count and when it begins anew.
type window struct {
	count int
	ends  time.Time
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
	w.put(key, mine, now)
	return mine
}

// agree counts one of which Redis says how many there were. The higher count stands: one that
// went down before its window ended was lost there, not used up here.
func (w *windows) agree(key string, now time.Time, theirs window) window {
	w.mu.Lock()
	defer w.mu.Unlock()
	mine, ok := w.all[key]
	if ok && now.Before(mine.ends) && mine.count+1 > theirs.count {
		mine.count++
	} else {
		mine = theirs
	}
	w.put(key, mine, now)
	return mine
}

func (w *windows) get(key string, now time.Time) (window, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	mine, ok := w.all[key]
	return mine, ok && now.Before(mine.ends)
}

func (w *windows) set(key string, mine window, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.put(key, mine, now)
}

func (w *windows) drop(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.all, key)
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

package http

import "sync"

// polls lets every long poll end at once when the server stops.
type polls struct {
	once    sync.Once
	stopped chan struct{}
}

func newPolls() *polls { return &polls{stopped: make(chan struct{})} }

func (p *polls) stop() { p.once.Do(func() { close(p.stopped) }) }

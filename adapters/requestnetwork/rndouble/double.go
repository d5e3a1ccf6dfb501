package rndouble

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/ethclient"

	"holdfast/domain/network"
)

// Options of a double.
type Options struct {
	Port int // on 127.0.0.1; 0 = any free port
	// RPC and Chain are what the indexer watches; without RPC nothing is ever paid.
	RPC   string
	Chain network.Chain
	// Secret signs the webhooks. APIKey, when set, is asked of callers.
	Secret string
	APIKey string
	// File keeps the requests over a restart; empty = in memory.
	File string
	// Behaviour is how it misbehaves from the start; Behave changes it later.
	Behaviour
	// Retries are the waits before a delivery is tried again; the provider's when nil.
	Retries  []time.Duration
	Interval time.Duration // of the indexer; 200 ms when 0
	Log      *slog.Logger
}

// Double is a running double.
type Double struct {
	o        Options
	chain    *ethclient.Client
	registry *network.Registry
	server   *http.Server
	url      string
	client   *http.Client

	mu       sync.Mutex
	how      Behaviour
	webhook  string
	requests []*request // in the order of their making
	calls    map[string]int

	running context.Context // of the deliveries
	stop    context.CancelFunc
	work    sync.WaitGroup
}

// Start brings a double up.
func Start(ctx context.Context, o Options) (*Double, error) {
	if o.Retries == nil {
		o.Retries = []time.Duration{time.Second, 5 * time.Second, 15 * time.Second}
	}
	if o.Interval == 0 {
		o.Interval = 200 * time.Millisecond
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	registry, err := network.New(o.Chain)
	if err != nil {
		return nil, fmt.Errorf("start the Request Network double: %w", err)
	}
	d := &Double{o: o, how: o.Behaviour, registry: registry, client: &http.Client{Timeout: 5 * time.Second}}
	if err := d.load(); err != nil {
		return nil, fmt.Errorf("start the Request Network double: %w", err)
	}
	if err := d.listen(ctx); err != nil {
		return nil, fmt.Errorf("start the Request Network double: %w", err)
	}
	return d, nil
}

func (d *Double) listen(ctx context.Context) error {
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	d.stop, d.running = stop, running
	if d.o.RPC != "" {
		c, err := ethclient.DialContext(ctx, d.o.RPC)
		if err != nil {
			stop()
			return fmt.Errorf("dial the chain: %w", err)
		}
		d.chain = c
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", d.o.Port))
	if err != nil {
		stop()
		return err
	}
	d.url = "http://" + l.Addr().String()
	d.server = &http.Server{Handler: d.routes(), ReadHeaderTimeout: 5 * time.Second}
	d.work.Go(func() {
		if err := d.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			d.o.Log.Error("the Request Network double stopped", "error", err)
		}
	})
	if d.chain != nil {
		d.work.Go(func() { d.index(running) })
	}
	return nil
}

// URL is the API's base.
func (d *Double) URL() string { return d.url }

// SetWebhook says where notices go; until then they are lost.
func (d *Double) SetWebhook(url string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.webhook = url
}

// Close stops the double; deliveries under way are given up.
func (d *Double) Close() error {
	d.stop()
	err := d.server.Close()
	d.work.Wait()
	d.client.CloseIdleConnections()
	if d.chain != nil {
		d.chain.Close()
	}
	return err
}

// pause waits; false when the double is being closed.
func pause(ctx context.Context, wait time.Duration) bool {
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

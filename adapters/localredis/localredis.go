package localredis

import (
	"context"
	"fmt"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// tick is how often the embedded server's clock moves: it expires nothing by itself.
const tick = 100 * time.Millisecond

// Redis is an open client.
type Redis struct {
	*redis.Client
	// Embedded is true for the server inside the process: its content ends with it, and
	// other processes do not see it.
	Embedded bool

	stop func()
}

// Open connects to the server of a redis:// or rediss:// URI, or starts an embedded one
// when uri is empty. password, when given, replaces that of the URI. An unreachable server
// is no error here: Ping tells.
func Open(uri, password string) (*Redis, error) {
	if uri == "" {
		return embedded()
	}
	o, err := redis.ParseURL(uri)
	if err != nil {
		return nil, fmt.Errorf("REDIS_URI is not a redis:// or rediss:// URI") // the error would show the password
	}
	if password != "" {
		o.Password = password
	}
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = 2*time.Second, time.Second, time.Second
	o.ContextTimeoutEnabled = true // who asks says how long it may take
	return &Redis{Client: redis.NewClient(o), stop: func() {}}, nil
}

func embedded() (*Redis, error) {
	server := miniredis.NewMiniRedis()
	if err := server.Start(); err != nil {
		return nil, fmt.Errorf("start the embedded Redis: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		keepTime(ctx, server)
	}()
	return &Redis{
		Client: redis.NewClient(&redis.Options{Addr: server.Addr(), ContextTimeoutEnabled: true}), Embedded: true,
		stop: func() { cancel(); <-ended; server.Close() },
	}, nil
}

func keepTime(ctx context.Context, server *miniredis.Miniredis) {
	clock := time.NewTicker(tick)
	defer clock.Stop()
	for last := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case now := <-clock.C:
			server.FastForward(now.Sub(last))
			last = now
		}
	}
}

// Close closes the client, and the server when it is ours.
func (r *Redis) Close() error {
	err := r.Client.Close()
	r.stop()
	return err
}

package http_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	apihttp "holdfast/http"
)

// TestStoppingFinishesWhatIsInFlight: a request that has begun is answered after the stop
// was asked for, and no new one is taken (docs/fault-model.md, fault 25).
func TestStoppingFinishesWhatIsInFlight(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	begun := make(chan struct{}, 1)
	w := setup(t, func(w *world) { w.deps.Sessions = telling{waiting{w.users, gate}, begun} })
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- w.server.ServeOn(ctx, l) }()
	status := make(chan int, 1)
	go func() {
		body := strings.NewReader(`{"email":"buyer@holdfast.test","password":"` + password + `"}`)
		res, err := http.Post("http://"+l.Addr().String()+loginPath, "application/json", body)
		if err != nil {
			status <- 0
			return
		}
		defer res.Body.Close()
		status <- res.StatusCode
	}()
	<-begun
	stop()
	require.Eventually(t, func() bool {
		conn, err := net.DialTimeout("tcp", l.Addr().String(), time.Second)
		if err == nil {
			conn.Close()
		}
		return err != nil
	}, 5*time.Second, 5*time.Millisecond, "no new connection is taken")
	close(gate)
	assert.Equal(t, 200, <-status)
	require.NoError(t, <-stopped)
}

// telling says when a login has got as far as its session.
type telling struct {
	waiting
	begun chan struct{}
}

func (t telling) Open(ctx context.Context, n apihttp.NewSession) (apihttp.Opened, error) {
	t.begun <- struct{}{}
	return t.waiting.Open(ctx, n)
}

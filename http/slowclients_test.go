package http_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// listening serves a world as operators do, with the server's own limits, and gives its
// address.
func (w *world) listening() string {
	w.t.Helper()
	l, err := new(net.ListenConfig).Listen(w.t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(w.t, err)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.server.ServeOn(ctx, l) }()
	w.t.Cleanup(func() { stop(); <-done })
	return l.Addr().String()
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	return conn
}

// closed reports whether the other side has hung up: an end, or a reset.
func closed(err error) bool {
	return err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}

// TestEndlessBodiesAreCutOff (1): a body without an end, in chunks, costs what a body may, and
// the connection; one whose length says too much is not read at all.
func TestEndlessBodiesAreCutOff(t *testing.T) {
	t.Parallel()
	w := setup(t)
	addr := w.listening()
	w.untouched(func() {
		conn := dial(t, addr)
		_, err := io.WriteString(conn, "POST "+loginPath+" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
		require.NoError(t, err)
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			piece := "10000\r\n" + strings.Repeat(" ", 0x10000) + "\r\n"
			for sent := 0; sent < 1<<30; sent += len(piece) {
				if _, err := io.WriteString(conn, piece); err != nil {
					return
				}
			}
			t.Error("a gigabyte was taken")
		}()
		r := bufio.NewReader(conn)
		res, err := http.ReadResponse(r, nil)
		require.NoError(t, err)
		raw, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		assert.Equal(t, 413, res.StatusCode)
		assert.Contains(t, string(raw), "PAYLOAD_TOO_LARGE")
		assert.True(t, res.Close, "the connection is not used again")
		_, err = r.ReadByte()
		assert.True(t, closed(err), "%v", err)
		<-gone

		announced := dial(t, addr)
		_, err = fmt.Fprintf(announced, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", loginPath, 10<<20+1)
		require.NoError(t, err)
		r = bufio.NewReader(announced)
		res, err = http.ReadResponse(r, nil)
		require.NoError(t, err)
		raw, _ = io.ReadAll(res.Body)
		_ = res.Body.Close()
		assert.Equal(t, 413, res.StatusCode, "before a byte of it came")
		assert.Contains(t, string(raw), "PAYLOAD_TOO_LARGE")
		_, err = r.ReadByte()
		assert.True(t, closed(err), "%v", err)
	})
}

// TestSlowClientsAreCutOff (23): a header or a body that comes byte by byte, and connections
// on which nothing comes, are closed in time; others are answered meanwhile.
func TestSlowClientsAreCutOff(t *testing.T) {
	t.Parallel()
	w := setup(t, func(w *world) {
		w.config.HeaderTimeout, w.config.ReadTimeout, w.config.IdleTimeout = 400*time.Millisecond, 800*time.Millisecond, 400*time.Millisecond
	})
	addr := w.listening()
	drip := func(t *testing.T, head, drops string) {
		t.Helper()
		conn := dial(t, addr)
		_, err := io.WriteString(conn, head)
		require.NoError(t, err)
		begin := time.Now()
		for i := 0; ; i++ {
			if _, err := conn.Write([]byte{drops[i%len(drops)]}); err != nil {
				break // it was closed while we were dripping
			}
			require.Less(t, time.Since(begin), 20*time.Second, "it may drip for ever")
			time.Sleep(20 * time.Millisecond)
		}
	}
	before := w.events()
	t.Run("header", func(t *testing.T) {
		t.Parallel()
		drip(t, "GET /api/version HTTP/1.1\r\nHost: x\r\nX-Slow: ", "a")
	})
	t.Run("body", func(t *testing.T) {
		t.Parallel()
		drip(t, "POST "+loginPath+" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n", " ")
	})
	t.Run("a thousand that say nothing", func(t *testing.T) {
		t.Parallel()
		idle := make([]net.Conn, 1000)
		for i := range idle {
			idle[i] = dial(t, addr)
			if i%2 == 0 { // half of them after a first request
				_, err := io.WriteString(idle[i], "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
				require.NoError(t, err)
			}
		}
		res, err := http.Get("http://" + addr + "/health/live")
		require.NoError(t, err)
		_ = res.Body.Close()
		assert.Equal(t, 200, res.StatusCode, "others are answered")
		for _, conn := range idle {
			_, err := io.Copy(io.Discard, conn)
			require.False(t, errors.Is(err, os.ErrDeadlineExceeded), "one was left open")
		}
	})
	t.Cleanup(func() { assert.Equal(t, before, w.events()) })
}

// TestLongHeadersAreRefused: 431 before anything else is looked at.
func TestLongHeadersAreRefused(t *testing.T) {
	t.Parallel()
	w := setup(t)
	addr := w.listening()
	w.untouched(func() {
		for _, head := range []string{"GET /" + strings.Repeat("a", 64<<10) + " HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + strings.Repeat("a", 64<<10) + "\r\n\r\n"} {
			conn := dial(t, addr)
			_, _ = io.WriteString(conn, head) // it may be refused before all of it is sent
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			require.NoError(t, err)
			_ = res.Body.Close()
			assert.Equal(t, 431, res.StatusCode)
		}
	})
}

// TestRequestIDsCannotForgeLogs (19): what a client writes into its request id is never a line
// of the log.
func TestRequestIDsCannotForgeLogs(t *testing.T) {
	t.Parallel()
	log := &lines{}
	w := setup(t, func(w *world) { w.config.AccessLog, w.deps.Log = true, log.logger() })
	addr := w.listening()
	for _, id := range []string{"abcdefgh\r\n level=ERROR msg=forged", `{"level":"ERROR","msg":"forged"}`, "abcdefgh\x01forged", strings.Repeat("forged", 2000), "abcdefgh forged"} {
		conn := dial(t, addr)
		_, err := io.WriteString(conn, "GET /api/version HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Request-Id: "+id+"\r\n\r\n")
		require.NoError(t, err)
		raw, err := io.ReadAll(conn)
		require.NoError(t, err)
		if strings.HasPrefix(string(raw), "HTTP/1.1 200") {
			assert.Regexp(t, `X-Request-Id: [0-9a-f-]{36}\r\n`, string(raw))
		}
	}
	assert.NotContains(t, log.text(), "forged")
	assert.Contains(t, log.text(), "/api/version")
}

// A request may take as long as the server's limit says: what bounds the reading of its body ends
// when the body has been read.
func TestALongRequestIsNotTakenForAnAbandonedOne(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.users.slow = func(string) <-chan time.Time { return time.After(5500 * time.Millisecond) }
	a := w.anybody().post(loginPath, map[string]string{"email": "buyer@holdfast.test", "password": password})
	assert.Equal(t, 200, a.status, string(a.raw))
}

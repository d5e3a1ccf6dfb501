package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// load is what a run of many clients measured.
type load struct {
	count     int
	refused   int // answers other than 2xx
	firstBad  string
	elapsed   time.Duration
	latencies []time.Duration
}

func (l load) rate() float64 { return float64(l.count) / l.elapsed.Seconds() }

func (l load) quantile(q float64) time.Duration {
	if len(l.latencies) == 0 {
		return 0
	}
	slices.Sort(l.latencies)
	return l.latencies[min(len(l.latencies)-1, int(q*float64(len(l.latencies))))]
}

// hammer runs n clients, each with one connection, until the time is over. next writes one
// HTTP/1.1 request into the buffer. A raw connection keeps the client's share of the two
// cores small: the figure is the service's, not net/http's client's.
func hammer(ctx context.Context, addr string, n int, d time.Duration, next func(client, i int, b *bytes.Buffer)) (load, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		total  load
		failed atomic.Value
	)
	start := time.Now()
	for c := range n {
		wg.Go(func() {
			one, err := client(ctx, addr, c, next)
			if err != nil {
				failed.CompareAndSwap(nil, err)
			}
			mu.Lock()
			defer mu.Unlock()
			total.count += one.count
			total.refused += one.refused
			if total.firstBad == "" {
				total.firstBad = one.firstBad
			}
			total.latencies = append(total.latencies, one.latencies...)
		})
	}
	wg.Wait()
	total.elapsed = time.Since(start)
	err, _ := failed.Load().(error)
	return total, err
}

func client(ctx context.Context, addr string, c int, next func(client, i int, b *bytes.Buffer)) (load, error) {
	var l load
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return l, fmt.Errorf("dial: %w", err)
	}
	defer conn.Close()
	r := bufio.NewReaderSize(conn, 16<<10)
	var b bytes.Buffer
	for i := 0; ctx.Err() == nil; i++ {
		b.Reset()
		next(c, i, &b)
		begin := time.Now()
		if _, err := conn.Write(b.Bytes()); err != nil {
			return l, fmt.Errorf("send: %w", err)
		}
		status, body, err := readResponse(r)
		if err != nil {
			return l, fmt.Errorf("read: %w", err)
		}
		if status/100 != 2 {
			l.refused++
			if l.firstBad == "" {
				l.firstBad = fmt.Sprintf("%d %s", status, body)
			}
			continue
		}
		l.count++
		l.latencies = append(l.latencies, time.Since(begin))
	}
	return l, nil
}

// readResponse reads one keep-alive answer, with a Content-Length or in chunks.
func readResponse(r *bufio.Reader) (status int, body []byte, err error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return 0, nil, err
	}
	if len(line) < 12 {
		return 0, nil, fmt.Errorf("short status line %q", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, nil, err
	}
	length, chunked := 0, false
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return 0, nil, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		k, v, _ := bytes.Cut(line, []byte(":"))
		switch {
		case bytes.EqualFold(k, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(v))); err != nil {
				return 0, nil, err
			}
		case bytes.EqualFold(k, []byte("Transfer-Encoding")):
			chunked = true
		}
	}
	if chunked {
		if body, err = io.ReadAll(httputil.NewChunkedReader(r)); err != nil {
			return 0, nil, err
		}
		_, err = r.Discard(2) // the line end behind the last chunk
		return status, body, err
	}
	body = make([]byte, length)
	_, err = io.ReadFull(r, body)
	return status, body, err
}

package http

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
)

// polls lets every long poll end at once when the server stops.
type polls struct {
	once    sync.Once
	stopped chan struct{}
}

func newPolls() *polls { return &polls{stopped: make(chan struct{})} }

func (p *polls) stop() { p.once.Do(func() { close(p.stopped) }) }

// Waiting asks a query to answer only when the object has changed from If-None-Match.
type Waiting struct {
	Wait        int    `query:"wait" minimum:"0" maximum:"25" doc:"Seconds to wait for a change, with If-None-Match"`
	IfNoneMatch string `header:"If-None-Match" maxLength:"200"`
}

// maxWait bounds a long poll.
const maxWait = 25

// waitOf is how long a request may wait, before anything else of it is read.
func waitOf(c echo.Context) time.Duration {
	if c.Request().Method != http.MethodGet || !strings.Contains(c.Request().URL.RawQuery, "wait=") {
		return 0
	}
	n, err := strconv.Atoi(c.QueryParam("wait"))
	if err != nil || n < 1 || n > maxWait {
		return 0
	}
	return time.Duration(n) * time.Second
}

// pollEvery is the pause between two looks: the view's lag is of that order anyway.
const pollEvery = 250 * time.Millisecond

// changed asks get until its ETag differs from If-None-Match or the wait is over; then it is
// a 304.
func (s *Server) changed(ctx context.Context, in Waiting, get func(context.Context) (reply, error)) (reply, error) {
	over := time.NewTimer(time.Duration(in.Wait) * time.Second)
	defer over.Stop()
	look := time.NewTicker(pollEvery)
	defer look.Stop()
	for {
		r, err := get(ctx)
		if err != nil || in.IfNoneMatch == "" || r.etag != in.IfNoneMatch {
			return r, err
		}
		unchanged := reply{status: http.StatusNotModified, etag: r.etag}
		if in.Wait == 0 {
			return unchanged, nil
		}
		select {
		case <-look.C:
		case <-over.C:
			return unchanged, nil
		case <-s.polls.stopped:
			return unchanged, nil
		case <-ctx.Done():
			return unchanged, nil
		}
	}
}

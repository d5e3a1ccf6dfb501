package aml

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"holdfast/domain/safety"
)

// API is an HTTP screening service: GET {base}/{address} with X-API-Key answers
// {"identifications":[]} for an address of which nothing is known, as Chainalysis does.
type API struct {
	base *url.URL
	key  string
	http *http.Client
	now  func() time.Time

	mu       sync.Mutex
	failures int
	until    time.Time
}

// NewAPI makes the client; now is the clock, time.Now when nil.
func NewAPI(base, key string, timeout time.Duration, now func() time.Time) (*API, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("TRANSACTION_SAFETY_AML_URL %q is not an http(s) URL", base)
	}
	if now == nil {
		now = time.Now
	}
	return &API{base: u, key: key, now: now, http: &http.Client{
		Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("a screening service does not redirect") },
	}}, nil
}

// Name implements Source.
func (*API) Name() string { return "screening-api" }

// Chain implements Source: the service knows addresses of every EVM chain.
func (*API) Chain(uint64) bool { return true }

// The breaker: after so many failures in a row the service is left alone for a while. Every
// address is unanswered then, at once.
const (
	failuresToRest = 5
	restFor        = 20 * time.Second
	maxAnswer      = 256 << 10
)

var errResting = errors.New("the service has failed lately and is left alone")

// Ask implements Source.
func (a *API) Ask(ctx context.Context, _ uint64, address string) (safety.Outcome, int, string, []byte, error) {
	if a.resting() {
		return "", 0, "", nil, errResting
	}
	body, err := a.get(ctx, address)
	var said struct {
		Identifications *[]struct {
			Category string `json:"category"`
			Name     string `json:"name"`
		} `json:"identifications"`
	}
	if err == nil {
		if err = json.Unmarshal(body, &said); err == nil && said.Identifications == nil {
			err = errors.New("the answer has no identifications")
		}
	}
	a.note(err)
	if err != nil {
		return "", 0, "", body, err
	}
	if len(*said.Identifications) == 0 {
		return safety.Clean, 0, "", body, nil
	}
	first := (*said.Identifications)[0]
	note := first.Category + ": " + first.Name
	return safety.Flagged, 100, note[:min(len(note), 300)], body, nil
}

func (a *API) get(ctx context.Context, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.base.JoinPath(address).String(), nil)
	if err != nil {
		return nil, fmt.Errorf("make the question: %w", err)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("X-API-Key", a.key)
	resp, err := a.http.Do(req)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err
		}
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // it was read or is not wanted
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the answer: %w", err)
	case len(body) > maxAnswer:
		return nil, errors.New("the answer is too long")
	case resp.StatusCode != http.StatusOK:
		return body, fmt.Errorf("status %d", resp.StatusCode)
	}
	return body, nil
}

func (a *API) resting() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.now().Before(a.until)
}

func (a *API) note(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err == nil {
		a.failures = 0
		return
	}
	if a.failures++; a.failures >= failuresToRest {
		a.failures, a.until = 0, a.now().Add(restFor)
	}
}

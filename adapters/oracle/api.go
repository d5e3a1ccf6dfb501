package oracle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"holdfast/domain/money"
	"holdfast/domain/quote"
)

// API is an HTTP price source: GET {URL}?pair=USDC-USD answers
// {"pair":"USDC/USD","price":"0.9998","time":"2026-11-24T07:00:00Z","id":"…"}. The price is a
// string: a JSON number has been through somebody's float.
type API struct {
	Name string // the source's, in quotes
	URL  string
	// MaxAge of a price, one minute when 0.
	MaxAge time.Duration
	// Pegged pairs promise to be one to one; feeds say it of theirs.
	Pegged map[string]bool

	base *url.URL
	http *http.Client
	rest rest
}

// maxAnswer is the largest answer that is read.
const maxAnswer = 64 << 10

func (a *API) open(timeout time.Duration) error {
	base, err := url.Parse(a.URL)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") || a.Name == "" || a.Name == chainlinkName {
		return errors.New("ORACLE_HTTP_SOURCES: a price source is name=http(s)://host/path, with a name of its own")
	}
	if a.MaxAge == 0 {
		a.MaxAge = time.Minute
	}
	a.base = base
	a.http = &http.Client{Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("a price source does not redirect") }}
	return nil
}

// read asks for one pair.
func (a *API) read(ctx context.Context, pair string, now time.Time) (quote.Reading, error) {
	if a.rest.resting(now) {
		return quote.Reading{}, errors.New("it has failed lately and is left alone")
	}
	r, err := a.ask(ctx, pair, now)
	a.rest.note(now, err)
	return r, err
}

func (a *API) ask(ctx context.Context, pair string, now time.Time) (quote.Reading, error) {
	u := *a.base
	q := u.Query()
	q.Set("pair", strings.ReplaceAll(pair, "/", "-"))
	u.RawQuery = q.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return quote.Reading{}, fmt.Errorf("make the question: %w", err)
	}
	req.Header.Set("Accept", "application/json")
	resp, err := a.http.Do(req)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err // the URL may hold a key
		}
		return quote.Reading{}, err
	}
	defer func() { _ = resp.Body.Close() }() // it was read or is not wanted
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); resp.StatusCode != http.StatusOK || kind != "application/json" {
		return quote.Reading{}, fmt.Errorf("it answers status %d, %q", resp.StatusCode, kind)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil || len(body) > maxAnswer {
		return quote.Reading{}, errors.Join(err, errors.New("the answer cannot be read, or is too long"))
	}
	return a.understand(body, pair, now)
}

func (a *API) understand(body []byte, pair string, now time.Time) (quote.Reading, error) {
	var said struct {
		Pair  string    `json:"pair"`
		Price string    `json:"price"`
		Time  time.Time `json:"time"`
		ID    string    `json:"id"`
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return quote.Reading{}, fmt.Errorf("not the JSON that was expected: %w", err)
	}
	_, fraction, _ := strings.Cut(said.Price, ".")
	if said.Pair != pair || len(said.Price) > 40 || len(fraction) > 18 || len(said.ID) > 100 {
		return quote.Reading{}, errors.New("it does not answer what was asked")
	}
	answer, err := money.ParseDecimal(said.Price, uint8(len(fraction)))
	if err != nil {
		return quote.Reading{}, fmt.Errorf("the price: %w", err)
	}
	r := quote.Reading{
		Pair: pair, Source: a.Name, Answer: answer, Decimals: uint8(len(fraction)), ObservedAt: said.Time.UTC(), FreshFor: a.MaxAge,
		Round: said.ID, Feed: a.base.Host, Pegged: a.Pegged[pair],
	}
	if err := r.Usable(); err != nil {
		return r, err
	}
	if age := now.Sub(r.ObservedAt); age > a.MaxAge || age < -a.MaxAge {
		return r, fmt.Errorf("the price is of %s", r.ObservedAt.Format(time.RFC3339))
	}
	return r, nil
}

// rest leaves a source alone for a while after it has failed several times in a row.
type rest struct {
	mu       sync.Mutex
	failures int
	until    time.Time
}

const (
	failuresToRest = 3
	restFor        = 15 * time.Second
)

func (r *rest) resting(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return now.Before(r.until)
}

func (r *rest) note(now time.Time, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.failures = 0
		return
	}
	if r.failures++; r.failures >= failuresToRest {
		r.failures, r.until = 0, now.Add(restFor)
	}
}

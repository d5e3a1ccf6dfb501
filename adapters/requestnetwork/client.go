package requestnetwork

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"holdfast/domain/fault"
	"holdfast/domain/money"
	"holdfast/domain/network"
)

// What the provider may answer.
var (
	ErrUnavailable = fault.New(fault.Upstream, "PROVIDER_UNAVAILABLE", "the payment provider does not answer").Retry(5)
	ErrRefused     = fault.New(fault.Upstream, "PROVIDER_REFUSED", "the payment provider refuses the request")
	ErrMismatch    = fault.New(fault.Upstream, "PROVIDER_MISMATCH", "the payment provider's answer is not what was asked for")
	ErrNoRequest   = fault.New(fault.NotFound, "PROVIDER_REQUEST_UNKNOWN", "the payment provider does not know the request")
	ErrUnsupported = fault.New(fault.Rule, "PROVIDER_ASSET_UNSUPPORTED", "the payment provider does not settle this asset")
)

// Registry is what the client must know of chains and tokens.
type Registry interface {
	Names
	Token(asset money.Asset) (network.Token, bool)
}

// Options of the API client.
type Options struct {
	BaseURL  string
	APIKey   string
	Registry Registry
	Timeout  time.Duration // of one call; 10 s when 0
	// PerSecond is how many calls may be made; 5 when 0, which is the provider's limit for one
	// key. Who makes two clients with one key shares it out between them.
	PerSecond int
}

// Client calls the provider's API. It keeps to the provider's limit and leaves a provider in
// trouble alone for a while.
type Client struct {
	base     *url.URL
	key      string
	registry Registry
	http     *http.Client
	limit    *rate.Limiter
	pause    pause
}

// errLimited marks a 429 among the failures.
var errLimited = errors.New("429")

// maxAnswer is the largest answer that is read.
const maxAnswer = 4 << 20

// New makes a client.
func New(o Options) (*Client, error) {
	base, err := url.Parse(o.BaseURL)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, fmt.Errorf("REQUEST_NETWORK_API_BASE_URL %q is not an http(s) URL", o.BaseURL)
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.PerSecond == 0 {
		o.PerSecond = 5
	}
	return &Client{
		base: base, key: o.APIKey, registry: o.Registry, limit: rate.NewLimiter(rate.Limit(o.PerSecond), o.PerSecond),
		http: &http.Client{
			Timeout:       o.Timeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// call makes one request and decodes a 2xx answer. A call that may have been carried out
// although it failed (time-out, 5xx) is ErrUnavailable.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, in, out any) error {
	if wait := c.pause.left(time.Now()); wait > 0 {
		return ErrUnavailable.Retry(int(wait/time.Second) + 1).Because("the payment provider was in trouble a moment ago")
	}
	if err := c.limit.Wait(ctx); err != nil {
		return fmt.Errorf("%w (%w)", ErrUnavailable, err)
	}
	err := c.ask(ctx, method, path, query, in, out)
	switch f, _ := fault.From(err); {
	case errors.Is(ctx.Err(), context.Canceled): // the caller went away; that says nothing of the provider
	case errors.Is(err, errLimited):
		c.pause.bad(time.Now(), time.Duration(f.RetryAfter)*time.Second)
	case errors.Is(err, ErrUnavailable):
		c.pause.bad(time.Now(), 0)
	default:
		c.pause.good()
	}
	return err
}

func (c *Client) ask(ctx context.Context, method, path string, query url.Values, in, out any) error {
	req, err := c.request(ctx, method, path, query, in)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // the URL is no secret, but long
		}
		return fmt.Errorf("%s %s: %w (%w)", method, path, ErrUnavailable, err)
	}
	defer func() { _ = resp.Body.Close() }() // it was read or is not wanted
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return fmt.Errorf("%s %s: %w (%w)", method, path, ErrUnavailable, err)
	}
	if len(body) > maxAnswer {
		return fmt.Errorf("%s %s: %w (the answer is longer than %d bytes)", method, path, ErrUnavailable, maxAnswer)
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %w", method, path, refusal(resp, body))
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("%s %s: %w (not the JSON that was expected: %w)", method, path, ErrUnavailable, err)
	}
	return nil
}

func (c *Client) request(ctx context.Context, method, path string, query url.Values, in any) (*http.Request, error) {
	u := c.base.JoinPath(path)
	u.RawQuery = query.Encode()
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("encode %s %s: %w", method, path, err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, fmt.Errorf("make %s %s: %w", method, path, err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Api-Key", c.key)
	return req, nil
}

func refusal(resp *http.Response, body []byte) error {
	switch {
	case resp.StatusCode == http.StatusNotFound:
		return ErrNoRequest.With("said", said(body))
	case resp.StatusCode == http.StatusTooManyRequests:
		seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
		if err != nil || seconds < 1 {
			seconds = 60
		}
		return fmt.Errorf("%w: %w", errLimited, ErrUnavailable.Retry(min(seconds, 300)).Because("the payment provider limits our calls"))
	case resp.StatusCode >= 500 || resp.StatusCode/100 == 3:
		return ErrUnavailable.With("status", resp.StatusCode)
	}
	return ErrRefused.With("status", resp.StatusCode).With("said", said(body))
}

// said finds the message in an error body, whose shapes are many: message is a string or a
// list of objects with messages, errors may carry the fields.
func said(body []byte) string {
	var doc struct {
		Message json.RawMessage `json:"message"`
		Error   json.RawMessage `json:"error"`
		Errors  json.RawMessage `json:"errors"`
	}
	if json.Unmarshal(body, &doc) != nil {
		return "something that is not JSON"
	}
	var words []string
	for _, raw := range []json.RawMessage{doc.Message, doc.Errors, doc.Error} {
		words = append(words, messages(raw)...)
	}
	line := strings.Join(words, "; ")
	return line[:min(len(line), 300)]
}

func messages(raw json.RawMessage) (all []string) {
	var one string
	if json.Unmarshal(raw, &one) == nil && one != "" {
		return []string{one}
	}
	var list []struct{ Field, Message string }
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	for _, l := range list {
		all = append(all, strings.TrimPrefix(l.Field+": "+l.Message, ": "))
	}
	return all
}

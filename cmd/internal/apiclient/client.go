// Package apiclient speaks the service's HTTP API for the demo and the tests that look from
// outside. It knows the envelope and nothing of the insides.
package apiclient

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
)

// The methods, for callers that have no business with net/http.
const (
	GET    = http.MethodGet
	POST   = http.MethodPost
	PATCH  = http.MethodPatch
	PUT    = http.MethodPut
	DELETE = http.MethodDelete
)

// Client talks to one service as one user.
type Client struct {
	base  string
	http  *http.Client
	token string
	// Position is the newest meta.position seen; reads wait for it (read your writes).
	Position int64
}

// New makes a client without a user.
func New(base string) *Client {
	return &Client{base: strings.TrimRight(base, "/"), http: &http.Client{Timeout: 40 * time.Second}}
}

// Error is a refusal as the envelope tells it.
type Error struct {
	Status  int             `json:"-"`
	Code    string          `json:"code"`
	Message string          `json:"message"`
	Details json.RawMessage `json:"details,omitempty"`
}

func (e *Error) Error() string {
	return fmt.Sprintf("%d %s: %s %s", e.Status, e.Code, e.Message, e.Details)
}

// Answer is a successful reply.
type Answer struct {
	Status   int
	Data     json.RawMessage
	Meta     map[string]any
	Replayed bool
}

// Into decodes the data.
func (a Answer) Into(v any) error { return json.Unmarshal(a.Data, v) }

// Get finds a field by a dotted path; empty when it is not there.
func (a Answer) Get(path string) string {
	var v any
	d := json.NewDecoder(bytes.NewReader(a.Data))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return ""
	}
	for part := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return ""
		}
		v = m[part]
	}
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// Login signs in and gives the user's client.
func (c *Client) Login(ctx context.Context, email, password string) (*Client, error) {
	a, err := c.Call(ctx, http.MethodPost, "/api/auth/login", map[string]string{"email": email, "password": password})
	if err != nil {
		return nil, fmt.Errorf("sign in as %s: %w", email, err)
	}
	return &Client{base: c.base, http: c.http, token: a.Get("accessToken")}, nil
}

// Token is the access token of the signed-in user.
func (c *Client) Token() string { return c.token }

// Option changes one call.
type Option func(*http.Request)

// WithKey sets the Idempotency-Key; without it a POST draws a fresh one.
func WithKey(key string) Option {
	return func(r *http.Request) { r.Header.Set("Idempotency-Key", key) }
}

// WithHeader sets any header.
func WithHeader(name, value string) Option {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// Call sends a JSON body (nil = none; []byte = as it is) and reads the envelope.
func (c *Client) Call(ctx context.Context, method, path string, body any, options ...Option) (Answer, error) {
	var payload []byte
	switch b := body.(type) {
	case nil:
	case []byte:
		payload = b
	default:
		var err error
		if payload, err = json.Marshal(b); err != nil {
			return Answer{}, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(payload))
	if err != nil {
		return Answer{}, err
	}
	if payload != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if method != http.MethodGet {
		req.Header.Set("Idempotency-Key", uuid.NewString())
	} else if c.Position > 0 {
		req.Header.Set("X-Min-Position", fmt.Sprint(c.Position))
	}
	for _, o := range options {
		o(req)
	}
	return c.send(req)
}

func (c *Client) send(req *http.Request) (Answer, error) {
	res, err := c.http.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 16<<20))
	if err != nil {
		return Answer{}, err
	}
	var envelope struct {
		Success bool            `json:"success"`
		Data    json.RawMessage `json:"data"`
		Meta    map[string]any  `json:"meta"`
		Error   *Error          `json:"error"`
	}
	if err := json.Unmarshal(raw, &envelope); err != nil {
		return Answer{}, fmt.Errorf("%s %s answered %d without an envelope: %.200s", req.Method, req.URL.Path, res.StatusCode, raw)
	}
	if !envelope.Success {
		if envelope.Error == nil {
			envelope.Error = &Error{Code: "NO_ERROR_BODY"}
		}
		envelope.Error.Status = res.StatusCode
		return Answer{}, envelope.Error
	}
	if p, ok := envelope.Meta["position"].(float64); ok {
		c.Position = max(c.Position, int64(p))
	}
	return Answer{Status: res.StatusCode, Data: envelope.Data, Meta: envelope.Meta, Replayed: res.Header.Get("Idempotent-Replayed") == "true"}, nil
}

package oidc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"holdfast/domain/fault"
)

// What signing in at a provider may answer.
var (
	ErrInvalid     = fault.New(fault.Unauthenticated, "OAUTH_INVALID", "the provider's proof is not accepted; begin anew")
	ErrUnavailable = fault.New(fault.Unavailable, "OAUTH_UNAVAILABLE", "the sign-in provider does not answer").Retry(5)
)

// Google is the provider that is meant when none is named.
const Google = "https://accounts.google.com"

// Options of a provider.
type Options struct {
	Issuer       string // Google when empty
	ClientID     string
	ClientSecret string
	RedirectURL  string // of ours, where the provider sends browsers back to
	Timeout      time.Duration
	Now          func() time.Time // for tests
}

// Identity is who the provider says signed in.
type Identity struct {
	Issuer  string
	Subject string // never changes; the key of the account
	Email   string // only when the provider has verified it, else empty
	// Authoritative: the provider runs the mailbox itself (gmail.com, or a Workspace domain), so
	// the address is this person's now, and not only at some time in the past.
	Authoritative bool
	Name          string
	Nonce         string // as the token has it
	IssuedAt      time.Time
}

// Provider is asked lazily: a provider that is down when we start is no reason not to start.
type Provider struct {
	o    Options
	http *http.Client

	mu       sync.Mutex
	known    *oidc.Provider
	verifier *oidc.IDTokenVerifier
}

// New makes a provider; it asks nobody yet.
func New(o Options) *Provider {
	if o.Issuer == "" {
		o.Issuer = Google
	}
	if o.Timeout == 0 {
		o.Timeout = 8 * time.Second
	}
	return &Provider{o: o, http: &http.Client{
		Timeout: o.Timeout, Transport: bounded{http.DefaultTransport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// ClientID is what browsers name us by at the provider.
func (p *Provider) ClientID() string { return p.o.ClientID }

// Issuer is the provider's name.
func (p *Provider) Issuer() string { return p.o.Issuer }

// AuthURL is where a browser goes to sign in. The verifier stays with us: who steals the code on
// its way back cannot use it.
func (p *Provider) AuthURL(ctx context.Context, state, nonce, verifier string) (string, error) {
	known, _, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	return p.config(known).AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("prompt", "select_account")), nil
}

// Exchange trades the code of a browser that came back. OAUTH_INVALID when the provider refuses it
// or says something else than what was asked for.
func (p *Provider) Exchange(ctx context.Context, code, nonce, verifier string) (Identity, error) {
	known, _, err := p.discover(ctx)
	if err != nil {
		return Identity{}, err
	}
	token, err := p.config(known).Exchange(oidc.ClientContext(ctx, p.http), code, oauth2.VerifierOption(verifier))
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok && refused.Response.StatusCode/100 == 4 {
		return Identity{}, fmt.Errorf("exchange a code: %w (status %d, %s)", ErrInvalid.Because("the provider refuses the code"), refused.Response.StatusCode, clip(refused.ErrorCode))
	}
	if err != nil {
		return Identity{}, fmt.Errorf("exchange a code: %w (%w)", ErrUnavailable, transport(err))
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return Identity{}, ErrInvalid.Because("the provider gave no ID token")
	}
	who, err := p.Verify(ctx, raw)
	if err == nil && who.Nonce != nonce {
		err = ErrInvalid.Because("the token was made for another sign-in")
	}
	return who, err
}

func (p *Provider) config(known *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{ClientID: p.o.ClientID, ClientSecret: p.o.ClientSecret, RedirectURL: p.o.RedirectURL, Endpoint: known.Endpoint(), Scopes: []string{oidc.ScopeOpenID, "email", "profile"}}
}

// discover reads the provider's document once; a failure is not remembered.
func (p *Provider) discover(ctx context.Context) (*oidc.Provider, *oidc.IDTokenVerifier, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known != nil {
		return p.known, p.verifier, nil
	}
	// The key set lives on with this context's client, so it must not end with the request.
	known, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), p.http), p.o.Issuer)
	if err != nil {
		return nil, nil, fmt.Errorf("discover %s: %w (%w)", p.o.Issuer, ErrUnavailable, transport(err))
	}
	p.known = known
	p.verifier = known.Verifier(&oidc.Config{ClientID: p.o.ClientID, SupportedSigningAlgs: []string{oidc.RS256}, Now: p.o.Now})
	return p.known, p.verifier, nil
}

// maxAnswer is the longest answer of a provider that is read.
const maxAnswer = 1 << 20

// bounded ends answers that do not end.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	}
	return resp, err
}

// transport takes the URL out of an error: it may carry the code.
func transport(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return errors.New(clip(err.Error()))
}

func clip(s string) string { return s[:min(len(s), 200)] }

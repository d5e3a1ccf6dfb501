package oidc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
)

// maxToken is the longest ID token that is looked at.
const maxToken = 16 << 10

// flag is a claim that some providers write as a word.
type flag bool

// UnmarshalJSON takes true and "true"; everything else is no.
func (f *flag) UnmarshalJSON(b []byte) error {
	*f = flag(strings.Trim(string(b), `"`) == "true")
	return nil
}

type claims struct {
	Email         string `json:"email"`
	EmailVerified flag   `json:"email_verified"`
	Name          string `json:"name"`
	HostedDomain  string `json:"hd"`
	Authorized    string `json:"azp"`
}

// Verify checks an ID token: signature by a key that the provider publishes now, issuer, audience,
// time. OAUTH_INVALID when it is not good, OAUTH_UNAVAILABLE when the keys cannot be read. The
// nonce is for the caller to compare; a token counts as often as it is shown, so the caller sees
// to that too.
func (p *Provider) Verify(ctx context.Context, raw string) (Identity, error) {
	if len(raw) > maxToken {
		return Identity{}, ErrInvalid.Because("the token is too long")
	}
	_, verifier, err := p.discover(ctx)
	if err != nil {
		return Identity{}, err
	}
	token, err := verifier.Verify(oidc.ClientContext(ctx, p.http), raw)
	if err != nil {
		return Identity{}, refusal(err)
	}
	var c claims
	if err := token.Claims(&c); err != nil {
		return Identity{}, ErrInvalid.Because("the token's claims cannot be read")
	}
	switch {
	case token.Subject == "" || len(token.Subject) > 255:
		return Identity{}, ErrInvalid.Because("the token names nobody")
	case len(token.Audience) > 1 && c.Authorized != p.o.ClientID:
		return Identity{}, ErrInvalid.Because("the token was made for another client too, and is not ours")
	}
	who := Identity{Issuer: p.o.Issuer, Subject: token.Subject, Name: c.Name, Nonce: token.Nonce, IssuedAt: token.IssuedAt}
	if c.EmailVerified && c.Email != "" {
		who.Email = strings.ToLower(strings.TrimSpace(c.Email))
		who.Authoritative = c.HostedDomain != "" && strings.HasSuffix(who.Email, "@"+strings.ToLower(c.HostedDomain)) || strings.HasSuffix(who.Email, "@gmail.com")
	}
	return who, nil
}

// refusal tells a token that is not good from keys that cannot be read: only the second may be
// tried again as it is.
func refusal(err error) error {
	if expired, ok := errors.AsType[*oidc.TokenExpiredError](err); ok {
		return fmt.Errorf("%w (%w)", ErrInvalid.Because("the token has expired"), expired)
	}
	if _, ok := errors.AsType[net.Error](err); ok || strings.Contains(err.Error(), "fetching keys") {
		return fmt.Errorf("%w (%w)", ErrUnavailable, transport(err))
	}
	return fmt.Errorf("%w (%w)", ErrInvalid, transport(err))
}

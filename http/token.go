package http

import (
	"crypto/sha256"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"holdfast/domain"
	"holdfast/domain/fault"
)

// Refusals of identity.
var (
	errUnauthenticated = fault.New(fault.Unauthenticated, "UNAUTHENTICATED", "send a bearer token")
	errInvalidToken    = fault.New(fault.Unauthenticated, "INVALID_TOKEN", "the token is not one of ours")
	errTokenExpired    = fault.New(fault.Unauthenticated, "TOKEN_EXPIRED", "the token has expired; use the refresh token")
	errWrongTokenType  = fault.New(fault.Unauthenticated, "WRONG_TOKEN_TYPE", "this is another kind of token")
	errSessionRevoked  = fault.New(fault.Unauthenticated, "SESSION_REVOKED", "the session has ended; sign in again")
)

const (
	tokenIssuer   = "holdfast"
	tokenAudience = "holdfast-api"
	accessUse     = "access"
)

// claims of an access token. Roles are not among them: they are looked up afresh.
type claims struct {
	jwt.RegisteredClaims
	Use     string `json:"use"`
	Session string `json:"sid"`
}

// tokens signs and checks access tokens: HS256 only, whatever a header says. Tokens that
// were checked are remembered until they expire, at most capacity of them.
type tokens struct {
	keys   tokenKeys
	lives  time.Duration
	parser *jwt.Parser

	mu         sync.RWMutex
	young, old map[[sha256.Size]byte]checked
	capacity   int
}

type checked struct {
	session string
	user    domain.UserID
	expires time.Time
	until   time.Time // of the key that signed it; zero = for good
}

// stands reports whether a token that was checked before is still good.
func (c checked) stands(now time.Time) (checked, error) {
	switch {
	case !c.until.IsZero() && !now.Before(c.until):
		return checked{}, errInvalidToken
	case !now.Before(c.expires):
		return checked{}, errTokenExpired
	}
	return c, nil
}

func newTokens(keys tokenKeys, lives time.Duration) *tokens {
	return &tokens{
		keys: keys, lives: lives, capacity: 16384, young: map[[sha256.Size]byte]checked{},
		parser: jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithIssuer(tokenIssuer), jwt.WithAudience(tokenAudience),
			jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithStrictDecoding()),
	}
}

// sign makes an access token of a session.
func (t *tokens) sign(u domain.UserID, session string, now time.Time) (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: tokenIssuer, Audience: jwt.ClaimStrings{tokenAudience}, Subject: string(u),
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(t.lives)), ID: uuid.NewString(),
		},
		Use: accessUse, Session: session,
	})
	token.Header["kid"] = t.keys.current
	return token.SignedString(t.keys.secrets[t.keys.current])
}

// check gives the session a token speaks of.
func (t *tokens) check(token string) (checked, error) {
	if len(token) > 4096 {
		return checked{}, errInvalidToken
	}
	key := sha256.Sum256([]byte(token))
	if c, ok := t.known(key); ok {
		return c.stands(time.Now())
	}
	c, err := t.parse(token)
	if err == nil {
		t.remember(key, c)
	}
	return c, err
}

func (t *tokens) parse(token string) (checked, error) {
	if strings.HasPrefix(token, refreshPrefix) {
		return checked{}, errWrongTokenType
	}
	var (
		c     claims
		until time.Time
	)
	parsed, err := t.parser.ParseWithClaims(token, &c, func(unverified *jwt.Token) (any, error) {
		// The kid is compared with the names of our keys and used for nothing else.
		kid, _ := unverified.Header["kid"].(string)
		secret, believed, ok := t.keys.named(kid, time.Now())
		if until = believed; !ok {
			return nil, errInvalidToken
		}
		return secret, nil
	})
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return checked{}, errTokenExpired
	case err != nil:
		return checked{}, errInvalidToken
	}
	// A header that points at keys (jwk, jku, x5u) is never followed: we write none.
	for name := range parsed.Header {
		if name != "alg" && name != "typ" && name != "kid" {
			return checked{}, errInvalidToken
		}
	}
	if parsed.Header["typ"] != "JWT" || uuid.Validate(c.Subject) != nil || c.Session == "" || c.IssuedAt == nil || len(c.Audience) != 1 {
		return checked{}, errInvalidToken
	}
	if c.Use != accessUse {
		return checked{}, errWrongTokenType
	}
	return checked{session: c.Session, user: domain.UserID(c.Subject), expires: c.ExpiresAt.Time, until: until}, nil
}

func (t *tokens) known(key [sha256.Size]byte) (checked, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	c, ok := t.young[key]
	if !ok {
		c, ok = t.old[key]
	}
	return c, ok
}

func (t *tokens) remember(key [sha256.Size]byte, c checked) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.young) >= t.capacity/2 {
		t.old, t.young = t.young, map[[sha256.Size]byte]checked{}
	}
	t.young[key] = c
}

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
	secret []byte
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
}

func newTokens(secret []byte, lives time.Duration) *tokens {
	return &tokens{
		secret: secret, lives: lives, capacity: 16384, young: map[[sha256.Size]byte]checked{},
		parser: jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithIssuer(tokenIssuer), jwt.WithAudience(tokenAudience),
			jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithStrictDecoding()),
	}
}

// sign makes an access token of a session.
func (t *tokens) sign(u domain.UserID, session string, now time.Time) (string, error) {
	return jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: tokenIssuer, Audience: jwt.ClaimStrings{tokenAudience}, Subject: string(u),
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(t.lives)), ID: uuid.NewString(),
		},
		Use: accessUse, Session: session,
	}).SignedString(t.secret)
}

// check gives the session a token speaks of.
func (t *tokens) check(token string) (checked, error) {
	if len(token) > 4096 {
		return checked{}, errInvalidToken
	}
	key := sha256.Sum256([]byte(token))
	if c, ok := t.known(key); ok {
		if time.Now().Before(c.expires) {
			return c, nil
		}
		return checked{}, errTokenExpired
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
	var c claims
	parsed, err := t.parser.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return t.secret, nil })
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return checked{}, errTokenExpired
	case err != nil:
		return checked{}, errInvalidToken
	}
	// A header that points at keys (jwk, jku, x5u, kid) is never followed: we write none.
	for name := range parsed.Header {
		if name != "alg" && name != "typ" {
			return checked{}, errInvalidToken
		}
	}
	if parsed.Header["typ"] != "JWT" || uuid.Validate(c.Subject) != nil || c.Session == "" {
		return checked{}, errInvalidToken
	}
	if c.Use != accessUse {
		return checked{}, errWrongTokenType
	}
	return checked{session: c.Session, user: domain.UserID(c.Subject), expires: c.ExpiresAt.Time}, nil
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

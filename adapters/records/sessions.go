package records

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/domain/fault"
)

// Refusals of a refresh.
var (
	ErrRefreshInvalid = fault.New(fault.Unauthenticated, "REFRESH_INVALID", "the refresh token is not valid; sign in again")
	ErrRefreshRaced   = fault.New(fault.Conflict, "CONCURRENT_UPDATE", "the same refresh token is being used by another request of yours").Retry(1)
)

// Session is a login as it stands now.
type Session struct {
	ID         string
	User       domain.UserID
	Roles      []domain.Capacity
	Method     string
	SignedInAt time.Time
}

// NewSession is what is known of a login when it begins.
type NewSession struct {
	User      domain.UserID
	Method    string
	UserAgent string
	Address   string
	Lives     time.Duration
}

// Rotation is what became of a refresh token.
type Rotation struct {
	Session Session
	Next    string
	Reused  bool // it had been used before; nothing was changed
}

// Sessions keeps logins.
type Sessions struct{ pool *pgxpool.Pool }

func newRefresh() (token string, hash []byte, err error) {
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return "", nil, fmt.Errorf("draw a refresh token: %w", err)
	}
	token = base64.RawURLEncoding.EncodeToString(raw)
	return token, hashOf(token), nil
}

func hashOf(token string) []byte {
	h := sha256.Sum256([]byte(token))
	return h[:]
}

// Open begins a login.
func (s *Sessions) Open(ctx context.Context, n NewSession) (id, refresh string, err error) {
	refresh, hash, err := newRefresh()
	if err != nil {
		return "", "", err
	}
	id = uuid.NewString()
	_, err = s.pool.Exec(ctx, `
		WITH s AS (
			INSERT INTO sessions (id, user_id, method, user_agent, address, expires_at)
			VALUES ($1, $2, $3, $4, $5, clock_timestamp() + $6::interval) RETURNING id)
		INSERT INTO refresh_tokens (hash, session_id) SELECT $7, id FROM s`,
		id, string(n.User), n.Method, n.UserAgent, n.Address, n.Lives, hash)
	return id, refresh, failed("open a session", err)
}

// Live gives the session with the user's roles of this moment; ok is false when it has
// ended, was revoked, or the user is not active any more.
func (s *Sessions) Live(ctx context.Context, id string) (live Session, ok bool, err error) {
	if !isID(id) {
		return Session{}, false, nil
	}
	var roles []string
	err = s.pool.QueryRow(ctx, `
		SELECT s.id::text, s.user_id::text, u.roles, s.method, s.created_at FROM sessions s JOIN users u ON u.id = s.user_id
		WHERE s.id = $1 AND s.revoked_at IS NULL AND s.expires_at > clock_timestamp() AND u.status = 'active'`, id).
		Scan(&live.ID, &live.User, &roles, &live.Method, &live.SignedInAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return Session{}, false, nil
	}
	live.Roles = capacities(roles)
	return live, err == nil, failed("look a session up", err)
}

// Close revokes one session.
func (s *Sessions) Close(ctx context.Context, id string) error {
	_, err := s.pool.Exec(ctx, `UPDATE sessions SET revoked_at = clock_timestamp() WHERE id = $1 AND revoked_at IS NULL`, id)
	return failed("close a session", err)
}

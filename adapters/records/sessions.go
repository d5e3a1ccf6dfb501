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
	ErrRefreshInvalid = fault.New(fault.Unauthenticated, "INVALID_TOKEN", "the refresh token is not one of ours, or its session has ended; sign in again")
	ErrRefreshLapsed  = fault.New(fault.Unauthenticated, "REFRESH_INVALID", "the refresh token has lapsed; sign in again")
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

// Opened is a login that has begun.
type Opened struct {
	ID, Refresh string
	NewDevice   bool
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

// Open begins a login. NewDevice is set when the person has signed in before, but never by this
// program from this address.
func (s *Sessions) Open(ctx context.Context, n NewSession) (o Opened, err error) {
	var hash []byte
	if o.Refresh, hash, err = newRefresh(); err != nil {
		return Opened{}, err
	}
	o.ID = uuid.NewString()
	err = s.pool.QueryRow(ctx, `
		WITH s AS (
			INSERT INTO sessions (id, user_id, method, user_agent, address, expires_at)
			VALUES ($1, $2, $3, $4, $5, clock_timestamp() + $6::interval) RETURNING id
		), t AS (INSERT INTO refresh_tokens (hash, session_id) SELECT $7, id FROM s)
		SELECT count(*) > 0 AND count(*) FILTER (WHERE user_agent = $4 AND address = $5) = 0 FROM sessions WHERE user_id = $2`,
		o.ID, string(n.User), n.Method, n.UserAgent, n.Address, n.Lives, hash).Scan(&o.NewDevice)
	return o, failed("open a session", err)
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

const closeSQL = `UPDATE sessions SET revoked_at = clock_timestamp() WHERE revoked_at IS NULL AND `

// CloseOne ends one of the user's own sessions; ok is false when it is not a live one of theirs.
func (s *Sessions) CloseOne(ctx context.Context, u domain.UserID, id string) (ok bool, err error) {
	if !isID(id) {
		return false, nil
	}
	tag, err := s.pool.Exec(ctx, closeSQL+`id = $1 AND user_id = $2 AND expires_at > clock_timestamp()`, id, string(u))
	return tag.RowsAffected() > 0, failed("close a session", err)
}

// CloseOf ends the user's session that a refresh token belongs to, if it is theirs.
func (s *Sessions) CloseOf(ctx context.Context, u domain.UserID, refresh string) error {
	_, err := s.pool.Exec(ctx, closeSQL+`user_id = $1 AND id = (SELECT session_id FROM refresh_tokens WHERE hash = $2)`, string(u), hashOf(refresh))
	return failed("close a session", err)
}

// Device is a live login as its owner sees it.
type Device struct {
	ID         string
	Method     string
	UserAgent  string
	Address    string
	SignedInAt time.Time
	LastUsedAt time.Time // when its tokens were last renewed
}

// List gives the user's live sessions, the last used first, at most 200.
func (s *Sessions) List(ctx context.Context, u domain.UserID) ([]Device, error) {
	rows, err := s.pool.Query(ctx, `SELECT id::text, method, user_agent, address, created_at, last_used_at FROM sessions
		WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > clock_timestamp() ORDER BY last_used_at DESC, id LIMIT 200`, string(u))
	if err != nil {
		return nil, failed("list sessions", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Device])
	return all, failed("list sessions", err)
}

// Close revokes one session.
func (s *Sessions) Close(ctx context.Context, id string) error {
	_, err := s.pool.Exec(ctx, closeSQL+`id = $1`, id)
	return failed("close a session", err)
}

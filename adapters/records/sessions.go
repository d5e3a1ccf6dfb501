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
	ErrRefreshReused  = fault.New(fault.Unauthenticated, "REFRESH_REUSED", "the refresh token was used before; the login was ended, sign in again")
)

// Session is a login as it stands now.
type Session struct {
	ID    string
	User  domain.UserID
	Roles []domain.Capacity
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
func (s *Sessions) Open(ctx context.Context, u domain.UserID, lives time.Duration) (id, refresh string, err error) {
	refresh, hash, err := newRefresh()
	if err != nil {
		return "", "", err
	}
	id = uuid.NewString()
	_, err = s.pool.Exec(ctx, `
		INSERT INTO sessions (id, user_id, refresh_hash, expires_at) VALUES ($1, $2, $3, clock_timestamp() + $4::interval)`,
		id, string(u), hash, lives)
	if err != nil {
		return "", "", fmt.Errorf("open a session: %w", err)
	}
	return id, refresh, nil
}

// Rotate trades a refresh token for the next one. One that was used before means that two
// parties hold it: the login is ended for both.
func (s *Sessions) Rotate(ctx context.Context, refresh string, lives time.Duration) (Session, string, error) {
	next, hash, err := newRefresh()
	if err != nil {
		return Session{}, "", err
	}
	var id string
	old := hashOf(refresh)
	err = s.pool.QueryRow(ctx, `
		UPDATE sessions SET refresh_hash = $2, used_hashes = used_hashes || $1::bytea, expires_at = clock_timestamp() + $3::interval
		WHERE refresh_hash = $1 AND revoked_at IS NULL AND expires_at > clock_timestamp()
		RETURNING id::text`, old, hash, lives).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		tag, err := s.pool.Exec(ctx, `UPDATE sessions SET revoked_at = clock_timestamp() WHERE $1 = ANY (used_hashes) AND revoked_at IS NULL`, old)
		switch {
		case err != nil:
			return Session{}, "", fmt.Errorf("revoke a reused session: %w", err)
		case tag.RowsAffected() > 0:
			return Session{}, "", ErrRefreshReused
		}
		return Session{}, "", ErrRefreshInvalid
	}
	if err != nil {
		return Session{}, "", fmt.Errorf("rotate a session: %w", err)
	}
	live, ok, err := s.Live(ctx, id)
	if err == nil && !ok {
		err = ErrRefreshInvalid
	}
	return live, next, err
}

// Live gives the session with the user's roles of this moment; ok is false when it has
// ended, was revoked, or the user is not active any more.
func (s *Sessions) Live(ctx context.Context, id string) (live Session, ok bool, err error) {
	if !isID(id) {
		return Session{}, false, nil
	}
	var roles []string
	err = s.pool.QueryRow(ctx, `
		SELECT s.id::text, s.user_id::text, u.roles FROM sessions s JOIN users u ON u.id = s.user_id
		WHERE s.id = $1 AND s.revoked_at IS NULL AND s.expires_at > clock_timestamp() AND u.active`, id).Scan(&live.ID, &live.User, &roles)
	if errors.Is(err, pgx.ErrNoRows) {
		return Session{}, false, nil
	}
	for _, r := range roles {
		live.Roles = append(live.Roles, domain.Capacity(r))
	}
	return live, err == nil, err
}

// Close revokes one session.
func (s *Sessions) Close(ctx context.Context, id string) error {
	_, err := s.pool.Exec(ctx, `UPDATE sessions SET revoked_at = clock_timestamp() WHERE id = $1 AND revoked_at IS NULL`, id)
	return err
}

// CloseAll revokes every session of a user.
func (s *Sessions) CloseAll(ctx context.Context, u domain.UserID) error {
	_, err := s.pool.Exec(ctx, `UPDATE sessions SET revoked_at = clock_timestamp() WHERE user_id = $1 AND revoked_at IS NULL`, string(u))
	return err
}

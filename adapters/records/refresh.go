package records

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"holdfast/domain/fault"
)

// Grace is how long the same attempt of the same client gets an equivalent token, as long as no
// later one was used: its answer may have been lost.
const Grace = 30 * time.Second

const (
	useRefreshSQL = `UPDATE refresh_tokens t SET used_at = clock_timestamp(), used_key = $2
		FROM sessions s
		WHERE t.hash = $1 AND t.used_at IS NULL AND s.id = t.session_id AND s.revoked_at IS NULL AND s.expires_at > clock_timestamp()
		RETURNING s.id::text`
	usedRefreshSQL = `SELECT t.session_id::text, t.used_at > clock_timestamp() - $2::interval, coalesce(t.used_key, ''),
			EXISTS (SELECT FROM refresh_tokens c WHERE c.parent = t.hash AND c.used_at IS NOT NULL)
		FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id
		WHERE t.hash = $1 AND t.used_at IS NOT NULL AND s.revoked_at IS NULL AND s.expires_at > clock_timestamp()`
	nextRefreshSQL = `WITH kept AS (
			UPDATE sessions SET expires_at = clock_timestamp() + $4::interval, last_used_at = clock_timestamp() WHERE id = $1)
		INSERT INTO refresh_tokens (hash, session_id, parent) VALUES ($2, $1, $3)`
)

// Rotate trades a refresh token for the next one. One that was used before means that two
// parties hold it, unless the same attempt (named by binding) asks again within Grace. A token
// that a request beside this one is using gets ErrRefreshRaced.
func (s *Sessions) Rotate(ctx context.Context, refresh string, binding []byte, lives time.Duration) (done Rotation, err error) {
	next, hash, err := newRefresh()
	if err != nil {
		return Rotation{}, err
	}
	var id string
	old := hashOf(refresh)
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		// A token that is unused now, and used when its turn comes, is being used beside this.
		unused, err := usable(ctx, tx, old)
		if err != nil {
			return err
		}
		err = tx.QueryRow(ctx, useRefreshSQL, old, binding).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			id, done.Reused, err = s.shownAgain(ctx, tx, old, binding, unused)
		}
		if err != nil || done.Reused {
			return err
		}
		_, err = tx.Exec(ctx, nextRefreshSQL, id, hash, old, lives)
		return err
	})
	if _, refused := fault.From(err); refused {
		return Rotation{}, err
	}
	if err != nil {
		return Rotation{}, failed("rotate a session", err)
	}
	live, ok, err := s.Live(ctx, id)
	if err == nil && !ok {
		err = ErrRefreshInvalid
	}
	if done.Session = live; !done.Reused {
		done.Next = next
	}
	return done, err
}

// usable looks a token up: is it unused? One of a session that has ended is refused.
func usable(ctx context.Context, tx pgx.Tx, hash []byte) (unused bool, err error) {
	var revoked, lapsed bool
	err = tx.QueryRow(ctx, `SELECT t.used_at IS NULL, s.revoked_at IS NOT NULL, s.expires_at <= clock_timestamp()
		FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id WHERE t.hash = $1`, hash).Scan(&unused, &revoked, &lapsed)
	switch {
	case errors.Is(err, pgx.ErrNoRows), err == nil && revoked:
		return false, ErrRefreshInvalid
	case err == nil && lapsed:
		return false, ErrRefreshLapsed
	}
	return unused, err
}

// shownAgain judges a token that cannot be used: raced, asked for again, or reused.
func (s *Sessions) shownAgain(ctx context.Context, tx pgx.Tx, hash, binding []byte, raced bool) (id string, reused bool, err error) {
	var recent, followed bool
	var key []byte
	err = tx.QueryRow(ctx, usedRefreshSQL, hash, Grace).Scan(&id, &recent, &key, &followed)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return "", false, ErrRefreshInvalid
	case err != nil:
		return "", false, err
	case recent && !followed && len(binding) > 0 && bytes.Equal(key, binding):
		return id, false, nil
	case raced:
		return "", false, ErrRefreshRaced
	}
	return id, true, nil
}

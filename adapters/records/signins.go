package records

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/eventstore"
)

// SignInMethod is a linked means of signing in: Google, Telegram or a wallet.
type SignInMethod struct {
	ID         string
	Method     string
	Subject    string
	Label      string
	LinkedAt   time.Time
	LastUsedAt *time.Time
}

// SignIns knows who signs in by what.
type SignIns struct{ pool *pgxpool.Pool }

// Use finds who signs in by a subject, and notes that it was used; ok is false for nobody.
func (s *SignIns) Use(ctx context.Context, method, subject string) (u domain.UserID, ok bool, err error) {
	err = s.pool.QueryRow(ctx, `UPDATE signin_methods SET last_used_at = clock_timestamp() WHERE method = $1 AND subject = $2 RETURNING user_id::text`, method, subject).Scan(&u)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", false, nil
	}
	return u, err == nil, failed("find a means of signing in", err)
}

// OfUser gives a person's, the oldest first.
func (s *SignIns) OfUser(ctx context.Context, u domain.UserID) ([]SignInMethod, error) {
	rows, err := s.pool.Query(ctx, `SELECT id::text, method, subject, label, linked_at, last_used_at FROM signin_methods WHERE user_id = $1 ORDER BY linked_at, subject LIMIT 200`, string(u))
	if err != nil {
		return nil, failed("list means of signing in", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (m SignInMethod, err error) {
		err = row.Scan(&m.ID, &m.Method, &m.Subject, &m.Label, &m.LinkedAt, &m.LastUsedAt)
		m.LinkedAt = m.LinkedAt.UTC()
		return m, err
	})
	return all, failed("list means of signing in", err)
}

// Linked goes with the event that links.
func (s *SignIns) Linked(u domain.UserID, m SignInMethod) []eventstore.Row {
	return []eventstore.Row{{
		SQL:  `INSERT INTO signin_methods (method, subject, user_id, label) VALUES ($1, $2, $3, $4)`,
		Args: []any{m.Method, m.Subject, string(u), m.Label}, Refused: account.ErrSignInInUse,
	}}
}

// Unlinked goes with the event that unlinks.
func (s *SignIns) Unlinked(u domain.UserID, method, subject string) []eventstore.Row {
	return []eventstore.Row{{SQL: `DELETE FROM signin_methods WHERE user_id = $1 AND method = $2 AND subject = $3`, Args: []any{string(u), method, subject}}}
}

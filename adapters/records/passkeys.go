package records

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/eventstore"
)

// Passkey is a credential of a person.
type Passkey struct {
	ID           string
	User         domain.UserID
	CredentialID []byte
	Name         string
	Record       json.RawMessage
	Count        uint32 // how often it has signed
	Synced       bool   // it may be on several devices of the person
	CreatedAt    time.Time
	LastUsedAt   *time.Time
}

// Passkeys keeps them.
type Passkeys struct{ pool *pgxpool.Pool }

// Handle gives what authenticators call a person, drawing it at the first time.
func (s *Passkeys) Handle(ctx context.Context, u domain.UserID) (handle []byte, err error) {
	drawn := make([]byte, 32)
	if _, err := rand.Read(drawn); err != nil {
		return nil, fmt.Errorf("draw a handle: %w", err)
	}
	err = s.pool.QueryRow(ctx, `INSERT INTO passkey_handles (user_id, handle) VALUES ($1, $2)
		ON CONFLICT (user_id) DO UPDATE SET user_id = excluded.user_id RETURNING handle`, string(u), drawn).Scan(&handle)
	return handle, failed("find a person's handle", err)
}

const passkeySQL = `SELECT p.id::text, p.user_id::text, p.credential_id, p.name, p.record, p.sign_count, p.synced, p.created_at, p.last_used_at FROM passkeys p `

// OfUser gives a person's passkeys, the oldest first.
func (s *Passkeys) OfUser(ctx context.Context, u domain.UserID) ([]Passkey, error) {
	rows, err := s.pool.Query(ctx, passkeySQL+`WHERE p.user_id = $1 ORDER BY p.created_at, p.id LIMIT 200`, string(u))
	if err != nil {
		return nil, failed("list passkeys", err)
	}
	all, err := pgx.CollectRows(rows, scanPasskey)
	return all, failed("list passkeys", err)
}

// Find gives a credential whose person has this handle; ok is false when there is none.
func (s *Passkeys) Find(ctx context.Context, credential, handle []byte) (Passkey, bool, error) {
	rows, err := s.pool.Query(ctx, passkeySQL+`JOIN passkey_handles h USING (user_id) WHERE p.credential_id = $1 AND h.handle = $2`, credential, handle)
	p, ok, err := one(rows, err, scanPasskey)
	return p, ok, failed("find a passkey", err)
}

// Used keeps what an authenticator has counted; ok is false when somebody else has counted as far
// meanwhile: of two answers with one count the first is taken.
func (s *Passkeys) Used(ctx context.Context, credential []byte, count uint32, record json.RawMessage) (ok bool, err error) {
	tag, err := s.pool.Exec(ctx, `UPDATE passkeys SET sign_count = $2, record = $3, last_used_at = clock_timestamp()
		WHERE credential_id = $1 AND (sign_count < $2 OR (sign_count = 0 AND $2 = 0))`, credential, int64(count), record)
	return tag.RowsAffected() == 1, failed("count a passkey", err)
}

// Made goes with the event that links a passkey.
func (s *Passkeys) Made(p Passkey) []eventstore.Row {
	return []eventstore.Row{{
		SQL:  `INSERT INTO passkeys (id, user_id, credential_id, name, record, sign_count, synced) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		Args: []any{p.ID, string(p.User), p.CredentialID, p.Name, p.Record, int64(p.Count), p.Synced}, Refused: account.ErrSignInInUse,
	}}
}

// Removed goes with the event that unlinks it.
func (s *Passkeys) Removed(u domain.UserID, id string) []eventstore.Row {
	return []eventstore.Row{{SQL: `DELETE FROM passkeys WHERE user_id = $1 AND id = $2`, Args: []any{string(u), id}}}
}

func scanPasskey(row pgx.CollectableRow) (p Passkey, err error) {
	var count int64
	err = row.Scan(&p.ID, &p.User, &p.CredentialID, &p.Name, &p.Record, &count, &p.Synced, &p.CreatedAt, &p.LastUsedAt)
	p.Count, p.CreatedAt = uint32(count), p.CreatedAt.UTC()
	return p, err
}

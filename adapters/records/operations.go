package records

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
)

// Operation waits for a device's signature, or has it.
type Operation struct {
	ID          string
	User        domain.UserID
	Kind        string
	Target      string
	Instruction string
	Digest      string
	Message     json.RawMessage
	ExpiresAt   time.Time
	SignedAt    *time.Time
}

// Operations remembers them.
type Operations struct{ pool *pgxpool.Pool }

// Add keeps a new operation; the same id again changes nothing.
func (s *Operations) Add(ctx context.Context, o Operation) error {
	_, err := s.pool.Exec(ctx, `INSERT INTO trezor_operations (id, user_id, kind, target, instruction, digest, message, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING`,
		o.ID, string(o.User), o.Kind, o.Target, o.Instruction, o.Digest, o.Message, o.ExpiresAt)
	return failed("keep an operation", err)
}

// OfUser gives an operation of the user; ok is false when it is not theirs.
func (s *Operations) OfUser(ctx context.Context, u domain.UserID, id string) (Operation, bool, error) {
	if !isID(u) || !isID(id) {
		return Operation{}, false, nil
	}
	rows, err := s.pool.Query(ctx, `SELECT id::text, user_id::text, kind, target, instruction, digest, message, expires_at, signed_at
		FROM trezor_operations WHERE id = $1 AND user_id = $2`, id, string(u))
	o, ok, err := one(rows, err, func(row pgx.CollectableRow) (o Operation, err error) {
		err = row.Scan(&o.ID, &o.User, &o.Kind, &o.Target, &o.Instruction, &o.Digest, &o.Message, &o.ExpiresAt, &o.SignedAt)
		o.ExpiresAt = o.ExpiresAt.UTC()
		return o, err
	})
	return o, ok, failed("find an operation", err)
}

// Signed notes that the device has signed it; the log knows already.
func (s *Operations) Signed(ctx context.Context, id string) error {
	_, err := s.pool.Exec(ctx, `UPDATE trezor_operations SET signed_at = clock_timestamp() WHERE id = $1 AND signed_at IS NULL`, id)
	return failed("note a signature", err)
}

// Agreed reports whether a device signed exactly this instruction, and its message still holds.
func (s *Operations) Agreed(ctx context.Context, target, instruction string) (ok bool, err error) {
	err = s.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM trezor_operations
		WHERE target = $1 AND instruction = $2 AND signed_at IS NOT NULL AND expires_at > clock_timestamp())`, target, instruction).Scan(&ok)
	return ok, failed("look for a signature", err)
}

// Devices reports whether an admin has a hardware wallet registered.
func (s *Operations) Devices(ctx context.Context) (ok bool, err error) {
	err = s.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM events r JOIN users u ON u.id::text = r.stream_id
		WHERE r.stream_type = 'trezor' AND r.type = 'trezor.registered' AND 'admin' = ANY(u.roles)
			AND NOT EXISTS (SELECT FROM events d WHERE d.stream_type = 'trezor' AND d.stream_id = r.stream_id AND d.type = 'trezor.removed' AND d.version > r.version))`).Scan(&ok)
	return ok, failed("look for a hardware wallet", err)
}

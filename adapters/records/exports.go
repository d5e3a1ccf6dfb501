package records

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/eventstore"
)

const exportPlace = "data_exports.sealed"

// ExportChannel is notified when an export waits to be made.
const ExportChannel = "holdfast_exports"

// Export is a person's data in one file, or the order to make it.
type Export struct {
	ID        string
	User      domain.UserID
	Status    string // pending, ready or failed
	Size      int64  // bytes
	MadeAt    time.Time
	ExpiresAt time.Time
	Attempts  int
}

// Exports keeps them sealed, for some days.
type Exports struct {
	pool   *pgxpool.Pool
	sealer eventstore.Sealer
}

// NewExports makes them over a migrated database.
func NewExports(pool *pgxpool.Pool, sealer eventstore.Sealer) *Exports {
	return &Exports{pool, sealer}
}

const exportColumns = `id::text, user_id::text, status, size, made_at, expires_at, attempts`

func scanExport(row pgx.CollectableRow) (e Export, err error) {
	err = row.Scan(&e.ID, &e.User, &e.Status, &e.Size, &e.MadeAt, &e.ExpiresAt, &e.Attempts)
	e.MadeAt, e.ExpiresAt = e.MadeAt.UTC(), e.ExpiresAt.UTC()
	return e, err
}

// Newest gives a person's newest export that has neither failed nor expired.
func (s *Exports) Newest(ctx context.Context, u domain.UserID) (Export, bool, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+exportColumns+` FROM data_exports
		WHERE user_id = $1 AND status <> 'failed' AND expires_at > clock_timestamp() ORDER BY made_at DESC LIMIT 1`, string(u))
	e, ok, err := one(rows, err, scanExport)
	return e, ok, failed("find an export", err)
}

// Begin orders an export that is kept for so long; one that waits already is not doubled.
func (s *Exports) Begin(ctx context.Context, u domain.UserID, keep time.Duration) error {
	_, err := s.pool.Exec(ctx, `WITH begun AS (
			INSERT INTO data_exports (id, user_id, expires_at) SELECT $1, id, clock_timestamp() + $3::interval FROM users
			WHERE id = $2 AND status <> 'erased' ON CONFLICT DO NOTHING RETURNING id)
		SELECT pg_notify('`+ExportChannel+`', '') FROM begun`, uuid.NewString(), string(u), keep)
	return failed("begin an export", err)
}

// Content gives an export's bytes; ok is false when it is not the person's, not ready, or has
// expired.
func (s *Exports) Content(ctx context.Context, u domain.UserID, id string) (content []byte, ok bool, err error) {
	if !isID(id) || !isID(u) {
		return nil, false, nil
	}
	var sealed []byte
	err = s.pool.QueryRow(ctx, `SELECT sealed FROM data_exports WHERE id = $1 AND user_id = $2 AND status = 'ready' AND expires_at > clock_timestamp()`,
		id, string(u)).Scan(&sealed)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, failed("read an export", err)
	}
	content, err = s.sealer.Open(ctx, u, exportPlace, sealed)
	if errors.Is(err, eventstore.ErrErased) {
		return nil, false, nil
	}
	return content, err == nil, err
}

// Take hands out the export that has waited longest, to nobody else for the lease.
func (s *Exports) Take(ctx context.Context, lease time.Duration) (Export, bool, error) {
	rows, err := s.pool.Query(ctx, `WITH due AS (
			SELECT id FROM data_exports WHERE status = 'pending' AND next_at <= clock_timestamp() ORDER BY next_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
		UPDATE data_exports e SET attempts = attempts + 1, next_at = clock_timestamp() + $1::interval FROM due WHERE e.id = due.id
		RETURNING e.id::text, e.user_id::text, e.status, e.size, e.made_at, e.expires_at, e.attempts`, lease)
	e, ok, err := one(rows, err, scanExport)
	return e, ok, failed("take an export", err)
}

// Ready keeps what was made.
func (s *Exports) Ready(ctx context.Context, e Export, content []byte) error {
	sealed, err := s.sealer.Seal(ctx, e.User, exportPlace, content)
	if errors.Is(err, eventstore.ErrErased) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("seal an export: %w", err)
	}
	_, err = s.pool.Exec(ctx, `UPDATE data_exports SET status = 'ready', sealed = $2, size = $3 WHERE id = $1 AND status = 'pending'`, e.ID, sealed, len(content))
	return failed("keep an export", err)
}

// Failed gives an export up.
func (s *Exports) Failed(ctx context.Context, id string) error {
	_, err := s.pool.Exec(ctx, `UPDATE data_exports SET status = 'failed' WHERE id = $1 AND status = 'pending'`, id)
	return failed("give an export up", err)
}

// Expire forgets exports whose time is over.
func (s *Exports) Expire(ctx context.Context) error {
	_, err := s.pool.Exec(ctx, `DELETE FROM data_exports WHERE expires_at < clock_timestamp()`)
	return failed("forget old exports", err)
}

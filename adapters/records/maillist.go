package records

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"holdfast/domain"
	"holdfast/eventstore"
)

const mailRowSQL = `SELECT id::text, COALESCE(user_id::text, ''), template, status, attempts, error, made_at, next_at, done_at FROM mails `

// List gives letters, newest first.
func (s *Mails) List(ctx context.Context, f MailFilter, limit int) ([]MailRow, error) {
	if f.Before != "" && !isID(f.Before) {
		return nil, nil
	}
	rows, err := s.pool.Query(ctx, mailRowSQL+`
		WHERE ($1 = '' OR status = $1) AND ($2 = '' OR user_id = $2::uuid)
		  AND ($3 = '' OR (made_at, id) < (SELECT made_at, id FROM mails WHERE id = $3::uuid))
		ORDER BY made_at DESC, id DESC LIMIT $4`, f.Status, string(f.User), f.Before, limit)
	if err != nil {
		return nil, failed("list letters", err)
	}
	all, err := pgx.CollectRows(rows, scanMailRow)
	return all, failed("list letters", err)
}

func scanMailRow(row pgx.CollectableRow) (m MailRow, err error) {
	err = row.Scan(&m.ID, &m.UserID, &m.Template, &m.Status, &m.Attempts, &m.Error, &m.MadeAt, &m.NextAt, &m.DoneAt)
	m.MadeAt, m.NextAt = m.MadeAt.UTC(), m.NextAt.UTC()
	if m.DoneAt != nil {
		at := m.DoneAt.UTC()
		m.DoneAt = &at
	}
	return m, err
}

// Bytes gives what was sent, byte for byte; ok is false before it was, and once its person is
// erased.
func (s *Mails) Bytes(ctx context.Context, id string) (raw []byte, ok bool, err error) {
	if !isID(id) {
		return nil, false, nil
	}
	var subject string
	var sealed []byte
	err = s.pool.QueryRow(ctx, `SELECT subject, sent FROM mails WHERE id = $1 AND status = 'sent'`, id).Scan(&subject, &sealed)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, failed("find a letter", err)
	}
	raw, err = s.sealer.Open(ctx, domain.UserID(subject), sentPlace, sealed)
	if errors.Is(err, eventstore.ErrErased) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read letter %s: %w", id, err)
	}
	return raw, true, nil
}

// Expire forgets letters that are done and older than keep.
func (s *Mails) Expire(ctx context.Context, keep time.Duration) (forgotten int64, err error) {
	tag, err := s.pool.Exec(ctx, `DELETE FROM mails WHERE status <> 'queued' AND done_at < clock_timestamp() - $1::interval`, keep)
	return tag.RowsAffected(), failed("forget old letters", err)
}

package records

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"holdfast/domain"
)

// TelegramChannel is notified when an update or a message waits.
const TelegramChannel = "holdfast_telegram"

// TelegramUpdate is an update that waits to be dealt with.
type TelegramUpdate struct {
	ID       int64
	Body     []byte
	Attempts int // this one included
}

// TelegramMessage is one that the bot is to send.
type TelegramMessage struct {
	ID       string
	User     domain.UserID // empty: somebody who is nobody here
	Chat     int64
	Text     string
	Attempts int // this one included
}

// The ends of a message.
const (
	MessageSent          = "sent"
	MessageUndeliverable = "undeliverable" // the person does not want it or cannot get it
	MessageDead          = "dead"          // it was tried too often
)

// StoreUpdate keeps an update and returns when it is on disk. One that is known already is counted.
func (s *Telegram) StoreUpdate(ctx context.Context, id int64, body []byte) error {
	_, err := s.pool.Exec(ctx, `WITH stored AS (
			INSERT INTO telegram_updates AS u (update_id, body) VALUES ($1, $2)
			ON CONFLICT (update_id) DO UPDATE SET copies = u.copies + 1 RETURNING copies),
		old AS (DELETE FROM telegram_updates WHERE update_id IN (
			SELECT update_id FROM telegram_updates WHERE done_at < clock_timestamp() - interval '30 days' LIMIT 20 FOR UPDATE SKIP LOCKED))
		SELECT pg_notify('`+TelegramChannel+`', '') FROM stored WHERE copies = 1`, id, body)
	return failed("store an update", err)
}

// TakeUpdates hands out updates that wait, in their order, and keeps others away from them for the
// lease.
func (s *Telegram) TakeUpdates(ctx context.Context, limit int, lease time.Duration) ([]TelegramUpdate, error) {
	rows, err := s.pool.Query(ctx, `WITH taken AS (
			SELECT update_id FROM telegram_updates WHERE done_at IS NULL AND next_at <= clock_timestamp()
			ORDER BY next_at, update_id LIMIT $1 FOR UPDATE SKIP LOCKED),
		leased AS (
			UPDATE telegram_updates u SET attempts = attempts + 1, next_at = clock_timestamp() + $2::interval
			FROM taken WHERE u.update_id = taken.update_id RETURNING u.update_id, u.body, u.attempts)
		SELECT update_id, body, attempts FROM leased ORDER BY update_id`, limit, lease)
	if err != nil {
		return nil, failed("take updates", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (u TelegramUpdate, err error) {
		err = row.Scan(&u.ID, &u.Body, &u.Attempts)
		return u, err
	})
	return all, failed("take updates", err)
}

// FinishUpdate forgets what an update said; reason is why it came to nothing, if it did.
func (s *Telegram) FinishUpdate(ctx context.Context, id int64, reason string) error {
	_, err := s.pool.Exec(ctx, `UPDATE telegram_updates SET body = NULL, done_at = clock_timestamp(), error = $2 WHERE update_id = $1 AND done_at IS NULL`, id, reason)
	return failed("finish an update", err)
}

// PostponeUpdate tries it again after a while.
func (s *Telegram) PostponeUpdate(ctx context.Context, id int64, after time.Duration, reason string) error {
	_, err := s.pool.Exec(ctx, `UPDATE telegram_updates SET next_at = clock_timestamp() + $2::interval, error = $3 WHERE update_id = $1 AND done_at IS NULL`, id, after, reason)
	return failed("postpone an update", err)
}

// Queue puts a message into the outbox; the same id again changes nothing.
func (s *Telegram) Queue(ctx context.Context, m TelegramMessage) error {
	var user *string
	if m.User != "" {
		id := string(m.User)
		user = &id
	}
	_, err := s.pool.Exec(ctx, `WITH queued AS (INSERT INTO telegram_messages (id, user_id, chat_id, text) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING RETURNING id)
		SELECT pg_notify('`+TelegramChannel+`', '') FROM queued`, m.ID, user, m.Chat, m.Text)
	return failed("queue a message", err)
}

// TakeMessages hands out messages that wait, one a chat: a chat takes about one a second.
func (s *Telegram) TakeMessages(ctx context.Context, limit int, lease time.Duration) ([]TelegramMessage, error) {
	rows, err := s.pool.Query(ctx, `WITH first AS (
			SELECT DISTINCT ON (chat_id) id, next_at FROM telegram_messages WHERE state = 'waiting' ORDER BY chat_id, made_at, id),
		taken AS (
			SELECT m.id FROM telegram_messages m JOIN first USING (id) WHERE m.state = 'waiting' AND m.next_at <= clock_timestamp()
			ORDER BY m.next_at LIMIT $1 FOR UPDATE OF m SKIP LOCKED)
		UPDATE telegram_messages m SET attempts = attempts + 1, next_at = clock_timestamp() + $2::interval
		FROM taken WHERE m.id = taken.id RETURNING m.id::text, coalesce(m.user_id::text, ''), m.chat_id, m.text, m.attempts`, limit, lease)
	if err != nil {
		return nil, failed("take messages", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (m TelegramMessage, err error) {
		err = row.Scan(&m.ID, &m.User, &m.Chat, &m.Text, &m.Attempts)
		return m, err
	})
	return all, failed("take messages", err)
}

// EndMessage notes how a message ended, and forgets its text; of one to somebody who is nobody here
// also where it went.
func (s *Telegram) EndMessage(ctx context.Context, id, state string, message int64, reason string) error {
	_, err := s.pool.Exec(ctx, `UPDATE telegram_messages SET state = $2, text = '', chat_id = CASE WHEN user_id IS NULL THEN -1 ELSE chat_id END, message_id = nullif($3::bigint, 0), error = $4, ended_at = clock_timestamp() WHERE id = $1`, id, state, message, reason)
	return failed("end a message", err)
}

// PostponeMessage tries it again after a while.
func (s *Telegram) PostponeMessage(ctx context.Context, id string, after time.Duration, reason string) error {
	_, err := s.pool.Exec(ctx, `UPDATE telegram_messages SET next_at = clock_timestamp() + $2::interval, error = $3 WHERE id = $1 AND state = 'waiting'`, id, after, reason)
	return failed("postpone a message", err)
}

// MessagesByState counts the bot's messages.
func (s *Telegram) MessagesByState(ctx context.Context) (map[string]int, error) {
	rows, err := s.pool.Query(ctx, `SELECT state, count(*) FROM telegram_messages GROUP BY state`)
	if err != nil {
		return nil, failed("count messages", err)
	}
	all := map[string]int{}
	var state string
	var n int
	_, err = pgx.ForEachRow(rows, []any{&state, &n}, func() error { all[state] = n; return nil })
	return all, failed("count messages", err)
}

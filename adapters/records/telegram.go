package records

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/eventstore"
)

// TelegramChat is where the bot can write to a person.
type TelegramChat struct {
	User          domain.UserID
	Chat          int64
	Notifications bool
	Reach         string // unknown, reachable or unreachable
}

// Whether the bot's messages arrive.
const (
	Reachable   = "reachable"
	Unreachable = "unreachable"
)

// Telegram keeps chats, updates and the bot's messages.
type Telegram struct{ pool *pgxpool.Pool }

const chatSQL = `SELECT user_id::text, chat_id, notifications, reach FROM telegram_chats `

// ChatOf gives a person's chat; ok is false when there is none.
func (s *Telegram) ChatOf(ctx context.Context, u domain.UserID) (TelegramChat, bool, error) {
	rows, err := s.pool.Query(ctx, chatSQL+`WHERE user_id = $1`, string(u))
	c, ok, err := one(rows, err, scanChat)
	return c, ok, failed("find a chat", err)
}

// ChatAt gives the person of a chat; ok is false for nobody.
func (s *Telegram) ChatAt(ctx context.Context, chat int64) (TelegramChat, bool, error) {
	rows, err := s.pool.Query(ctx, chatSQL+`WHERE chat_id = $1`, chat)
	c, ok, err := one(rows, err, scanChat)
	return c, ok, failed("find a chat", err)
}

func scanChat(row pgx.CollectableRow) (c TelegramChat, err error) {
	err = row.Scan(&c.User, &c.Chat, &c.Notifications, &c.Reach)
	return c, err
}

// Linked goes with the event that links a person: their chat with the bot has their own number.
func (s *Telegram) Linked(u domain.UserID, chat int64, reach string) []eventstore.Row {
	return []eventstore.Row{{
		SQL: `INSERT INTO telegram_chats (user_id, chat_id, reach) VALUES ($1, $2, $3)
			ON CONFLICT (user_id) DO UPDATE SET chat_id = excluded.chat_id, reach = excluded.reach, reach_at = clock_timestamp()`,
		Args: []any{string(u), chat, reach},
	}}
}

// Unlinked goes with the event that unlinks: what waits for the person is not sent any more.
func (s *Telegram) Unlinked(u domain.UserID) []eventstore.Row {
	return []eventstore.Row{
		{SQL: `DELETE FROM telegram_messages WHERE user_id = $1`, Args: []any{string(u)}},
		{SQL: `DELETE FROM telegram_chats WHERE user_id = $1`, Args: []any{string(u)}},
	}
}

// SetNotifications switches a person's notifications; ok is false when nothing is linked.
func (s *Telegram) SetNotifications(ctx context.Context, u domain.UserID, on bool) (ok bool, err error) {
	tag, err := s.pool.Exec(ctx, `UPDATE telegram_chats SET notifications = $2 WHERE user_id = $1`, string(u), on)
	return tag.RowsAffected() == 1, failed("set notifications", err)
}

// Reach notes whether the bot's messages arrive in a chat.
func (s *Telegram) Reach(ctx context.Context, chat int64, reach string) error {
	_, err := s.pool.Exec(ctx, `UPDATE telegram_chats SET reach = $2, reach_at = clock_timestamp() WHERE chat_id = $1 AND reach <> $2`, chat, reach)
	return failed("note whether a chat is reached", err)
}

// Move notes that a chat has another number now.
func (s *Telegram) Move(ctx context.Context, from, to int64) error {
	_, err := s.pool.Exec(ctx, `WITH messages AS (UPDATE telegram_messages SET chat_id = $2 WHERE chat_id = $1 AND state = 'waiting')
		UPDATE telegram_chats SET chat_id = $2 WHERE chat_id = $1`, from, to)
	return failed("move a chat", err)
}

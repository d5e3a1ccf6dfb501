package http

import (
	"context"
	"time"

	"holdfast/domain"
	"holdfast/eventstore"
)

// TelegramUser is a person at Telegram. Nothing of it but the number stays the same.
type TelegramUser struct {
	ID        int64  `json:"id"`
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName,omitempty"`
	Username  string `json:"username,omitempty"`
	Language  string `json:"language,omitempty"`
}

// TelegramProof is what a client has shown.
type TelegramProof struct {
	User       TelegramUser
	AuthDate   time.Time
	StartParam string
	Key        []byte // names this very proof
}

// TelegramProofs checks what Telegram's clients bring: TELEGRAM_SIGNATURE_INVALID, TELEGRAM_STALE.
type TelegramProofs interface {
	InitData(text string, maxAge time.Duration, now time.Time) (TelegramProof, error)
	// Widget checks the login widget's JSON object.
	Widget(object []byte, maxAge time.Duration, now time.Time) (TelegramProof, error)
}

// TelegramWebhook is what Telegram says of the webhook.
type TelegramWebhook struct {
	URL         string     `json:"url"`
	Pending     int        `json:"pending" doc:"Updates that Telegram holds back"`
	LastErrorAt *time.Time `json:"lastErrorAt,omitempty"`
	LastError   string     `json:"lastError,omitempty"`
}

// TelegramBot is our bot.
type TelegramBot interface {
	// Name is the bot's, without @.
	Name(ctx context.Context) (string, error)
	// Accepts compares the word that comes with an update, in constant time.
	Accepts(secret string) bool
	SetWebhook(ctx context.Context, url string) error
	WebhookInfo(ctx context.Context) (TelegramWebhook, error)
	// UpdateID reads an update's number: INVALID_PAYLOAD for what has none.
	UpdateID(body []byte) (int64, error)
}

// TelegramChat is where the bot can write to a person.
type TelegramChat struct {
	User          domain.UserID
	Chat          int64
	Notifications bool
	Reach         string // unknown, reachable or unreachable
}

// TelegramMessage is one that the bot is to send; the same id is the same message.
type TelegramMessage struct {
	ID   string
	User domain.UserID
	Chat int64
	Text string
}

// TelegramChats keeps chats, updates and messages. What is linked and unlinked goes with an event.
type TelegramChats interface {
	ChatOf(ctx context.Context, u domain.UserID) (c TelegramChat, ok bool, err error)
	Linked(u domain.UserID, chat int64, reach string) []eventstore.Row
	Unlinked(u domain.UserID) []eventstore.Row
	SetNotifications(ctx context.Context, u domain.UserID, on bool) (ok bool, err error)
	// StoreUpdate keeps an update and returns when it is on disk.
	StoreUpdate(ctx context.Context, id int64, body []byte) error
	Queue(ctx context.Context, m TelegramMessage) error
}

package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/time/rate"

	"holdfast/domain/fault"
)

// What the bot API may answer. Texts of Telegram are no contract, so they decide nothing.
var (
	ErrUnavailable  = fault.New(fault.Unavailable, "TELEGRAM_UNAVAILABLE", "Telegram does not answer").Retry(5)
	ErrLimited      = fault.New(fault.Unavailable, "TELEGRAM_LIMITED", "Telegram limits the bot; nothing is sent until then")
	ErrUnreachable  = fault.New(fault.Conflict, "TELEGRAM_UNREACHABLE", "the person has blocked the bot or never started it")
	ErrRefused      = fault.New(fault.Upstream, "TELEGRAM_REFUSED", "Telegram refuses the request")
	ErrUnauthorized = fault.New(fault.Upstream, "TELEGRAM_UNAUTHORIZED", "Telegram does not know the bot's token")
)

// API is where Telegram's bot API is.
const API = "https://api.telegram.org"

const (
	maxText   = 4096 // UTF-16 code units
	maxAnswer = 1 << 20
	perSecond = 25 // Telegram speaks of about 30 messages a second
)

// Bot calls the bot API. When Telegram says wait, the whole bot waits.
type Bot struct {
	base  string
	token string
	http  *http.Client
	limit *rate.Limiter

	mu     sync.Mutex
	paused time.Time
}

// NewBot makes one; base is API when empty.
func NewBot(base, token string, timeout time.Duration) *Bot {
	if base == "" {
		base = API
	}
	if timeout == 0 {
		timeout = 10 * time.Second
	}
	return &Bot{
		base: strings.TrimSuffix(base, "/"), token: token, limit: rate.NewLimiter(perSecond, perSecond),
		http: &http.Client{Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
}

// Profile is the bot's own.
type Profile struct {
	ID       int64  `json:"id"`
	Username string `json:"username"`
}

// Me asks who the bot is.
func (b *Bot) Me(ctx context.Context) (p Profile, err error) {
	return p, b.call(ctx, "getMe", struct{}{}, &p)
}

// SetWebhook names where updates are to be sent, and the secret that comes with them.
func (b *Bot) SetWebhook(ctx context.Context, at string, s Secret) error {
	var done bool
	return b.call(ctx, "setWebhook", map[string]any{
		"url": at, "secret_token": string(s), "allowed_updates": []string{"message", "my_chat_member"}, "max_connections": 40,
	}, &done)
}

// Webhook is what Telegram says of the webhook.
type Webhook struct {
	URL         string `json:"url"`
	Pending     int    `json:"pending_update_count"`
	LastErrorAt int64  `json:"last_error_date"` // Unix seconds; 0 when there was none
	LastError   string `json:"last_error_message"`
}

// WebhookInfo asks for it.
func (b *Bot) WebhookInfo(ctx context.Context) (w Webhook, err error) {
	return w, b.call(ctx, "getWebhookInfo", struct{}{}, &w)
}

// Sent is a message that Telegram has taken. Chat is another one than was asked for when the group
// has moved: keep it.
type Sent struct {
	Chat    int64
	Message int64
}

// Send sends plain text: what people call themselves is never read as markup. Text that is too
// long is cut. There is no key against sending twice, so a message whose answer was lost may come
// twice.
func (b *Bot) Send(ctx context.Context, chat int64, text string) (Sent, error) {
	sent, err := b.send(ctx, chat, text)
	if moved, ok := errors.AsType[*movedError](err); ok {
		sent, err = b.send(ctx, moved.to, text)
	}
	return sent, err
}

func (b *Bot) send(ctx context.Context, chat int64, text string) (Sent, error) {
	var m struct {
		ID int64 `json:"message_id"`
	}
	err := b.call(ctx, "sendMessage", map[string]any{"chat_id": chat, "text": cut(text), "link_preview_options": map[string]bool{"is_disabled": true}}, &m)
	return Sent{Chat: chat, Message: m.ID}, err
}

// cut keeps what Telegram takes: 1 to 4096 characters, of valid text.
func cut(text string) string {
	text = strings.ToValidUTF8(text, "�")
	for n, i := 0, 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if n += utf16.RuneLen(r); n > maxText-1 && i+size < len(text) {
			return text[:i] + "…"
		}
		i += size
	}
	if strings.TrimSpace(text) == "" {
		return "…"
	}
	return text
}

// movedError says that a group is a supergroup now.
type movedError struct{ to int64 }

func (e *movedError) Error() string { return fmt.Sprintf("the chat has moved to %d", e.to) }

type reply struct {
	OK         bool            `json:"ok"`
	Result     json.RawMessage `json:"result"`
	Code       int             `json:"error_code"`
	Parameters struct {
		RetryAfter int   `json:"retry_after"`
		MigrateTo  int64 `json:"migrate_to_chat_id"`
	} `json:"parameters"`
}

func (b *Bot) call(ctx context.Context, method string, in, out any) error {
	if wait := b.pause(); wait > 0 {
		return ErrLimited.Retry(seconds(wait))
	}
	if err := b.limit.Wait(ctx); err != nil {
		return fmt.Errorf("%s: %w (%w)", method, ErrUnavailable, err)
	}
	r, status, err := b.ask(ctx, method, in)
	if err != nil {
		return fmt.Errorf("%s: %w (%w)", method, ErrUnavailable, err)
	}
	if r.OK {
		if err := json.Unmarshal(r.Result, out); err != nil {
			return fmt.Errorf("%s: %w (the result is not what the API describes)", method, ErrUnavailable)
		}
		return nil
	}
	return fmt.Errorf("%s: %w", method, b.refusal(status, r))
}

// refusal reads a failure by its numbers alone.
func (b *Bot) refusal(status int, r reply) error {
	if r.Code != 0 {
		status = r.Code
	}
	switch {
	case status == http.StatusTooManyRequests:
		wait := time.Duration(min(max(r.Parameters.RetryAfter, 1), 3600)) * time.Second
		b.mu.Lock()
		b.paused = time.Now().Add(wait)
		b.mu.Unlock()
		return ErrLimited.Retry(seconds(wait))
	case r.Parameters.MigrateTo != 0:
		return &movedError{r.Parameters.MigrateTo}
	case status == http.StatusUnauthorized || status == http.StatusNotFound:
		return ErrUnauthorized
	case status == http.StatusForbidden:
		return ErrUnreachable
	case status/100 == 4:
		return ErrRefused.With("status", status)
	}
	return ErrUnavailable.With("status", status)
}

func (b *Bot) ask(ctx context.Context, method string, in any) (r reply, status int, err error) {
	body, err := json.Marshal(in)
	if err != nil {
		return r, 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.base+"/bot"+b.token+"/"+method, bytes.NewReader(body))
	if err != nil {
		return r, 0, errors.New("the bot's token or the API's address cannot be put in a URL")
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := b.http.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // the URL holds the token
		}
		return r, 0, err
	}
	defer func() { _ = resp.Body.Close() }() // it was read or is not wanted
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return r, 0, err
	}
	if json.Unmarshal(text, &r) != nil {
		return r, 0, fmt.Errorf("status %d, and not JSON", resp.StatusCode)
	}
	return r, resp.StatusCode, nil
}

func (b *Bot) pause() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return time.Until(b.paused)
}

func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

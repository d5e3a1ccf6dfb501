package wire

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"time"

	"holdfast/adapters/records"
	"holdfast/adapters/telegram"
	"holdfast/adapters/telegram/telegramdouble"
	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/domain/fault"
	"holdfast/eventstore"
	apihttp "holdfast/http"
	"holdfast/reactors"
)

const (
	botWebhookPath = "/api/telegram/webhook"
	developmentBot = "100000001:development-token"
)

// openTelegram connects with the bot, or in development with a double of Telegram. With the bot's
// number alone initData is checked by Telegram's own key, and there is no bot.
func (s *Service) openTelegram() error {
	cfg := s.Config
	token, secret, api := cfg.TelegramToken, cfg.TelegramSecret, cfg.TelegramAPI
	if token == "" && cfg.TelegramBotID == 0 {
		if !cfg.SignInDoubles() {
			return nil
		}
		token, secret = developmentBot, "development"
		double, err := telegramdouble.Start(token, "holdfast_dev_bot")
		if err != nil {
			return fmt.Errorf("start a double of Telegram: %w", err)
		}
		s.onClose(func(context.Context) error { return double.Close() })
		s.TelegramDouble, api = double, double.URL()
	}
	v, err := telegram.NewVerifier(token, cfg.TelegramBotID, cfg.TelegramPublicKey)
	if err != nil {
		return fmt.Errorf("TELEGRAM_PUBLIC_KEY: %w", err)
	}
	s.signIn.Telegram, s.signIn.Chats = telegramProofs{v}, telegramChats{s.Records.Telegram}
	if token != "" {
		s.bot = &telegramBot{Bot: telegram.NewBot(api, token, 0), secret: telegram.Secret(secret)}
		s.signIn.Bot = s.bot
	}
	return nil
}

// telegramLoops deal with what people write to the bot, and send what it answers.
func (s *Service) telegramLoops() (all []loop, woken []reactors.Sleeper, err error) {
	if s.bot == nil {
		return nil, nil, nil
	}
	keyed, err := newHashes(s.Config)
	if err != nil {
		return nil, nil, err
	}
	commands := reactors.NewBotCommands(reactors.BotOptions{
		Updates: botUpdates{s.Records.Telegram, s.bot}, People: botPeople{s.Records, s.mailer()}, Executor: s.Executor, Log: s.Log, Site: s.Config.FrontendURL,
		Key: func(id int64) string { return keyed.Of(string(account.Telegram), strconv.FormatInt(id, 10)) },
	})
	sender := reactors.NewBotSender(botOutbox{s.Records.Telegram}, messenger{s.bot.Bot}, 0, s.Log)
	return []loop{commands, sender}, []reactors.Sleeper{commands, sender}, nil
}

type telegramProofs struct{ *telegram.Verifier }

func (p telegramProofs) InitData(text string, maxAge time.Duration, now time.Time) (apihttp.TelegramProof, error) {
	return telegramProof(p.Verifier.InitData(text, maxAge, now))
}

func (p telegramProofs) Widget(object []byte, maxAge time.Duration, now time.Time) (apihttp.TelegramProof, error) {
	return telegramProof(p.Verifier.Widget(object, maxAge, now))
}

func telegramProof(p telegram.Proof, err error) (apihttp.TelegramProof, error) {
	u := p.User
	return apihttp.TelegramProof{
		User:     apihttp.TelegramUser{ID: u.ID, FirstName: u.FirstName, LastName: u.LastName, Username: u.Username, Language: u.LanguageCode},
		AuthDate: p.AuthDate, StartParam: p.StartParam, Key: p.Key[:],
	}, err
}

// telegramBot remembers the bot's name: it never changes while we run.
type telegramBot struct {
	*telegram.Bot
	secret telegram.Secret

	mu   sync.Mutex
	name string
}

// Name asks without holding the lock: while Telegram does not answer one, others give up when they
// themselves have waited long enough.
func (b *telegramBot) Name(ctx context.Context) (string, error) {
	b.mu.Lock()
	known := b.name
	b.mu.Unlock()
	if known != "" {
		return known, nil
	}
	me, err := b.Me(ctx)
	if err != nil {
		return "", err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.name = me.Username
	return b.name, nil
}

func (b *telegramBot) Accepts(secret string) bool { return b.secret.Is(secret) }

func (b *telegramBot) SetWebhook(ctx context.Context, url string) error {
	return b.Bot.SetWebhook(ctx, url, b.secret)
}

func (b *telegramBot) WebhookInfo(ctx context.Context) (apihttp.TelegramWebhook, error) {
	w, err := b.Bot.WebhookInfo(ctx)
	out := apihttp.TelegramWebhook{URL: w.URL, Pending: w.Pending, LastError: w.LastError}
	if w.LastErrorAt > 0 {
		at := time.Unix(w.LastErrorAt, 0).UTC()
		out.LastErrorAt = &at
	}
	return out, err
}

func (*telegramBot) UpdateID(body []byte) (int64, error) {
	u, err := telegram.ParseUpdate(body)
	return u.ID, err
}

type telegramChats struct{ *records.Telegram }

func (c telegramChats) ChatOf(ctx context.Context, u domain.UserID) (apihttp.TelegramChat, bool, error) {
	r, ok, err := c.Telegram.ChatOf(ctx, u)
	return apihttp.TelegramChat(r), ok, err
}

func (c telegramChats) Queue(ctx context.Context, m apihttp.TelegramMessage) error {
	return c.Telegram.Queue(ctx, records.TelegramMessage{ID: m.ID, User: m.User, Chat: m.Chat, Text: m.Text})
}

// botUpdates reads updates as they are handed out. What cannot be read has come to nothing.
type botUpdates struct {
	*records.Telegram
	bot *telegramBot
}

func (b botUpdates) TakeUpdates(ctx context.Context, limit int, lease time.Duration) ([]reactors.BotUpdate, error) {
	rows, err := b.Telegram.TakeUpdates(ctx, limit, lease)
	var all []reactors.BotUpdate
	var name string
	if len(rows) > 0 && err == nil {
		if name, err = b.bot.Name(ctx); err != nil {
			return nil, err
		}
	}
	for _, r := range rows {
		u, parsed := telegram.ParseUpdate(r.Body)
		out := reactors.BotUpdate{ID: r.ID, Attempts: r.Attempts}
		if parsed == nil && !u.From.IsBot {
			out.From, out.Name, out.Chat, out.Private, out.Member = u.From.ID, u.From.FirstName, u.Chat, u.Private, u.Member
			if u.From.Username != "" {
				out.Name = "@" + u.From.Username
			}
			out.Command, out.Argument, _ = u.Command(name)
		}
		all = append(all, out)
	}
	return all, err
}

// botPeople are the rows behind the bot's commands.
type botPeople struct {
	*records.Records
	mailer apihttp.Mailer // nil: no mail
}

// botAgreed is what a Telegram user must still agree to.
const botAgreed = "telegram-agree"

func botAgreement(telegram int64, code string) string {
	return strconv.FormatInt(telegram, 10) + ":" + code
}

func (p botPeople) Waits(ctx context.Context, telegram int64, code string, u domain.UserID, lives time.Duration) error {
	return p.Challenges.Keep(ctx, botAgreed, botAgreement(telegram, code), records.Challenge{User: u}, lives)
}

func (p botPeople) Agreed(ctx context.Context, telegram int64, code string) (domain.UserID, bool, error) {
	c, became, err := p.Challenges.Take(ctx, botAgreed, botAgreement(telegram, code))
	return c.User, became == records.ChallengeTaken && c.User != "", err
}

func (p botPeople) Account(ctx context.Context, u domain.UserID) (email, name string, err error) {
	r, _, err := p.Users.ByID(ctx, u)
	return r.Email, r.Name, err
}

func (p botPeople) Told(ctx context.Context, u domain.UserID, id string) error {
	r, ok, err := p.Users.ByID(ctx, u)
	if err != nil || !ok || r.Email == "" || !r.Verified || p.mailer == nil {
		return err
	}
	return p.mailer.Send(ctx, apihttp.Mail{To: u, Address: r.Email, Template: "method-linked", Key: "method-linked:" + id, Vars: map[string]string{
		"name": r.Name, "method": apihttp.MethodWord(account.Telegram), "when": time.Now().UTC().Format("2 January 2006, 15:04 UTC"),
	}})
}

func (p botPeople) PersonOf(ctx context.Context, id int64) (domain.UserID, bool, error) {
	return p.SignIns.Use(ctx, string(account.Telegram), strconv.FormatInt(id, 10))
}

func (p botPeople) Linked(ctx context.Context, u domain.UserID) (int64, error) {
	all, err := p.SignIns.OfUser(ctx, u)
	for _, m := range all {
		if m.Method == string(account.Telegram) {
			return strconv.ParseInt(m.Subject, 10, 64)
		}
	}
	return 0, err
}

func (p botPeople) Link(u domain.UserID, id int64, name string) []eventstore.Row {
	m := records.SignInMethod{Method: string(account.Telegram), Subject: strconv.FormatInt(id, 10), Label: name}
	return append(p.SignIns.Linked(u, m), p.Telegram.Linked(u, id, records.Reachable)...)
}

func (p botPeople) Start(ctx context.Context, code string) (domain.UserID, bool, error) {
	c, became, err := p.Challenges.Take(ctx, apihttp.TelegramStart, code)
	return c.User, became == records.ChallengeTaken && c.User != "", err
}

func (p botPeople) Offer(ctx context.Context, code string, person json.RawMessage, lives time.Duration) error {
	return p.Challenges.Keep(ctx, apihttp.TelegramCode, code, records.Challenge{Data: person}, lives)
}

func (p botPeople) Queue(ctx context.Context, id string, u domain.UserID, chat int64, text string) error {
	return p.Telegram.Queue(ctx, records.TelegramMessage{ID: id, User: u, Chat: chat, Text: text})
}

func (p botPeople) Reached(ctx context.Context, chat int64) error {
	return p.Telegram.Reach(ctx, chat, records.Reachable)
}

func (p botPeople) Unreached(ctx context.Context, chat int64) error {
	return p.Telegram.Reach(ctx, chat, records.Unreachable)
}

func (p botPeople) Notified(ctx context.Context, u domain.UserID) (bool, error) {
	c, _, err := p.Telegram.ChatOf(ctx, u)
	return c.Notifications, err
}

// botOutbox is the bot's outbox in the sender's words.
type botOutbox struct{ *records.Telegram }

func (o botOutbox) TakeMessages(ctx context.Context, limit int, lease time.Duration) ([]reactors.BotMessage, error) {
	rows, err := o.Telegram.TakeMessages(ctx, limit, lease)
	all := make([]reactors.BotMessage, len(rows))
	for i, r := range rows {
		all[i] = reactors.BotMessage{ID: r.ID, Chat: r.Chat, Text: r.Text, Attempts: r.Attempts}
	}
	return all, err
}

func (o botOutbox) Sent(ctx context.Context, id string, message int64) error {
	return o.EndMessage(ctx, id, records.MessageSent, message, "")
}

func (o botOutbox) Undeliverable(ctx context.Context, id, reason string) error {
	return o.EndMessage(ctx, id, records.MessageUndeliverable, 0, reason)
}

func (o botOutbox) Dead(ctx context.Context, id, reason string) error {
	return o.EndMessage(ctx, id, records.MessageDead, 0, reason)
}

func (o botOutbox) Reached(ctx context.Context, chat int64) error {
	return o.Reach(ctx, chat, records.Reachable)
}

func (o botOutbox) Unreached(ctx context.Context, chat int64) error {
	return o.Reach(ctx, chat, records.Unreachable)
}

// messenger says what Telegram's answer means for a message.
type messenger struct{ bot *telegram.Bot }

func (m messenger) Send(ctx context.Context, chat int64, text string) (o reactors.BotOutcome) {
	sent, err := m.bot.Send(ctx, chat, text)
	if sent.Chat != chat {
		o.MovedTo = sent.Chat
	}
	o.Sent, o.Err = sent.Message, err
	f, _ := fault.From(err)
	switch {
	case f == nil:
	case f.Code == telegram.ErrLimited.Code:
		o.Wait = time.Duration(max(f.RetryAfter, 1)) * time.Second
	case f.Code == telegram.ErrUnauthorized.Code:
		o.Wait = time.Minute // nothing is lost while an operator mends the token
	case f.Code == telegram.ErrUnreachable.Code:
		o.Unreachable = true
	case f.Code == telegram.ErrRefused.Code:
		o.Refused = true
	}
	return o
}

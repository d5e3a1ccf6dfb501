package http

import (
	"context"
	"net/url"

	"holdfast/domain/fault"
)

const headerBotSecret = "X-Telegram-Bot-Api-Secret-Token" //nolint:gosec // the header's name, not the secret

// errBotSecret: the update does not come from Telegram. Nothing of it is read.
var errBotSecret = fault.New(fault.Unauthenticated, "INVALID_SIGNATURE", "the secret token is not right")

func telegramBotRoutes() []Route {
	return []Route{
		on[botUpdateInput, Nothing](Route{Method: "POST", Path: telegramPath + "/webhook", Class: Ingestion, Rate: RateExempt, Raw: true, Summary: "An update of the bot; stored before it is answered", Errors: []string{"INVALID_SIGNATURE", "INVALID_PAYLOAD"}}, (*Server).botUpdate),
		on[setWebhookInput, TelegramWebhook](Route{Method: "POST", Path: telegramPath + "/webhook/set", Roles: admin, Class: PlainWrite, Rate: RateGeneral, Summary: "Tell Telegram where to send updates", Errors: []string{"TELEGRAM_REFUSED", "TELEGRAM_UNAVAILABLE", "TELEGRAM_UNAUTHORIZED"}}, (*Server).setBotWebhook),
		on[struct{}, TelegramWebhook](Route{Method: "GET", Path: telegramPath + "/webhook/info", Roles: admin, Class: Query, Rate: RateGeneral, Summary: "What Telegram says of the webhook", Errors: []string{"TELEGRAM_UNAVAILABLE", "TELEGRAM_UNAUTHORIZED"}}, (*Server).botWebhook),
		on[struct{}, TelegramQueued](Route{Method: "POST", Path: telegramPath + "/test", Roles: admin, Class: PlainWrite, Rate: RateGeneral, Status: 202, Summary: "Have the bot write to you", Errors: []string{"NOT_LINKED"}}, (*Server).testBot),
	}
}

func (s *Server) bot() (TelegramBot, error) {
	d := s.deps.SignIn
	if d.Bot == nil || d.Chats == nil {
		return nil, errNotConfigured
	}
	return d.Bot, nil
}

type botUpdateInput struct {
	RawBody []byte `contentType:"application/json"`
}

// botUpdate stores an update before it is answered; what it asks for is done afterwards, once,
// however often Telegram sends it. The body is not looked at before the secret is right.
func (s *Server) botUpdate(ctx context.Context, c *call, _ *botUpdateInput) (reply, error) {
	bot, err := s.bot()
	if err != nil {
		return reply{}, err
	}
	secrets := c.echo.Request().Header.Values(headerBotSecret)
	if len(secrets) != 1 || !bot.Accepts(secrets[0]) {
		return reply{}, errBotSecret
	}
	id, err := bot.UpdateID(c.body)
	if err != nil {
		return reply{}, err
	}
	return reply{data: Nothing{}}, s.deps.SignIn.Chats.StoreUpdate(ctx, id, c.body)
}

type setWebhookInput struct {
	Body struct {
		URL string `json:"url" minLength:"1" maxLength:"500" doc:"https://… /api/telegram/webhook"`
	}
}

func (s *Server) setBotWebhook(ctx context.Context, _ *call, in *setWebhookInput) (reply, error) {
	bot, err := s.bot()
	if err != nil {
		return reply{}, err
	}
	u, err := url.Parse(in.Body.URL)
	if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "https" && !s.config.Development) || (u.Scheme != "https" && u.Scheme != "http") {
		return reply{}, fault.ErrValidation.At("body.url", "an https URL that Telegram can reach")
	}
	if err := bot.SetWebhook(ctx, in.Body.URL); err != nil {
		return reply{}, err
	}
	info, err := bot.WebhookInfo(ctx)
	return reply{data: info}, err
}

func (s *Server) botWebhook(ctx context.Context, _ *call, _ *struct{}) (reply, error) {
	bot, err := s.bot()
	if err != nil {
		return reply{}, err
	}
	info, err := bot.WebhookInfo(ctx)
	return reply{data: info}, err
}

// TelegramQueued is a message that the bot will send.
type TelegramQueued struct {
	Message string `json:"message" doc:"Its id in the outbox"`
}

func (s *Server) testBot(ctx context.Context, c *call, _ *struct{}) (reply, error) {
	if _, err := s.bot(); err != nil {
		return reply{}, err
	}
	chat, ok, err := s.deps.SignIn.Chats.ChatOf(ctx, c.user())
	if err != nil {
		return reply{}, err
	}
	if !ok {
		return reply{}, errNotLinked
	}
	m := TelegramMessage{ID: c.newID("telegram test"), User: c.user(), Chat: chat.Chat, Text: "Holdfast can write to you here."}
	return reply{data: TelegramQueued{Message: m.ID}}, s.deps.SignIn.Chats.Queue(ctx, m)
}

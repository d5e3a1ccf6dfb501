package http

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/domain/fault"
)

const telegramPath = "/api/telegram"

const (
	// TelegramStart is a code that the site gives to who is signed in, for the bot; TelegramCode one
	// that the bot gives to who writes to it, for the site.
	TelegramStart = "telegram-start"
	TelegramCode  = "telegram-code"
	// LinkPrefix stands before a code in a deep link.
	LinkPrefix = "link_"
	// telegramCodeLives is how long a code can be brought.
	telegramCodeLives = 10 * time.Minute
	// verifyLives is how old initData may be that signs nobody in.
	verifyLives = 24 * time.Hour
)

var (
	errTelegramLinked = fault.New(fault.Conflict, "TELEGRAM_ALREADY_LINKED", "this Telegram account is linked to another user")
	errTelegramOther  = fault.New(fault.Conflict, "TELEGRAM_ALREADY_LINKED", "another Telegram account is linked to you; unlink it first")
	errTelegramStale  = fault.New(fault.Unauthenticated, "TELEGRAM_STALE", "the data was used before; open the app again")
	errLinkCode       = fault.New(fault.Malformed, "INVALID_LINK_CODE", "the code is not one that waits for you; ask for another")
	errNotLinked      = fault.New(fault.NotFound, "NOT_LINKED", "no Telegram account is linked")
)

func telegramRoutes() []Route {
	route := func(method, rest, summary string, roles []domain.Capacity, class Class, rate Rate, errors ...string) Route {
		return Route{Method: method, Path: telegramPath + rest, Roles: roles, Class: class, Rate: rate, Summary: summary, Errors: errors}
	}
	proof := []string{"TELEGRAM_SIGNATURE_INVALID", "TELEGRAM_STALE"}
	session := append([]string{"LINK_REQUIRED", "ACCOUNT_SUSPENDED"}, proof...)
	signIn := route("POST", "/session", "Sign in with a Mini App's initData, or with what the login widget gave", nil, PlainWrite, RateAuth, session...)
	signIn.Aliases = []string{"/api/auth/telegram"}
	unlink := route("DELETE", "/unlink", "Unlink Telegram; refused while nothing else signs you in", Any, Command, RateAuth, "LAST_LOGIN_METHOD", "NOT_LINKED")
	old := unlink
	old.Method = "POST"
	return []Route{
		on[initDataInput, TelegramVerified](route("POST", "/verify", "Whether Telegram signed this initData, and for whom; signs nobody in", nil, Query, RateAuth, proof...), (*Server).telegramVerify),
		on[telegramProofInput, SignedIn](signIn, (*Server).telegramSession),
		on[struct{}, TelegramLink](route("GET", "/link", "Your Telegram link", Any, Query, RateGeneral), (*Server).telegramLink),
		on[linkInput, TelegramLink](route("POST", "/link", "Link Telegram by initData, by the login widget, or by a code that the bot gave", Any, Command, RateAuth, append([]string{"TELEGRAM_ALREADY_LINKED", "INVALID_LINK_CODE"}, proof...)...), (*Server).linkTelegram),
		on[struct{}, TelegramStarted](route("POST", "/link/start", "A deep link to the bot with a code that links you, once", Any, PlainWrite, RateAuth), (*Server).startLink),
		on[struct{}, Nothing](unlink, (*Server).unlinkTelegram),
		on[struct{}, Nothing](old, (*Server).unlinkTelegram),
		on[struct{}, TelegramPreferences](route("GET", "/preferences", "What the bot writes to you", Any, Query, RateGeneral, "NOT_LINKED"), (*Server).telegramPreferences),
		on[telegramPreferencesInput, TelegramPreferences](route("PATCH", "/preferences", "Change it", Any, PlainWrite, RateGeneral, "NOT_LINKED"), (*Server).setTelegramPreferences),
	}
}

// TelegramVerified is who Telegram says it is.
type TelegramVerified struct {
	Valid      bool         `json:"valid"`
	User       TelegramUser `json:"user"`
	AuthDate   time.Time    `json:"authDate"`
	StartParam string       `json:"startParam,omitempty"`
}

type initDataInput struct {
	Body struct {
		InitData string `json:"initData" minLength:"1" maxLength:"8192"`
	}
}

func (s *Server) telegram() (TelegramProofs, error) {
	d := s.deps.SignIn
	if d.Telegram == nil || d.Challenges == nil || d.Methods == nil || d.Chats == nil || s.deps.Hashes == nil {
		return nil, errNotConfigured
	}
	return d.Telegram, nil
}

func (s *Server) telegramVerify(_ context.Context, _ *call, in *initDataInput) (reply, error) {
	proofs, err := s.telegram()
	if err != nil {
		return reply{}, err
	}
	p, err := proofs.InitData(in.Body.InitData, verifyLives, time.Now())
	return reply{data: TelegramVerified{Valid: true, User: p.User, AuthDate: p.AuthDate, StartParam: p.StartParam}}, err
}

// TelegramShown is a proof in one of its forms.
type TelegramShown struct {
	InitData string         `json:"initData,omitempty" maxLength:"8192" doc:"Of a Mini App"`
	Widget   map[string]any `json:"widget,omitempty" doc:"The object that the login widget gave"`
}

type telegramProofInput struct{ Body TelegramShown }

// shown checks a proof and takes it once: whoever reads it later gets nothing for it.
func (s *Server) shown(ctx context.Context, c *call, b TelegramShown) (p TelegramProof, err error) {
	proofs, err := s.telegram()
	if err != nil {
		return p, err
	}
	switch {
	case (b.InitData == "") == (len(b.Widget) == 0):
		return p, fault.ErrValidation.At("body", "initData or widget")
	case b.InitData != "":
		p, err = proofs.InitData(b.InitData, s.config.TelegramMaxAge, time.Now())
	default:
		var sent struct {
			Widget json.RawMessage `json:"widget"` // as it came: numbers are signed as they stand
		}
		if err := json.Unmarshal(c.body, &sent); err != nil {
			return p, errInvalidJSON
		}
		p, err = proofs.Widget(sent.Widget, s.config.TelegramMaxAge, time.Now())
	}
	if err != nil {
		return p, err
	}
	fresh, err := s.deps.SignIn.Challenges.Spend(ctx, "telegram", p.Key, s.config.TelegramMaxAge+time.Hour)
	if err == nil && !fresh {
		err = errTelegramStale
	}
	return p, err
}

func telegramSubject(id int64) string { return strconv.FormatInt(id, 10) }

func (s *Server) telegramSession(ctx context.Context, c *call, in *telegramProofInput) (reply, error) {
	p, err := s.shown(ctx, c, in.Body)
	if err != nil {
		return reply{}, err
	}
	return s.signedInBy(ctx, c, account.Telegram, telegramSubject(p.User.ID))
}

// TelegramLink says how a person is linked.
type TelegramLink struct {
	Linked   bool       `json:"linked"`
	Name     string     `json:"name,omitempty" doc:"As Telegram had it when it was linked"`
	Reach    string     `json:"reach,omitempty" enum:"unknown,reachable,unreachable" doc:"Whether the bot's messages arrive"`
	LinkedAt *time.Time `json:"linkedAt,omitempty"`
}

// telegramMethod gives the caller's link.
func (s *Server) telegramMethod(ctx context.Context, c *call) (m SignInMethod, ok bool, err error) {
	if _, err := s.telegram(); err != nil {
		return m, false, err
	}
	all, err := s.deps.SignIn.Methods.OfUser(ctx, c.user())
	for _, m := range all {
		if m.Method == string(account.Telegram) {
			return m, true, err
		}
	}
	return m, false, err
}

func (s *Server) telegramLink(ctx context.Context, c *call, _ *struct{}) (reply, error) {
	m, ok, err := s.telegramMethod(ctx, c)
	if err != nil || !ok {
		return reply{data: TelegramLink{}}, err
	}
	chat, _, err := s.deps.SignIn.Chats.ChatOf(ctx, c.user())
	return reply{data: TelegramLink{Linked: true, Name: m.Label, Reach: chat.Reach, LinkedAt: &m.LinkedAt}}, err
}

type linkInput struct {
	Body struct {
		TelegramShown
		Code string `json:"code,omitempty" maxLength:"100" doc:"That the bot gave for /link"`
	}
}

// TelegramPerson is who a code of the bot stands for.
type TelegramPerson struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

func (s *Server) linkTelegram(ctx context.Context, c *call, in *linkInput) (reply, error) {
	who, reach, err := s.linking(ctx, c, in)
	if err != nil {
		return reply{}, err
	}
	subject := telegramSubject(who.ID)
	all, err := s.deps.SignIn.Methods.OfUser(ctx, c.user())
	if err != nil {
		return reply{}, err
	}
	for _, m := range all {
		if m.Method == string(account.Telegram) && m.Subject != subject {
			return reply{}, errTelegramOther
		}
	}
	now := c.issue().At
	m := SignInMethod{Method: string(account.Telegram), Subject: subject, Label: who.Name}
	rows := append(s.deps.SignIn.Methods.Linked(c.user(), m), s.deps.SignIn.Chats.Linked(c.user(), who.ID, reach)...)
	done, err := s.link(ctx, c, c.user(), account.Telegram, subject, rows, TelegramLink{Linked: true, Name: who.Name, Reach: reach, LinkedAt: &now})
	if f, ok := fault.From(err); ok && f.Code == account.ErrSignInInUse.Code {
		err = errTelegramLinked
	}
	return done, err
}

// linking finds out who is to be linked: by a proof of their own client, or by a code that they got
// from the bot, which has then reached them.
func (s *Server) linking(ctx context.Context, c *call, in *linkInput) (who TelegramPerson, reach string, err error) {
	if in.Body.Code == "" {
		p, err := s.shown(ctx, c, in.Body.TelegramShown)
		return TelegramPerson{ID: p.User.ID, Name: telegramName(p.User)}, "unknown", err
	}
	if _, err := s.telegram(); err != nil {
		return who, "", err
	}
	if in.Body.InitData != "" || len(in.Body.Widget) > 0 {
		return who, "", fault.ErrValidation.At("body", "initData, widget or code")
	}
	kept, became, err := s.deps.SignIn.Challenges.Take(ctx, TelegramCode, strings.ToUpper(strings.TrimSpace(in.Body.Code)))
	if err != nil {
		return who, "", err
	}
	if became != ChallengeTaken || json.Unmarshal(kept.Data, &who) != nil || who.ID == 0 {
		return who, "", errLinkCode
	}
	return who, "reachable", nil
}

func telegramName(u TelegramUser) string {
	if u.Username != "" {
		return clip("@"+u.Username, 100)
	}
	return clip(strings.TrimSpace(u.FirstName+" "+u.LastName), 100)
}

// TelegramStarted is a way to the bot.
type TelegramStarted struct {
	Code      string    `json:"code" doc:"Send /link and this to the bot, where the link cannot be opened"`
	DeepLink  string    `json:"deepLink"`
	ExpiresAt time.Time `json:"expiresAt"`
}

func (s *Server) startLink(ctx context.Context, c *call, _ *struct{}) (reply, error) {
	if _, err := s.telegram(); err != nil {
		return reply{}, err
	}
	if s.deps.SignIn.Bot == nil {
		return reply{}, errNotConfigured
	}
	if err := s.recentSignIn(c); err != nil {
		return reply{}, err
	}
	name, err := s.deps.SignIn.Bot.Name(ctx)
	if err != nil {
		return reply{}, err
	}
	code, err := draw()
	if err != nil {
		return reply{}, err
	}
	err = s.keep(ctx, TelegramStart, code, c.user(), struct{}{}, telegramCodeLives)
	return reply{data: TelegramStarted{Code: code, DeepLink: "https://t.me/" + name + "?start=" + LinkPrefix + code, ExpiresAt: c.issue().At.Add(telegramCodeLives)}}, err
}

func (s *Server) unlinkTelegram(ctx context.Context, c *call, _ *struct{}) (reply, error) {
	m, ok, err := s.telegramMethod(ctx, c)
	if err != nil {
		return reply{}, err
	}
	if !ok {
		return reply{}, errNotLinked
	}
	return s.unlink(ctx, c, c.user(), account.Telegram, m.Subject, s.unlinkedRows(c, m))
}

// TelegramPreferences are what the bot writes to a person.
type TelegramPreferences struct {
	Notifications bool `json:"notifications"`
}

func (s *Server) telegramPreferences(ctx context.Context, c *call, _ *struct{}) (reply, error) {
	if _, err := s.telegram(); err != nil {
		return reply{}, err
	}
	chat, ok, err := s.deps.SignIn.Chats.ChatOf(ctx, c.user())
	if err == nil && !ok {
		err = errNotLinked
	}
	return reply{data: TelegramPreferences{Notifications: chat.Notifications}}, err
}

type telegramPreferencesInput struct {
	Body struct {
		Notifications bool `json:"notifications"`
	}
}

func (s *Server) setTelegramPreferences(ctx context.Context, c *call, in *telegramPreferencesInput) (reply, error) {
	if _, err := s.telegram(); err != nil {
		return reply{}, err
	}
	ok, err := s.deps.SignIn.Chats.SetNotifications(ctx, c.user(), in.Body.Notifications)
	if err == nil && !ok {
		err = errNotLinked
	}
	return reply{data: TelegramPreferences{Notifications: in.Body.Notifications}}, err
}

package http

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/domain/fault"
	"holdfast/eventstore"
)

func profileRoutes() []Route {
	return slices.Concat(
		[]Route{
			on[struct{}, ProfileOut](userRoute("GET", "/profile", "One's own profile", Any, Query), (*Server).getProfile),
			on[struct{}, Preferences](userRoute("GET", "/preferences", "What to be told, and in which language and currency", Any, Query), (*Server).getPreferences),
		},
		bothVerbs(func(method string) Route {
			return on[profileInput, ProfileOut](userRoute(method, "/profile", "Change it; what is left out stays", Any, PlainWrite, "UNKNOWN_FIELD"), (*Server).putProfile)
		}),
		bothVerbs(func(method string) Route {
			return on[preferencesInput, Preferences](userRoute(method, "/preferences", "Change them; what is left out stays", Any, PlainWrite, "UNKNOWN_FIELD"), (*Server).putPreferences)
		}),
	)
}

// ProfileOut is a profile as its owner sees it.
type ProfileOut struct {
	ID            domain.UserID     `json:"id"`
	Email         string            `json:"email"`
	EmailVerified bool              `json:"emailVerified"`
	Name          string            `json:"name"`
	Avatar        string            `json:"avatar"`
	Bio           string            `json:"bio"`
	Locale        string            `json:"locale"`
	Phone         string            `json:"phone"`
	Roles         []domain.Capacity `json:"roles"`
	ErasureDue    string            `json:"erasureDue,omitempty" doc:"When the account is erased, once that was asked for"`
}

// profileInput changes a profile. There is no field for what follows from other commands:
// roles, verification, balances.
type profileInput struct {
	Body struct {
		Name   *string `json:"name,omitempty" minLength:"1" maxLength:"100"`
		Avatar *string `json:"avatar,omitempty" maxLength:"500" doc:"https:// or /uploads/; empty = none"`
		Bio    *string `json:"bio,omitempty" maxLength:"1000"`
		Locale *string `json:"locale,omitempty" pattern:"^([a-z]{2}(-[A-Z]{2})?)?$"`
		Phone  *string `json:"phone,omitempty" pattern:"^(\\+[1-9][0-9]{6,14})?$" doc:"E.164; empty = none"`
	}
}

func (s *Server) profiles() (Profiles, error) {
	if s.deps.People.Profiles == nil {
		return nil, errNotConfigured
	}
	return s.deps.People.Profiles, nil
}

func (s *Server) getProfile(ctx context.Context, c *call, _ *struct{}) (reply, error) {
	profiles, err := s.profiles()
	if err != nil {
		return reply{}, err
	}
	u, ok, err := s.deps.Users.ByID(ctx, c.user())
	if err != nil {
		return reply{}, err
	}
	if !ok {
		return reply{}, errSessionRevoked
	}
	p, err := profiles.Of(ctx, u.ID)
	if err != nil {
		return reply{}, err
	}
	state, _, err := eventstore.FreshState(ctx, s.deps.Executor, account.Decider, string(u.ID))
	if err != nil {
		return reply{}, err
	}
	out := ProfileOut{
		ID: u.ID, Email: u.Email, EmailVerified: u.Verified, Name: u.Name, Avatar: p.Avatar, Bio: p.Bio, Locale: p.Locale, Phone: p.Phone,
		Roles: c.session.Roles,
	}
	if !state.ErasureDue.IsZero() {
		out.ErasureDue = state.ErasureDue.UTC().Format("2006-01-02T15:04:05Z")
	}
	return reply{data: out}, nil
}

func (s *Server) putProfile(ctx context.Context, c *call, in *profileInput) (reply, error) {
	profiles, err := s.profiles()
	if err != nil {
		return reply{}, err
	}
	b := in.Body
	name := ""
	if b.Name != nil {
		if name, err = personName("name", *b.Name); err != nil {
			return reply{}, err
		}
	}
	if b.Avatar != nil && !avatar(*b.Avatar) {
		return reply{}, fault.ErrValidation.At("avatar", "an https address, or one of ours below /uploads/")
	}
	p, err := profiles.Of(ctx, c.user())
	if err != nil {
		return reply{}, err
	}
	for field, value := range map[*string]*string{&p.Avatar: b.Avatar, &p.Bio: b.Bio, &p.Locale: b.Locale, &p.Phone: b.Phone} {
		if value != nil {
			*field = *value
		}
	}
	if err := s.rename(ctx, c, name); err != nil {
		return reply{}, err
	}
	if err := profiles.Put(ctx, c.user(), p); err != nil {
		return reply{}, err
	}
	return s.getProfile(ctx, c, nil)
}

// rename changes what the caller is called; empty for as before.
func (s *Server) rename(ctx context.Context, c *call, name string) error {
	u, ok, err := s.deps.Users.ByID(ctx, c.user())
	if err != nil || !ok || name == "" || name == u.Name {
		return err
	}
	if s.deps.Accounts == nil {
		return errNotConfigured
	}
	c.rows = func() []eventstore.Row { return s.deps.Accounts.Renamed(u.ID, name) }
	_, _, err = s.execute(ctx, c, nil, accountSteps{u.ID, []domain.Command{account.Rename{Issue: c.issue(), Name: name}}})
	return err
}

// personName refuses a name that is blank or would break a line of a letter.
func personName(field, name string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" || strings.ContainsFunc(name, unicode.IsControl) {
		return "", fault.ErrValidation.At(field, "a name on one line")
	}
	return name, nil
}

func avatar(text string) bool {
	if text == "" {
		return true
	}
	u, err := url.Parse(text)
	if err != nil || strings.ContainsFunc(text, unicode.IsControl) || u.User != nil {
		return false
	}
	return u.Scheme == "https" && u.Host != "" || u.Scheme == "" && u.Host == "" && strings.HasPrefix(u.Path, "/uploads/") && !strings.Contains(u.Path, "..")
}

// Preferences are what a person wants to be told, and how.
type Preferences struct {
	Notifications NotificationPreferences `json:"notifications"`
	Currency      string                  `json:"currency"`
	Language      string                  `json:"language"`
}

// NotificationPreferences say by which ways. Letters about the account's safety are sent
// whatever they say.
type NotificationPreferences struct {
	Email    bool `json:"email"`
	Telegram bool `json:"telegram"`
	Socket   bool `json:"socket"`
}

func defaultPreferences() Preferences {
	return Preferences{Notifications: NotificationPreferences{Email: true, Telegram: true, Socket: true}, Currency: "USD", Language: "en"}
}

func (s *Server) preferencesOf(ctx context.Context, u domain.UserID) (p Preferences, err error) {
	profiles, err := s.profiles()
	if err != nil {
		return p, err
	}
	raw, err := profiles.Preferences(ctx, u)
	if err != nil {
		return p, err
	}
	p = defaultPreferences()
	return p, json.Unmarshal(raw, &p)
}

func (s *Server) getPreferences(ctx context.Context, c *call, _ *struct{}) (reply, error) {
	p, err := s.preferencesOf(ctx, c.user())
	return reply{data: p}, err
}

type preferencesInput struct {
	Body struct {
		Notifications *struct {
			Email    *bool `json:"email,omitempty"`
			Telegram *bool `json:"telegram,omitempty"`
			Socket   *bool `json:"socket,omitempty"`
		} `json:"notifications,omitempty"`
		Currency string `json:"currency,omitempty" enum:"USD,EUR,IRR,TRY,USDT,USDC"`
		Language string `json:"language,omitempty" pattern:"^[a-z]{2}(-[A-Z]{2})?$"`
	}
}

func (s *Server) putPreferences(ctx context.Context, c *call, in *preferencesInput) (reply, error) {
	p, err := s.preferencesOf(ctx, c.user())
	if err != nil {
		return reply{}, err
	}
	if n := in.Body.Notifications; n != nil {
		for field, value := range map[*bool]*bool{&p.Notifications.Email: n.Email, &p.Notifications.Telegram: n.Telegram, &p.Notifications.Socket: n.Socket} {
			if value != nil {
				*field = *value
			}
		}
	}
	if in.Body.Currency != "" {
		p.Currency = in.Body.Currency
	}
	if in.Body.Language != "" {
		p.Language = in.Body.Language
	}
	raw, err := json.Marshal(p)
	if err != nil {
		return reply{}, err
	}
	return reply{data: p}, s.deps.People.Profiles.PutPreferences(ctx, c.user(), raw)
}

package http

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"holdfast/domain/fault"
)

const googlePath = "/api/auth/google"

const (
	statePurpose    = "google-state"
	noncePurpose    = "google-nonce"
	handoverPurpose = "google-handover"
	// oauthCookie ties the way back to the browser that went: nobody can send another's browser
	// into an account of theirs.
	oauthCookie = "hf_oauth"
	// tokenLives is how old an ID token without a nonce of ours may be.
	tokenLives = 5 * time.Minute
	// handoverLives is how long a page has to fetch its session after the provider's redirect.
	handoverLives = time.Minute
)

var errOAuth = fault.New(fault.Unauthenticated, "OAUTH_INVALID", "the provider's proof is not accepted; begin anew")

func googleRoutes() []Route {
	post := func(rest, summary string, errors ...string) Route {
		return Route{Method: "POST", Path: googlePath + rest, Greets: true, Class: Command, Rate: RateAuth, Summary: summary, Errors: errors}
	}
	outcomes := []string{"OAUTH_INVALID", "OAUTH_UNAVAILABLE", "EMAIL_IN_USE", "SIGN_IN_IN_USE", "ACCOUNT_SUSPENDED"}
	options := post("/options", "Client id and a nonce, for a client that gets its ID token itself")
	options.Class, options.Greets = PlainWrite, false
	return []Route{
		on[struct{}, GoogleOptions](options, (*Server).googleOptions),
		on[googleInput, SignedIn](post("", "Sign in with an ID token; with an access token besides, link it to the account", outcomes...), (*Server).signInByToken),
		on[googleStartInput, Nothing](Route{Method: "GET", Path: googlePath + "/start", Class: Query, Rate: RateAuth, Status: 302, Summary: "Send a browser to the provider; ?redirect= is where it goes afterwards", Errors: []string{"INVALID_REDIRECT", "OAUTH_UNAVAILABLE"}}, (*Server).googleStart),
		on[googleCallbackInput, Nothing](Route{Method: "GET", Path: googlePath + "/callback", Class: Query, Rate: RateAuth, Status: 302, Summary: "Where the provider sends browsers back to; goes on to the page with #code= or #error=", Errors: []string{"OAUTH_INVALID"}}, (*Server).googleCallback),
		on[handoverInput, SignedIn](post("/exchange", "Trade the page's #code= for a session, once; with an access token, link", outcomes...), (*Server).googleExchange),
	}
}

func (s *Server) google() (OpenID, error) {
	d := s.deps.SignIn
	if d.Google == nil || d.Challenges == nil || d.Methods == nil || s.deps.Hashes == nil || s.deps.Accounts == nil {
		return nil, errNotConfigured
	}
	return d.Google, nil
}

// GoogleOptions is what a client needs to get an ID token itself.
type GoogleOptions struct {
	ClientID  string    `json:"clientId"`
	Issuer    string    `json:"issuer"`
	Nonce     string    `json:"nonce" doc:"Have the provider put it into the token; it counts once"`
	ExpiresAt time.Time `json:"expiresAt"`
}

func (s *Server) googleOptions(ctx context.Context, c *call, _ *struct{}) (reply, error) {
	google, err := s.google()
	if err != nil {
		return reply{}, err
	}
	nonce, err := draw()
	if err != nil {
		return reply{}, err
	}
	err = s.keep(ctx, noncePurpose, nonce, "", struct{}{}, challengeLives)
	return reply{data: GoogleOptions{ClientID: google.ClientID(), Issuer: google.Issuer(), Nonce: nonce, ExpiresAt: c.issue().At.Add(challengeLives)}}, err
}

type googleInput struct {
	Body struct {
		IDToken string `json:"idToken" minLength:"1" maxLength:"16384"`
	}
}

func (s *Server) signInByToken(ctx context.Context, c *call, in *googleInput) (reply, error) {
	google, err := s.google()
	if err != nil {
		return reply{}, err
	}
	who, err := google.Verify(ctx, in.Body.IDToken)
	if err != nil {
		return reply{}, err
	}
	if err := s.onceOnly(ctx, who, in.Body.IDToken, c.issue().At); err != nil {
		return reply{}, err
	}
	return s.admitIdentity(ctx, c, who)
}

// onceOnly takes a token once: by the nonce that it was made for, or, where the client had none of
// ours, by the token itself while it is fresh.
func (s *Server) onceOnly(ctx context.Context, who OpenIdentity, token string, now time.Time) error {
	if who.Nonce != "" {
		_, became, err := s.deps.SignIn.Challenges.Take(ctx, noncePurpose, who.Nonce)
		if err == nil && became != ChallengeTaken {
			err = errOAuth.Because("the token's nonce is not one that waits here")
		}
		return err
	}
	if now.Sub(who.IssuedAt) > tokenLives {
		return errOAuth.Because("the token is older than %s; ask for one with a nonce", tokenLives)
	}
	signed := token
	if i := strings.LastIndexByte(token, '.'); i >= 0 {
		signed = token[:i] // a signature may be spelled in more than one way
	}
	fresh, err := s.deps.SignIn.Challenges.Spend(ctx, "google-token", []byte(signed), 2*tokenLives)
	if err == nil && !fresh {
		err = errOAuth.Because("the token was used before")
	}
	return err
}

// oauthState is what is remembered while a browser is away.
type oauthState struct {
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"`
	Cookie   []byte `json:"cookie"` // SHA-256
	Redirect string `json:"redirect"`
}

type googleStartInput struct {
	Redirect string `query:"redirect" maxLength:"2000" doc:"A path of the front end, or a URL of it; / when empty"`
}

func (s *Server) googleStart(ctx context.Context, c *call, in *googleStartInput) (reply, error) {
	redirect, err := s.ownPage(in.Redirect)
	if err != nil {
		return reply{}, err
	}
	google, err := s.google()
	if err != nil {
		return reply{}, err
	}
	var secrets [4]string // state, nonce, verifier, cookie
	for i := range secrets {
		if secrets[i], err = draw(); err != nil {
			return reply{}, err
		}
	}
	at, err := google.AuthURL(ctx, secrets[0], secrets[1], secrets[2])
	if err != nil {
		return reply{}, err
	}
	cookie := sha256.Sum256([]byte(secrets[3]))
	if err := s.keep(ctx, statePurpose, secrets[0], "", oauthState{Nonce: secrets[1], Verifier: secrets[2], Cookie: cookie[:], Redirect: redirect}, 2*challengeLives); err != nil {
		return reply{}, err
	}
	return s.sendTo(at, s.stateCookie(google, secrets[3], int(2*challengeLives/time.Second))), nil
}

func (s *Server) stateCookie(google OpenID, value string, maxAge int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure wherever our own address has TLS
		Name: oauthCookie, Value: value, Path: googlePath, MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: strings.HasPrefix(google.CallbackURL(), "https://"),
	}
}

// sendTo sends a browser on. The address may carry a secret, so no page that it comes to is told
// where it came from, and nothing on the way keeps it.
func (s *Server) sendTo(at string, cookie *http.Cookie) reply {
	return reply{write: func(ec echo.Context) error {
		ec.SetCookie(cookie)
		ec.Response().Header().Set("Cache-Control", "no-store")
		ec.Response().Header().Set("Referrer-Policy", "no-referrer")
		return ec.Redirect(http.StatusFound, at)
	}}
}

type googleCallbackInput struct {
	Code  string `query:"code" maxLength:"4096"`
	State string `query:"state" maxLength:"200"`
	Error string `query:"error" maxLength:"200"`
	// What providers add; nothing of it is believed.
	Scope    string `query:"scope"`
	AuthUser string `query:"authuser"`
	Prompt   string `query:"prompt"`
	HD       string `query:"hd"`
	Issuer   string `query:"iss"`
	Detail   string `query:"error_description"`
}

// googleCallback ends the browser's way. Whoever comes with a state that does not wait, or in another
// browser, learns nothing; else the page is told what became of it, with a code that only it can
// trade.
func (s *Server) googleCallback(ctx context.Context, c *call, in *googleCallbackInput) (reply, error) {
	google, err := s.google()
	if err != nil {
		return reply{}, err
	}
	kept, became, err := s.deps.SignIn.Challenges.Take(ctx, statePurpose, in.State)
	if err != nil {
		return reply{}, err
	}
	if became != ChallengeTaken {
		return reply{}, errOAuth.Because("the state is not one that waits; begin anew")
	}
	var state oauthState
	if err := json.Unmarshal(kept.Data, &state); err != nil {
		return reply{}, fmt.Errorf("read a kept state: %w", err)
	}
	if err := began(c, state.Cookie); err != nil {
		return reply{}, err
	}
	over := s.stateCookie(google, "", -1)
	if in.Error != "" || in.Code == "" {
		return s.sendTo(state.Redirect+"#error=OAUTH_DENIED", over), nil
	}
	who, err := google.Exchange(ctx, in.Code, state.Nonce, state.Verifier)
	if err != nil {
		f, ok := fault.From(err)
		if !ok {
			return reply{}, err
		}
		return s.sendTo(state.Redirect+"#error="+f.Code, over), nil
	}
	code, err := draw()
	if err != nil {
		return reply{}, err
	}
	if err := s.keep(ctx, handoverPurpose, code, "", handover{Who: who, Cookie: state.Cookie}, handoverLives); err != nil {
		return reply{}, err
	}
	// The cookie stays for as long as the code: the page that trades it must be in this browser too.
	cookie, err := c.echo.Cookie(oauthCookie)
	if err != nil {
		return reply{}, err
	}
	return s.sendTo(state.Redirect+"#code="+code, s.stateCookie(google, cookie.Value, int(handoverLives/time.Second))), nil
}

// began refuses a browser that does not bring the cookie it got when it began: a code in a link
// that somebody else sent would sign its reader in as that one, or link that one's account.
func began(c *call, want []byte) error {
	cookie, err := c.echo.Cookie(oauthCookie)
	if err != nil {
		return errOAuth.Because("this browser did not begin to sign in")
	}
	if sum := sha256.Sum256([]byte(cookie.Value)); subtle.ConstantTimeCompare(sum[:], want) != 1 {
		return errOAuth.Because("this browser did not begin to sign in")
	}
	return nil
}

// handover is who came back from the provider, and the browser (its cookie's SHA-256) that may say so.
type handover struct {
	Who    OpenIdentity `json:"who"`
	Cookie []byte       `json:"cookie"`
}

type handoverInput struct {
	Body struct {
		Code string `json:"code" minLength:"1" maxLength:"200"`
	}
}

func (s *Server) googleExchange(ctx context.Context, c *call, in *handoverInput) (reply, error) {
	google, err := s.google()
	if err != nil {
		return reply{}, err
	}
	kept, became, err := s.deps.SignIn.Challenges.Take(ctx, handoverPurpose, in.Body.Code)
	if err != nil {
		return reply{}, err
	}
	if became != ChallengeTaken {
		return reply{}, errOAuth.Because("the code is not one that waits; begin anew")
	}
	var h handover
	if err := json.Unmarshal(kept.Data, &h); err != nil {
		return reply{}, fmt.Errorf("read a kept identity: %w", err)
	}
	if err := began(c, h.Cookie); err != nil {
		return reply{}, err
	}
	c.echo.SetCookie(s.stateCookie(google, "", -1))
	return s.admitIdentity(ctx, c, h.Who)
}

// googleSubject names a person at a provider.
func googleSubject(who OpenIdentity) string {
	const usual = "https://accounts.google.com"
	if who.Issuer == usual {
		return who.Subject
	}
	sum := sha256.Sum256([]byte(who.Issuer + "\x00" + who.Subject))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

package http

import (
	"net/http"
	"strings"
	"time"

	"holdfast/domain/fault"
)

// A browser may keep its session in cookies that scripts cannot read. It asks for that with
// `X-Session: cookie` when it signs in; the answer then holds no tokens. The header cannot be
// sent from another site without a preflight, which only the frontend passes.
const (
	headerSession = "X-Session"
	inCookies     = "cookie"
	accessCookie  = "__Host-hf_access"
	refreshCookie = "__Secure-hf_refresh"
	refreshPath   = "/api/auth"
)

// errCrossSite: a cookie alone is no proof that the user meant it.
var errCrossSite = fault.New(fault.Forbidden, "CSRF_REFUSED", "a request with a session cookie must come from the frontend or from this host; send a bearer token otherwise")

// cookieOf reads a cookie; empty for none, and for one that came twice.
func cookieOf(r *http.Request, name string) string {
	found := r.CookiesNamed(name)
	if len(found) != 1 {
		return ""
	}
	return found[0].Value
}

// wantsCookies reports whether the caller keeps the session in cookies: it says so, or it
// refreshed one that was there.
func (c *call) wantsCookies() bool {
	return c.byCookie || strings.EqualFold(c.echo.Request().Header.Get(headerSession), inCookies)
}

// inCookies moves the tokens of an answer into cookies when the caller wants them there.
func (s *Server) inCookies(c *call, answer reply) reply {
	signed, ok := answer.data.(SignedIn)
	if !ok || !c.wantsCookies() {
		return answer
	}
	s.setCookie(c, accessCookie, "/", signed.AccessToken, s.config.AccessTTL)
	s.setCookie(c, refreshCookie, refreshPath, signed.RefreshToken, s.config.RefreshTTL)
	signed.AccessToken, signed.RefreshToken = "", ""
	answer.data = signed
	return answer
}

// dropCookies has a browser forget its session.
func (s *Server) dropCookies(c *call) {
	if cookieOf(c.echo.Request(), accessCookie) == "" && cookieOf(c.echo.Request(), refreshCookie) == "" {
		return
	}
	s.setCookie(c, accessCookie, "/", "", -time.Second)
	s.setCookie(c, refreshCookie, refreshPath, "", -time.Second)
}

func (s *Server) setCookie(c *call, name, path, value string, lives time.Duration) {
	c.echo.SetCookie(&http.Cookie{
		Name: name, Value: value, Path: path, MaxAge: int(lives / time.Second),
		HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode,
	})
}

// refreshToken is the token to trade: that of the body, else the cookie's, which must come
// from our own pages.
func (s *Server) refreshToken(c *call, given string) (string, error) {
	if given != "" {
		return given, nil
	}
	token := cookieOf(c.echo.Request(), refreshCookie)
	if token == "" {
		return "", errInvalidToken
	}
	c.byCookie = true
	return token, s.meant(c)
}

// meant refuses a request that lives by a cookie alone and does not come from our own pages.
// Every browser says where a request comes from that changes something; one that says nothing
// is none that we trust with a cookie. A bearer token never needs this.
func (s *Server) meant(c *call) error {
	r := c.echo.Request()
	if !c.byCookie || r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	if r.Header.Get("Origin") == "" && r.Header.Get("Sec-Fetch-Site") == "" {
		return errCrossSite
	}
	if s.sameOrigin.Check(r) != nil {
		return errCrossSite
	}
	return nil
}

// newSameOrigin trusts this host and the frontend.
func newSameOrigin(frontend string) (*http.CrossOriginProtection, error) {
	p := http.NewCrossOriginProtection()
	if frontend == "" {
		return p, nil
	}
	return p, p.AddTrustedOrigin(frontend)
}

package http

import (
	"net/url"
	"strings"

	"holdfast/domain/fault"
)

var errRedirect = fault.New(fault.Malformed, "INVALID_REDIRECT", "the redirect is not a page of the front end")

// ownPage gives the URL of a page of the front end: a path, or a URL of its very origin. What
// browsers and parsers read differently is refused, not repaired: two slashes, backslashes, a user
// before the host, control characters, and their escaped forms.
func (s *Server) ownPage(text string) (string, error) {
	front, err := url.Parse(s.config.FrontendURL)
	if err != nil {
		return "", err
	}
	path := text
	if rest, ok := strings.CutPrefix(text, s.config.FrontendURL); ok {
		path = rest
	}
	if path == "" {
		path = "/"
	}
	if path[0] == '?' {
		path = "/" + path
	}
	plain, _, _ := strings.Cut(path, "?")
	if bad(plain) || strings.ContainsFunc(path, notPrinted) {
		return "", errRedirect
	}
	for range 3 { // also what was escaped twice
		if plain, err = url.PathUnescape(plain); err != nil || bad(plain) {
			return "", errRedirect
		}
	}
	u, err := front.Parse(path)
	if err != nil || u.Scheme != front.Scheme || u.Host != front.Host || u.User != nil || u.Fragment != "" {
		return "", errRedirect
	}
	return u.String(), nil
}

func bad(path string) bool {
	return !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsFunc(path, notPrinted)
}

// notPrinted are the characters that have no place in an address as it is written.
func notPrinted(r rune) bool { return r == '\\' || r == '#' || r <= ' ' || r >= 0x7f }

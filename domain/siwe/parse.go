package siwe

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"holdfast/domain/fault"
)

// ErrForm: the text is no message of EIP-4361.
var ErrForm = fault.New(fault.Malformed, "PROOF_INVALID", "the text is not a sign-in message (EIP-4361)")

// Limits of a message: what a wallet can show.
const (
	maxMessage   = 4000
	maxResources = 20
)

var (
	schemeGrammar  = regexp.MustCompile(`^[a-z][a-z0-9+.-]{0,20}$`)
	domainGrammar  = regexp.MustCompile(`^[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?$|^\[[0-9a-fA-F:.]{2,45}\](:[0-9]{1,5})?$`)
	addressGrammar = regexp.MustCompile(`^0x[0-9a-fA-F]{40}$`)
	chainGrammar   = regexp.MustCompile(`^[1-9][0-9]{0,18}$`)
	nonceGrammar   = regexp.MustCompile(`^[A-Za-z0-9]{8,128}$`)
	timeGrammar    = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$`)
	// The characters of URIs and a space: what the specification lets a statement have.
	statementGrammar = regexp.MustCompile(`^[A-Za-z0-9 \-._~:/?#\[\]@!$&'()*+,;=%]{1,1000}$`)
	requestGrammar   = regexp.MustCompile(`^[A-Za-z0-9\-._~!$&'()*+,;=:@%]{1,200}$`)
)

// lines reads a message line by line.
type lines struct {
	left []string
	err  error
}

func (l *lines) refuse(why string) {
	if l.err == nil {
		l.err = ErrForm.Because("the text is not a sign-in message (EIP-4361): %s", why)
	}
}

func (l *lines) next() string {
	if len(l.left) == 0 {
		l.refuse("it ends early")
		return ""
	}
	line := l.left[0]
	l.left = l.left[1:]
	return line
}

// field reads a line that must be there.
func (l *lines) field(name string) string {
	v, ok := strings.CutPrefix(l.next(), name+": ")
	if !ok {
		l.refuse("no " + name)
	}
	return v
}

// option reads a line that may be there, in its one place.
func (l *lines) option(name string) string {
	if len(l.left) == 0 || !strings.HasPrefix(l.left[0], name+": ") {
		return ""
	}
	v := l.field(name)
	if v == "" {
		l.refuse(name + " is empty")
	}
	return v
}

func (l *lines) matches(name, v string, grammar *regexp.Regexp) string {
	if !grammar.MatchString(v) {
		l.refuse(name + " is not in its grammar")
	}
	return v
}

func (l *lines) uri(name, v string) string {
	u, err := url.Parse(v)
	if err != nil || u.Scheme == "" || (u.Host == "" && u.Opaque == "" && u.Path == "") || strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' || r > '~' }) {
		l.refuse(name + " is no URI")
	}
	return v
}

func (l *lines) instant(name, v string) Instant {
	if v == "" {
		return Instant{}
	}
	at, err := time.Parse(time.RFC3339Nano, v)
	if err != nil || !timeGrammar.MatchString(v) {
		l.refuse(name + " is no time")
		return Instant{}
	}
	return Instant{Text: v, At: at.UTC()}
}

// Parse reads a message. PROOF_INVALID (Malformed) for every text that String would not write.
func Parse(text string) (m Message, err error) {
	if len(text) > maxMessage {
		return m, ErrForm.Because("the message is longer than %d bytes", maxMessage)
	}
	l := &lines{left: strings.Split(text, "\n")}
	who, ok := strings.CutSuffix(l.next(), asks)
	if !ok {
		l.refuse("the first line asks for something else")
	}
	if scheme, rest, found := strings.Cut(who, "://"); found {
		m.Scheme, who = l.matches("the scheme", scheme, schemeGrammar), rest
	}
	m.Domain = l.matches("the domain", who, domainGrammar)
	m.Address = l.matches("the address", l.next(), addressGrammar)
	if l.next() != "" {
		l.refuse("no empty line after the address")
	}
	if statement := l.next(); statement != "" {
		m.Statement = l.matches("the statement", statement, statementGrammar)
		if l.next() != "" {
			l.refuse("no empty line after the statement")
		}
	}
	m.URI = l.uri("URI", l.field("URI"))
	if l.field("Version") != "1" {
		l.refuse("the version is not 1")
	}
	chain := l.matches("Chain ID", l.field("Chain ID"), chainGrammar)
	m.ChainID, _ = strconv.ParseUint(chain, 10, 64) // the grammar admits nothing that does not fit
	m.Nonce = l.matches("Nonce", l.field("Nonce"), nonceGrammar)
	issued := l.field("Issued At")
	if m.IssuedAt = l.instant("Issued At", issued); m.IssuedAt.IsZero() {
		l.refuse("Issued At is no time")
	}
	m.Expires = l.instant("Expiration Time", l.option("Expiration Time"))
	m.NotBefore = l.instant("Not Before", l.option("Not Before"))
	if m.RequestID = l.option("Request ID"); m.RequestID != "" {
		l.matches("Request ID", m.RequestID, requestGrammar)
	}
	if len(l.left) > 0 {
		l.resources(&m)
	}
	if l.err == nil && m.String() != text {
		l.refuse("it has another spelling")
	}
	if l.err != nil {
		return Message{}, l.err
	}
	return m, nil
}

func (l *lines) resources(m *Message) {
	if l.next() != "Resources:" || len(l.left) == 0 || len(l.left) > maxResources {
		l.refuse("what follows is no list of resources")
	}
	for _, line := range l.left {
		r, ok := strings.CutPrefix(line, "- ")
		if !ok {
			l.refuse("a resource begins otherwise")
		}
		m.Resources = append(m.Resources, l.uri("a resource", r))
	}
}

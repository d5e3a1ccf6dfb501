package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// The TLS policies of a sender.
const (
	TLSRequired = "required" // STARTTLS or nothing
	TLSImplicit = "implicit" // TLS from the first byte (port 465)
	TLSOffered  = "offered"  // STARTTLS where the server offers it
	TLSNone     = "none"     // plain; never in production
)

// Options of a sender.
type Options struct {
	Host, User, Password string
	Port                 int
	From, FromName       string
	TLS                  string        // one of the policies; empty = required
	Timeout              time.Duration // of each step of a conversation; 0 = 20 s
	Roots                *tls.Config   // nil: the system's
}

// Sender hands letters to one SMTP server.
type Sender struct{ options Options }

// NewSender checks the options; it does not connect.
func NewSender(o Options) (*Sender, error) {
	if o.Timeout == 0 {
		o.Timeout = 20 * time.Second
	}
	if o.TLS == "" {
		o.TLS = TLSRequired
	}
	if err := CheckAddress(o.From); err != nil {
		return nil, fmt.Errorf("the sender's address: %w", err)
	}
	s := &Sender{options: o}
	_, err := s.client()
	return s, err
}

func (s *Sender) client() (*gomail.Client, error) {
	o := s.options
	options := []gomail.Option{gomail.WithPort(o.Port), gomail.WithTimeout(o.Timeout)}
	switch o.TLS {
	case TLSImplicit:
		options = append(options, gomail.WithSSL())
	case TLSRequired:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	case TLSOffered:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSOpportunistic))
	case TLSNone:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		return nil, fmt.Errorf("unknown TLS policy %q", o.TLS)
	}
	if o.Roots != nil {
		options = append(options, gomail.WithTLSConfig(o.Roots))
	}
	if o.User != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(o.User), gomail.WithPassword(o.Password))
	}
	return gomail.NewClient(o.Host, options...)
}

// Failure is why a letter was not taken. It repeats no word of the server's, since those may
// hold the address.
type Failure struct {
	Stage string // "connect", "send" or "compose"
	Code  int    // the server's, 0 when it gave none
	// Lasting: trying again cannot help, for the server has refused this very letter.
	Lasting bool
	cause   error
}

func (f *Failure) Error() string {
	kind := "temporary"
	if f.Lasting {
		kind = "lasting"
	}
	if f.Code > 0 {
		return fmt.Sprintf("%s: %d (%s)", f.Stage, f.Code, kind)
	}
	return fmt.Sprintf("%s: no answer (%s)", f.Stage, kind)
}

// Unwrap gives the cause, which may hold an address: not for logs.
func (f *Failure) Unwrap() error { return f.cause }

// Permanent reports whether trying again cannot help.
func (f *Failure) Permanent() bool { return f.Lasting }

// Unreachable reports that the server could not be spoken to at all: no letter will pass now.
func (f *Failure) Unreachable() bool { return f.Stage == "connect" }

// Send hands one letter over and gives its bytes. An error is a *Failure. A crash after the
// server's yes and before that is recorded sends the letter again, under the same Message-ID.
func (s *Sender) Send(ctx context.Context, l Letter) (raw []byte, err error) {
	m, err := l.message(s.options.From, s.options.FromName)
	if err != nil {
		return nil, &Failure{Stage: "compose", Lasting: true, cause: err}
	}
	if raw, err = written(m); err != nil {
		return nil, &Failure{Stage: "compose", Lasting: true, cause: err}
	}
	client, err := s.client()
	if err != nil {
		return nil, &Failure{Stage: "connect", cause: err}
	}
	conn, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return nil, &Failure{Stage: "connect", cause: err}
	}
	defer client.CloseWithSMTPClient(conn) //nolint:errcheck // the letter is out, or its failure known
	if err := client.SendWithSMTPClient(conn, m); err != nil {
		return nil, sending(err)
	}
	return raw, nil
}

// sending reads what the server said. A 5xx about the recipient or the text lasts; one about
// signing in, encryption or the sender is ours to mend, and the letter waits.
func sending(err error) *Failure {
	f := &Failure{Stage: "send", cause: err}
	e, ok := errors.AsType[*gomail.SendError](err)
	if !ok {
		return f
	}
	f.Code = e.ErrorCode()
	switch e.Reason {
	case gomail.ErrSMTPRcptTo, gomail.ErrSMTPData, gomail.ErrSMTPDataClose:
		f.Lasting = f.Code >= 500 && f.Code < 600 && f.Code != 530
	default:
	}
	return f
}

// Check speaks to the server as far as a letter would: connection, encryption, sign-in.
func (s *Sender) Check(ctx context.Context) error {
	client, err := s.client()
	if err != nil {
		return &Failure{Stage: "connect", cause: err}
	}
	conn, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return &Failure{Stage: "connect", cause: err}
	}
	_ = client.CloseWithSMTPClient(conn) // it has answered, which is all that was asked
	return nil
}

// Local is the sender of development: it takes every letter and keeps it at home.
type Local struct{ From, FromName string }

// Send gives the bytes that a server would have been handed.
func (b Local) Send(_ context.Context, l Letter) ([]byte, error) {
	m, err := l.message(b.From, b.FromName)
	if err != nil {
		return nil, &Failure{Stage: "compose", Lasting: true, cause: err}
	}
	return written(m)
}

// Check finds the local mailbox always open.
func (Local) Check(context.Context) error { return nil }

// MessageID names the letter of a key for ever: <hash@domain of the sender>.
func MessageID(hash, from string) string {
	_, domain, _ := strings.Cut(from, "@")
	return hash + "@" + domain
}

// Package smtpsink is a real SMTP server for tests: it keeps what it is sent, and can be told to
// refuse for a while or for ever, to fall silent, and to hang up.
package smtpsink

import (
	"crypto/tls"
	"io"
	"net"
	"sync"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Mail is one that was accepted.
type Mail struct {
	From string
	To   []string
	Raw  []byte
}

// Behaviour is how the sink answers a recipient.
type Behaviour int

// The behaviours.
const (
	Accept  Behaviour = iota
	Grey              // 451: come back later
	Unknown           // 550: no such mailbox
	Silent            // no answer until the sink closes
	HangUp            // the connection is closed in the middle of the text
)

// Sink is a running server.
type Sink struct {
	server   *smtp.Server
	listener net.Listener
	done     chan struct{}
	closing  sync.Once

	mu        sync.Mutex
	behaviour Behaviour
	user      string
	password  string
	mails     []Mail
	tries     int
}

// Option changes a sink before it runs.
type Option func(*Sink)

// TLS makes the sink offer STARTTLS.
func TLS(c *tls.Config) Option { return func(s *Sink) { s.server.TLSConfig = c } }

// SignIn makes the sink ask for a name and a password (PLAIN, also without TLS).
func SignIn(user, password string) Option {
	return func(s *Sink) { s.user, s.password, s.server.AllowInsecureAuth = user, password, true }
}

// Start runs a sink on a free port of this machine; the caller closes it.
func Start(options ...Option) (*Sink, error) {
	s := &Sink{done: make(chan struct{})}
	s.server = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &session{sink: s, conn: c}, nil }))
	s.server.Domain, s.server.EnableSMTPUTF8 = "sink.test", true
	for _, o := range options {
		o(s)
	}
	var err error
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil { //nolint:noctx // returns at once
		return nil, err
	}
	go s.server.Serve(s.listener) //nolint:errcheck // ends when the sink closes
	return s, nil
}

// Port is where it listens on 127.0.0.1.
func (s *Sink) Port() int { return s.listener.Addr().(*net.TCPAddr).Port }

// Close ends it, silent conversations included.
func (s *Sink) Close() {
	s.closing.Do(func() {
		close(s.done)
		_ = s.listener.Close() // the server knows it only once it has begun to serve
		_ = s.server.Close()
	})
}

// Answer changes how recipients are answered from now on.
func (s *Sink) Answer(b Behaviour) { s.mu.Lock(); defer s.mu.Unlock(); s.behaviour = b }

// Mails gives what was accepted so far.
func (s *Sink) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.mails...)
}

// Tries counts the recipients that were named, accepted or not.
func (s *Sink) Tries() int { s.mu.Lock(); defer s.mu.Unlock(); return s.tries }

// Wait gives the mails once there are n of them, or what there is when time is up.
func (s *Sink) Wait(n int, atMost time.Duration) []Mail {
	for end := time.Now().Add(atMost); time.Now().Before(end) && len(s.Mails()) < n; {
		time.Sleep(5 * time.Millisecond)
	}
	return s.Mails()
}

type session struct {
	sink   *Sink
	conn   *smtp.Conn
	mail   Mail
	signed bool
}

func (c *session) Reset()        { c.mail = Mail{} }
func (c *session) Logout() error { return nil }

func (c *session) AuthMechanisms() []string {
	if c.sink.user == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (c *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != c.sink.user || password != c.sink.password {
			return smtp.ErrAuthFailed
		}
		c.signed = true
		return nil
	}), nil
}

func (c *session) Mail(from string, _ *smtp.MailOptions) error {
	if c.sink.user != "" && !c.signed {
		return smtp.ErrAuthRequired
	}
	c.mail.From = from
	return nil
}

func (c *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	c.sink.mu.Lock()
	c.sink.tries++
	behaviour := c.sink.behaviour
	c.sink.mu.Unlock()
	switch behaviour {
	case Grey:
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "<" + to + ">: come back later"}
	case Unknown:
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "<" + to + ">: no such mailbox"}
	case Silent:
		<-c.sink.done
	case Accept, HangUp:
	}
	c.mail.To = append(c.mail.To, to)
	return nil
}

func (c *session) Data(r io.Reader) error {
	c.sink.mu.Lock()
	behaviour := c.sink.behaviour
	c.sink.mu.Unlock()
	if behaviour == HangUp {
		_, _ = io.CopyN(io.Discard, r, 20)
		return c.conn.Close()
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	c.mail.Raw = raw
	c.sink.mu.Lock()
	defer c.sink.mu.Unlock()
	c.sink.mails = append(c.sink.mails, c.mail)
	return nil
}

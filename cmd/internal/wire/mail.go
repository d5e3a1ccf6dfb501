package wire

import (
	"context"
	"crypto/hmac"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"holdfast/adapters/mail"
	"holdfast/adapters/records"
	"holdfast/domain"
	"holdfast/domain/fault"
	apihttp "holdfast/http"
	"holdfast/reactors"
)

// mailSender hands letters over: the SMTP server, or the local mailbox of development.
type mailSender interface {
	Send(ctx context.Context, l mail.Letter) (raw []byte, err error)
	Check(ctx context.Context) error
}

// mailing joins templates, queue and sender.
type mailing struct {
	queue     *records.Mails
	profiles  *records.Profiles
	users     *records.Users
	templates *mail.Templates
	sender    mailSender
	from      string
	public    string
	hashes    hashes
	local     bool
}

// openMail makes the mail, where there is a server for it or letters are kept at home.
func (s *Service) openMail(keyed hashes) (err error) {
	cfg := s.Config
	if !cfg.SendsMail() && !cfg.Development() {
		s.Log.Warn("no SMTP_HOST: mail answers NOT_CONFIGURED")
		return nil
	}
	m := &mailing{
		queue: s.personal.letters, profiles: s.personal.profiles, users: s.Records.Users,
		hashes: keyed, from: cfg.Sender(), public: cfg.Public(), local: !cfg.SendsMail(),
	}
	if m.templates, err = mail.NewTemplates(cfg.FrontendURL); err != nil {
		return err
	}
	m.sender = mail.Local{From: m.from, FromName: cfg.SMTPFromName}
	if !m.local {
		m.sender, err = mail.NewSender(mail.Options{
			Host: cfg.SMTPHost, Port: cfg.SMTPPort, User: cfg.SMTPUser, Password: cfg.SMTPPassword, From: m.from, FromName: cfg.SMTPFromName, TLS: cfg.SMTPTLS,
		})
		if err != nil {
			return fmt.Errorf("SMTP_*: %w", err)
		}
	}
	s.mail = m
	return nil
}

// mailer, postOffice and devMail give nil interfaces where there is no mail.
func (s *Service) mailer() apihttp.Mailer {
	if s.mail == nil {
		return nil
	}
	return s.mail
}

func (s *Service) postOffice() apihttp.PostOffice {
	if s.mail == nil {
		return nil
	}
	return s.mail
}

func (s *Service) devMail() apihttp.DevMailbox {
	if s.mail == nil || !s.mail.local {
		return nil
	}
	return s.mail
}

// Send implements apihttp.Mailer.
func (m *mailing) Send(ctx context.Context, in apihttp.Mail) error {
	if err := m.templates.Check(in.Template, in.Vars); err != nil {
		return err
	}
	kind, _ := m.templates.Find(in.Template)
	to, u := in.Address, in.To
	if to == "" || u == "" {
		person, ok, err := m.addressee(ctx, in)
		if err != nil {
			return err
		}
		if !ok && u != "" {
			return fault.ErrNotFound
		}
		if ok {
			to, u = person.Email, person.ID
		}
	}
	if err := mail.CheckAddress(to); err != nil {
		return err
	}
	letter := records.NewMail{Key: in.Key, User: u, To: to, Template: in.Template, Vars: in.Vars, Optional: kind.Optional}
	if kind.Optional && u != "" {
		wanted, err := m.wanted(ctx, u)
		if err != nil {
			return err
		}
		letter.Unwanted = !wanted
	}
	return m.queue.Put(ctx, letter)
}

// wanted asks a person's preferences whether optional mail is to be sent.
func (m *mailing) wanted(ctx context.Context, u domain.UserID) (bool, error) {
	raw, err := m.profiles.Preferences(ctx, u)
	if err != nil {
		return false, err
	}
	var p struct{ Notifications struct{ Email *bool } }
	if err := json.Unmarshal(raw, &p); err != nil {
		return false, fmt.Errorf("read preferences: %w", err)
	}
	return p.Notifications.Email == nil || *p.Notifications.Email, nil
}

// addressee finds whose letter it is, by whichever of user and address is given.
func (m *mailing) addressee(ctx context.Context, in apihttp.Mail) (records.User, bool, error) {
	if in.To != "" {
		return m.users.ByID(ctx, in.To)
	}
	return m.users.ByEmail(ctx, in.Address)
}

// Templates implements apihttp.PostOffice.
func (m *mailing) Templates() []apihttp.MailTemplate {
	var all []apihttp.MailTemplate
	for _, t := range m.templates.List() {
		out := apihttp.MailTemplate{Name: t.Name, Purpose: t.Purpose, Optional: t.Optional}
		for _, f := range t.Fields {
			out.Fields = append(out.Fields, apihttp.MailField{Name: f.Name, Required: f.Required, Lines: f.Long})
		}
		all = append(all, out)
	}
	return all
}

// Preview implements apihttp.PostOffice.
func (m *mailing) Preview(name string) (apihttp.MailPreview, bool, error) {
	kind, ok := m.templates.Find(name)
	if !ok {
		return apihttp.MailPreview{}, false, nil
	}
	link := ""
	if kind.Optional {
		link = m.public + "/api/email/unsubscribe?token=preview"
	}
	r, err := m.templates.Render(name, m.templates.Samples(name), link)
	return apihttp.MailPreview(r), true, err
}

// List implements apihttp.PostOffice.
func (m *mailing) List(ctx context.Context, f apihttp.MailFilter, limit int) ([]apihttp.QueuedMail, error) {
	rows, err := m.queue.List(ctx, records.MailFilter(f), limit)
	all := make([]apihttp.QueuedMail, len(rows))
	for i, r := range rows {
		all[i] = apihttp.QueuedMail(r)
	}
	return all, err
}

// Retry implements apihttp.PostOffice.
func (m *mailing) Retry(ctx context.Context, id string) (bool, error) { return m.queue.Retry(ctx, id) }

// Check implements apihttp.PostOffice.
func (m *mailing) Check(ctx context.Context) error { return m.sender.Check(ctx) }

// Letter implements apihttp.DevMailbox.
func (m *mailing) Letter(ctx context.Context, id string) ([]byte, bool, error) {
	return m.queue.Bytes(ctx, id)
}

// token is the hash of an address and a keyed hash over that: nothing has to be kept before it
// is used.
func (m *mailing) token(address string) string {
	hash := m.queue.Address(address)
	return hash + "." + m.hashes.Of("unsubscribe", hash)
}

// Unsubscribe implements apihttp.PostOffice.
func (m *mailing) Unsubscribe(ctx context.Context, token string) (bool, error) {
	hash, proof, _ := strings.Cut(token, ".")
	if !hmac.Equal([]byte(proof), []byte(m.hashes.Of("unsubscribe", hash))) {
		return false, nil
	}
	return true, m.queue.Unsubscribe(ctx, hash)
}

// postbag is the queue as the postman takes it.
type postbag struct {
	*records.Mails
	m *mailing
}

// Take implements reactors.MailQueue.
func (b postbag) Take(ctx context.Context, lease time.Duration) (reactors.Letter, bool, error) {
	row, ok, err := b.Mails.Take(ctx, lease)
	if err != nil || !ok {
		return reactors.Letter{}, false, err
	}
	return reactors.Letter{ID: row.ID, Template: row.Template, Attempts: row.Attempts, Send: func(ctx context.Context) ([]byte, error) {
		return b.m.deliver(ctx, row)
	}}, true, nil
}

// deliver renders a letter and hands it over. What cannot be rendered never will be.
func (m *mailing) deliver(ctx context.Context, row records.Mail) ([]byte, error) {
	l := mail.Letter{To: row.To, Name: row.Vars["name"], MessageID: mail.MessageID(row.Hash, m.from), Date: row.MadeAt}
	if kind, _ := m.templates.Find(row.Template); kind.Optional {
		l.Unsubscribe = m.public + "/api/email/unsubscribe?token=" + url.QueryEscape(m.token(row.To))
	}
	r, err := m.templates.Render(row.Template, row.Vars, l.Unsubscribe)
	if err != nil {
		return nil, &mail.Failure{Stage: "compose", Lasting: true}
	}
	l.Subject, l.Text, l.HTML = r.Subject, r.Text, r.HTML
	return m.sender.Send(ctx, l)
}

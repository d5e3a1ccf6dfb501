package http

import (
	"bytes"
	"context"
	"encoding/json"
	"mime"
	netmail "net/mail"
	"net/url"
	"strings"
	"time"
	"unicode"

	"holdfast/domain"
	"holdfast/domain/fault"
)

const emailPath = "/api/email"

// budgetEmail is what one admin may have sent by hand.
var budgetEmail = Budget{Class: "email", Limit: 20, Window: time.Hour}

// Refusals of mail.
var (
	errTemplate     = fault.New(fault.NotFound, "TEMPLATE_UNKNOWN", "there is no mail template of this name")
	errMailServer   = fault.New(fault.Upstream, "SMTP_UNAVAILABLE", "the mail server does not take mail now")
	errUnsubscribed = fault.New(fault.Malformed, "TOKEN_INVALID", "this link was not made here")
)

func emailRoutes() []Route {
	route := func(method, rest, summary string, roles []domain.Capacity, class Class, errors ...string) Route {
		return Route{Method: method, Path: emailPath + rest, Roles: roles, Class: class, Rate: RateGeneral, Summary: summary, Errors: errors}
	}
	send := route("POST", "/send", "Send a letter to one address or user; 20 an hour", admin, PlainWrite, "TEMPLATE_UNKNOWN")
	send.Status = 202
	test := route("POST", "/test", "Ask the mail server, then send oneself a letter", admin, PlainWrite, "SMTP_UNAVAILABLE")
	test.Status = 202
	preview := route("GET", "/templates/{name}/preview", "A letter with samples in it", admin, Query, "TEMPLATE_UNKNOWN")
	preview.Names = map[string]string{"name": "a template's name"}
	unsubscribe := route("POST", "/unsubscribe", "End optional mail to the address of a link; takes the one-click form of RFC 8058 too", nil, PlainWrite, "TOKEN_INVALID")
	unsubscribe.Raw = true
	unsubscribe.Forms = true
	return []Route{
		on[sendMailInput, MailQueued](send, (*Server).sendMail),
		on[struct{}, MailQueued](test, (*Server).testMail),
		on[struct{}, []MailTemplate](route("GET", "/templates", "The kinds of letters", Any, Query), (*Server).mailTemplates),
		on[templateInput, MailPreview](preview, (*Server).previewMail),
		on[mailQueueInput, []QueuedMail](route("GET", "/queue", "The outbox: one's own letters, or all for an admin; without their text", Any, Query), (*Server).mailQueue),
		on[mailInput, Nothing](route("POST", "/queue/{id}/retry", "Queue a dead letter again", admin, PlainWrite), (*Server).retryMail),
		on[unsubscribeInput, Nothing](unsubscribe, (*Server).unsubscribeMail),
	}
}

// MailQueued says that a letter waits to be sent.
type MailQueued struct {
	Queued bool `json:"queued" doc:"true"`
}

func (s *Server) postOffice() (PostOffice, error) {
	if s.deps.PostOffice == nil || s.deps.Mailer == nil {
		return nil, errNotConfigured
	}
	return s.deps.PostOffice, nil
}

type sendMailInput struct {
	Body struct {
		To       string            `json:"to" minLength:"1" maxLength:"254" doc:"One e-mail address, or a user's id"`
		Template string            `json:"template" minLength:"1" maxLength:"60"`
		Vars     map[string]string `json:"vars,omitempty" maxProperties:"30"`
	}
}

func (s *Server) sendMail(ctx context.Context, c *call, in *sendMailInput) (reply, error) {
	if _, err := s.postOffice(); err != nil {
		return reply{}, err
	}
	m := Mail{Template: in.Body.Template, Vars: in.Body.Vars, Key: c.newID("mail")}
	if wellFormedID(in.Body.To) {
		m.To = domain.UserID(strings.ToLower(in.Body.To))
	} else {
		if err := checkEmail("to", in.Body.To); err != nil {
			return reply{}, err
		}
		m.Address = in.Body.To
	}
	return s.queueByHand(ctx, c, m)
}

func (s *Server) testMail(ctx context.Context, c *call, _ *struct{}) (reply, error) {
	office, err := s.postOffice()
	if err != nil {
		return reply{}, err
	}
	asking, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := office.Check(asking); err != nil {
		s.log.WarnContext(ctx, "mail server refused", "error", err, "request_id", c.id)
		return reply{}, errMailServer
	}
	return s.queueByHand(ctx, c, Mail{
		To: c.user(), Template: "test", Vars: map[string]string{"when": time.Now().UTC().Format("2 January 2006, 15:04 UTC")}, Key: c.newID("mail"),
	})
}

func (s *Server) queueByHand(ctx context.Context, c *call, m Mail) (reply, error) {
	if err := s.within(ctx, budgetEmail, c.counted()); err != nil {
		return reply{}, err
	}
	if err := s.deps.Mailer.Send(ctx, m); err != nil {
		return reply{}, err
	}
	return reply{data: MailQueued{Queued: true}}, nil
}

// checkEmail refuses what is not exactly one plain address.
func checkEmail(field, address string) error {
	parsed, err := netmail.ParseAddress(address)
	if err != nil || parsed.Address != address || strings.ContainsFunc(address, unicode.IsControl) {
		return fault.ErrValidation.At(field, "expected one e-mail address")
	}
	return nil
}

func (s *Server) mailTemplates(context.Context, *call, *struct{}) (reply, error) {
	office, err := s.postOffice()
	if err != nil {
		return reply{}, err
	}
	return reply{data: office.Templates()}, nil
}

type templateInput struct {
	Name string `path:"name"`
}

func (s *Server) previewMail(_ context.Context, _ *call, in *templateInput) (reply, error) {
	office, err := s.postOffice()
	if err != nil {
		return reply{}, err
	}
	p, ok, err := office.Preview(in.Name)
	if err == nil && !ok {
		err = errTemplate
	}
	return reply{data: p}, err
}

type mailQueueInput struct {
	Page
	Status string `query:"status" enum:"queued,sent,dead,skipped"`
}

func (s *Server) mailQueue(ctx context.Context, c *call, in *mailQueueInput) (reply, error) {
	if err := checkIDCursor(in.Cursor); err != nil {
		return reply{}, err
	}
	office, err := s.postOffice()
	if err != nil {
		return reply{}, err
	}
	f := MailFilter{Status: in.Status, Before: in.Cursor, User: c.user()}
	if c.has(domain.Admin) {
		f.User = ""
	}
	all, err := office.List(ctx, f, in.Limit)
	if err != nil {
		return reply{}, err
	}
	var meta Meta
	if len(all) == in.Limit {
		meta.NextCursor = all[len(all)-1].ID
	}
	return reply{data: all, meta: meta}, nil
}

type mailInput struct {
	ID string `path:"id"`
}

func (s *Server) retryMail(ctx context.Context, _ *call, in *mailInput) (reply, error) {
	office, err := s.postOffice()
	if err != nil {
		return reply{}, err
	}
	ok, err := office.Retry(ctx, in.ID)
	if err == nil && !ok {
		err = fault.ErrNotFound
	}
	return reply{data: Nothing{}}, err
}

// unsubscribeInput is what a mail program sends (RFC 8058: the token is in the link), or a page
// of ours ({"token": …}).
type unsubscribeInput struct {
	Token   string `query:"token" maxLength:"200"`
	RawBody []byte `contentType:"application/json"`
}

func (s *Server) unsubscribeMail(ctx context.Context, c *call, in *unsubscribeInput) (reply, error) {
	office, err := s.postOffice()
	if err != nil {
		return reply{}, err
	}
	token := in.Token
	if token == "" {
		if token, err = tokenIn(c); err != nil {
			return reply{}, err
		}
	}
	ok, err := office.Unsubscribe(ctx, token)
	if err == nil && !ok {
		err = errUnsubscribed
	}
	return reply{data: Nothing{}}, err
}

// tokenIn reads the token out of a form or a JSON object.
func tokenIn(c *call) (string, error) {
	if kind, _, _ := mime.ParseMediaType(c.echo.Request().Header.Get("Content-Type")); kind != "application/json" {
		form, err := url.ParseQuery(string(c.body))
		if err != nil {
			return "", errUnsubscribed
		}
		return form.Get("token"), nil
	}
	canon, err := canonical(c.body)
	if err != nil {
		return "", err
	}
	var body struct {
		Token string `json:"token"`
	}
	read := json.NewDecoder(bytes.NewReader(canon))
	read.DisallowUnknownFields()
	if err := read.Decode(&body); err != nil {
		return "", fault.ErrValidation.At("token", "expected {\"token\": text}")
	}
	return body.Token, nil
}

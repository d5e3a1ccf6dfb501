package http

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"html/template"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	netmail "net/mail"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

//go:embed devmail.html
var devMailFile embed.FS

var devMailPage = template.Must(template.ParseFS(devMailFile, "devmail.html"))

// devMailPolicy: the page shows text and one frame of ours; a letter's own page loads nothing.
const (
	devMailPolicy   = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; frame-ancestors 'none'"
	devLetterPolicy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
)

// devMailShown is how many letters the mailbox lists.
const devMailShown = 50

// DevLetter is a letter in the mailbox of development.
type DevLetter struct {
	ID       string    `json:"id"`
	To       string    `json:"to"`
	Subject  string    `json:"subject"`
	Template string    `json:"template"`
	At       time.Time `json:"at"`
	Text     string    `json:"text"`
	HTML     string    `json:"-"`
}

// mountDevMail serves the mailbox of a service that sends nothing. In production there is none:
// letters hold codes.
func (s *Server) mountDevMail() {
	if s.deps.DevMail == nil {
		return
	}
	s.echo.GET("/dev/mail", s.devMail)
	s.echo.GET("/dev/mail/:id", s.devLetter)
	s.echo.GET("/dev/mail/:id/html", s.devLetterHTML)
}

// devMail lists the newest letters, as a page or, for `Accept: application/json`, as JSON.
func (s *Server) devMail(c echo.Context) error {
	ctx := c.Request().Context()
	rows, err := s.deps.DevMail.List(ctx, MailFilter{Status: "sent"}, devMailShown)
	if err != nil {
		return err
	}
	all := []DevLetter{}
	for _, r := range rows {
		l, ok, err := s.readLetter(ctx, r.ID)
		if err != nil {
			return err
		}
		if ok {
			l.Template, l.At = r.Template, r.MadeAt
			all = append(all, l)
		}
	}
	if strings.Contains(c.Request().Header.Get("Accept"), "application/json") {
		return c.JSON(http.StatusOK, map[string]any{"success": true, "data": all})
	}
	return showDevMail(c, map[string]any{"Letters": all})
}

func (s *Server) devLetter(c echo.Context) error {
	l, ok, err := s.readLetter(c.Request().Context(), c.Param("id"))
	if err != nil {
		return err
	}
	if !ok {
		return echo.ErrNotFound
	}
	return showDevMail(c, map[string]any{"Letter": l})
}

func (s *Server) devLetterHTML(c echo.Context) error {
	l, ok, err := s.readLetter(c.Request().Context(), c.Param("id"))
	if err != nil {
		return err
	}
	if !ok {
		return echo.ErrNotFound
	}
	c.Response().Header().Set("Content-Security-Policy", devLetterPolicy)
	c.Response().Header().Set("X-Frame-Options", "SAMEORIGIN")
	return c.HTML(http.StatusOK, l.HTML)
}

func showDevMail(c echo.Context, data map[string]any) error {
	var b bytes.Buffer
	if err := devMailPage.Execute(&b, data); err != nil {
		return err
	}
	c.Response().Header().Set("Content-Security-Policy", devMailPolicy)
	return c.HTMLBlob(http.StatusOK, b.Bytes())
}

// readLetter reads what was sent the way a mail program does.
func (s *Server) readLetter(ctx context.Context, id string) (l DevLetter, ok bool, err error) {
	if !wellFormedID(id) {
		return l, false, nil
	}
	raw, ok, err := s.deps.DevMail.Letter(ctx, id)
	if err != nil || !ok {
		return l, false, err
	}
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return l, false, err
	}
	l = DevLetter{ID: id, To: m.Header.Get("To")}
	if to, err := m.Header.AddressList("To"); err == nil && len(to) > 0 {
		l.To = to[0].Address
	}
	if l.Subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		return l, false, err
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		return l, false, err
	}
	for parts := multipart.NewReader(m.Body, params["boundary"]); ; {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return l, true, nil
		}
		if err != nil {
			return l, false, err
		}
		text, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			return l, false, err
		}
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			l.HTML = string(text)
		} else {
			l.Text = string(text)
		}
	}
}

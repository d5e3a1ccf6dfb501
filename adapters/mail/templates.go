package mail

import (
	"bytes"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"slices"
	"strings"
	texttemplate "text/template"
	"unicode"
	"unicode/utf8"

	"holdfast/domain/fault"
)

// ErrTemplate: there is no letter of this name.
var ErrTemplate = fault.New(fault.NotFound, "TEMPLATE_UNKNOWN", "there is no mail template of this name")

//go:embed templates/*
var files embed.FS

// Templates renders letters.
type Templates struct {
	frontend string
	known    map[string]compiled
}

type compiled struct {
	Template
	text *texttemplate.Template
	html *htmltemplate.Template
}

// Rendered is a letter's contents.
type Rendered struct{ Subject, Text, HTML string }

// NewTemplates compiles the embedded files. frontend is where links lead: it comes from the
// configuration and from nowhere else, so that no request can forge one.
func NewTemplates(frontend string) (*Templates, error) {
	t := &Templates{frontend: strings.TrimSuffix(frontend, "/"), known: map[string]compiled{}}
	for _, c := range catalogue {
		text, err := texttemplate.New(c.Name).Option("missingkey=zero").ParseFS(files, "templates/layout.txt", "templates/"+c.Name+".txt")
		if err != nil {
			return nil, fmt.Errorf("mail template %s: %w", c.Name, err)
		}
		html, err := htmltemplate.New(c.Name).Option("missingkey=zero").ParseFS(files, "templates/layout.html", "templates/"+c.Name+".html")
		if err != nil {
			return nil, fmt.Errorf("mail template %s: %w", c.Name, err)
		}
		t.known[c.Name] = compiled{c, text, html}
	}
	return t, nil
}

// List gives every template by name.
func (t *Templates) List() []Template { return slices.Clone(catalogue) }

// Find gives one template's description.
func (t *Templates) Find(name string) (Template, bool) {
	c, ok := t.known[name]
	return c.Template, ok
}

// Samples gives variables to preview a template with.
func (t *Templates) Samples(name string) map[string]string {
	vars := map[string]string{}
	for _, f := range t.known[name].Fields {
		vars[f.Name] = f.Sample
	}
	return vars
}

// Limits of variables, in characters.
const (
	maxLine = 500
	maxLong = 10_000
)

// Check refuses an unknown template, a variable it does not have or needs and did not get, one
// that is too long, and control characters: a line's end would begin a header.
func (t *Templates) Check(name string, vars map[string]string) error {
	c, ok := t.known[name]
	if !ok {
		return ErrTemplate
	}
	wrong := func(field, what string) error { return fault.ErrValidation.At("vars."+field, what) }
	for _, f := range c.Fields {
		v, limit := vars[f.Name], maxLine
		if f.Long {
			limit = maxLong
		}
		switch {
		case f.Required && strings.TrimSpace(v) == "":
			return wrong(f.Name, "this template needs it")
		case !utf8.ValidString(v) || utf8.RuneCountInString(v) > limit:
			return wrong(f.Name, fmt.Sprintf("text of at most %d characters", limit))
		case strings.ContainsFunc(v, func(r rune) bool { return unicode.IsControl(r) && (!f.Long || r != '\n') }):
			return wrong(f.Name, "holds a control character")
		}
	}
	for field := range vars {
		if !slices.ContainsFunc(c.Fields, func(f Field) bool { return f.Name == field }) {
			return wrong(field, "this template has no such variable")
		}
	}
	return nil
}

// Render makes the letter's contents. unsubscribe is the link of optional letters, else empty.
func (t *Templates) Render(name string, vars map[string]string, unsubscribe string) (Rendered, error) {
	if err := t.Check(name, vars); err != nil {
		return Rendered{}, err
	}
	c := t.known[name]
	data := struct {
		Vars                       map[string]string
		Frontend, Unsubscribe, Sub string
		Paragraphs                 []string
	}{Vars: vars, Frontend: t.frontend, Unsubscribe: unsubscribe, Paragraphs: strings.Split(vars["text"], "\n")}
	var subject, text, html bytes.Buffer
	if err := c.text.ExecuteTemplate(&subject, "subject", data); err != nil {
		return Rendered{}, fmt.Errorf("render %s: %w", name, err)
	}
	data.Sub = strings.TrimSpace(subject.String())
	if err := c.text.ExecuteTemplate(&text, "layout", data); err != nil {
		return Rendered{}, fmt.Errorf("render %s: %w", name, err)
	}
	if err := c.html.ExecuteTemplate(&html, "layout", data); err != nil {
		return Rendered{}, fmt.Errorf("render %s: %w", name, err)
	}
	return Rendered{Subject: data.Sub, Text: text.String(), HTML: html.String()}, nil
}

package http

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"

	"holdfast/domain/fault"
	"holdfast/eventstore"
)

// Limits of a body.
const (
	maxBody      = 10 << 20
	maxMoneyBody = 64 << 10
)

// gate stands before every operation and refuses in this order: size, media type, identity,
// rate, role, syntax. What passes it is a call with a checked body; huma then checks the
// body against its schema, and the handler the object and its state.
func (s *Server) gate(r *Route) func(huma.Context, func(huma.Context)) {
	return func(hctx huma.Context, next func(huma.Context)) {
		ec := humaecho.Unwrap(hctx)
		c, err := s.admit(ec, r)
		if err != nil {
			s.fail(ec, err)
			return
		}
		ctx := context.WithValue(hctx.Context(), callKey{}, c)
		next(&exchange{humaContext: huma.WithContext(hctx, ctx), server: s, echo: ec})
	}
}

func (s *Server) admit(ec echo.Context, r *Route) (*call, error) {
	req := ec.Request()
	c := &call{echo: ec, route: r, id: requestID(ec)}
	limit := int64(maxBody)
	if r.Money {
		limit = maxMoneyBody
	}
	if req.ContentLength > limit {
		return nil, errTooLarge
	}
	var body []byte
	if req.ContentLength < 0 {
		// Without a length only reading tells whether it is too large, and that comes first.
		var err error
		if body, err = readBody(ec, limit); err != nil {
			return nil, err
		}
	}
	if err := mediaType(r, req, body); err != nil {
		return nil, err
	}
	if err := s.identify(c, r); err != nil {
		return nil, err
	}
	if err := s.spend(c, r); err != nil {
		return nil, err
	}
	if !c.admitted(r) {
		return nil, fault.ErrForbidden
	}
	if err := s.meant(c); err != nil {
		return nil, err
	}
	if req.ContentLength > 0 {
		var err error
		if body, err = readBody(ec, limit); err != nil {
			return nil, err
		}
	}
	if err := s.syntax(c, r, body); err != nil {
		return nil, err
	}
	return c, nil
}

func readBody(ec echo.Context, limit int64) ([]byte, error) {
	req := ec.Request()
	var buf bytes.Buffer
	if req.ContentLength > 0 {
		buf.Grow(int(req.ContentLength) + bytes.MinRead)
	}
	_, err := buf.ReadFrom(http.MaxBytesReader(ec.Response(), req.Body, limit))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, errTooLarge
	}
	if err != nil {
		return nil, errInvalidJSON.Because("the body ended early")
	}
	return buf.Bytes(), nil
}

// mediaType is checked where a body is expected or came.
func mediaType(r *Route, req *http.Request, body []byte) error {
	if (!r.hasBody || r.mayOmitBody) && req.ContentLength <= 0 && len(body) == 0 {
		return nil
	}
	if r.Method == http.MethodGet {
		return nil
	}
	mt, params, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	if r.Forms && mt == "application/x-www-form-urlencoded" {
		mt = "application/json"
	}
	if err != nil || mt != "application/json" {
		return errMediaType
	}
	if cs, ok := params["charset"]; ok && !strings.EqualFold(cs, "utf-8") && !strings.EqualFold(cs, "utf8") {
		return errMediaType
	}
	if enc := req.Header.Get("Content-Encoding"); enc != "" && enc != "identity" {
		return errMediaType
	}
	return nil
}

func (s *Server) syntax(c *call, r *Route, body []byte) (err error) {
	req := c.echo.Request()
	if err := s.pathParams(c.echo, r); err != nil {
		return err
	}
	query, err := queryParams(req.URL.RawQuery)
	if err != nil {
		return err
	}
	if c.ifMatch, err = ifMatch(req.Header); err != nil {
		return err
	}
	c.body = body
	req.Body = io.NopCloser(bytes.NewReader(body))
	if r.Raw {
		return nil
	}
	keyText, err := idempotencyKey(req.Header, r)
	if err != nil {
		return err
	}
	var canon []byte
	if (r.hasBody && !r.mayOmitBody) || len(body) > 0 {
		if canon, err = canonical(body); err != nil {
			return r.sharpen(err)
		}
		if !r.hasBody && !bytes.Equal(canon, []byte("{}")) {
			return errUnknownField.Because("this route takes no body")
		}
	}
	if keyText != "" {
		c.key = &eventstore.Key{Actor: c.keyActor(), Key: keyText, Fingerprint: fingerprint(c.echo, r, query, canon)}
		if !r.Money {
			c.key.KeepFor = 7 * 24 * time.Hour
		}
	}
	return nil
}

// sharpen gives a wrong amount its own code, and a new password that cannot be typed.
func (r *Route) sharpen(err error) error {
	if f, ok := fault.From(err); ok && f.Code == errInvalidString.Code && slices.Contains(r.Errors, errWeakPassword.Code) &&
		!slices.ContainsFunc(f.Details, func(d fault.Detail) bool { return d.Path != "password" && d.Path != "newPassword" }) {
		return checkPassword(f.Details[0].Path, "\x00", "")
	}
	if f, ok := fault.From(err); ok && f.Code == fault.ErrValidation.Code {
		return r.refusal(f.Details, 0)
	}
	return err
}

func idempotencyKey(h http.Header, r *Route) (string, error) {
	if r.Method == http.MethodGet || r.Class == Query {
		return "", nil
	}
	all := h.Values("Idempotency-Key")
	if len(all) == 0 && !r.Money {
		return "", nil
	}
	if len(all) != 1 || all[0] == "" || len(all[0]) > 255 || strings.ContainsFunc(all[0], func(r rune) bool { return r < '!' || r > '~' }) {
		return "", errKeyRequired
	}
	return all[0], nil
}

// fingerprint binds a key to what was asked: route, path, query, If-Match and canonical body.
func fingerprint(ec echo.Context, r *Route, query url.Values, canon []byte) []byte {
	var b bytes.Buffer
	b.WriteString(r.Method + " " + r.Path)
	for _, v := range ec.ParamValues() {
		b.WriteString("\x00" + v)
	}
	if len(query) > 0 {
		b.WriteString("\x00?" + query.Encode())
	}
	b.WriteString("\x00" + ec.Request().Header.Get("If-Match") + "\x00")
	b.Write(canon)
	sum := sha256.Sum256(b.Bytes())
	return sum[:]
}

// pathParams checks the path's names. An ObjectId of the old backend becomes the id of what it
// names; one that names nothing stays, and nothing is found by it.
func (s *Server) pathParams(ec echo.Context, r *Route) error {
	values := slices.Clone(ec.ParamValues())
	for i, name := range ec.ParamNames() {
		if i >= len(values) {
			return errInvalidID.At("path."+name, "missing")
		}
		if form, ok := r.Names[name]; ok {
			if !names[form].MatchString(values[i]) {
				return fault.ErrValidation.At("path."+name, "expected "+form)
			}
			continue
		}
		if !wellFormedID(values[i]) {
			return errInvalidID.At("path."+name, "expected a UUID or 24 hex digits")
		}
		values[i] = strings.ToLower(values[i])
		if len(values[i]) == objectIDLength && s.deps.LegacyNames != nil {
			id, ok, err := s.deps.LegacyNames.Resolve(ec.Request().Context(), values[i])
			if err != nil {
				return err
			}
			if ok {
				values[i] = id
			}
		}
	}
	ec.SetParamValues(values...)
	return nil
}

// queryParams refuses what parsers silently repair, and a parameter that occurs twice.
func queryParams(raw string) (url.Values, error) {
	if raw == "" {
		return nil, nil
	}
	if len(raw) > 8<<10 {
		return nil, fault.ErrValidation.At("query", "too long")
	}
	q, err := url.ParseQuery(raw)
	if err != nil {
		return nil, fault.ErrValidation.At("query", "cannot be read")
	}
	var details []fault.Detail
	for name, values := range q {
		if len(values) > 1 {
			details = append(details, fault.Detail{Path: "query." + name, Message: "occurs twice"})
		}
		if strings.ContainsRune(values[0], 0) || !validText(values[0]) {
			details = append(details, fault.Detail{Path: "query." + name, Message: "not valid text"})
		}
	}
	if len(details) > 0 {
		slices.SortFunc(details, func(a, b fault.Detail) int { return strings.Compare(a.Path, b.Path) })
		f := fault.ErrValidation.Because("%s", fault.ErrValidation.Message)
		f.Details = details
		return nil, f
	}
	return q, nil
}

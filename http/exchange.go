package http

import (
	"io"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"holdfast/domain/fault"
)

// humaContext is huma.Context under a name that does not hide its method Context.
type humaContext huma.Context

// exchange lets huma's own refusals (a body that does not fit its schema) leave in our
// envelope: the transformer classifies them before the status is written.
type exchange struct {
	humaContext
	server *Server
	echo   echo.Context
	failed error
}

// SetStatus writes our refusal instead of huma's when there is one.
func (x *exchange) SetStatus(code int) {
	if x.failed == nil && !x.echo.Response().Committed {
		x.humaContext.SetStatus(code)
	}
}

// BodyWriter swallows what huma would write of its own refusal.
func (x *exchange) BodyWriter() io.Writer {
	if x.failed != nil {
		return io.Discard
	}
	return x.humaContext.BodyWriter()
}

// refuse is huma's transformer: it sees only huma's own refusals, for all else is written
// by the handler.
func refuse(hctx huma.Context, _ string, v any) (any, error) {
	x, ok := hctx.(*exchange)
	model, isError := v.(*huma.ErrorModel)
	if !ok || !isError {
		return v, nil
	}
	x.failed = refusalOf(callOf(hctx.Context()).route, model)
	x.server.fail(x.echo, x.failed)
	return nil, nil
}

func refusalOf(r *Route, model *huma.ErrorModel) error {
	var details []fault.Detail
	unknown := 0
	for _, e := range model.Errors {
		path, inBody := strings.CutPrefix(e.Location, "body.")
		if !inBody {
			path = e.Location
		}
		if e.Message == "unexpected property" {
			unknown++
		}
		if len(path) > 200 {
			path = strings.ToValidUTF8(path[:200], "")
		}
		if path == "query.cursor" {
			return errInvalidCursor
		}
		details = append(details, fault.Detail{Path: path, Message: plain(e.Message)})
	}
	slices.SortFunc(details, func(a, b fault.Detail) int { return strings.Compare(a.Path, b.Path) })
	return r.refusal(details, unknown)
}

// plain drops the parts of a parser's message that speak of Go.
func plain(message string) string {
	if strings.Contains(message, "json: ") || strings.Contains(message, "Go ") || strings.Contains(message, "strconv") {
		return "not of the expected type"
	}
	return message
}

package http

import (
	"embed"
	"mime"
	"net/http"
	"path"

	"github.com/labstack/echo/v4"
)

//go:embed docsui/*
var docsUI embed.FS

// docsPolicy lets the page load its own parts and nothing else; the icons of the style
// sheet are data URLs.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'"

// mountDocs serves the API's documentation page from embedded files.
func (s *Server) mountDocs() {
	s.echo.GET("/docs", s.docsFile("index.html"))
	for _, name := range []string{"swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-bundle.js.LICENSE.txt", "start.js", "favicon-32x32.png", "LICENSE", "NOTICE"} {
		s.echo.GET("/docs/"+name, s.docsFile(name))
	}
}

func (s *Server) docsFile(name string) echo.HandlerFunc {
	return func(c echo.Context) error {
		body, err := docsUI.ReadFile("docsui/" + name)
		if err != nil {
			return err
		}
		h := c.Response().Header()
		h.Set("Content-Security-Policy", docsPolicy)
		h.Set("Cache-Control", "public, max-age=3600")
		kind := mime.TypeByExtension(path.Ext(name))
		if kind == "" {
			kind = "text/plain; charset=utf-8"
		}
		return c.Blob(http.StatusOK, kind, body)
	}
}

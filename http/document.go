package http

import (
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"
)

// document is the frame of the OpenAPI 3.1 document; the routes fill it.
func (s *Server) document() huma.Config {
	format := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: json.Unmarshal}
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Holdfast", Version: s.config.Version,
				Description: "Escrow on a log that can be proved. Every answer has one envelope; money routes need an Idempotency-Key; amounts are decimal strings.",
			},
			Components: &huma.Components{
				Schemas: schemas(),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"bearer": {Type: "http", Scheme: "bearer", BearerFormat: "JWT"},
				},
			},
		},
		Formats:       map[string]huma.Format{"application/json": format, "json": format},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{refuse},
	}
}

// OpenAPI gives the document as JSON.
func (s *Server) OpenAPI() ([]byte, error) { return json.MarshalIndent(s.api.OpenAPI(), "", "  ") }

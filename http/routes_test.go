package http_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	apihttp "holdfast/http"
)

func TestRoutesAreTheDocument(t *testing.T) {
	t.Parallel()
	w := setup(t)
	raw := w.anybody().get("/openapi.json").raw
	var doc struct {
		OpenAPI string                                `json:"openapi"`
		Paths   map[string]map[string]json.RawMessage `json:"paths"`
	}
	require.NoError(t, json.Unmarshal(raw, &doc))
	assert.True(t, strings.HasPrefix(doc.OpenAPI, "3.1"))
	inTable := map[string]bool{}
	for _, r := range apihttp.Routes() {
		for _, path := range append([]string{r.Path}, r.Aliases...) {
			key := strings.ToLower(r.Method) + " " + path
			assert.False(t, inTable[key], "%s is in the table twice", key)
			inTable[key] = true
			assert.Contains(t, doc.Paths[path], strings.ToLower(r.Method), "%s is not in the document", key)
		}
	}
	for path, methods := range doc.Paths {
		for m := range methods {
			assert.True(t, inTable[m+" "+path], "%s %s is in the document and not in the table", m, path)
		}
	}
}

func TestNoRouteIsShadowed(t *testing.T) {
	t.Parallel()
	param := regexp.MustCompile(`\{[^}]+\}`)
	shapes := map[string]string{}
	for _, r := range apihttp.Routes() {
		for _, path := range append([]string{r.Path}, r.Aliases...) {
			shape := r.Method + " " + param.ReplaceAllString(path, "{}")
			assert.Empty(t, shapes[shape], "%s %s has the shape of %s", r.Method, path, shapes[shape])
			shapes[shape] = path
		}
	}
	// A static path wins over a parameter in this router; what each path reaches is asked for.
	w := setup(t)
	for _, r := range apihttp.Routes() {
		for _, path := range append([]string{r.Path}, r.Aliases...) {
			assert.Equal(t, path, w.reaches(r.Method, param.ReplaceAllString(path, "11111111-1111-4111-8111-111111111111")), r.Method+" "+path)
		}
	}
}

func TestTableIsWhole(t *testing.T) {
	t.Parallel()
	for _, r := range apihttp.Routes() {
		name := r.Method + " " + r.Path
		assert.NotEmpty(t, r.Summary, name)
		assert.NotEmpty(t, r.Class, name)
		assert.NotEmpty(t, r.Rate, name)
		if r.Money {
			assert.NotEqual(t, http.MethodGet, r.Method, name)
			assert.False(t, r.Public(), name)
		}
		if r.Method == http.MethodGet {
			assert.True(t, r.Class == apihttp.Query || r.Path == "/api/user/data-export", "%s reads; only the export orders itself by being asked for", name)
		}
	}
	assert.Contains(t, apihttp.Markdown(), "/api/auth/login")
}

package http

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"holdfast/domain"
	"holdfast/domain/apikey"
)

// Class says what a route does to the log.
type Class string

// The classes of the API's design.
const (
	Command    Class = "C"  // appends events
	PlainWrite Class = "C*" // writes plain rows with an audit trail
	Query      Class = "Q"  // reads
	Ingestion  Class = "I"  // brings facts from outside
)

// Rate is the request budget a route counts in.
type Rate string

// The budgets; every one but exempt counts in the general one too.
const (
	RateGeneral Rate = "g"
	RateAuth    Rate = "a"
	RatePayment Rate = "p"
	RateAI      Rate = "i"
	RateExempt  Rate = "-"
)

// Route is one line of the table. Router, OpenAPI, role matrix and docs/api.md are made of it.
type Route struct {
	Method  string
	Path    string   // with {params}
	Aliases []string // other paths that existing clients use; same handler, same rules
	// Roles may call it; empty = anybody without a token; Any = everybody with one.
	Roles []domain.Capacity
	// Scopes of API keys that may call it as well; filled in from the table of scopes.
	Scopes []apikey.Scope
	Class  Class
	// Greets: a public route that says more to those who sign in.
	Greets bool
	// Money routes need an Idempotency-Key and take small bodies.
	Money bool
	Rate  Rate
	// Status of success; 0 = 200.
	Status  int
	Summary string
	// Errors are the special codes beside those that every route can answer with.
	Errors []string
	// Views are the read models a query answers from; X-Min-Position waits for each.
	Views []string
	// Streams write as long as there is something to write: no time limit but the client's.
	Streams bool
	// Raw routes take bytes: no schema, no JSON rules, no Idempotency-Key.
	Raw bool
	// Forms routes take URL-encoded forms beside JSON; only raw ones.
	Forms bool
	// Names lists path parameters that are not ids, with the form they must have.
	Names map[string]string

	register func(*Server, *Route)
	amounts  []string // paths of amounts in the body
	hasBody  bool
	// mayOmitBody: the input's Body is a pointer, and nil without one.
	mayOmitBody bool
}

// Any is the role list of routes that take every signed-in user.
var Any = []domain.Capacity{"*"}

// Tag groups the route in the documents: the words before the first id.
func (r *Route) Tag() string {
	parts := strings.Split(strings.Trim(r.Path, "/"), "/")
	if len(parts) > 1 && parts[0] == "api" {
		parts = parts[1:]
	}
	if len(parts) > 1 && (parts[0] == "admin" || parts[0] == "marketplace") {
		return parts[0] + "/" + parts[1]
	}
	return parts[0]
}

// Public reports whether the route needs no token.
func (r *Route) Public() bool { return len(r.Roles) == 0 }

// Admits reports whether one of the roles may call the route.
func (r *Route) Admits(roles []domain.Capacity) bool {
	if r.Public() || r.Roles[0] == "*" {
		return true
	}
	return slices.ContainsFunc(roles, func(c domain.Capacity) bool { return slices.Contains(r.Roles, c) })
}

func (r *Route) status() int {
	if r.Status == 0 {
		return http.StatusOK
	}
	return r.Status
}

// output is what every operation gives huma: a function that writes the answer, so that
// success and failure are written in one place each (respond.go).
type output struct{ Body func(huma.Context) }

// on joins a route with its handler. I is what huma reads and checks; T is what the data of
// a success looks like, for the documents alone.
func on[I, T any](route Route, handle func(s *Server, ctx context.Context, c *call, in *I) (reply, error)) Route {
	route.amounts = amountPaths(reflect.TypeFor[I]())
	body, hasBody := reflect.TypeFor[I]().FieldByName("Body")
	route.hasBody, route.mayOmitBody = hasBody, hasBody && body.Type.Kind() == reflect.Pointer
	route.hasBody = route.hasBody || route.Raw
	route.register = func(s *Server, r *Route) {
		for i, path := range append([]string{r.Path}, r.Aliases...) {
			op := s.operation(r, path, i > 0)
			describe[T](s, &op, r)
			huma.Register(s.api, op, func(ctx context.Context, in *I) (*output, error) {
				c := callOf(ctx)
				err := s.here(r)
				if err == nil && s.deps.Migration != nil {
					ctx = s.deps.Migration.Pin(ctx, r.Class == Query)
				}
				if err == nil {
					err = s.caughtUp(ctx, c)
				}
				var answer reply
				if err == nil {
					if answer, err = handle(s, ctx, c, in); c.inDoubt(err) {
						answer, err = handle(s, ctx, c, in)
					}
					answer = s.inCookies(c, answer)
				}
				if err != nil {
					answer, err = s.recall(ctx, c, err)
				}
				if err == nil {
					err = s.succeed(c.echo, answer, r.status())
				}
				if err != nil {
					s.fail(c.echo, err)
				}
				return &output{Body: func(huma.Context) {}}, nil
			})
		}
	}
	return route
}

func (s *Server) operation(r *Route, path string, alias bool) huma.Operation {
	op := huma.Operation{
		OperationID: operationID(r.Method, path),
		Method:      r.Method,
		Path:        path,
		Summary:     r.Summary,
		Tags:        []string{r.Tag()},
		Metadata:    map[string]any{"route": r},
		Middlewares: huma.Middlewares{s.gate(r)},
		Extensions:  map[string]any{"x-class": string(r.Class), "x-rate-class": string(r.Rate), "x-roles": r.roleNames()},
	}
	if alias {
		op.Extensions["x-alias-of"] = r.Path
	}
	if !r.Public() {
		op.Security = []map[string][]string{{"bearer": {}}}
	}
	op.SkipValidateBody = r.Raw
	// The gate has read the body, in its own time. Without this huma sets a read deadline of five
	// seconds, at whose end net/http takes the client for gone and ends the request's context.
	op.BodyReadTimeout = -1
	op.MaxBodyBytes = maxBody // the gate has looked already, and says so in our words
	if r.Money {
		op.Parameters = append(op.Parameters, &huma.Param{
			Name: "Idempotency-Key", In: "header", Required: true,
			Description: "1–255 visible ASCII characters; the same key with the same body gets the first answer again",
			Schema:      &huma.Schema{Type: huma.TypeString},
		})
	}
	return op
}

func (r *Route) roleNames() []string {
	if r.Public() {
		return []string{"public"}
	}
	if r.Roles[0] == "*" {
		return []string{"user"}
	}
	var names []string
	for _, c := range r.Roles {
		names = append(names, string(c))
	}
	for _, scope := range r.Scopes {
		names = append(names, "key:"+string(scope))
	}
	return names
}

// operationID is the path in words: post-api-payment-id-release.
func operationID(method, path string) string {
	words := strings.FieldsFunc(path, func(r rune) bool { return r == '/' || r == '{' || r == '}' || r == '.' })
	return strings.ToLower(method) + "-" + strings.Join(words, "-")
}

// describe writes the answers of an operation into the document.
func describe[T any](s *Server, op *huma.Operation, r *Route) {
	registry := s.api.OpenAPI().Components.Schemas
	success := registry.Schema(reflect.TypeFor[Envelope[T]](), true, "")
	failure := registry.Schema(reflect.TypeFor[Failure](), true, "")
	errorText := "Refused. Codes of every route: VALIDATION_FAILED, UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, INVALID_STATE, INTERNAL"
	if len(r.Errors) > 0 {
		errorText += ". Of this one: " + strings.Join(r.Errors, ", ")
	}
	op.Responses = map[string]*huma.Response{
		strconv.Itoa(r.status()): {Description: "Done", Content: map[string]*huma.MediaType{"application/json": {Schema: success}}},
		"default":                {Description: errorText, Content: map[string]*huma.MediaType{"application/json": {Schema: failure}}},
	}
	op.DefaultStatus = r.status()
}

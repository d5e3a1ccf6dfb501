package http

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/eventstore"
)

// call is what the gate has found out about one request.
type call struct {
	echo    echo.Context
	route   *Route
	id      string   // request id
	session Session  // zero on public routes and for API keys
	apiKey  KeyGrant // zero for people
	key     *eventstore.Key
	body    []byte // as it came
	ifMatch int64  // 0 = not sent
	decided bool   // the executor has looked at the key
	// remembered: a check before the command used a state that this process had in memory; fresh: none may.
	remembered, fresh bool
	// byCookie: the session came in a cookie, which a browser sends whoever asks it to.
	byCookie bool
	// rows, when set, are statements on plain rows that go with the command's events.
	rows func() []eventstore.Row
}

type callKey struct{}

func callOf(ctx context.Context) *call { c, _ := ctx.Value(callKey{}).(*call); return c }

// user is who is signed in.
func (c *call) user() domain.UserID { return c.session.User }

func (c *call) has(role domain.Capacity) bool {
	for _, r := range c.session.Roles {
		if r == role {
			return true
		}
	}
	return false
}

// admitted reports whether the caller's roles, or the scopes of his key, open the route.
func (c *call) admitted(r *Route) bool {
	if c.apiKey.ID != "" {
		return r.AdmitsKey(c.apiKey.Scopes)
	}
	return r.Admits(c.session.Roles)
}

// actor is the caller as the domain sees one.
func (c *call) actor() domain.Actor {
	if c.apiKey.ID != "" {
		return domain.Machine(domain.Key, c.apiKey.ID)
	}
	return domain.User(c.session.User, c.session.Roles...)
}

// keyActor is under whose name idempotency keys are kept.
func (c *call) keyActor() string {
	if c.apiKey.ID != "" {
		return "api_key:" + c.apiKey.ID
	}
	return "user:" + string(c.user())
}

// issue begins a command: who, and when by the server's clock. Deadlines that matter are
// judged by the database's clock, in the timers.
func (c *call) issue() domain.Issue {
	return domain.Issue{By: c.actor(), At: time.Now().UTC().Truncate(time.Microsecond)}
}

func (c *call) metadata() eventstore.Metadata {
	return eventstore.Metadata{Actor: c.actor(), CommandID: c.newID("command"), CorrelationID: c.id, RequestID: c.id, Source: "api"}
}

// newID draws the id of a thing that this command makes. With an Idempotency-Key it follows
// from the key, so that a retry after a lost answer asks for the same thing. It never
// follows from the request id, which a caller may choose.
func (c *call) newID(purpose string) string {
	if c.key == nil {
		return uuid.NewString()
	}
	return domain.DeriveID(c.key.Actor+"\x00"+c.key.Key+"\x00"+string(c.key.Fingerprint), purpose)
}

// minPosition reads X-Min-Position; 0 = not sent.
func minPosition(h http.Header) (int64, error) {
	v := h.Get("X-Min-Position")
	if v == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < 0 {
		return 0, fault.ErrValidation.At("header.X-Min-Position", "a log position")
	}
	return n, nil
}

// ifMatch reads If-Match: one strong ETag of ours.
func ifMatch(h http.Header) (int64, error) {
	v := strings.TrimSpace(h.Get("If-Match"))
	if v == "" || v == "*" {
		return 0, nil
	}
	digits, ok := strings.CutPrefix(v, `"`)
	digits, ok2 := strings.CutSuffix(digits, `"`)
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ok || !ok2 || err != nil || n < 1 {
		return 0, fault.ErrValidation.At("header.If-Match", `an ETag such as "12"`)
	}
	return n, nil
}

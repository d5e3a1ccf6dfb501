package http_test

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"

	"holdfast/domain"
	apihttp "holdfast/http"
)

var pathParam = regexp.MustCompile(`\{([^}]+)\}`)

// concrete fills a path's parameters with well-formed names of nothing.
func concrete(r apihttp.Route, path string) string {
	return pathParam.ReplaceAllStringFunc(path, func(p string) string {
		switch r.Names[p[1:len(p)-1]] {
		case "":
			return "11111111-1111-4111-8111-111111111111"
		case "a number":
			return "999999"
		case "an account path":
			return "seller:nobody:available"
		case "an evidence key":
			return "56:0xf1:2"
		case "an asset":
			return "DOGE@1"
		}
		return "nothing"
	})
}

var everyRole = []domain.Capacity{domain.Admin, domain.Buyer, domain.Seller, domain.Resolver, domain.Guard}

// combinations lists every set of roles that a user may hold: 31 of them.
func combinations() [][]domain.Capacity {
	var all [][]domain.Capacity
	for bits := 1; bits < 1<<len(everyRole); bits++ {
		var one []domain.Capacity
		for i, role := range everyRole {
			if bits&(1<<i) != 0 {
				one = append(one, role)
			}
		}
		all = append(all, one)
	}
	return all
}

// holding makes a person with these roles and signs in.
func (w *world) holding(roles ...domain.Capacity) *client {
	w.t.Helper()
	u := apihttp.User{
		ID: domain.UserID(uuid.NewString()), Name: "somebody", Email: uuid.NewString() + "@holdfast.test",
		Roles: roles, Password: password, Status: apihttp.StatusActive, Verified: true,
	}
	w.users.change(u.ID, func(now *apihttp.User) { *now = u })
	return w.as(u)
}

// TestRoleMatrix asks every route of the table, by each of its paths, as everybody
// (docs/fault-model.md, 2.3 and H6): who is not signed in gets 401, who holds none of its
// roles 403, and who holds one of them neither, whatever else he holds. Nothing of it may
// move the log. Keys have the same in TestKeysOpenTheirScopesAlone.
func TestRoleMatrix(t *testing.T) {
	t.Parallel()
	w := setup(t)
	people := make([]*client, len(combinations()))
	for i, roles := range combinations() {
		people[i] = w.holding(roles...)
	}
	before := w.events()
	for _, r := range apihttp.Routes() {
		if r.Public() || r.Path == "/api/auth/logout" || r.Path == "/api/auth/logout-all" {
			continue
		}
		for _, path := range append([]string{r.Path}, r.Aliases...) {
			name := r.Method + " " + path
			anonymous := w.anybody().send(r.Method, concrete(r, path), body(r))
			assert.Equal(t, 401, anonymous.status, name)
			for i, roles := range combinations() {
				if path != r.Path && len(roles) > 1 {
					continue // an alias has the same gate; one role each shows that
				}
				a := people[i].send(r.Method, concrete(r, path), body(r))
				if r.Admits(roles) {
					assert.NotContains(t, []int{401, 403, 405, 500}, a.status, "%s as %s: %s", name, roles, a.raw)
					continue
				}
				assert.Equal(t, 403, a.status, "%s as %s: %s", name, roles, a.raw)
				assert.Equal(t, "FORBIDDEN", a.code)
			}
		}
	}
	assert.Equal(t, before, w.events())
}

func body(r apihttp.Route) any {
	if r.Method == http.MethodGet {
		return nil
	}
	return "{}"
}

// TestIdsThatAreNot sends what is no id to every parameter that names an object.
func TestIdsThatAreNot(t *testing.T) {
	t.Parallel()
	w := setup(t)
	staff := w.as(w.users.named("admin"))
	long := make([]byte, 10_000)
	for i := range long {
		long[i] = 'a'
	}
	for _, r := range apihttp.Routes() {
		if !pathParam.MatchString(r.Path) || len(r.Names) > 0 || !r.Admits([]domain.Capacity{domain.Admin}) {
			continue
		}
		for _, bad := range []string{
			"x", "..%2f..%2fetc", "%00", "11111111-1111-4111-8111-11111111111g", "11111111111141118111111111111111",
			"%7B11111111-1111-4111-8111-111111111111%7D", "urn:uuid:11111111-1111-4111-8111-111111111111", string(long),
		} {
			a := staff.send(r.Method, pathParam.ReplaceAllString(r.Path, bad), body(r))
			assert.Equal(t, 400, a.status, "%s %s with %.40s: %s", r.Method, r.Path, bad, a.raw)
			assert.Equal(t, "INVALID_ID", a.code)
		}
	}
}

// TestKeysOfMoneyRoutes: every one demands an Idempotency-Key in its grammar.
func TestKeysOfMoneyRoutes(t *testing.T) {
	t.Parallel()
	w := setup(t)
	people := map[domain.Capacity]*client{}
	before := w.events()
	for _, r := range apihttp.Routes() {
		if !r.Money {
			continue
		}
		role := r.Roles[0]
		if role == "*" {
			role = domain.Buyer
		}
		if people[role] == nil {
			people[role] = w.as(w.users.named(string(role)))
		}
		for _, k := range []string{"", "with space", "ümlaut", repeat("k", 256)} {
			a := people[role].send(r.Method, concrete(r, r.Path), "{}", func(req *http.Request) {
				req.Header.Del("Idempotency-Key")
				if k != "" {
					req.Header["Idempotency-Key"] = []string{k}
				}
			})
			assert.Equal(t, "IDEMPOTENCY_KEY_REQUIRED", a.code, "%s %s with %q", r.Method, r.Path, k)
			assert.Equal(t, 400, a.status)
		}
		large := people[role].send(r.Method, concrete(r, r.Path), repeat(" ", 64<<10+1))
		assert.Equal(t, 413, large.status, "%s %s", r.Method, r.Path)
	}
	assert.Equal(t, before, w.events())
}

func repeat(s string, n int) string {
	out := make([]byte, 0, n)
	for range n {
		out = append(out, s...)
	}
	return string(out)
}

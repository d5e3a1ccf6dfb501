package wire

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/records"
)

func TestTheDirectory(t *testing.T) {
	t.Parallel()
	w := settle(t, nil)
	admin := w.as("admin")
	for _, at := range mounts {
		assert.Len(t, admin.get(at+"/admin/list").list(), 9)
		assert.Len(t, admin.get(at+"/admin/list?role=buyer&status=active").list(), 2)
		found := admin.get(at + "/admin/list?search=BUYER2@").list()
		require.Len(t, found, 1)
		// A golden list of what admins see; passwords and tokens are none of it.
		assert.ElementsMatch(t, []string{"id", "email", "emailVerified", "name", "roles", "status", "method", "createdAt"}, slices.Collect(maps.Keys(found[0])))
		assert.Empty(t, admin.get(at+"/admin/list?search=%25").list(), "text is taken literally")
		assert.Equal(t, "9", admin.get(at+"/admin/stats").field("total"))
		assert.Equal(t, "buyer@holdfast.test", admin.get(at+"/admin/"+string(records.Buyer1)).field("email"))
		assert.Equal(t, "true", admin.get(at+"/admin/"+string(records.Buyer1)+"/dependencies").field("none"))
		for _, path := range []string{"", "/dependencies"} {
			assert.Equal(t, 404, admin.get(at+"/admin/11111111-1111-4111-8111-111111111111"+path).status)
		}
	}
	first := admin.get("/api/user/admin/list?limit=5")
	var page struct {
		Meta struct {
			Next string `json:"next_cursor"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(first.raw), &page))
	seen := map[any]bool{}
	for _, p := range append(first.list(), admin.get("/api/user/admin/list?limit=5&cursor="+page.Meta.Next).list()...) {
		seen[p["id"]] = true
	}
	assert.Len(t, seen, 9)
	assert.Equal(t, "INVALID_CURSOR", admin.get("/api/user/admin/list?cursor=x").code)
	assert.Equal(t, "VALIDATION_FAILED", admin.get("/api/user/admin/list?role=king").code)
}

func TestMakingAPerson(t *testing.T) {
	t.Parallel()
	w := settle(t, nil)
	admin := w.as("admin")
	a := admin.do("POST", "/api/users/admin/create", map[string]any{"email": "New@Holdfast.test", "roles": []string{"resolver", "guard"}}, "Idempotency-Key", "one")
	require.Equal(t, 201, a.status, a.raw)
	assert.Equal(t, "new@holdfast.test|new|admin", a.field("email")+"|"+a.field("name")+"|"+a.field("method"))
	again := admin.do("POST", "/api/users/admin/create", map[string]any{"email": "New@Holdfast.test", "roles": []string{"resolver", "guard"}}, "Idempotency-Key", "one")
	assert.Equal(t, a.field("id"), again.field("id"), again.raw)
	w.untouched(func() {
		for name, c := range map[string]struct {
			body any
			code string
		}{
			"taken":       {map[string]any{"email": "NEW@holdfast.test", "role": "buyer"}, "EMAIL_IN_USE"},
			"looks alike": {map[string]any{"email": "n.ew@holdfast.test", "role": "buyer"}, "EMAIL_IN_USE"},
			"a list":      {map[string]any{"email": "a@b.test,c@d.test", "role": "buyer"}, "VALIDATION_FAILED"},
			"no role":     {map[string]any{"email": "x@holdfast.test"}, "VALIDATION_FAILED"},
			"king":        {map[string]any{"email": "x@holdfast.test", "role": "king"}, "VALIDATION_FAILED"},
			"password":    {map[string]any{"email": "x@holdfast.test", "role": "buyer", "password": "x"}, "UNKNOWN_FIELD"},
		} {
			assert.Equal(t, c.code, admin.post("/api/user/admin/create", c.body).code, name)
		}
	})
	w.until("told by mail", func() bool { return len(admin.get(mailPath+"/queue?status=sent").list()) == 1 })
	for _, verb := range []string{"PATCH", "PUT"} {
		changed := admin.do(verb, "/api/user/admin/"+a.field("id"), map[string]any{"name": "Renamed by " + verb, "email": strings.ToLower(verb) + "@holdfast.test"})
		require.Equal(t, 200, changed.status, changed.raw)
		assert.Equal(t, "Renamed by "+verb+"|"+strings.ToLower(verb)+"@holdfast.test", changed.field("name")+"|"+changed.field("email"))
	}
	assert.Equal(t, "EMAIL_IN_USE", admin.do("PATCH", "/api/user/admin/"+a.field("id"), map[string]any{"email": "buyer@holdfast.test"}).code)
}

// TestStandingAndRoles: a change by an admin holds at once, in sessions that are open.
func TestStandingAndRoles(t *testing.T) {
	t.Parallel()
	w := settle(t, nil)
	admin, buyer := w.as("admin"), w.as("buyer")
	for n, c := range []struct{ verb, path string }{
		{"PATCH", "/api/user"}, {"PUT", "/api/users"}, {"PUT", "/api/user"}, {"PATCH", "/api/users"},
	} {
		at := c.path + "/admin/" + buyer.id
		require.Equal(t, 200, buyer.get("/api/user/profile").status)
		var out heard
		if n%2 == 0 {
			out = admin.do(c.verb, at+"/status", map[string]any{"status": "suspended", "reason": "under review"})
		} else {
			out = admin.do(c.verb, at+"/toggle-status", map[string]any{"reason": "under review"})
		}
		require.Equal(t, 200, out.status, out.raw)
		assert.Equal(t, "suspended", out.field("status"))
		a := buyer.get("/api/user/profile")
		assert.Equal(t, 401, a.status, "every session ends at once: %s", a.raw)
		assert.Equal(t, 403, w.anybody().do("POST", "/api/auth/login", map[string]any{"email": "buyer@holdfast.test", "password": records.DemoPassword}).status)
		require.Equal(t, 200, admin.do(c.verb, at+"/toggle-status", map[string]any{}).status)
		buyer = w.as("buyer")
	}
	set := admin.do("PUT", "/api/users/admin/"+buyer.id+"/role", map[string]any{"roles": []string{"buyer", "resolver"}, "reason": "trained"})
	require.Equal(t, 200, set.status, set.raw)
	assert.Contains(t, buyer.get("/api/auth/me").raw, "resolver", "without signing in anew")
	require.Equal(t, 200, admin.do("PATCH", "/api/user/admin/"+buyer.id+"/role", map[string]any{"role": "seller"}).status)
	assert.Equal(t, 403, buyer.post("/api/marketplace/requests", wished(nil)).status)
	w.untouched(func() {
		same := admin.do("PATCH", "/api/user/admin/"+buyer.id+"/status", map[string]any{"status": "active"})
		assert.Equal(t, 200, same.status, "a repeat changes nothing")
		for name, c := range map[string]struct {
			verb, path string
			body       any
			code       string
		}{
			"oneself out":        {"PATCH", admin.id + "/status", map[string]any{"status": "suspended", "reason": "x"}, "SELF_CHANGE"},
			"oneself, toggled":   {"PUT", admin.id + "/toggle-status", map[string]any{"reason": "x"}, "SELF_CHANGE"},
			"one's own role":     {"PUT", admin.id + "/role", map[string]any{"role": "buyer"}, "SELF_CHANGE"},
			"oneself deleted":    {"DELETE", admin.id, nil, "SELF_CHANGE"},
			"without a reason":   {"PATCH", buyer.id + "/status", map[string]any{"status": "suspended"}, "VALIDATION_FAILED"},
			"erased by status":   {"PATCH", buyer.id + "/status", map[string]any{"status": "erased", "reason": "x"}, "VALIDATION_FAILED"},
			"a role that is not": {"PATCH", buyer.id + "/role", map[string]any{"role": "king"}, "VALIDATION_FAILED"},
			"nobody":             {"PATCH", "11111111-1111-4111-8111-111111111111/role", map[string]any{"role": "buyer"}, "NOT_FOUND"},
		} {
			assert.Equal(t, c.code, admin.do(c.verb, "/api/user/admin/"+c.path, c.body).code, name)
		}
	})
}

// TestAnAdminRemains: two admins who take each other's role at once do not both succeed.
func TestAnAdminRemains(t *testing.T) {
	t.Parallel()
	w := settle(t, nil)
	for round := range 6 {
		one, two := w.as("admin"), w.as("admin2")
		var asking sync.WaitGroup
		answers := make([]heard, 2)
		for i, c := range []struct{ by, of *citizen }{{one, two}, {two, one}} {
			asking.Go(func() {
				if round%2 == 0 {
					answers[i] = c.by.do("PATCH", "/api/user/admin/"+c.of.id+"/role", map[string]any{"role": "buyer"})
				} else {
					answers[i] = c.by.do("PATCH", "/api/user/admin/"+c.of.id+"/status", map[string]any{"status": "suspended", "reason": "x"})
				}
			})
		}
		asking.Wait()
		assert.Equal(t, "1", w.cell(`SELECT count(*)::text FROM users WHERE status = 'active' AND 'admin' = ANY (roles)`))
		codes := fmt.Sprint(answers[0].status, answers[0].code, answers[1].status, answers[1].code)
		assert.Contains(t, codes, "200", codes)
		// Whoever came second was told so, or had lost the role by then.
		assert.True(t, strings.Contains(codes, "LAST_ADMIN") || strings.Contains(codes, "403") || strings.Contains(codes, "401"), codes)
		survivor := one
		if w.cell(`SELECT ('admin' = ANY (roles) AND status = 'active')::text FROM users WHERE id = $1`, one.id) != "true" {
			survivor = two
		}
		last := survivor.do("DELETE", "/api/auth/account", map[string]any{"password": records.DemoPassword})
		assert.Equal(t, "LAST_ADMIN", last.code, last.raw)
		other := map[string]string{one.id: two.id, two.id: one.id}[survivor.id]
		if round%2 == 0 {
			require.Equal(t, 200, survivor.do("PATCH", "/api/user/admin/"+other+"/role", map[string]any{"role": "admin"}).status)
		} else {
			require.Equal(t, 200, survivor.do("PATCH", "/api/user/admin/"+other+"/status", map[string]any{"status": "active"}).status)
		}
	}
}

func TestDeletionByAnAdmin(t *testing.T) {
	t.Parallel()
	w := settle(t, nil)
	admin, buyer := w.as("admin"), w.as("buyer")
	wish := buyer.post("/api/marketplace/requests", wished(nil))
	require.Equal(t, 201, wish.status)
	w.untouched(func() {
		a := admin.do("DELETE", "/api/user/admin/"+buyer.id, nil)
		assert.Equal(t, 409, a.status, a.raw)
		assert.Equal(t, "USER_HAS_DEPENDENCIES", a.code)
	})
	require.Equal(t, 200, buyer.post("/api/marketplace/requests/"+wish.field("request")+"/cancel", map[string]any{"reason": "changed my mind"}).status)
	a := admin.do("DELETE", "/api/users/admin/"+buyer.id, nil)
	require.Equal(t, 200, a.status, a.raw)
	assert.Equal(t, "suspended", a.field("status"))
	assert.NotEmpty(t, a.field("erasureDue"))
	assert.Equal(t, 401, buyer.get("/api/user/profile").status)
	back := admin.do("PATCH", "/api/user/admin/"+buyer.id+"/status", map[string]any{"status": "active"})
	require.Equal(t, 200, back.status, back.raw)
	assert.Empty(t, back.field("erasureDue"), "who is let in again is not erased")
	w.as("buyer")
	scheduled := admin.post("/api/admin/users/"+buyer.id+"/erase", map[string]any{})
	assert.Equal(t, 202, scheduled.status, scheduled.raw)
	now := admin.post("/api/admin/users/"+buyer.id+"/erase", map[string]any{"now": true})
	require.Equal(t, 200, now.status, now.raw)
	assert.Equal(t, "true", now.field("erased"))
	assert.Equal(t, 404, admin.do("PATCH", "/api/user/admin/"+buyer.id+"/role", map[string]any{"role": "admin"}).status)
	assert.Equal(t, 404, admin.post("/api/admin/users/11111111-1111-4111-8111-111111111111/erase", map[string]any{"now": true}).status)
	assert.Equal(t, "SELF_CHANGE", admin.post("/api/admin/users/"+admin.id+"/erase", map[string]any{"now": true}).code)
	assert.Equal(t, 403, w.as("buyer2").post("/api/admin/users/"+admin.id+"/erase", map[string]any{"now": true}).status)
}

// TestOwnMoney: balances and statement are of the caller and of nobody else.
func TestOwnMoney(t *testing.T) {
	t.Parallel()
	w := settle(t, nil)
	m := w.marked("money")
	seller := w.as("seller")
	pending := seller.get("/api/user/balances").list()
	require.Len(t, pending, 1)
	assert.Equal(t, "80000000", pending[0]["pending"].(map[string]any)["amount"], "%v", pending)
	assert.Equal(t, "80000000", m.get("/api/users/balances").list()[0]["inEscrow"].(map[string]any)["amount"])
	assert.Empty(t, w.as("seller2").get("/api/user/balances").list())
	m.settle()
	paid := seller.get("/api/user/balances").list()
	assert.Equal(t, "78000000", paid[0]["available"].(map[string]any)["amount"], "less the platform's 2.5 %")
	assert.Equal(t, "0", paid[0]["pending"].(map[string]any)["amount"])
	lines := seller.get("/api/users/statement?asset=" + string(usdc))
	require.Equal(t, 200, lines.status, lines.raw)
	require.NotEmpty(t, lines.list())
	assert.Equal(t, "78000000", lines.list()[len(lines.list())-1]["balance"])
	assert.Empty(t, w.as("seller2").get("/api/user/statement?asset="+string(usdc)).list())
	csv := seller.get("/api/user/statement?format=csv&asset=" + string(usdc))
	assert.True(t, strings.HasPrefix(csv.raw, "n,position,at,side"), csv.raw)
	for _, bad := range []string{"", "?asset=DOGE@1", "?asset=" + string(usdc) + "&account=treasury", "?asset=" + string(usdc) + "&from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z"} {
		assert.Equal(t, 400, seller.get("/api/user/statement"+bad).status, bad)
	}
}

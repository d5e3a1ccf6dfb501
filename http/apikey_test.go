package http_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/records"
	"holdfast/domain"
	"holdfast/domain/apikey"
	apihttp "holdfast/http"
)

const keysPath = "/api/admin/api-keys"

// newKey has an admin make a key and gives a client that speaks with it.
func (w *world) newKey(admin *client, scopes ...apikey.Scope) (id string, holder *client) {
	w.t.Helper()
	a := admin.post(keysPath, map[string]any{"name": "a program", "scopes": scopes})
	require.Equal(w.t, 201, a.status, string(a.raw))
	return a.text("id"), &client{w: w, token: a.text("key")}
}

// keyUses stand for the rows of adapters/records.
type keyUses struct {
	mu   sync.Mutex
	last map[string]time.Time
	told []string
}

func (k *keyUses) Used(_ context.Context, id string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.last == nil {
		k.last = map[string]time.Time{}
	}
	k.last[id] = time.Now()
	return nil
}

func (k *keyUses) LastUsed(context.Context, []string) (map[string]time.Time, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.last, nil
}

func (k *keyUses) Tell(_ context.Context, id string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.told = append(k.told, id)
	return nil
}

// TestKeysOpenTheirScopesAlone asks every route of the table with a key of every scope: those
// of the scope take it, all others are 403, and a key without anything is 401 like any token
// that is not ours.
func TestKeysOpenTheirScopesAlone(t *testing.T) {
	t.Parallel()
	w := setup(t)
	admin := w.as(w.users.named("admin"))
	holders := map[apikey.Scope]*client{}
	for _, scope := range apikey.Scopes() {
		_, holders[scope] = w.newKey(admin, scope)
	}
	_, all := w.newKey(admin, apikey.Scopes()...)
	listed := map[string]bool{}
	w.untouched(func() {
		for _, r := range apihttp.Routes() {
			name := r.Method + " " + r.Path
			listed[name] = true
			if r.Public() {
				continue
			}
			for scope, c := range holders {
				a := c.send(r.Method, concrete(r, r.Path), body(r))
				if r.AdmitsKey([]apikey.Scope{scope}) {
					assert.NotContains(t, []int{401, 403, 405, 500}, a.status, "%s with a key of %s: %s", name, scope, a.raw)
					assert.Contains(t, apihttp.Opens(scope), name)
					continue
				}
				assert.Equal(t, 403, a.status, "%s with a key of %s: %s", name, scope, a.raw)
				assert.Equal(t, "FORBIDDEN", a.code)
			}
			if len(r.Scopes) > 0 {
				assert.NotContains(t, []int{401, 403}, all.send(r.Method, concrete(r, r.Path), body(r)).status, name)
			}
		}
	})
	for _, scope := range apikey.Scopes() {
		for _, name := range apihttp.Opens(scope) {
			assert.True(t, listed[name], "%s is no route", name)
		}
	}
	for _, name := range apihttp.Opens(apikey.Auditor) {
		assert.True(t, strings.HasPrefix(name, "GET "), "an auditor changes nothing: %s", name)
	}
}

func TestKeysAreShownOnceAndKeptAsHashes(t *testing.T) {
	t.Parallel()
	uses := &keyUses{}
	w := setup(t, onPostgres, func(w *world) { w.deps.KeyUses, w.deps.News = uses, uses })
	admin := w.as(w.users.named("admin"))
	made := admin.post(keysPath, map[string]any{"name": "Auditor & Co", "scopes": []string{"auditor"}}, key("once"))
	require.Equal(t, 201, made.status, string(made.raw))
	secret := made.text("key")
	assert.Regexp(t, `^hfk_[0-9a-f]{32}_[A-Za-z0-9_-]{43}$`, secret)
	assert.True(t, strings.HasPrefix(secret, made.text("prefix")))
	again := admin.post(keysPath, map[string]any{"name": "Auditor & Co", "scopes": []string{"auditor"}}, key("once"))
	assert.Equal(t, made.text("id"), again.text("id"))
	assert.Empty(t, again.text("key"), "a repeat shows no secret: none is kept")

	holder := &client{w: w, token: secret}
	assert.Equal(t, 200, holder.get("/api/ledger/trial-balance").status)
	id := made.text("id")
	require.NoError(t, w.deps.Positions.WaitFor(t.Context(), "api_keys", w.events()))
	one := admin.get(keysPath + "/" + id)
	require.Equal(t, 200, one.status, string(one.raw))
	assert.NotEmpty(t, one.text("lastUsedAt"))
	assert.Equal(t, string(admin.id), one.text("createdBy"))
	list := admin.get(keysPath)
	for what, raw := range map[string][]byte{"one": one.raw, "list": list.raw, "log": admin.get("/api/audit/events?limit=1000").raw} {
		assert.NotContains(t, string(raw), secret[len(secret)-43:], what)
	}
	assert.NotContains(t, string(list.raw), "hash")
	assert.Equal(t, 404, admin.get(keysPath+"/"+nobody).status)
	assert.Equal(t, 404, admin.send("DELETE", keysPath+"/"+nobody, `{"reason":"because"}`).status)

	w.untouched(func() {
		for _, bad := range []struct {
			body any
			code string
		}{
			{map[string]any{"name": "x", "scopes": []string{}}, "VALIDATION_FAILED"},
			{map[string]any{"name": "x", "scopes": []string{"admin"}}, "UNKNOWN_SCOPE"},
			{map[string]any{"name": "", "scopes": []string{"auditor"}}, "VALIDATION_FAILED"},
			{map[string]any{"name": "x", "scopes": []string{"auditor"}, "expiresAt": "2001-01-01T00:00:00Z"}, "INVALID_EXPIRY"},
			{map[string]any{"name": "x", "scopes": []string{"auditor"}, "expiresAt": "2999-01-01T00:00:00Z"}, "INVALID_EXPIRY"},
			{map[string]any{"name": "x", "scopes": []string{"auditor"}, "hash": "x"}, "UNKNOWN_FIELD"},
		} {
			a := admin.post(keysPath, bad.body)
			assert.Equal(t, 400, a.status, string(a.raw))
			assert.Equal(t, bad.code, a.code, string(a.raw))
		}
	})
}

func TestKeysThatAreNot(t *testing.T) {
	t.Parallel()
	w := setup(t)
	admin := w.as(w.users.named("admin"))
	_, holder := w.newKey(admin, apikey.Auditor)
	_, other := w.newKey(admin, apikey.Reconciler)
	w.untouched(func() {
		for name, token := range map[string]string{
			"cut":                 holder.token[:len(holder.token)-1],
			"one letter":          holder.token[:len(holder.token)-1] + "~",
			"another's secret":    holder.token[:37] + other.token[37:],
			"nobody's":            apikey.TokenOf(nobody, holder.token[37:]),
			"upper case":          strings.ToUpper(holder.token),
			"the prefix":          "hfk_",
			"ten thousand":        "hfk_" + strings.Repeat("a", 10_000),
			"the secret as a JWT": "hfk_a.b.c",
		} {
			a := (&client{w: w, token: token}).get("/api/ledger/trial-balance")
			assert.Equal(t, 401, a.status, name)
			assert.Equal(t, "INVALID_TOKEN", a.code, name)
		}
		assert.Equal(t, 403, holder.get(mePath).status, "a key is nobody")
		assert.Equal(t, 403, holder.get(keysPath).status, "a key makes no keys")
		cookie := w.anybody().get("/api/ledger/trial-balance", header("Cookie", "__Host-hf_access="+holder.token))
		assert.Equal(t, 401, cookie.status, "a key is no session")
	})
}

// TestKeysAreRevokedAtOnce: also where another instance has just seen the key, and however
// long it would have remembered it.
func TestKeysAreRevokedAtOnce(t *testing.T) {
	t.Parallel()
	w := setup(t, func(w *world) { w.config.SessionFresh = time.Hour })
	other := w.beside(nil)
	tell := tells(func(id string) { other.server.Heard("api_key:" + id) })
	w = w.beside(nil, func(d *apihttp.Deps) { d.News = tell })
	admin := w.as(w.users.named("admin"))
	path := "/api/ledger/trial-balance"
	id, here := w.newKey(admin, apikey.Auditor)
	there := &client{w: other, token: here.token}
	require.Equal(t, 200, here.get(path).status)
	require.Equal(t, 200, there.get(path).status)

	rotated := admin.post(keysPath+"/"+id+"/rotate", map[string]any{"overlapMinutes": 10})
	require.Equal(t, 200, rotated.status, string(rotated.raw))
	newer := &client{w: other, token: rotated.text("key")}
	assert.Equal(t, 200, newer.get(path).status)
	assert.Equal(t, 200, there.get(path).status, "the old secret during the overlap")
	assert.Equal(t, 400, admin.post(keysPath+"/"+id+"/rotate", map[string]any{"overlapMinutes": 10081}).status)
	require.Equal(t, 200, admin.post(keysPath+"/"+id+"/rotate", map[string]any{}).status)
	assert.Equal(t, 401, there.get(path).status)
	assert.Equal(t, 401, newer.get(path).status, "without an overlap the old one ends at once")

	id, here = w.newKey(admin, apikey.Auditor, apikey.Reconciler)
	there = &client{w: other, token: here.token}
	require.Equal(t, 200, there.get(path).status)
	amended := admin.send(http.MethodPatch, keysPath+"/"+id, `{"scopes":["ingestion"],"name":"less"}`)
	require.Equal(t, 200, amended.status, string(amended.raw))
	assert.Equal(t, 403, there.get(path).status, "what it opens has changed")
	assert.Equal(t, 400, admin.send(http.MethodPatch, keysPath+"/"+id, `{}`).status)
	assert.Equal(t, 200, admin.send(http.MethodDelete, keysPath+"/"+id, `{"reason":"it leaked"}`).status)
	assert.Equal(t, 401, here.get(path).status)
	assert.Equal(t, 401, there.get(path).status)
	assert.Equal(t, "API_KEY_REVOKED", admin.post(keysPath+"/"+id+"/rotate", map[string]any{}).code)
	assert.Equal(t, "API_KEY_REVOKED", admin.send(http.MethodPatch, keysPath+"/"+id, `{"name":"again"}`).code)

	soon := time.Now().Add(300 * time.Millisecond).UTC().Format(time.RFC3339Nano)
	short := admin.post(keysPath, map[string]any{"name": "short", "scopes": []string{"auditor"}, "expiresAt": soon})
	require.Equal(t, 201, short.status, string(short.raw))
	ends := &client{w: w, token: short.text("key")}
	require.Eventually(t, func() bool { return ends.get(path).code == "INVALID_TOKEN" }, 10*time.Second, 10*time.Millisecond)
}

type tells func(string)

func (f tells) Tell(_ context.Context, id string) error { f(id); return nil }

// asking is a comparer that remembers who asked.
type asking struct {
	comparer
	by domain.Actor
}

func (a *asking) Start(ctx context.Context, by domain.Actor) (string, error) {
	a.by = by
	return a.comparer.Start(ctx, by)
}

func TestReconcilersActInTheirOwnName(t *testing.T) {
	t.Parallel()
	asked := &asking{}
	w := setup(t, func(w *world) { w.deps.Reconciler = asked })
	admin := w.as(w.users.named("admin"))
	id, holder := w.newKey(admin, apikey.Reconciler)
	a := holder.post("/api/admin/reconciliation/runs", map[string]any{})
	require.Equal(t, 202, a.status, string(a.raw))
	assert.Equal(t, "api_key", asked.by.Kind)
	assert.Equal(t, id, asked.by.ID)
}

// TestUsesAreWrittenOnceAMinute holds the rows to their promise.
func TestUsesAreWrittenOnceAMinute(t *testing.T) {
	t.Parallel()
	w := setup(t, onLog)
	uses := records.New(w.pool, 1).KeyUses
	require.NoError(t, uses.Used(t.Context(), nobody))
	first, err := uses.LastUsed(t.Context(), []string{nobody})
	require.NoError(t, err)
	require.Len(t, first, 1)
	require.NoError(t, uses.Used(t.Context(), nobody))
	second, err := uses.LastUsed(t.Context(), []string{nobody})
	require.NoError(t, err)
	assert.Equal(t, first, second)
	_, err = w.pool.Exec(t.Context(), `UPDATE api_key_uses SET last_used_at = last_used_at - interval '2 minutes'`)
	require.NoError(t, err)
	require.NoError(t, uses.Used(t.Context(), nobody))
	third, err := uses.LastUsed(t.Context(), []string{nobody})
	require.NoError(t, err)
	assert.True(t, third[nobody].After(first[nobody]))
}

package wire

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func refreshOf(a said) fields { return fields{"refreshToken": a.text("refreshToken")} }

// faults.md, row 32.
func TestTokensAreGoodForOneThing(t *testing.T) {
	t.Parallel()
	w := withAccounts(t)
	in := w.person("ann@example.org")
	assert.Equal(t, "WRONG_TOKEN_TYPE", w.me(in.text("refreshToken")))
	w.refused(401, "WRONG_TOKEN_TYPE", "refresh", fields{"refreshToken": in.text("accessToken")})
	w.done("forgot-password", fields{"email": "ann@example.org"})
	code := w.code("reset-password", "ann@example.org")
	assert.Equal(t, "INVALID_TOKEN", w.me(code))
	w.refused(401, "INVALID_TOKEN", "refresh", fields{"refreshToken": code})
	w.refused(422, "CODE_INVALID", "verify-email", fields{"email": "ann@example.org", "code": code})
	assert.Empty(t, w.me(in.text("accessToken")))
}

// faults.md, rows 44 and 46, and the cases of data/auth.json.
func TestARefreshTokenIsTradedOnce(t *testing.T) {
	t.Parallel()
	w := withAccounts(t)
	one := w.person("ann@example.org")
	other := w.login("ann@example.org", annsPassword)
	second := w.done("refresh", refreshOf(one))
	third := w.done("refresh-token", refreshOf(second))
	assert.Empty(t, w.me(third.text("accessToken")))

	before := w.events()
	again := w.post("refresh", refreshOf(one))
	assert.Equal(t, 401, again.status)
	assert.Equal(t, "REFRESH_REUSED", again.code, again.raw)
	assert.Equal(t, before+1, w.events(), "one event says that the family was revoked")
	assert.Contains(t, w.last("user.sessions_revoked"), `"cause":"reuse"`)
	w.refused(401, "INVALID_TOKEN", "refresh", refreshOf(third))
	w.refused(401, "INVALID_TOKEN", "refresh", refreshOf(one))
	assert.Equal(t, "SESSION_REVOKED", w.me(third.text("accessToken")), "at once")
	assert.Empty(t, w.me(other.text("accessToken")), "the other family lives")
	other = w.done("refresh", refreshOf(other))

	for _, forged := range []string{"hfr_" + strings.Repeat("a", 43), "hfr_", other.text("refreshToken") + "x", "x"} {
		w.refused(401, "INVALID_TOKEN", "refresh", fields{"refreshToken": forged})
	}
	w.sql(`UPDATE sessions SET expires_at = clock_timestamp() - interval '1 second' WHERE revoked_at IS NULL`)
	w.refused(401, "REFRESH_INVALID", "refresh", refreshOf(other))
}

// An answer may be lost: the same attempt, named by its key, gets an equivalent pair for a while.
func TestALostAnswerIsGivenAgain(t *testing.T) {
	t.Parallel()
	w := withAccounts(t)
	in, attempt := w.person("ann@example.org"), with("Idempotency-Key", "attempt-1")
	lost := w.done("refresh", refreshOf(in), attempt)
	got := w.done("refresh", refreshOf(in), attempt)
	assert.NotEqual(t, lost.text("refreshToken"), got.text("refreshToken"))
	assert.Empty(t, w.me(got.text("accessToken")))
	next := w.done("refresh", refreshOf(got))
	// What followed was used, so nothing was lost: now it is reuse, and so is the sibling.
	assert.Equal(t, "REFRESH_REUSED", w.post("refresh", refreshOf(in), attempt).code)
	assert.Equal(t, "SESSION_REVOKED", w.me(next.text("accessToken")))

	in = w.login("ann@example.org", annsPassword)
	w.done("refresh", refreshOf(in), attempt)
	w.sql(`UPDATE refresh_tokens SET used_at = used_at - interval '1 minute'`)
	assert.Equal(t, "REFRESH_REUSED", w.post("refresh", refreshOf(in), attempt).code, "not for ever")
	in = w.login("ann@example.org", annsPassword)
	w.done("refresh", refreshOf(in), attempt)
	assert.Equal(t, "REFRESH_REUSED", w.post("refresh", refreshOf(in), with("Idempotency-Key", "attempt-2")).code, "not to another")
	var stored int
	require.NoError(t, w.HTTP.QueryRow(t.Context(), `SELECT count(*) FROM commands WHERE outcome::text LIKE '%oken%'`).Scan(&stored))
	assert.Zero(t, stored, "no answer with tokens is remembered")
}

func TestOneOfManyRefreshesAtOnceWins(t *testing.T) {
	t.Parallel()
	w := withAccounts(t)
	in := w.person("ann@example.org")
	var wg sync.WaitGroup
	answers := make([]said, 8)
	for i := range answers {
		wg.Go(func() { answers[i] = w.post("refresh", refreshOf(in)) })
	}
	wg.Wait()
	good := 0
	for _, a := range answers {
		if a.status == 200 {
			good++
			continue
		}
		assert.Contains(t, []string{"CONCURRENT_UPDATE", "REFRESH_REUSED", "INVALID_TOKEN"}, a.code, a.raw)
	}
	assert.Equal(t, 1, good)
}

func TestSessionsEndWhereTheyAreTold(t *testing.T) {
	t.Parallel()
	w := withAccounts(t)
	w.person("ann@example.org")
	phone := w.login("ann@example.org", annsPassword, with("User-Agent", "Phone/1"))
	desk := w.login("ann@example.org", annsPassword, with("User-Agent", "Desk/1"))
	assert.Len(t, w.mails.to("ann@example.org"), 3, "a code, and two devices that were not known")
	w.login("ann@example.org", annsPassword, with("User-Agent", "Desk/1"))
	assert.Len(t, w.mails.to("ann@example.org"), 3)
	stranger := w.person("bob@example.org")

	var list struct{ Data []map[string]any }
	require.NoError(t, json.Unmarshal([]byte(w.call(http.MethodGet, "/api/auth/sessions", nil, bearer(desk.text("accessToken"))).raw), &list))
	require.Len(t, list.Data, 4)
	var phoneID string
	current := 0
	for _, s := range list.Data {
		assert.Equal(t, "password", s["method"])
		assert.Equal(t, "127.0.0.1", s["address"])
		if s["current"] == true {
			current++
			assert.Equal(t, "Desk/1", s["userAgent"])
		}
		if s["userAgent"] == "Phone/1" {
			phoneID, _ = s["id"].(string)
		}
	}
	assert.Equal(t, 1, current)
	require.NotEmpty(t, phoneID)
	end := func(id string, by said) said {
		return w.call(http.MethodDelete, "/api/auth/sessions/"+id, nil, bearer(by.text("accessToken")))
	}
	assert.Equal(t, 404, end(phoneID, stranger).status, "another's session is not there")
	assert.Empty(t, w.me(phone.text("accessToken")))
	assert.Equal(t, 200, end(phoneID, desk).status)
	assert.Equal(t, 404, end(phoneID, desk).status)
	assert.Equal(t, "SESSION_REVOKED", w.me(phone.text("accessToken")))

	// Signing out ends the session that asks; a refresh token of theirs ends its own too, but no stranger's.
	tablet := w.login("ann@example.org", annsPassword)
	both := refreshOf(tablet)
	w.done("logout", refreshOf(stranger), bearer(desk.text("accessToken")))
	assert.Equal(t, "SESSION_REVOKED", w.me(desk.text("accessToken")))
	w.refused(401, "INVALID_TOKEN", "refresh", refreshOf(desk))
	assert.Empty(t, w.me(stranger.text("accessToken")))
	last := w.login("ann@example.org", annsPassword)
	w.done("logout", both, bearer(last.text("accessToken")))
	assert.Equal(t, "SESSION_REVOKED", w.me(tablet.text("accessToken")))

	a, b := w.login("ann@example.org", annsPassword), w.login("ann@example.org", annsPassword)
	w.done("logout-all", nil, bearer(a.text("accessToken")))
	assert.Contains(t, w.last("user.sessions_revoked"), `"cause":"logout_all"`)
	for _, s := range []said{a, b} {
		assert.Equal(t, "SESSION_REVOKED", w.me(s.text("accessToken")))
		w.refused(401, "INVALID_TOKEN", "refresh", refreshOf(s))
	}
	assert.Empty(t, w.me(stranger.text("accessToken")))
}

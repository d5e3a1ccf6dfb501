package wire

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	apihttp "holdfast/http"
)

// faults.md, rows 47 and 49.
func TestAPasswordIsResetByMailOnly(t *testing.T) {
	t.Parallel()
	w := withAccounts(t)
	const email = "ann@example.org"
	in := w.person(email)
	known := w.post("forgot-password", fields{"email": email}, func(r *http.Request) { r.Host = "evil.example" }, with("X-Forwarded-Host", "evil.example"))
	sent := len(w.mails.sent)
	unknown := w.post("forgot-password", fields{"email": "nobody@example.org"})
	assert.Equal(t, 202, known.status)
	assert.Equal(t, 202, unknown.status)
	assert.Equal(t, known.raw, unknown.raw)
	assert.Len(t, w.mails.sent, sent, "no mail to nobody")

	mails := w.mails.to(email)
	mail := mails[len(mails)-1]
	link, err := url.Parse(mail.Vars["link"])
	require.NoError(t, err)
	assert.Equal(t, "front.example", link.Host, "the frontend as it is configured")
	assert.Empty(t, link.RawQuery, "no secret where servers and proxies would log it")
	assert.Contains(t, link.Fragment, "code="+mail.Vars["code"])

	reset := func(email, code, password string) fields {
		return fields{"email": email, "code": code, "newPassword": password}
	}
	code := mail.Vars["code"]
	const fresh = "another horse battery"
	w.refused(400, "WEAK_PASSWORD", "reset-password", reset(email, code, "1234567"))
	w.refused(422, "CODE_INVALID", "reset-password", reset("nobody@example.org", code, fresh))
	w.refused(422, "CODE_INVALID", "reset-password", reset(email, wrongCode(code), fresh))
	w.done("reset-with-code", reset(email, code, fresh))
	assert.Contains(t, w.last("user.password_changed"), `"how":"reset"`)
	assert.Equal(t, "SESSION_REVOKED", w.me(in.text("accessToken")), "every session has ended")
	w.refused(401, "INVALID_TOKEN", "refresh", refreshOf(in))
	w.refused(422, "CODE_INVALID", "reset-password", reset(email, code, "a third horse battery"))
	w.refused(401, "INVALID_CREDENTIALS", "login", fields{"email": email, "password": annsPassword})
	w.login(email, fresh)
	mails = w.mails.to(email)
	assert.Equal(t, "password-changed", mails[len(mails)-1].Template)
}

// behindAProxy believes the test what network address a request comes from.
func behindAProxy(c *apihttp.Config, _ *apihttp.Deps) { c.Proxies = []string{"127.0.0.0/8", "::1/128"} }

func from(address string) change { return with("X-Forwarded-For", address) }

// A stranger who asks for an owner's codes and guesses at them uses up what one network address has, and
// leaves the owner some; no day has more than its codes and its tries.
func TestAStrangerLeavesTheOwnerCodesAndTries(t *testing.T) {
	t.Parallel()
	w := withAccounts(t, behindAProxy)
	const email, stranger, owner = "ann@example.org", "198.51.100.7", "203.0.113.9"
	w.person(email)
	sent := func() (n int) {
		for _, letter := range w.mails.to(email) {
			if letter.Template == "reset-password" {
				n++
			}
		}
		return n
	}
	ask := func(who string) {
		assert.Equal(t, 202, w.post("forgot-password", fields{"email": email}, from(who)).status)
	}
	for range 6 {
		ask(stranger)
	}
	assert.Equal(t, 3, sent(), "an address has three an hour")
	ask(owner)
	assert.Equal(t, 4, sent(), "the owner gets one all the same")
	code := w.code("reset-password", email)
	reset := func(code, who string) said {
		return w.post("reset-password", fields{"email": email, "code": code, "newPassword": "another horse battery"}, from(who))
	}
	for range 20 {
		assert.Equal(t, "CODE_INVALID", reset(wrongCode(code), stranger).code)
		w.sql(`UPDATE account_codes SET tries = 0`) // as a new code does
	}
	assert.Equal(t, "CODE_INVALID", reset(code, stranger).code, "the stranger has had the tries of a day")
	assert.Equal(t, 200, reset(code, owner).status, "which are not all there are")

	// By the day.
	hour := func() {
		w.sql(`UPDATE account_codes SET window_began = clock_timestamp() - interval '61 minutes'`)
		w.sql(`UPDATE account_code_askers SET hour_began = clock_timestamp() - interval '61 minutes'`)
	}
	before := sent()
	for range 4 {
		hour()
		for range 3 {
			ask(stranger)
		}
	}
	assert.Equal(t, before+3, sent(), "an address has six a day")
	for n := range 6 {
		hour()
		for range 3 {
			ask(fmt.Sprintf("192.0.2.%d", n))
		}
	}
	assert.Equal(t, 15, sent(), "a person gets fifteen a day")
	for n := range 40 {
		reset(wrongCode(code), fmt.Sprintf("192.0.2.%d", n))
		w.sql(`UPDATE account_codes SET tries = 0`)
	}
	code = w.code("reset-password", email)
	assert.Equal(t, "CODE_INVALID", reset(code, owner).code, "thirty tries a day, whoever tries")
	w.sql(`UPDATE account_codes SET day_began = clock_timestamp() - interval '25 hours'`)
	assert.Equal(t, 200, reset(code, owner).status, "the next day has its own")
	var askers string
	require.NoError(t, w.HTTP.QueryRow(t.Context(), `SELECT string_agg(asker, ' ') FROM account_code_askers`).Scan(&askers))
	assert.NotContains(t, askers, "198.51", "no address is kept")
}

func TestACodeIsUsedOnceAndGuessedFiveTimes(t *testing.T) {
	t.Parallel()
	w := withAccounts(t, behindAProxy)
	const email = "ann@example.org"
	w.person(email)
	asked := 0
	reset := func(code string) fields {
		return fields{"email": email, "code": code, "newPassword": "another horse battery"}
	}
	code := func() string {
		asked++
		w.done("forgot-password", fields{"email": email}, from(fmt.Sprintf("192.0.2.%d", asked)))
		return w.code("reset-password", email)
	}
	// Eight at once: one of them sets the password.
	c := code()
	before := w.events()
	var wg sync.WaitGroup
	answers := make([]said, 4)
	for i := range answers {
		wg.Go(func() { answers[i] = w.post("reset-password", reset(c)) })
	}
	wg.Wait()
	good := 0
	for _, a := range answers {
		if a.status == 200 {
			good++
			continue
		}
		assert.Equal(t, "CODE_INVALID", a.code, a.raw)
	}
	assert.Equal(t, 1, good)
	assert.Equal(t, before+2, w.events(), "the password has changed and the sessions have ended, once")

	c = code()
	for range 5 {
		w.refused(422, "CODE_INVALID", "reset-password", reset(wrongCode(c)))
	}
	w.refused(422, "CODE_INVALID", "reset-password", reset(c))

	c = code()
	w.sql(`UPDATE account_codes SET expires_at = clock_timestamp() - interval '1 second'`)
	w.refused(422, "CODE_EXPIRED", "reset-password", reset(c))

	older, newer := code(), code()
	if older != newer {
		w.refused(422, "CODE_INVALID", "reset-password", reset(older))
	}
	w.done("reset-password", reset(newer))

	// Five an hour: no mailbox is flooded, and the answer is the same.
	sent := len(w.mails.to(email))
	assert.Equal(t, 202, w.post("forgot-password", fields{"email": email}).status)
	assert.Len(t, w.mails.to(email), sent)
	w.sql(`UPDATE account_codes SET window_began = clock_timestamp() - interval '61 minutes'`)
	w.done("forgot-password", fields{"email": email})
	assert.Len(t, w.mails.to(email), sent+1)

	var stored string
	require.NoError(t, w.HTTP.QueryRow(t.Context(), `SELECT hash FROM account_codes WHERE purpose = 'reset-password'`).Scan(&stored))
	assert.NotContains(t, stored, w.code("reset-password", email))
}

func TestAPasswordIsChangedByWhoKnowsIt(t *testing.T) {
	t.Parallel()
	w := withAccounts(t)
	const email, fresh = "ann@example.org", "another horse battery"
	in := w.person(email)
	other := w.login(email, annsPassword)
	me := bearer(in.text("accessToken"))
	body := fields{"currentPassword": annsPassword, "newPassword": fresh}
	w.refused(401, "UNAUTHENTICATED", "change-password", body)
	w.refused(401, "INVALID_CREDENTIALS", "change-password", fields{"currentPassword": "not it at all", "newPassword": fresh}, me)
	w.refused(401, "INVALID_CREDENTIALS", "change-password", fields{"newPassword": fresh}, me)
	w.refused(400, "WEAK_PASSWORD", "change-password", fields{"currentPassword": annsPassword, "newPassword": "password1"}, me)
	key := with("Idempotency-Key", "k1")
	w.done("change-password", body, me, key)
	assert.Equal(t, "true", w.done("change-password", body, me, key).header.Get("Idempotent-Replayed"))
	assert.Empty(t, w.me(in.text("accessToken")), "this session goes on")
	assert.Equal(t, "SESSION_REVOKED", w.me(other.text("accessToken")))
	w.refused(401, "INVALID_TOKEN", "refresh", refreshOf(other))
	w.done("refresh", refreshOf(in))
	w.login(email, fresh)

	// Who has none sets one, after a fresh sign-in.
	w.sql(`UPDATE users SET password_hash = '' WHERE email = $1`, email)
	w.sql(`UPDATE sessions SET created_at = clock_timestamp() - interval '16 minutes'`)
	w.refused(403, "REAUTH_REQUIRED", "change-password", fields{"newPassword": annsPassword}, me)
	w.sql(`UPDATE sessions SET created_at = clock_timestamp()`)
	w.done("change-password", fields{"newPassword": annsPassword}, me)
	assert.Contains(t, w.last("user.password_changed"), `"how":"set"`)
	w.login(email, annsPassword)
}

// faults.md, row 50.
func TestAnAddressIsChangedAfterAFreshSignInAndACode(t *testing.T) {
	t.Parallel()
	w := withAccounts(t)
	in := w.person("ann@example.org")
	w.person("bob@example.org")
	me := bearer(in.text("accessToken"))
	const path, verify = "/api/user/profile/email", "/api/users/profile/email/verify"
	old := func(ago string) {
		w.sql(`UPDATE sessions SET created_at = clock_timestamp() - $1::text::interval`, ago)
	}
	old("16 minutes")
	w.refused(403, "REAUTH_REQUIRED", path, fields{"email": "ann@example.com"}, me)
	renewed := w.done("refresh", refreshOf(in))
	w.refused(403, "REAUTH_REQUIRED", path, fields{"email": "ann@example.com"}, bearer(renewed.text("accessToken")))
	old("1 minute")
	for _, taken := range []string{"bob@example.org", "B.O.B@example.org", "b\u043eb@example.org"} {
		w.refused(409, "EMAIL_IN_USE", path, fields{"email": taken}, me)
	}
	assert.Equal(t, 202, w.post(path, fields{"email": "Ann@example.com"}, me).status)
	assert.Equal(t, "ann@example.org", w.login("ann@example.org", annsPassword).data["user"].(map[string]any)["email"], "nothing changes before the code comes back")
	code := w.code("verify-email", "ann@example.com")
	w.refused(422, "CODE_INVALID", verify, fields{"code": wrongCode(code)}, me)
	w.done("forgot-password", fields{"email": "ann@example.org"})
	left := w.code("reset-password", "ann@example.org")
	w.done(verify, fields{"code": code}, me)
	w.refused(422, "CODE_INVALID", "reset-password", fields{"email": "ann@example.com", "code": left, "newPassword": "another horse battery"})
	assert.NotContains(t, w.last("user.email_changed"), "example")
	mails := w.mails.to("ann@example.org")
	assert.Equal(t, "email-changed", mails[len(mails)-1].Template, "the address before is told")
	w.refused(401, "INVALID_CREDENTIALS", "login", fields{"email": "ann@example.org", "password": annsPassword})
	w.login("ann@example.com", annsPassword)

	// Somebody registers the address that is free now; taken meanwhile, it is refused in the end.
	w.done("register", fields{"email": "ann@example.org", "password": annsPassword, "name": "Another Ann"})
	w.done(path, fields{"email": "carol@example.org"}, me)
	w.done("register", fields{"email": "carol@example.org", "password": annsPassword, "name": "Carol"})
	before := w.events()
	a := w.post(verify, fields{"code": w.carol()}, me)
	assert.Equal(t, 409, a.status)
	assert.Equal(t, "EMAIL_IN_USE", a.code, a.raw)
	assert.Equal(t, before, w.events())
}

// carol finds the code of the change, not that of the registration.
func (w *accountsWorld) carol() string {
	for _, mail := range w.mails.to("carol@example.org") {
		if strings.Contains(mail.Vars["link"], "change-email") {
			return mail.Vars["code"]
		}
	}
	return ""
}

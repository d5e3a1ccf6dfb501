package wire

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/records"
	"holdfast/domain"
	"holdfast/domain/account"
	apihttp "holdfast/http"
)

func TestAPersonRegistersVerifiesAndSignsIn(t *testing.T) {
	t.Parallel()
	w := withAccounts(t)
	const email = "ann.smith@example.org"
	body := fields{"email": "Ann.Smith@Example.org", "password": annsPassword, "name": " Ann ", "role": "seller"}
	a := w.post("register", body, with("Idempotency-Key", "k1"))
	require.Equal(t, 201, a.status, a.raw)
	assert.Equal(t, true, a.data["verificationSent"])
	again := w.post("register", body, with("Idempotency-Key", "k1"))
	assert.Equal(t, "true", again.header.Get("Idempotent-Replayed"), again.raw)
	assert.Equal(t, idOf(a), idOf(again))
	assert.Contains(t, w.last("user.registered"), `"method":"password"`)
	assert.NotContains(t, w.last("user.registered"), "example", "no address in the log as it stands")
	assert.Len(t, w.mails.to(email), 1)

	w.refused(403, "EMAIL_UNVERIFIED", "login", fields{"email": email, "password": annsPassword})
	w.refused(422, "CODE_INVALID", "verify-email", fields{"email": email, "code": wrongCode(w.code("verify-email", email))})
	w.refused(422, "CODE_INVALID", "verify-email", fields{"email": "nobody@example.org", "code": "123456"})
	code := w.code("verify-email", email)
	w.done("resend-verification", fields{"email": email})
	if newer := w.code("verify-email", email); newer != code {
		w.refused(422, "CODE_INVALID", "verify-email", fields{"email": email, "code": code})
		code = newer
	}
	assert.Equal(t, true, w.done("verify-email", fields{"email": email, "code": code}).data["verified"])
	w.refused(422, "CODE_INVALID", "verify-email", fields{"email": email, "code": code})

	in := w.login(strings.ToUpper(email), annsPassword)
	me := w.call(http.MethodGet, "/api/auth/profile", nil, bearer(in.text("accessToken")))
	assert.Equal(t, email, me.text("email"))
	assert.Equal(t, "Ann", me.text("name"))
	assert.Equal(t, true, me.data["emailVerified"])
	assert.Equal(t, []any{"seller"}, me.data["roles"])
	assert.NotContains(t, in.raw+me.raw+a.raw, "argon2id")
	sent := len(w.mails.to(email))
	assert.Equal(t, 202, w.post("resend-verification", fields{"email": email}).status)
	assert.Len(t, w.mails.to(email), sent, "who is verified gets no code")
	w.refused(422, "REFERRAL_UNKNOWN", "register", fields{"email": "bob@example.org", "password": annsPassword, "name": "Bob", "referralCode": "X"})
}

func wrongCode(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}

// faults.md, row 38.
func TestAnAddressIsRegisteredOnceHoweverItIsWritten(t *testing.T) {
	t.Parallel()
	w := withAccounts(t)
	w.done("register", fields{"email": "ann.smith@example.org", "password": annsPassword, "name": "Ann"})
	for _, same := range []string{"ann.smith@example.org", "ANN.Smith@example.org", "annsmith@example.org", "\u0430nn.smith@example.org", "ann.sm\u0456th@example.org"} {
		w.refused(409, "EMAIL_IN_USE", "register", fields{"email": same, "password": annsPassword, "name": "Eve"})
	}
	// Of eight at the same time one wins, and there is one row.
	var wg sync.WaitGroup
	answers := make([]said, 8)
	for i := range answers {
		wg.Go(func() {
			answers[i] = w.post("register", fields{"email": "bob@example.org", "password": annsPassword, "name": "Bob"})
		})
	}
	wg.Wait()
	made := 0
	for _, a := range answers {
		if a.status == 201 {
			made++
			continue
		}
		assert.Equal(t, "EMAIL_IN_USE", a.code, a.raw)
	}
	assert.Equal(t, 1, made)
	var rows, events int
	require.NoError(t, w.HTTP.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM events WHERE type = 'user.registered')`).Scan(&rows, &events))
	assert.Equal(t, 2, rows)
	assert.Equal(t, 2, events)
}

// faults.md, rows 40 and 43.
func TestPasswordsAndAddressesThatAreNone(t *testing.T) {
	t.Parallel()
	w := withAccounts(t)
	register := func(password string) fields {
		return fields{"email": "ann@example.org", "password": password, "name": "Ann"}
	}
	for name, password := range map[string]string{
		"7 characters": "abcdefg", "7 characters of four bytes": strings.Repeat("\U0001F600", 7), "only spaces": strings.Repeat(" ", 12), "common": "iloveyou",
		"common in capitals": "SUNSHINE", "common and digits": "Password2026!", "one letter": strings.Repeat("z", 20), "NUL": "abc\x00defghij",
		"beyond a hash": strings.Repeat("a1b2", 300), "megabytes": strings.Repeat("correct horse ", 700_000), "the address": "ann@example.org",
	} {
		a := w.post("register", register(password))
		assert.Equal(t, 400, a.status, "%s: %.200s", name, a.raw)
		assert.Equal(t, "WEAK_PASSWORD", a.code, "%s: %.200s", name, a.raw)
	}
	assert.Zero(t, w.events())
	for name, email := range map[string]string{
		"an object": `{"$gt":""}`, "an array": `["ann@example.org"]`, "a megabyte": `"` + strings.Repeat("a", 1<<20) + `@example.org"`, "null": "null",
		"a number": "1", "no host": `"ann@"`, "two": `"ann@example.org,eve@example.org"`, "a name with it": `"Ann <ann@example.org>"`, "a line more": `"ann@example.org\nBcc: eve@example.org"`,
	} {
		for path, rest := range map[string]string{"login": `"password":"x"`, "register": `"password":"` + annsPassword + `","name":"Ann"`, "forgot-password": ""} {
			if path != "register" && (name == "a name with it") {
				continue // nobody has it; looking is harmless
			}
			body := `{"email":` + email
			if rest != "" {
				body += "," + rest
			}
			a := w.post(path, body+"}")
			assert.Equal(t, 400, a.status, "%s %s: %.200s", path, name, a.raw)
			assert.Equal(t, "VALIDATION_FAILED", a.code, "%s %s: %.200s", path, name, a.raw)
		}
	}
	assert.Zero(t, w.events())
	assert.Empty(t, w.mails.sent)

	// 73 bytes and more count to the last one.
	long := "correct horse " + strings.Repeat("battery ", 20)
	w.done("register", register(long+"1"))
	w.done("verify-email", fields{"email": "ann@example.org", "code": w.code("verify-email", "ann@example.org")})
	w.refused(401, "INVALID_CREDENTIALS", "login", fields{"email": "ann@example.org", "password": long + "2"})
	w.login("ann@example.org", long+"1")
}

// faults.md, row 41, and the lock-out: it is the same for an address that nobody has.
func TestSigningInTellsNothingAndLocksWithoutLockingOut(t *testing.T) {
	t.Parallel()
	w := withAccounts(t)
	w.person("ann@example.org")
	guess := func(email string) fields { return fields{"email": email, "password": "a wrong password"} }
	for range 5 {
		wrong := w.refused(401, "INVALID_CREDENTIALS", "login", guess("ann@example.org"))
		unknown := w.refused(401, "INVALID_CREDENTIALS", "login", guess("nobody@example.org"))
		assert.Equal(t, wrong.raw, unknown.raw)
	}
	for _, email := range []string{"ann@example.org", "nobody@example.org"} {
		a := w.refused(423, "ACCOUNT_LOCKED", "login", guess(email))
		assert.NotEmpty(t, a.header.Get("Retry-After"))
		assert.Equal(t, 202, w.post("forgot-password", fields{"email": email}).status, "the way out is open")
	}
	w.refused(423, "ACCOUNT_LOCKED", "login", fields{"email": "ann@example.org", "password": annsPassword})
	w.done("reset-password", fields{"email": "ann@example.org", "code": w.code("reset-password", "ann@example.org"), "newPassword": "another horse battery"})
	w.login("ann@example.org", "another horse battery")

	// The lock ends by itself, and the next one is longer.
	for range 5 {
		w.post("login", guess("ann@example.org"))
	}
	w.refused(423, "ACCOUNT_LOCKED", "login", guess("ann@example.org"))
	w.clock.pass(apihttp.LockoutFor(1))
	w.login("ann@example.org", "another horse battery")
}

func TestWhoIsKeptOutAndWhoseRolesChange(t *testing.T) {
	t.Parallel()
	w := withAccounts(t)
	in := w.person("ann@example.org")
	token := in.text("accessToken")
	rows := users{w.records.Users}
	roles := []domain.Capacity{domain.Buyer, domain.Admin}
	ask := func() int { return w.call(http.MethodGet, "/api/ledger/solvency", nil, bearer(token)).status }
	assert.Equal(t, 403, ask())
	w.admin(idOf(in), rows.RolesChanged(idOf(in), roles), func(i domain.Issue) domain.Command {
		return account.ChangeRoles{Issue: i, Roles: roles, Reason: "joins the team"}
	})
	assert.NotEqual(t, 403, ask(), "the fresh role counts, with the old token")
	w.admin(idOf(in), append(rows.StatusChanged(idOf(in), "suspended"), rows.SessionsRevoked(idOf(in), "", "")...), func(i domain.Issue) domain.Command {
		return account.Suspend{Issue: i, Reason: "fraud"}
	})
	assert.Equal(t, "SESSION_REVOKED", w.me(token))
	w.refused(401, "INVALID_TOKEN", "refresh", fields{"refreshToken": in.text("refreshToken")})
	w.refused(403, "ACCOUNT_SUSPENDED", "login", fields{"email": "ann@example.org", "password": annsPassword})
	w.refused(401, "INVALID_CREDENTIALS", "login", fields{"email": "ann@example.org", "password": "a wrong password"})
	sent := len(w.mails.sent)
	assert.Equal(t, 202, w.post("forgot-password", fields{"email": "ann@example.org"}).status)
	assert.Len(t, w.mails.sent, sent)
	w.admin(idOf(in), rows.StatusChanged(idOf(in), "active"), func(i domain.Issue) domain.Command { return account.Reinstate{Issue: i} })
	w.login("ann@example.org", annsPassword)
}

// The old backend's hashes are taken, and replaced by ours the moment the password is at hand.
func TestOldHashesAreReplacedAtSignIn(t *testing.T) {
	t.Parallel()
	w := withAccounts(t)
	in := w.person("ann@example.org")
	const bcrypt = "$2b$04$cQaX26AiV0m3g9MeinuWZeRWcHpJ0jNkytcaBtAqPQy4X5bkyHU36" // of "an old password"
	for _, old := range []string{strings.Replace(bcrypt, "$2b$", "$2a$", 1), bcrypt, strings.Replace(bcrypt, "$2b$", "$2y$", 1)} {
		w.sql(`UPDATE users SET password_hash = $2 WHERE id = $1`, string(idOf(in)), old)
		w.refused(401, "INVALID_CREDENTIALS", "login", fields{"email": "ann@example.org", "password": annsPassword})
		before := w.events()
		w.login("ann@example.org", "an old password")
		assert.Equal(t, before, w.events(), "no event: the password is the same")
		var now string
		require.NoError(t, w.HTTP.QueryRow(t.Context(), `SELECT password_hash FROM users WHERE id = $1`, string(idOf(in))).Scan(&now))
		assert.True(t, strings.HasPrefix(now, "$argon2id$v=19$m=19456,t=2,p=1$"), now)
		w.login("ann@example.org", "an old password")
	}
}

func TestSeededPeopleAreRegisteredOnce(t *testing.T) {
	t.Parallel()
	w := withAccounts(t)
	for range 2 {
		require.NoError(t, w.SeedUsers(t.Context(), w.records, 1337, nil))
	}
	assert.Equal(t, int64(len(records.Seeded())), w.events())
	w.login("buyer@holdfast.test", records.DemoPassword)
	w.refused(409, "EMAIL_IN_USE", "register", fields{"email": "Buyer@holdfast.test", "password": annsPassword, "name": "Eve"})
}

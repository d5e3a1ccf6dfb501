package http_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/records"
	"holdfast/domain"
	apihttp "holdfast/http"
)

// TestNewsEndsWhatIsRemembered: an instance that would remember a login for an hour forgets it
// when it hears that it ended, or that its user changed.
func TestNewsEndsWhatIsRemembered(t *testing.T) {
	t.Parallel()
	w := setup(t, func(w *world) { w.config.SessionFresh = time.Hour })
	other := w.beside(nil)
	u := w.users.named("buyer")
	c := w.as(u)
	there := &client{w: other, token: c.token}
	require.Equal(t, 200, there.get(mePath).status)
	w.users.change(u.ID, func(u *apihttp.User) { u.Roles = []domain.Capacity{domain.Admin} })
	assert.Equal(t, 403, there.get("/api/ledger/solvency").status, "nothing was said")
	other.server.Heard("user:" + string(w.users.named("seller").ID))
	assert.Equal(t, 403, there.get("/api/ledger/solvency").status, "it was about somebody else")
	other.server.Heard("user:" + string(u.ID))
	assert.Equal(t, 200, there.get("/api/ledger/solvency").status, "a new role at once")
	w.users.change(u.ID, func(u *apihttp.User) { u.Status = apihttp.StatusSuspended })
	other.server.Heard("user:" + string(u.ID))
	assert.Equal(t, "SESSION_REVOKED", there.get(mePath).code)
	w.users.change(u.ID, func(u *apihttp.User) { u.Status = apihttp.StatusActive })
	other.server.Heard("") // news may have been missed
	assert.Equal(t, 200, there.get(mePath).status)
	require.Equal(t, 200, c.post("/api/auth/logout", nil).status)
	assert.Equal(t, "SESSION_REVOKED", c.get(mePath).code, "here at once")
	assert.Equal(t, 200, there.get(mePath).status, "there not yet")
	for session := range w.users.everySession() {
		other.server.Heard("session:" + session)
	}
	assert.Equal(t, "SESSION_REVOKED", there.get(mePath).code)
}

// TestTheDatabaseTellsByItself: whoever ends a login or changes a user, the news goes out with
// the commit; looking at a login says nothing.
func TestTheDatabaseTellsByItself(t *testing.T) {
	t.Parallel()
	w := setup(t, onLog)
	ctx := t.Context()
	rows := records.New(w.pool, 1)
	conn, err := pgx.ConnectConfig(ctx, w.pool.Config().ConnConfig)
	require.NoError(t, err)
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, `LISTEN `+records.NewsChannel)
	require.NoError(t, err)
	heard := func() string {
		t.Helper()
		n, err := conn.WaitForNotification(ctx)
		require.NoError(t, err)
		return n.Payload
	}
	exec := func(sql string, args ...any) {
		t.Helper()
		_, err := w.pool.Exec(ctx, sql, args...)
		require.NoError(t, err)
	}
	const user, session = "22222222-2222-4222-8222-222222222222", "33333333-3333-4333-8333-333333333333"
	exec(`INSERT INTO users (id, email, name, roles) VALUES ($1, 'a@b.co', 'a', '{buyer}')`, user)
	exec(`INSERT INTO sessions (id, user_id, expires_at) VALUES ($1, $2, now() + interval '1 day')`, session, user)
	exec(`UPDATE sessions SET last_used_at = clock_timestamp(), expires_at = now() + interval '2 days' WHERE id = $1`, session)
	exec(`UPDATE users SET roles = '{buyer}' WHERE id = $1`, user) // changes nothing
	exec(`UPDATE users SET roles = '{buyer,seller}' WHERE id = $1`, user)
	assert.Equal(t, "user:"+user, heard(), "the first thing that is news")
	exec(`UPDATE sessions SET revoked_at = clock_timestamp() WHERE id = $1`, session)
	assert.Equal(t, "session:"+session, heard())
	require.NoError(t, rows.KeyUses.Tell(ctx, nobody))
	assert.Equal(t, "api_key:"+nobody, heard())
	exec(`DELETE FROM users WHERE id = $1`, user)
	assert.ElementsMatch(t, []string{"session:" + session, "user:" + user}, []string{heard(), heard()})
}

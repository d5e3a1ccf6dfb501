package records_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/records"
	"holdfast/domain"
	"holdfast/eventstore/postgres/pgtest"
)

func TestOldRowsGoAndOthersStay(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	r := records.New(pool, 1)
	require.NoError(t, r.Seed(t.Context(), 1, nil))
	exec := func(sql string, args ...any) {
		t.Helper()
		_, err := pool.Exec(t.Context(), sql, args...)
		require.NoError(t, err)
	}
	left := func(what string) (n int) {
		t.Helper()
		require.NoError(t, pool.QueryRow(t.Context(), `SELECT count(*) FROM `+what).Scan(&n))
		return n
	}
	open := func(u domain.UserID, began, ends, revoked string) records.Opened {
		t.Helper()
		o, err := r.Sessions.Open(t.Context(), records.NewSession{User: u, Method: "password", UserAgent: began, Lives: time.Hour})
		require.NoError(t, err)
		exec(`UPDATE sessions SET created_at = clock_timestamp() - $2::interval, expires_at = clock_timestamp() + $3::interval,
			revoked_at = clock_timestamp() - nullif($4, '')::interval WHERE id = $1`, o.ID, began, ends, revoked)
		return o
	}
	for range 3 {
		open(records.Buyer1, "200 days", "-91 days", "")
	}
	open(records.Buyer1, "150 days", "10 days", "91 days")
	kept := []string{
		open(records.Buyer1, "150 days", "-89 days", "").ID,
		open(records.Buyer1, "150 days", "10 days", "89 days").ID,
		open(records.Seller1, "300 days", "-200 days", "").ID, // their last
	}
	living := open(records.Buyer1, "400 days", "1 hour", "")
	kept = append(kept, living.ID)
	done, err := r.Sessions.Rotate(t.Context(), living.Refresh, nil, time.Hour)
	require.NoError(t, err)
	exec(`UPDATE refresh_tokens SET issued_at = issued_at - interval '400 days', used_at = used_at - interval '400 days' WHERE session_id = $1`, living.ID)

	ages := []string{"25 hours", "23 hours", "-10 minutes"}
	for i, age := range ages {
		purpose := []string{"verify-email", "reset-password", "change-email"}[i]
		_, err := r.AccountCodes.Put(t.Context(), records.NewCode{
			User: records.Buyer1, Purpose: purpose, Hash: "hash", Email: "old@holdfast.test", Lives: time.Minute, Asker: "somebody",
		}, records.CodeLimits{Hour: 5, Day: 5, AskerHour: 5, AskerDay: 5})
		require.NoError(t, err)
		exec(`UPDATE account_code_askers SET day_began = clock_timestamp() - $2::interval WHERE purpose = $1`, purpose, []string{"27 hours", "25 hours", "1 hour"}[i])
		exec(`UPDATE account_codes SET expires_at = clock_timestamp() - $2::interval WHERE purpose = $1`, purpose, age)
		require.NoError(t, r.Challenges.Keep(t.Context(), "test", age, records.Challenge{User: records.Buyer1}, time.Minute))
	}
	for _, age := range ages { // keeping one removes old ones, so they grow old together
		exec(`UPDATE signin_challenges SET expires_at = clock_timestamp() - $2::interval WHERE secret = sha256($1)`, []byte(age), age)
	}
	for i, age := range []string{"1 second", "-1 hour"} {
		exec(`INSERT INTO signin_spent (kind, proof, expires_at) VALUES ('test', sha256($1), clock_timestamp() - $2::interval)`, []byte{byte(i)}, age)
	}
	for _, age := range []string{"401 days", "399 days"} {
		exec(`INSERT INTO api_key_uses (key_id, last_used_at) VALUES ($1, clock_timestamp() - $2::interval)`, uuid.NewString(), age)
	}

	expiry := records.NewExpiry(pool)
	held, err := pool.Begin(t.Context())
	require.NoError(t, err)
	_, err = held.Exec(t.Context(), `SELECT FROM api_key_uses FOR UPDATE`)
	require.NoError(t, err)
	gone, more, err := expiry.Remove(t.Context(), 3)
	require.NoError(t, err)
	assert.True(t, more, "a full batch: others may be left")
	assert.Equal(t, map[string]int64{"sessions": 3, "codes": 1, "askers of codes": 1, "challenges": 1, "spent proofs": 1}, gone, "what somebody holds is left, and nobody waits")
	require.NoError(t, held.Rollback(t.Context()))
	gone, more, err = expiry.Remove(t.Context(), 3)
	require.NoError(t, err)
	assert.False(t, more)
	assert.Equal(t, map[string]int64{"sessions": 1, "uses of keys": 1}, gone)
	gone, _, err = expiry.Remove(t.Context(), 3)
	require.NoError(t, err)
	assert.Empty(t, gone)

	rows, err := pool.Query(t.Context(), `SELECT id::text FROM sessions`)
	require.NoError(t, err)
	var ids []string
	for rows.Next() {
		var id string
		require.NoError(t, rows.Scan(&id))
		ids = append(ids, id)
	}
	require.NoError(t, rows.Err())
	assert.ElementsMatch(t, kept, ids)
	assert.Equal(t, []int{2, 2, 1, 1, 5}, []int{left("account_codes"), left("signin_challenges"), left("signin_spent"), left("api_key_uses"), left("refresh_tokens")})

	again, err := r.Sessions.Rotate(t.Context(), living.Refresh, nil, time.Hour)
	require.NoError(t, err)
	assert.True(t, again.Reused, "a token of a session that lives is known however long ago it was used")
	assert.NotEmpty(t, done.Next)
	opened, err := r.Sessions.Open(t.Context(), records.NewSession{User: records.Seller1, Method: "password", UserAgent: "another", Lives: time.Hour})
	require.NoError(t, err)
	assert.True(t, opened.NewDevice, "after a long time, too, a new device is one")
}

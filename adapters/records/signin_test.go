package records_test

import (
	"encoding/json"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/records"
	"holdfast/eventstore/postgres/pgtest"
)

func TestAChallengeIsTakenOnceAndByItsPurpose(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	r := records.New(pool, 1)
	require.NoError(t, r.Seed(t.Context(), 0, nil))
	keep := func(secret string, lives time.Duration) {
		t.Helper()
		require.NoError(t, r.Challenges.Keep(t.Context(), "login", secret, records.Challenge{User: records.Buyer1, Data: json.RawMessage(`{"n":1}`)}, lives))
	}
	became := func(purpose, secret string) string {
		t.Helper()
		_, b, err := r.Challenges.Take(t.Context(), purpose, secret)
		require.NoError(t, err)
		return b
	}
	keep("a", time.Minute)
	assert.Equal(t, records.ChallengeUnknown, became("registration", "a"))
	assert.Equal(t, records.ChallengeUnknown, became("login", "b"))
	var taken atomic.Int32
	var hands sync.WaitGroup
	for range 8 {
		hands.Go(func() {
			c, b, err := r.Challenges.Take(t.Context(), "login", "a")
			if assert.NoError(t, err) && b == records.ChallengeTaken {
				taken.Add(1)
				assert.Equal(t, records.Buyer1, c.User)
				assert.JSONEq(t, `{"n":1}`, string(c.Data))
			}
		})
	}
	hands.Wait()
	assert.Equal(t, int32(1), taken.Load())
	assert.Equal(t, records.ChallengeUsed, became("login", "a"))
	keep("late", -time.Second)
	assert.Equal(t, records.ChallengeExpired, became("login", "late"))
	_, err := pool.Exec(t.Context(), `UPDATE signin_challenges SET expires_at = clock_timestamp() - interval '2 days'`)
	require.NoError(t, err)
	keep("unanswered", time.Minute)
	_, err = pool.Exec(t.Context(), `UPDATE signin_challenges SET expires_at = clock_timestamp() - interval '1 second' WHERE data <> '{}'`)
	require.NoError(t, err)
	keep("fresh", time.Minute)
	assert.Equal(t, records.ChallengeUnknown, became("login", "a"), "old ones are swept out")
	var clear int
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT count(*) FROM signin_challenges WHERE secret::text LIKE '%fresh%'`).Scan(&clear))
	assert.Zero(t, clear, "the secret itself is not kept")
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT count(*) FROM signin_challenges WHERE data <> '{}'`).Scan(&clear))
	assert.Equal(t, 1, clear, "what was answered or can be no more says nothing: it may name a person")
}

func TestAProofIsSpentOnce(t *testing.T) {
	t.Parallel()
	r := records.New(pgtest.New(t), 1)
	var fresh atomic.Int32
	var hands sync.WaitGroup
	for range 8 {
		hands.Go(func() {
			if ok, err := r.Challenges.Spend(t.Context(), "telegram", []byte("proof"), time.Hour); assert.NoError(t, err) && ok {
				fresh.Add(1)
			}
		})
	}
	hands.Wait()
	assert.Equal(t, int32(1), fresh.Load())
	ok, err := r.Challenges.Spend(t.Context(), "google", []byte("proof"), time.Hour)
	require.NoError(t, err)
	assert.True(t, ok, "another kind")
}

func TestAPersonHasOneHandle(t *testing.T) {
	t.Parallel()
	r := records.New(pgtest.New(t), 1)
	require.NoError(t, r.Seed(t.Context(), 0, nil))
	var mu sync.Mutex
	handles := map[string]bool{}
	var hands sync.WaitGroup
	for range 8 {
		hands.Go(func() {
			h, err := r.Passkeys.Handle(t.Context(), records.Buyer1)
			assert.NoError(t, err)
			mu.Lock()
			defer mu.Unlock()
			handles[string(h)] = true
		})
	}
	hands.Wait()
	assert.Len(t, handles, 1)
	other, err := r.Passkeys.Handle(t.Context(), records.Seller1)
	require.NoError(t, err)
	assert.False(t, handles[string(other)])
}

package records_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/records"
	"holdfast/domain"
	"holdfast/eventstore/postgres/pgtest"
)

func TestSeededPeopleSignInAndStayWhoTheyAre(t *testing.T) {
	t.Parallel()
	r := records.New(pgtest.New(t), 2)
	for range 2 { // seeding is repeatable
		require.NoError(t, r.Seed(t.Context(), 1337, map[string]string{"seller": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"}))
	}
	u, ok, err := r.Users.ByEmail(t.Context(), " Seller@Holdfast.test ")
	require.NoError(t, err)
	require.True(t, ok)
	assert.Equal(t, records.Seller1, u.ID)
	good, err := r.Users.Verify(t.Context(), u.Password, records.DemoPassword)
	require.NoError(t, err)
	assert.True(t, good)
	for phc, pw := range map[string]string{u.Password: "holdfast-demo-2", "": records.DemoPassword} {
		good, err := r.Users.Verify(t.Context(), phc, pw)
		require.NoError(t, err)
		assert.False(t, good, "neither a wrong password nor an unknown person")
	}
	w, ok, err := r.Wallets.Default(t.Context(), u.ID, 1337)
	require.NoError(t, err)
	require.True(t, ok)
	_, ok, err = r.Wallets.OfUser(t.Context(), records.Buyer1, w.ID)
	require.NoError(t, err)
	assert.False(t, ok, "a wallet of somebody else is not there")
}

func TestARefreshTokenWorksOnceAndItsReuseIsSeen(t *testing.T) {
	t.Parallel()
	r := records.New(pgtest.New(t), 2)
	require.NoError(t, r.Seed(t.Context(), 1, nil))
	opened, err := r.Sessions.Open(t.Context(), records.NewSession{User: records.Buyer1, Method: "password", Lives: time.Hour})
	require.NoError(t, err)
	id, first := opened.ID, opened.Refresh
	rotate := func(token, attempt string) records.Rotation {
		t.Helper()
		done, err := r.Sessions.Rotate(t.Context(), token, []byte(attempt), time.Hour)
		require.NoError(t, err)
		assert.Equal(t, id, done.Session.ID)
		assert.Equal(t, records.Buyer1, done.Session.User)
		return done
	}
	second := rotate(first, "attempt")
	again := rotate(first, "attempt")
	assert.NotEqual(t, second.Next, again.Next, "the answer was lost: an equivalent one")
	assert.True(t, rotate(first, "").Reused)
	assert.True(t, rotate(first, "another").Reused, "another client")
	third := rotate(again.Next, "")
	assert.False(t, third.Reused)
	assert.True(t, rotate(first, "attempt").Reused, "what followed was used: nothing was lost")
	_, err = r.Sessions.Rotate(t.Context(), "made up", nil, time.Hour)
	require.ErrorIs(t, err, records.ErrRefreshInvalid)
	require.NoError(t, r.Sessions.Close(t.Context(), id))
	_, err = r.Sessions.Rotate(t.Context(), third.Next, nil, time.Hour)
	require.ErrorIs(t, err, records.ErrRefreshInvalid)
	_, ok, err := r.Sessions.Live(t.Context(), id)
	require.NoError(t, err)
	assert.False(t, ok)
}

func TestAnAgreementRepeatedGetsTheSameAnswer(t *testing.T) {
	t.Parallel()
	approvals := records.New(pgtest.New(t), 1).Approvals
	agree := func(by domain.UserID, at time.Duration) domain.UserID {
		first, err := approvals.Agree(t.Context(), "adjustment", []byte("digest"), by, time.Unix(1_800_000_000, 0).Add(at))
		require.NoError(t, err)
		return first
	}
	const hour = time.Hour
	assert.Empty(t, agree(records.Admin1, 0), "the first person waits")
	assert.Empty(t, agree(records.Admin1, 1*hour), "and cannot be his own second")
	assert.Equal(t, records.Admin1, agree(records.Admin2, 2*hour))
	assert.Equal(t, records.Admin1, agree(records.Admin2, 3*hour), "the answer was lost: again")
	assert.Empty(t, agree(records.Admin1, 4*hour), "the first person's repeat does not carry the operation out under his name")
	assert.Empty(t, agree(records.Admin2, 30*hour), "agreements end after a day; a new one begins")
	assert.Equal(t, records.Admin2, agree(records.Admin1, 31*hour))
}

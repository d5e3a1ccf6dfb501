package records_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/records"
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

func TestARefreshTokenWorksOnceAndItsReuseEndsTheLogin(t *testing.T) {
	t.Parallel()
	r := records.New(pgtest.New(t), 2)
	require.NoError(t, r.Seed(t.Context(), 1, nil))
	id, first, err := r.Sessions.Open(t.Context(), records.Buyer1, time.Hour)
	require.NoError(t, err)
	s, second, err := r.Sessions.Rotate(t.Context(), first, time.Hour)
	require.NoError(t, err)
	assert.Equal(t, id, s.ID)
	_, _, err = r.Sessions.Rotate(t.Context(), "made up", time.Hour)
	require.ErrorIs(t, err, records.ErrRefreshInvalid)
	_, _, err = r.Sessions.Rotate(t.Context(), first, time.Hour)
	require.ErrorIs(t, err, records.ErrRefreshReused)
	_, _, err = r.Sessions.Rotate(t.Context(), second, time.Hour)
	require.Error(t, err, "thief and owner are both out")
	_, ok, err := r.Sessions.Live(t.Context(), id)
	require.NoError(t, err)
	assert.False(t, ok)
}

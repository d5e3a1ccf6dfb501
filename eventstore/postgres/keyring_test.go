package postgres_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/domain"
	"holdfast/eventstore"
	"holdfast/eventstore/postgres"
	"holdfast/eventstore/postgres/pgtest"
)

func TestSubjectKeysAreWrappedAndDestroyedForGood(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	ring := postgres.NewKeyRing(pool, master)
	_, err := ring.SubjectKey(t.Context(), "nobody", false)
	require.Error(t, err)
	key, err := ring.SubjectKey(t.Context(), "u", true)
	require.NoError(t, err)
	require.Len(t, key, 32)
	var wrapped []byte
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT wrapped FROM subject_keys WHERE subject = 'u'`).Scan(&wrapped))
	assert.False(t, bytes.Contains(wrapped, key))

	other := postgres.NewKeyRing(pool, master)
	same, err := other.SubjectKey(t.Context(), "u", true)
	require.NoError(t, err)
	assert.Equal(t, key, same)
	_, err = postgres.NewKeyRing(pool, bytes.Repeat([]byte{8}, 32)).SubjectKey(t.Context(), "u", true)
	require.ErrorContains(t, err, "master key")
	_, err = postgres.NewKeyRing(pool, []byte("short")).SubjectKey(t.Context(), "u", true)
	require.ErrorContains(t, err, "32 bytes")

	// A wrapped key that is moved to another subject does not open.
	exec(t, pool, `INSERT INTO subject_keys (subject, wrapped) SELECT 'thief', wrapped FROM subject_keys WHERE subject = 'u'`)
	_, err = other.SubjectKey(t.Context(), "thief", false)
	require.Error(t, err)

	require.NoError(t, ring.Destroy(t.Context(), "u"))
	require.NoError(t, ring.Destroy(t.Context(), "u"))
	require.NoError(t, ring.Destroy(t.Context(), "never-seen"))
	for _, subject := range []string{"u", "never-seen"} {
		_, err = postgres.NewKeyRing(pool, master).SubjectKey(t.Context(), domain.UserID(subject), true)
		require.ErrorIs(t, err, eventstore.ErrErased)
	}
	_, err = ring.SubjectKey(t.Context(), "u", true)
	require.ErrorIs(t, err, eventstore.ErrErased)
}

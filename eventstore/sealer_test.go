package eventstore_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/eventstore"
	"holdfast/eventstore/memory"
)

func TestSealedRowsOpenInTheirPlaceOnly(t *testing.T) {
	t.Parallel()
	keys := memory.NewKeyRing()
	s := eventstore.NewSealer(keys)
	sealed, err := s.Seal(t.Context(), "ada", "address", []byte("1 Main Street"))
	require.NoError(t, err)
	assert.NotContains(t, string(sealed), "Main")
	again, err := s.Seal(t.Context(), "ada", "address", []byte("1 Main Street"))
	require.NoError(t, err)
	assert.NotEqual(t, sealed, again, "equal texts must not look equal")
	plain, err := s.Open(t.Context(), "ada", "address", sealed)
	require.NoError(t, err)
	assert.Equal(t, "1 Main Street", string(plain))
	_, err = s.Seal(t.Context(), "bob", "address", nil)
	require.NoError(t, err)
	for name, open := range map[string]func() error{
		"another place":  func() error { _, err := s.Open(t.Context(), "ada", "profile", sealed); return err },
		"another person": func() error { _, err := s.Open(t.Context(), "bob", "address", sealed); return err },
		"cut short":      func() error { _, err := s.Open(t.Context(), "ada", "address", sealed[:5]); return err },
		"altered":        func() error { sealed[20] ^= 1; _, err := s.Open(t.Context(), "ada", "address", sealed); return err },
	} {
		require.Error(t, open(), name)
	}
	_, err = s.Seal(t.Context(), "", "address", nil)
	require.Error(t, err)
	require.NoError(t, keys.Destroy(t.Context(), "ada"))
	_, err = s.Open(t.Context(), "ada", "address", again)
	require.ErrorIs(t, err, eventstore.ErrErased)
	_, err = s.Seal(t.Context(), "ada", "address", nil)
	require.ErrorIs(t, err, eventstore.ErrErased)
}

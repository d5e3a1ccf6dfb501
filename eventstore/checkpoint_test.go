package eventstore_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/eventstore"
)

func newSigner(t *testing.T, name string, fill byte) *eventstore.Signer {
	t.Helper()
	s, err := eventstore.NewSigner(name, bytes.Repeat([]byte{fill}, 32))
	require.NoError(t, err)
	return s
}

func TestACheckpointSaysWhatWasSigned(t *testing.T) {
	t.Parallel()
	s := newSigner(t, "holdfast", 1)
	root := bytes.Repeat([]byte{5}, 32)
	signed, err := s.Sign("log-1", 42, root)
	require.NoError(t, err)
	c, err := eventstore.ParseCheckpoint(signed.Note, s.VerifierKey())
	require.NoError(t, err)
	assert.Equal(t, signed, c)
	assert.Equal(t, "log-1", c.LogID())
	assert.True(t, strings.HasPrefix(string(signed.Note), "holdfast/log/log-1\n42\nBQUF"))

	for name, bad := range map[string]struct {
		note []byte
		key  string
	}{
		"another size":    {bytes.Replace(signed.Note, []byte("42"), []byte("43"), 1), s.VerifierKey()},
		"another log":     {bytes.Replace(signed.Note, []byte("log-1"), []byte("log-2"), 1), s.VerifierKey()},
		"another key":     {signed.Note, newSigner(t, "holdfast", 2).VerifierKey()},
		"another name":    {signed.Note, newSigner(t, "mallory", 1).VerifierKey()},
		"no signature":    {bytes.Split(signed.Note, []byte("\n\n"))[0], s.VerifierKey()},
		"nothing":         {nil, s.VerifierKey()},
		"a bad key":       {signed.Note, "holdfast+x"},
		"a negative size": {func() []byte { c, _ := s.Sign("log-1", -1, root); return c.Note }(), s.VerifierKey()},
	} {
		_, err := eventstore.ParseCheckpoint(bad.note, bad.key)
		assert.Error(t, err, name)
	}
}

func TestASignerNeedsAWholeSeed(t *testing.T) {
	t.Parallel()
	_, err := eventstore.NewSigner("holdfast", []byte("short"))
	require.Error(t, err)
	_, err = eventstore.NewSigner("two words", bytes.Repeat([]byte{1}, 32))
	require.Error(t, err)
	assert.Equal(t, newSigner(t, "holdfast", 1).VerifierKey(), newSigner(t, "holdfast", 1).VerifierKey(), "the key follows from the seed")
}

package records_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/records"
)

const hashesArgument = "-hashes-for-test"

// TestMain is also the process of the hashes: it notes in a file who it is.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == hashesArgument {
		os.Exit(serveHashes(os.Args[2]))
	}
	os.Exit(m.Run())
}

func serveHashes(starts string) int {
	f, err := os.OpenFile(starts, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return 2
	}
	fmt.Fprintln(f, os.Getpid())
	_ = f.Close()
	if records.ServeHashes(stdio{}) != nil {
		return 1
	}
	return 0
}

type stdio struct{}

func (stdio) Read(b []byte) (int, error)  { return os.Stdin.Read(b) }
func (stdio) Write(b []byte) (int, error) { return os.Stdout.Write(b) }
func (stdio) Close() error                { return os.Stdout.Close() }

func TestAProcessOfItsOwnHashesAndComesBack(t *testing.T) {
	t.Parallel()
	starts := filepath.Join(t.TempDir(), "starts")
	pids := func() (all []int) {
		b, err := os.ReadFile(starts)
		require.NoError(t, err)
		for line := range strings.FieldsSeq(string(b)) {
			pid, err := strconv.Atoi(line)
			require.NoError(t, err)
			all = append(all, pid)
		}
		return all
	}
	h := records.NewHasherApart(2, 0, os.Args[0], hashesArgument, starts)
	defer h.Close(t.Context())
	check := func() {
		t.Helper()
		stored, err := h.Hash(t.Context(), "correct horse")
		require.NoError(t, err)
		for _, c := range []struct {
			stored, password string
			match            bool
		}{{stored, "correct horse", true}, {stored, "wrong horse", false}, {"", "correct horse", false}} {
			match, err := h.Verify(t.Context(), c.stored, c.password)
			require.NoError(t, err)
			assert.Equal(t, c.match, match, c.password)
		}
		elsewhere, err := records.NewHasher(1, 0).Verify(t.Context(), stored, "correct horse")
		require.NoError(t, err)
		assert.True(t, elsewhere, "one process's hash is another's")
	}
	check()
	require.Len(t, pids(), 1)
	_, err := h.Verify(t.Context(), "rubbish", "correct horse")
	require.ErrorContains(t, err, "not an argon2id string")
	check()
	require.Len(t, pids(), 1, "a refusal is an answer: the process stays")

	require.NoError(t, syscall.Kill(pids()[0], syscall.SIGKILL))
	check() // the first one here, the rest in the new process
	check()
	require.Len(t, pids(), 2)

	require.NoError(t, h.Close(t.Context()))
	assert.ErrorIs(t, syscall.Kill(pids()[1], 0), syscall.ESRCH, "the process ends with its hasher")
	check()
	assert.Len(t, pids(), 2, "a closed one hashes by itself")
}

func TestWithoutItsProcessTheServiceHashes(t *testing.T) {
	t.Parallel()
	for name, command := range map[string][]string{
		"no such binary": {filepath.Join(t.TempDir(), "nothing")},
		"ends at once":   {"false"},
		"talks rubbish":  {"echo", "rubbish"},
		"none":           nil,
	} {
		h := records.NewHasherApart(1, 0, command...)
		stored, err := h.Hash(t.Context(), "correct horse")
		require.NoError(t, err, name)
		match, err := h.Verify(t.Context(), stored, "correct horse")
		require.NoError(t, err, name)
		assert.True(t, match, name)
		assert.NoError(t, h.Close(t.Context()), name)
	}
}

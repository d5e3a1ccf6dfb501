package records_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"

	"holdfast/adapters/records"
)

// argonString is what another program stores at its own cost.
func argonString(password string, memory, time uint32, threads uint8) string {
	salt := []byte("0123456789abcdef")
	enc := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", memory, time, threads, enc(salt), enc(argon2.IDKey([]byte(password), salt, time, memory, threads, 32)))
}

func TestHashesOfOtherProgramsAreTakenAndStale(t *testing.T) {
	t.Parallel()
	h := records.NewHasher(1, 0)
	const password = "correct horse battery"
	old, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	require.NoError(t, err)
	now, err := h.Hash(t.Context(), password)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		stored string
		stale  bool
	}{
		"today's":        {now, false},
		"another memory": {argonString(password, 7168, 5, 1), true},
		"more threads":   {argonString(password, 19456, 2, 2), true},
		"bcrypt 2a":      {string(old), true},
		"bcrypt 2b":      {"$2b$" + strings.TrimPrefix(string(old), "$2a$"), true},
		"bcrypt 2y":      {"$2y$" + strings.TrimPrefix(string(old), "$2a$"), true},
	} {
		good, err := h.Verify(t.Context(), c.stored, password)
		require.NoError(t, err, name)
		assert.True(t, good, name)
		good, err = h.Verify(t.Context(), c.stored, password+" ")
		require.NoError(t, err, name)
		assert.False(t, good, name)
		assert.Equal(t, c.stale, h.Stale(c.stored), name)
	}
	for name, stored := range map[string]string{
		"an empty one": "", "garbage": "x", "plain text": password, "argon2i": strings.Replace(now, "argon2id", "argon2i", 1),
		"a gigabyte": strings.Replace(now, "m=19456", "m=1048576", 1), "for ever": strings.Replace(now, "t=2", "t=4000000000", 1),
		"no key": now[:strings.LastIndex(now, "$")+1], "a bcrypt of years": "$2a$31$" + strings.Repeat("a", 53),
	} {
		good, err := h.Verify(t.Context(), stored, password)
		assert.False(t, good, name)
		assert.Equal(t, stored == "", err == nil, "%s: only the empty one is compared with a dummy: %v", name, err)
		assert.True(t, h.Stale(stored), name)
	}
}

// An old hash knew 72 bytes; the one that takes its place knows all of them.
func TestTheOldCutAt72BytesEndsWithTheNextLogin(t *testing.T) {
	t.Parallel()
	h := records.NewHasher(1, 0)
	long := strings.Repeat("a", 80)
	old, err := bcrypt.GenerateFromPassword([]byte(long[:72]), bcrypt.MinCost)
	require.NoError(t, err)
	good, err := h.Verify(t.Context(), string(old), long)
	require.NoError(t, err)
	assert.True(t, good)
	now, err := h.Hash(t.Context(), long)
	require.NoError(t, err)
	good, err = h.Verify(t.Context(), now, long[:72])
	require.NoError(t, err)
	assert.False(t, good)
}

func TestAWaveOfHashesQueuesAndTheRestIsTurnedAway(t *testing.T) {
	t.Parallel()
	h := records.NewHasher(1, 4)
	var wg sync.WaitGroup
	var done, away atomic.Int64
	for range 40 {
		wg.Go(func() {
			_, err := h.Verify(t.Context(), "", "x")
			if err == nil {
				done.Add(1)
				return
			}
			assert.ErrorIs(t, err, records.ErrBusy)
			away.Add(1)
		})
	}
	wg.Wait()
	assert.Equal(t, int64(40), done.Load()+away.Load())
	assert.GreaterOrEqual(t, done.Load(), int64(5), "one in the slot and four who waited")
	assert.Positive(t, away.Load())
}

package localredis_test

import (
	"errors"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"holdfast/adapters/localredis"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTheEmbeddedServerExpiresKeys(t *testing.T) {
	t.Parallel()
	r, err := localredis.Open("", "")
	require.NoError(t, err)
	defer func() { assert.NoError(t, r.Close()) }()
	assert.True(t, r.Embedded)
	require.NoError(t, r.Set(t.Context(), "k", "v", 300*time.Millisecond).Err())
	assert.Equal(t, "v", r.Get(t.Context(), "k").Val())
	require.Eventually(t, func() bool { return errors.Is(r.Get(t.Context(), "k").Err(), redis.Nil) }, 10*time.Second, 10*time.Millisecond)
	assert.NoError(t, r.Eval(t.Context(), "return redis.call('INCR', KEYS[1])", []string{"n"}).Err(), "rate limits count in scripts")
}

func TestARealServerByURI(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	server.RequireAuth("right")
	r, err := localredis.Open("redis://:wrong@"+server.Addr(), "right")
	require.NoError(t, err)
	defer func() { assert.NoError(t, r.Close()) }()
	assert.False(t, r.Embedded)
	assert.NoError(t, r.Ping(t.Context()).Err())

	_, err = localredis.Open("http://user:secret@host", "")
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "secret")
	gone, err := localredis.Open("redis://127.0.0.1:1", "")
	require.NoError(t, err, "a Redis that is down must not keep the service from starting")
	defer func() { assert.NoError(t, gone.Close()) }()
	assert.Error(t, gone.Ping(t.Context()).Err())
}

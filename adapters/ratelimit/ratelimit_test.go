package ratelimit_test

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"holdfast/adapters/ratelimit"
)

var (
	ten  = ratelimit.Budget{Class: "auth", Limit: 10, Window: 15 * time.Minute}
	many = ratelimit.Budget{Class: "global", Limit: 100, Window: 15 * time.Minute}
)

var policy = ratelimit.Policy{Failures: 5, Window: 15 * time.Minute, First: 15 * time.Minute, Most: 24 * time.Hour}

// clock is the limiter's; Redis has its own, which turn moves along.
type clock struct {
	at     atomic.Int64
	server *miniredis.Miniredis
}

func (c *clock) now() time.Time { return time.Unix(1_800_000_000, c.at.Load()) }

func (c *clock) turn(d time.Duration) {
	c.at.Add(int64(d))
	if c.server != nil {
		c.server.FastForward(d)
	}
}

func started(t *testing.T) (*clock, *miniredis.Miniredis, *redis.Client) {
	t.Helper()
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = client.Close() })
	return &clock{server: server}, server, client
}

func options(c *clock) ratelimit.Options {
	return ratelimit.Options{Key: []byte("k"), Now: c.now, Patience: 2 * time.Second}
}

func spend(t *testing.T, l *ratelimit.Limiter, name string, n int) (allowed int) {
	t.Helper()
	for range n {
		if l.Spend(t.Context(), name, many, ten)[1].OK {
			allowed++
		}
	}
	return allowed
}

func TestTwoInstancesShareOneCount(t *testing.T) {
	t.Parallel()
	c, server, client := started(t)
	one, two := ratelimit.New(client, options(c)), ratelimit.New(client, options(c))
	assert.Equal(t, 6, spend(t, one, "user:a", 6))
	assert.Equal(t, 4, spend(t, two, "user:a", 6), "four of ten are left")
	assert.Equal(t, 10, spend(t, two, "user:b", 12), "somebody else has a budget of his own")
	after := ratelimit.New(client, options(c))
	s := after.Spend(t.Context(), "user:a", many, ten)
	assert.False(t, s[1].OK, "a restart changes nothing")
	assert.Equal(t, 100-13, s[0].Left)
	assert.Equal(t, 15*time.Minute, s[1].Resets)
	for _, key := range server.Keys() {
		assert.NotContains(t, key, "user", "names are kept as MACs")
	}
	c.turn(15 * time.Minute)
	assert.Equal(t, 10, spend(t, one, "user:a", 12), "a new window")
}

// TestOnARealServer is the first test on the server that operators run, where there is one.
func TestOnARealServer(t *testing.T) {
	t.Parallel()
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("no redis-server here")
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := l.Addr().(*net.TCPAddr).Port
	require.NoError(t, l.Close())
	server := exec.CommandContext(t.Context(), binary, "--port", strconv.Itoa(port), "--save", "", "--appendonly", "no", "--dir", t.TempDir())
	require.NoError(t, server.Start())
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + strconv.Itoa(port), ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = client.Close() })
	require.Eventually(t, func() bool { return client.Ping(t.Context()).Err() == nil }, 20*time.Second, 20*time.Millisecond)

	short := ratelimit.Budget{Class: "short", Limit: 5, Window: 300 * time.Millisecond}
	o := ratelimit.Options{Key: []byte("k"), Patience: 5 * time.Second}
	one, two := ratelimit.New(client, o), ratelimit.New(client, o)
	var allowed atomic.Int64
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			if []*ratelimit.Limiter{one, two}[i%2].Spend(t.Context(), "user:a", ten)[0].OK {
				allowed.Add(1)
			}
		})
	}
	all.Wait()
	assert.EqualValues(t, 10, allowed.Load(), "forty at once through two instances")
	older := time.After(1200 * time.Millisecond)
	<-older
	require.NoError(t, client.FlushAll(t.Context()).Err())
	assert.False(t, one.Spend(t.Context(), "user:a", ten)[0].OK, "emptied: this process remembers")
	for range 5 {
		assert.True(t, one.Spend(t.Context(), "user:b", short)[0].OK)
	}
	assert.False(t, one.Spend(t.Context(), "user:b", short)[0].OK)
	require.Eventually(t, func() bool { return two.Spend(t.Context(), "user:b", short)[0].OK }, 10*time.Second, 20*time.Millisecond, "windows end")

	p := ratelimit.Policy{Failures: 2, Window: time.Hour, First: time.Hour, Most: time.Hour}
	here, there := ratelimit.NewLockouts(client, p, o), ratelimit.NewLockouts(client, p, o)
	here.Failed(t.Context(), "x")
	there.Failed(t.Context(), "x")
	_, locked := here.Locked(t.Context(), "x")
	assert.True(t, locked)
	there.Clear(t.Context(), "x")
	_, locked = here.Locked(t.Context(), "x")
	assert.False(t, locked)
}

func TestAnEmptiedRedisGivesNobodyANewBudget(t *testing.T) {
	t.Parallel()
	c, server, client := started(t)
	l := ratelimit.New(client, options(c))
	assert.Equal(t, 9, spend(t, l, "user:a", 9))
	c.turn(2 * time.Second)
	server.FlushAll()
	assert.Equal(t, 1, spend(t, l, "user:a", 5), "one of ten was left")
	c.turn(15 * time.Minute)
	assert.Equal(t, 10, spend(t, l, "user:a", 12))
}

func TestWithoutRedisLessIsAllowed(t *testing.T) {
	t.Parallel()
	c, server, client := started(t)
	l := ratelimit.New(client, options(c))
	assert.Equal(t, 4, spend(t, l, "user:a", 4))
	server.Close()
	for i := range 3 { // three failures in a row: it is away
		l.Spend(t.Context(), "ip:"+strconv.Itoa(i), many)
	}
	assert.Equal(t, 1, spend(t, l, "user:a", 4), "five of ten, four of them used before")
	assert.Equal(t, 5, spend(t, l, "user:b", 9))
	require.NoError(t, server.Restart())
	c.turn(20 * time.Second)
	assert.Equal(t, 10, spend(t, l, "user:c", 12), "it answers again")
}

// TestASlowRedisHoldsNobodyUp: a server that takes the question and never answers costs each
// request its patience at most, three times in a row, and then nothing.
func TestASlowRedisHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	client := redis.NewClient(&redis.Options{Addr: l.Addr().String(), ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = client.Close() })
	c := &clock{}
	limiter := ratelimit.New(client, ratelimit.Options{Now: c.now, Patience: 30 * time.Millisecond})
	lockouts := ratelimit.NewLockouts(client, policy, ratelimit.Options{Now: c.now, Patience: 30 * time.Millisecond})
	begin := time.Now()
	for i := range 1000 {
		limiter.Spend(t.Context(), fmt.Sprint(i), many, ten)
		lockouts.Locked(t.Context(), fmt.Sprint(i))
	}
	assert.Less(t, time.Since(begin), 20*time.Second, "a thousand requests, where each would wait 60 ms")
}

// Guesses at the same time are all counted, although each of them waits for a Redis that does not
// answer before it knows that this process counts alone.
func TestGuessesThatWaitForRedisAreAllCounted(t *testing.T) {
	t.Parallel()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	client := redis.NewClient(&redis.Options{Addr: l.Addr().String(), ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = client.Close() })
	c := &clock{}
	lockouts := ratelimit.NewLockouts(client, policy, ratelimit.Options{Now: c.now, Patience: 200 * time.Millisecond})
	var guesses sync.WaitGroup
	for range 3 { // with Redis away, the third locks
		guesses.Go(func() { lockouts.Failed(t.Context(), "mail:buyer@holdfast.test") })
	}
	guesses.Wait()
	until, locked := lockouts.Locked(t.Context(), "mail:buyer@holdfast.test")
	require.True(t, locked)
	assert.Equal(t, policy.First, until.Sub(c.now()), "and it is one lock")
}

func TestLocksGrowAndAreShared(t *testing.T) {
	t.Parallel()
	c, server, client := started(t)
	one, two := ratelimit.NewLockouts(client, policy, options(c)), ratelimit.NewLockouts(client, policy, options(c))
	ctx := t.Context()
	locked := func(l *ratelimit.Lockouts) time.Duration {
		until, ok := l.Locked(ctx, "mail:buyer@holdfast.test")
		if !ok {
			return 0
		}
		return until.Sub(c.now())
	}
	fail := func(l *ratelimit.Lockouts) time.Duration {
		until := l.Failed(ctx, "mail:buyer@holdfast.test")
		if until.IsZero() {
			return 0
		}
		return until.Sub(c.now())
	}
	for nth, want := range []time.Duration{15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour} {
		for i := range 4 {
			assert.Zero(t, fail([]*ratelimit.Lockouts{one, two}[i%2]))
		}
		assert.Zero(t, locked(one))
		if nth == 2 {
			server.FlushAll() // what this process has seen is told to Redis
			assert.Equal(t, want, fail(two))
		} else {
			assert.Equal(t, want, fail(one))
		}
		assert.Equal(t, want, locked(one))
		assert.Equal(t, want, locked(two), "the other instance knows")
		c.turn(want)
		assert.Zero(t, locked(two))
	}
	for range 5 {
		fail(two)
	}
	assert.Equal(t, 4*time.Hour, locked(one))
	for _, key := range server.Keys() {
		assert.NotContains(t, key, "buyer")
	}
	server.FlushAll()
	assert.NotZero(t, locked(two), "an emptied Redis unlocks nobody here")
	one.Clear(ctx, "mail:buyer@holdfast.test")
	assert.Zero(t, locked(one))
	assert.Zero(t, locked(two), "cleared there is cleared here")
	for range 4 {
		assert.Zero(t, fail(two), "and counting begins anew")
	}
	assert.Equal(t, 15*time.Minute, fail(two))

	server.Close()
	for i := range 3 {
		two.Locked(ctx, strconv.Itoa(i))
	}
	two.Clear(ctx, "other")
	assert.True(t, two.Failed(ctx, "other").IsZero())
	assert.True(t, two.Failed(ctx, "other").IsZero())
	assert.False(t, two.Failed(ctx, "other").IsZero(), "without Redis the third locks")
}

// Whatever Redis does in between, nobody gets more than his budget of a window through one
// process, nor more than two in any stretch of a window's length, and time gives everybody a
// new one.
func TestNeverMoreThanTheBudget(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), ContextTimeoutEnabled: true, MaxRetries: -1})
	t.Cleanup(func() { _ = client.Close() })
	rapid.Check(t, func(t *rapid.T) {
		server.FlushAll()
		server.SetError("")
		c := &clock{server: server}
		l := ratelimit.New(client, ratelimit.Options{Now: c.now, Patience: 2 * time.Second})
		var times []time.Time
		windows := map[time.Time]int{}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0: // not in the very moment in which a window began
				c.turn(2 * time.Second)
				server.FlushAll()
			case 1:
				server.SetError("LOADING")
			case 2:
				server.SetError("")
			case 3:
				c.turn(time.Duration(rapid.IntRange(1, 10).Draw(t, "minutes")) * time.Minute)
			default:
				s := l.Spend(context.Background(), "a", ten)[0]
				if s.Resets <= 0 || s.Resets > ten.Window {
					t.Fatalf("resets in %s", s.Resets)
				}
				if !s.OK {
					continue
				}
				end := c.now().Add(s.Resets)
				if windows[end]++; windows[end] > ten.Limit {
					t.Fatalf("%d of %d were let in", windows[end], ten.Limit)
				}
				times = append(times, c.now())
				if n := len(times) - 1 - 2*ten.Limit; n >= 0 && c.now().Sub(times[n]) < ten.Window {
					t.Fatalf("%d were let in within %s", 2*ten.Limit+1, c.now().Sub(times[n]))
				}
			}
		}
		server.SetError("")
		c.turn(16 * time.Minute)
		if !l.Spend(context.Background(), "a", ten)[0].OK {
			t.Fatal("a new window lets nobody in")
		}
	})
}

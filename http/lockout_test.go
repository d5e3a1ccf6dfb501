package http_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	apihttp "holdfast/http"
)

func TestLockoutsGrowAndEnd(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	l := apihttp.NewLocalLockouts(func() time.Time { return now })
	fail := func(n int) (time.Duration, bool) {
		for range n {
			l.Failed(t.Context(), "ann")
		}
		until, locked := l.Locked(t.Context(), "ann")
		return until.Sub(now), locked
	}
	_, locked := fail(4)
	assert.False(t, locked)
	now = now.Add(apihttp.LockoutWindow + time.Second)
	_, locked = fail(4)
	assert.False(t, locked, "four and four are not five within the window")
	for nth, want := range []time.Duration{15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 16 * time.Hour, 24 * time.Hour, 24 * time.Hour} {
		failures := 5
		if nth == 0 {
			failures = 1
		}
		left, locked := fail(failures)
		assert.True(t, locked)
		assert.Equal(t, want, left)
		assert.Equal(t, want, apihttp.LockoutFor(nth+1))
		_, locked = l.Locked(t.Context(), "bob")
		assert.False(t, locked)
		now = now.Add(want)
		_, locked = l.Locked(t.Context(), "ann")
		assert.False(t, locked, "it ends by itself")
	}
	now = now.Add(25 * time.Hour)
	left, _ := fail(5)
	assert.Equal(t, 15*time.Minute, left, "a quiet day makes good")
	l.Clear(t.Context(), "ann")
	_, locked = l.Locked(t.Context(), "ann")
	assert.False(t, locked, "the owner has shown up")
}

// A flood of made-up names neither fills the memory nor frees who is locked.
func TestLockoutsAreBounded(t *testing.T) {
	t.Parallel()
	l := apihttp.NewLocalLockouts(nil)
	for range apihttp.LockoutFailures {
		l.Failed(t.Context(), "ann")
	}
	for i := range 70_000 {
		l.Failed(t.Context(), fmt.Sprint(i))
	}
	_, locked := l.Locked(t.Context(), "ann")
	assert.True(t, locked)
	assert.LessOrEqual(t, l.Len(), 65_536)
}

package storetest

import (
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/domain"
	"holdfast/domain/ledger"
	"holdfast/eventstore"
)

func key(name, print string) *eventstore.Key {
	return &eventstore.Key{Actor: "u-1", Key: name, Fingerprint: []byte(print)}
}

func keyed(k *eventstore.Key, answer string, staged ...domain.Staged) eventstore.Append {
	a := Of(staged...)
	a.Key, a.Outcome = k, eventstore.Outcome{Data: json.RawMessage(answer)}
	return a
}

func replays(t *testing.T, h *harness) {
	first, err := h.Append(t.Context(), keyed(key("k", "f"), `{"id":  "x"}`, Staged("a", 0, Noted{"1"})))
	require.NoError(t, err)
	for range 2 {
		again, err := h.Append(t.Context(), keyed(key("k", "f"), `{"id":"other"}`, Staged("a", 1, Noted{"2"})))
		require.NoError(t, err)
		require.NotNil(t, again.Replay)
		assert.JSONEq(t, `{"id":"x"}`, string(again.Replay.Data))
		assert.Equal(t, first.Last, again.Replay.Position)
		assert.Zero(t, again.Last)
	}
	// The key comes before the version: a repeat of a command that moved its stream on.
	again, err := h.Append(t.Context(), keyed(key("k", "f"), `{}`, Staged("a", 0, Noted{"1"})))
	require.NoError(t, err)
	assert.NotNil(t, again.Replay)
	assert.Len(t, h.all(t), 1)

	found, err := h.Outcome(t.Context(), *key("k", "f"))
	require.NoError(t, err)
	require.NotNil(t, found)
	assert.Equal(t, first.Last, found.Position)
	none, err := h.Outcome(t.Context(), *key("unknown", "f"))
	require.NoError(t, err)
	assert.Nil(t, none)

	stranger := key("k", "f")
	stranger.Actor = "u-2"
	done, err := h.Append(t.Context(), keyed(stranger, `{}`, Staged("b", 0, Noted{"1"})))
	require.NoError(t, err)
	assert.Nil(t, done.Replay, "keys of different actors never meet")
}

func reuse(t *testing.T, h *harness) {
	_, err := h.Append(t.Context(), keyed(key("k", "f"), `{}`, Staged("a", 0, Noted{"1"})))
	require.NoError(t, err)
	_, err = h.Append(t.Context(), keyed(key("k", "g"), `{}`, Staged("a", 1, Noted{"2"})))
	require.ErrorIs(t, err, eventstore.ErrKeyReused)
	_, err = h.Outcome(t.Context(), *key("k", "g"))
	require.ErrorIs(t, err, eventstore.ErrKeyReused)
	assert.Len(t, h.all(t), 1)
}

func refusals(t *testing.T, h *harness) {
	refusal := Of()
	refusal.Key = key("k", "f")
	refusal.Outcome = eventstore.Outcome{Refusal: eventstore.ErrInsufficient.With("have", 1)}
	done, err := h.Append(t.Context(), refusal)
	require.NoError(t, err)
	assert.Zero(t, done.Last)
	h.must(t, Staged("money", 0, Fund(ledger.Suspense, 100)))

	again, err := h.Append(t.Context(), keyed(key("k", "f"), `{}`, Staged("a", 0, Noted{"1"})))
	require.NoError(t, err)
	require.NotNil(t, again.Replay)
	require.NotNil(t, again.Replay.Refusal)
	assert.Equal(t, "INSUFFICIENT_FUNDS", again.Replay.Refusal.Code)
	assert.Equal(t, "1", again.Replay.Refusal.Fields["have"])
	assert.ErrorIs(t, again.Replay.Refusal, eventstore.ErrInsufficient)

	// A version that moved is no outcome: the command is decided again.
	_, err = h.Append(t.Context(), keyed(key("v", "f"), `{}`, Staged("money", 0, Noted{"stale"})))
	require.ErrorIs(t, err, eventstore.ErrVersion)
	none, err := h.Outcome(t.Context(), *key("v", "f"))
	require.NoError(t, err)
	assert.Nil(t, none)
}

func expiry(t *testing.T, h *harness) {
	short := key("k", "f")
	short.KeepFor = time.Microsecond
	_, err := h.Append(t.Context(), keyed(short, `{}`, Staged("a", 0, Noted{"1"})))
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		found, err := h.Outcome(t.Context(), *short)
		return err == nil && found == nil
	}, 5*time.Second, time.Millisecond)
	done, err := h.Append(t.Context(), keyed(key("k", "another"), `{"n":2}`, Staged("a", 1, Noted{"2"})))
	require.NoError(t, err)
	require.Nil(t, done.Replay)
	found, err := h.Outcome(t.Context(), *key("k", "another"))
	require.NoError(t, err)
	require.NotNil(t, found)
	assert.JSONEq(t, `{"n":2}`, string(found.Data))
}

func identical(t *testing.T, h *harness) {
	var effects, replays atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for n := range 10 {
				id := fmt.Sprint("s-", n)
				done, err := h.Append(t.Context(), keyed(key(id, "f"), `{}`, Staged(id, 0, Noted{"once"})))
				switch {
				case !assert.NoError(t, err):
				case done.Replay != nil:
					replays.Add(1)
				default:
					effects.Add(1)
				}
			}
		})
	}
	wg.Wait()
	assert.Equal(t, int64(10), effects.Load())
	assert.Equal(t, int64(70), replays.Load())
	assert.Len(t, h.all(t), 10)
}

func claims(t *testing.T, h *harness) {
	h.must(t, Staged("a", 0, Claimed{Name: "n"}))
	h.refused(t, ErrTaken, Staged("b", 0, Claimed{Name: "n"}))
	h.must(t, Staged("a", 1, Claimed{Name: "n"})) // its holder may say it again
	h.must(t, Staged("once", 0, Claimed{Name: "o", Once: true}))
	h.refused(t, ErrTaken, Staged("once", 1, Claimed{Name: "o", Once: true})) // unless it is said once for all
	h.must(t, Staged("b", 0, Claimed{Name: "n", Free: true}))
	h.refused(t, ErrTaken, Staged("c", 0, Claimed{Name: "n"})) // only its holder frees a name
	h.must(t, Staged("a", 2, Claimed{Name: "n", Free: true}))
	h.must(t, Staged("b", 1, Claimed{Name: "n"}))
	h.must(t, Staged("a", 3, Claimed{Name: "n", Free: true})) // too late to matter
	h.refused(t, ErrTaken, Staged("a", 4, Claimed{Name: "n"}))
	// Handing over within one append.
	h.must(t, Staged("b", 2, Claimed{Name: "n", Free: true}), Staged("d", 0, Claimed{Name: "n"}))
	h.refused(t, ErrTaken, Staged("b", 3, Claimed{Name: "n"}))
	h.refused(t, ErrTaken, Staged("e", 0, Claimed{Name: "m"}), Staged("f", 0, Claimed{Name: "m"}))
	h.must(t, Staged("f", 0, Claimed{Name: "m"}))

	var won atomic.Int64
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			_, err := h.Append(t.Context(), Of(Staged(fmt.Sprint("race-", i), 0, Claimed{Name: "race"})))
			if err == nil {
				won.Add(1)
			} else {
				assert.ErrorIs(t, err, ErrTaken)
			}
		})
	}
	wg.Wait()
	assert.Equal(t, int64(1), won.Load())
}

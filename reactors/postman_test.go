package reactors

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type said struct{ lasting, gone bool }

func (s said) Error() string     { return "said" }
func (s said) Permanent() bool   { return s.lasting }
func (s said) Unreachable() bool { return s.gone }

// bag is a queue of one letter, twice: what became of it is noted.
type bag struct {
	letters []Letter
	fate    map[string]string
	pause   map[string]time.Duration
}

func (b *bag) Take(context.Context, time.Duration) (Letter, bool, error) {
	if len(b.letters) == 0 {
		return Letter{}, false, nil
	}
	l := b.letters[0]
	b.letters = b.letters[1:]
	return l, true, nil
}

func (b *bag) Sent(_ context.Context, id string, raw []byte) error {
	b.fate[id] = "sent " + string(raw)
	return nil
}

func (b *bag) Postpone(_ context.Context, id string, after time.Duration, _ string) error {
	b.fate[id], b.pause[id] = "postponed", after
	return nil
}
func (b *bag) Dead(_ context.Context, id, _ string) error { b.fate[id] = "dead"; return nil }
func (b *bag) Expire(context.Context, time.Duration) (int64, error) {
	b.fate["old"] = "expired"
	return 0, nil
}
func answering(raw string, err error) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) { return []byte(raw), err }
}

func TestWhatBecomesOfALetter(t *testing.T) {
	t.Parallel()
	b := &bag{fate: map[string]string{}, pause: map[string]time.Duration{}, letters: []Letter{
		{ID: "good", Attempts: 1, Send: answering("bytes", nil)},
		{ID: "refused", Attempts: 1, Send: answering("", said{lasting: true})},
		{ID: "grey", Attempts: 1, Send: answering("", said{})},
		{ID: "grey twice", Attempts: 2, Send: answering("", said{})},
		{ID: "tried enough", Attempts: 3, Send: answering("", errors.New("who knows"))},
		{ID: "no server", Attempts: 1, Send: answering("", said{gone: true})},
		{ID: "behind it", Attempts: 1, Send: answering("", nil)},
	}}
	p := NewPostman(b, time.Hour, []time.Duration{time.Minute, time.Hour}, nil)
	_, err := p.round(t.Context())
	require.ErrorContains(t, err, "cannot be reached")
	assert.Equal(t, map[string]string{
		"old": "expired", "good": "sent bytes", "refused": "dead", "grey": "postponed", "grey twice": "postponed",
		"tried enough": "dead", "no server": "postponed",
	}, b.fate, "when the server is gone, those behind wait without having tried")
	assert.Equal(t, time.Minute, b.pause["grey"])
	assert.Equal(t, time.Hour, b.pause["grey twice"])
	more, err := p.round(t.Context())
	require.NoError(t, err)
	assert.False(t, more)
	assert.Equal(t, "sent ", b.fate["behind it"])
}

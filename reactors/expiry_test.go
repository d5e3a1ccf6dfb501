package reactors

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type oldRows func(batch int) (map[string]int64, bool, error)

func (o oldRows) Remove(_ context.Context, batch int) (map[string]int64, bool, error) {
	return o(batch)
}

func TestExpiryGoesOnWhileThereIsMore(t *testing.T) {
	t.Parallel()
	left, broken := 2500, errors.New("broken")
	e := NewExpiry(oldRows(func(batch int) (map[string]int64, bool, error) {
		n := min(batch, left)
		left -= n
		if n == 0 {
			return nil, false, broken
		}
		return map[string]int64{"sessions": int64(n)}, n == batch, nil
	}), nil)
	for _, want := range []bool{true, true, false} {
		more, err := e.round(t.Context())
		require.NoError(t, err)
		assert.Equal(t, want, more)
	}
	assert.Zero(t, left)
	_, err := e.round(t.Context())
	require.ErrorIs(t, err, broken)
}

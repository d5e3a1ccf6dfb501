package fault_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"holdfast/domain/fault"
)

func TestDerivedRefusalsKeepTheirIdentity(t *testing.T) {
	t.Parallel()
	base := fault.New(fault.Conflict, "ESCROW_DISPUTED", "frozen")
	derived := base.With("dispute", "d1").Because("frozen by %s", "d1").At("amount", "too much").Retry(3)
	assert.ErrorIs(t, fmt.Errorf("release: %w", derived), base)
	assert.NotErrorIs(t, derived, fault.ErrForbidden)
	f, ok := fault.From(fmt.Errorf("wrapped: %w", derived))
	assert.True(t, ok)
	assert.Equal(t, map[string]string{"dispute": "d1"}, f.Fields)
	assert.Equal(t, 3, f.RetryAfter)
	assert.Nil(t, base.Fields, "the declared value is never changed")
	assert.Empty(t, base.Details)
	_, ok = fault.From(assert.AnError)
	assert.False(t, ok, "a bug is not a refusal")
	assert.Equal(t, fault.Internal, fault.Kind(0), "a forgotten kind must not look like the caller's mistake")
}

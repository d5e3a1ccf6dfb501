package legacymongo_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"holdfast/projections/legacymongo"
)

// Whoever has pinned the modes keeps them while the domains move; commands are always here.
func TestAPinnedRequestStaysWhereItBegan(t *testing.T) {
	t.Parallel()
	modes := legacymongo.NewModes(map[string]legacymongo.Mode{legacymongo.Payment: legacymongo.Mongo})
	before := modes.Pin(t.Context())
	modes.Set(legacymongo.Payment, legacymongo.Postgres)
	modes.Set(legacymongo.Dispute, legacymongo.Dual)
	after := modes.Pin(t.Context())
	for _, c := range []struct {
		domain                 string
		before, after, nowhere legacymongo.Mode
	}{
		{legacymongo.Payment, legacymongo.Mongo, legacymongo.Postgres, legacymongo.Postgres},
		{legacymongo.Dispute, legacymongo.Postgres, legacymongo.Dual, legacymongo.Dual},
		{legacymongo.User, legacymongo.Postgres, legacymongo.Postgres, legacymongo.Postgres},
	} {
		require.Equal(t, c.before, modes.For(before, c.domain), c.domain)
		require.Equal(t, c.after, modes.For(after, c.domain), c.domain)
		require.Equal(t, c.nowhere, modes.For(t.Context(), c.domain), "%s, without a pin: now", c.domain)
		require.Equal(t, c.nowhere, modes.Of(c.domain), c.domain)
		require.Equal(t, legacymongo.Postgres, modes.For(legacymongo.Here(t.Context()), c.domain), c.domain)
	}
}

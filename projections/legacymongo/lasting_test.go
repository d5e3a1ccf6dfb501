package legacymongo

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A difference counts when it is there again, unchanged: while people write, each look finds
// another one.
func TestOnlyWhatLastsIsADifference(t *testing.T) {
	t.Parallel()
	stays := Gap{Document: "a", Kind: "answer", Field: "phase", Postgres: "1", Mongo: "2"}
	moved := stays
	moved.Postgres = "3"
	fresh := Gap{Document: "b", Kind: "missing", Postgres: "version 1"}
	require.Equal(t, []Gap{stays}, lasting([]Gap{stays, fresh}, []Gap{stays}))
	require.Empty(t, lasting([]Gap{stays}, []Gap{moved, fresh}))
	require.Empty(t, lasting(nil, []Gap{fresh}))
}

package eventstore_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/domain"
	"holdfast/eventstore"
	"holdfast/eventstore/memory"
	"holdfast/eventstore/storetest"
)

type second struct {
	Words string `json:"words"` // was "text" in schema 1
}

func (second) EventType() string { return "sample.noted" }

func TestOldShapesAreLiftedStepByStep(t *testing.T) {
	t.Parallel()
	aggregate := domain.Aggregate{
		Category: storetest.Category, Events: []domain.Event{second{}}, Schema: map[string]int{"sample.noted": 3},
		Upcast: map[string]map[int]func([]byte) ([]byte, error){"sample.noted": {
			1: func(b []byte) ([]byte, error) { return bytes.Replace(b, []byte("text"), []byte("said"), 1), nil },
			2: func(b []byte) ([]byte, error) { return bytes.Replace(b, []byte("said"), []byte("words"), 1), nil },
		}},
	}
	codec, err := eventstore.NewCodec(memory.NewKeyRing(), aggregate)
	require.NoError(t, err)
	for schema, stored := range map[int]string{1: `{"text":"hi"}`, 2: `{"said":"hi"}`, 3: `{"words":"hi"}`} {
		e, err := codec.Decode(t.Context(), "sample.noted", schema, []byte(stored))
		require.NoError(t, err)
		assert.Equal(t, second{"hi"}, e)
	}
	_, schema, _, err := codec.Encode(t.Context(), storetest.Category, second{"hi"})
	require.NoError(t, err)
	assert.Equal(t, 3, schema)
	var unknown *eventstore.UnknownEventError
	for _, bad := range []int{0, 4} {
		_, err = codec.Decode(t.Context(), "sample.noted", bad, []byte(`{}`))
		require.True(t, errors.As(err, &unknown))
	}

	delete(aggregate.Upcast["sample.noted"], 2)
	_, err = eventstore.NewCodec(memory.NewKeyRing(), aggregate)
	require.ErrorContains(t, err, "no upcaster from schema 2 to 3")
}

func TestTwoTypesOfOneNameDoNotStart(t *testing.T) {
	t.Parallel()
	_, err := eventstore.NewCodec(memory.NewKeyRing(), storetest.Aggregate(storetest.Noted{}, second{}))
	require.ErrorContains(t, err, "registered twice")
	_, err = eventstore.NewCodec(memory.NewKeyRing(), storetest.Aggregate(), storetest.Aggregate())
	require.ErrorContains(t, err, "registered twice")
}

func TestSealingLeavesTheCallersEventAlone(t *testing.T) {
	t.Parallel()
	codec, err := eventstore.NewCodec(memory.NewKeyRing(), storetest.Aggregate())
	require.NoError(t, err)
	told := storetest.Told{What: domain.About("u", "secret")}
	_, _, data, err := codec.Encode(t.Context(), storetest.Category, told)
	require.NoError(t, err)
	assert.NotContains(t, string(data), "secret")
	assert.Empty(t, told.What.Sealed)
	_, _, _, err = codec.Encode(t.Context(), storetest.Category, storetest.Told{What: domain.About("", "of nobody")})
	require.Error(t, err)
}

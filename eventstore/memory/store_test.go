package memory_test

import (
	"testing"

	"holdfast/eventstore"
	"holdfast/eventstore/memory"
	"holdfast/eventstore/storetest"
)

func TestTheStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(testing.TB) storetest.World {
		var store *memory.Store
		return storetest.World{Keys: memory.NewKeyRing(), Open: func(codec *eventstore.Codec) storetest.Store {
			if store == nil {
				store = memory.New(codec)
			}
			return store.With(codec)
		}}
	})
}

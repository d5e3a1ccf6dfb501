package eventstore_test

import (
	"encoding/hex"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"holdfast/domain"
	"holdfast/eventstore"
)

func sampleEvent() eventstore.Recorded {
	return eventstore.Recorded{
		Position: 7, Stream: domain.Stream{Type: "escrow_hold", ID: "h-1"}, Version: 3,
		EventID: uuid.MustParse("01890a5d-ac96-774b-bcce-b302099a8057"), Type: "escrow.released", Schema: 1,
		Data: []byte(`{"amount":"100"}`), Meta: []byte(`{"source":"api"}`),
		RecordedAt: time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC),
	}
}

// The hash of an event that is in a log somewhere must never change: an auditor's copy of
// this constant is as good as ours. (It was computed by another program from the words of
// Leaf's comment.)
func TestTheLeafHashIsFixedForEver(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "41a181c118d412c6c7698709bbc6017ed5298a4a510e6588c26fa486cf83d3a1", hex.EncodeToString(eventstore.LeafHash(sampleEvent())))
}

func TestEveryFieldIsInTheLeaf(t *testing.T) {
	t.Parallel()
	was := eventstore.Leaf(sampleEvent())
	for name, change := range map[string]func(*eventstore.Recorded){
		"position":    func(r *eventstore.Recorded) { r.Position++ },
		"stream type": func(r *eventstore.Recorded) { r.Stream.Type += "x" },
		"stream id":   func(r *eventstore.Recorded) { r.Stream.ID += "x" },
		"version":     func(r *eventstore.Recorded) { r.Version++ },
		"event id":    func(r *eventstore.Recorded) { r.EventID[3]++ },
		"type":        func(r *eventstore.Recorded) { r.Type += "x" },
		"schema":      func(r *eventstore.Recorded) { r.Schema++ },
		"data":        func(r *eventstore.Recorded) { r.Data = append(r.Data, ' ') },
		"metadata":    func(r *eventstore.Recorded) { r.Meta = append(r.Meta, ' ') },
		"time":        func(r *eventstore.Recorded) { r.RecordedAt = r.RecordedAt.Add(time.Microsecond) },
	} {
		r := sampleEvent()
		change(&r)
		assert.NotEqual(t, was, eventstore.Leaf(r), name)
	}
	elsewhere := sampleEvent()
	elsewhere.RecordedAt = elsewhere.RecordedAt.In(time.FixedZone("x", 3600))
	assert.Equal(t, was, eventstore.Leaf(elsewhere), "the same instant in another zone is the same")
}

// Moving bytes from one field into its neighbour makes another leaf: lengths are part of it.
func TestNoTwoEventsShareALeaf(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		draw := func() eventstore.Recorded {
			e := sampleEvent()
			e.Stream.Type = rapid.StringN(0, 3, -1).Draw(r, "type")
			e.Stream.ID = rapid.StringN(0, 3, -1).Draw(r, "id")
			e.Type = rapid.StringN(0, 3, -1).Draw(r, "event")
			e.Data = []byte(rapid.StringN(0, 3, -1).Draw(r, "data"))
			e.Meta = []byte(rapid.StringN(0, 3, -1).Draw(r, "meta"))
			return e
		}
		a, b := draw(), draw()
		same := a.Stream == b.Stream && a.Type == b.Type && string(a.Data) == string(b.Data) && string(a.Meta) == string(b.Meta)
		assert.Equal(r, same, string(eventstore.Leaf(a)) == string(eventstore.Leaf(b)))
	})
}

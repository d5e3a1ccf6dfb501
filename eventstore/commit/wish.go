package commit

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"holdfast/domain"
	"holdfast/domain/ledger"
	"holdfast/eventstore"
)

// Wish is an append made ready: all that can be done before the log is locked is done.
type Wish struct {
	Expected  []Expected
	Events    []Event // in the order in which they will be written
	Meta      []byte
	Metadata  eventstore.Metadata
	Key       *eventstore.Key
	Outcome   eventstore.Outcome
	Deadlines []eventstore.StreamDeadline
	Rows      []eventstore.Row
}

// Expected is the version that a decision was based on.
type Expected struct {
	Stream  domain.Stream
	Version int64
}

// Event is an event on its way into the log.
type Event struct {
	Stream domain.Stream
	ID     uuid.UUID
	// Version is what the event gets when the stream is where it is expected to be.
	Version   int64
	Type      string
	Schema    int
	Data      []byte
	Event     domain.Event
	Tx        *ledger.Transaction // nil: it moves no money
	Claims    []domain.Claim
	Deadlines []domain.Deadline
}

// Prepare encodes an append. An error is a bug of the caller or of a posting rule, never a
// refusal.
func Prepare(ctx context.Context, codec *eventstore.Codec, a eventstore.Append) (*Wish, error) {
	w := &Wish{Metadata: a.Metadata, Key: a.Key, Outcome: a.Outcome, Deadlines: a.Deadlines, Rows: a.Rows}
	var err error
	if w.Meta, err = json.Marshal(a.Metadata); err != nil {
		return nil, fmt.Errorf("encode the metadata: %w", err)
	}
	w.Expected = make([]Expected, 0, len(a.Streams))
	for _, s := range a.Streams {
		for _, e := range w.Expected {
			if e.Stream == s.Stream {
				return nil, fmt.Errorf("stream %s is staged twice", s.Stream)
			}
		}
		w.Expected = append(w.Expected, Expected{s.Stream, s.Expected})
		if err := w.stage(ctx, codec, s); err != nil {
			return nil, err
		}
	}
	if len(w.Events) == 0 && w.Key == nil && len(w.Deadlines) == 0 {
		return nil, fmt.Errorf("an append without events needs a key")
	}
	if len(w.Events) == 0 && len(w.Rows) > 0 {
		return nil, fmt.Errorf("rows change only together with events")
	}
	return w, nil
}

func (w *Wish) stage(ctx context.Context, codec *eventstore.Codec, s domain.Staged) error {
	aggregate, known := codec.Aggregate(s.Stream.Type)
	if !known && len(s.Events) > 0 {
		return fmt.Errorf("aggregate %q is not registered", s.Stream.Type)
	}
	for i, e := range s.Events {
		event := Event{Stream: s.Stream, Version: s.Expected + int64(i) + 1, Event: e}
		var err error
		if event.ID, err = uuid.NewV7(); err != nil {
			return fmt.Errorf("draw an event id: %w", err)
		}
		if event.Type, event.Schema, event.Data, err = codec.Encode(ctx, s.Stream.Type, e); err != nil {
			return fmt.Errorf("encode %s for %s: %w", e.EventType(), s.Stream, err)
		}
		if err := event.imply(aggregate); err != nil {
			return fmt.Errorf("%s of %s: %w", event.Type, s.Stream, err)
		}
		w.Events = append(w.Events, event)
	}
	return nil
}

// imply derives what the event does beside itself.
func (e *Event) imply(a domain.Aggregate) error {
	if a.Claims != nil {
		e.Claims = a.Claims(e.Stream, e.Event)
	}
	if a.Deadlines != nil {
		e.Deadlines = a.Deadlines(e.Stream, e.Event)
	}
	if a.Postings == nil {
		return nil
	}
	tx, moves := a.Postings(e.Stream, e.Event)
	if !moves {
		return nil
	}
	if err := tx.Validate(); err != nil {
		return err
	}
	if tx.Mode == ledger.PostPending && len(tx.Lines) > 0 {
		return fmt.Errorf("a post_pending takes its lines from the pending transaction, it has %d of its own", len(tx.Lines))
	}
	e.Tx = &tx
	return nil
}

// Recorded gives the event as it stands in the log, with its leaf hash.
func (e *Event) Recorded(w *Wish, position int64, at time.Time) eventstore.Recorded {
	r := eventstore.Recorded{
		Position: position, Stream: e.Stream, Version: e.Version, EventID: e.ID, Type: e.Type, Schema: e.Schema,
		Data: e.Data, Meta: w.Meta, RecordedAt: at, Event: e.Event, Metadata: w.Metadata,
	}
	r.LeafHash = eventstore.LeafHash(r)
	return r
}

package commit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"holdfast/eventstore"
)

// Decode fills in Event and Metadata from the stored bytes.
func Decode(ctx context.Context, codec *eventstore.Codec, r *eventstore.Recorded) error {
	var err error
	if r.Event, err = codec.Decode(ctx, r.Type, r.Schema, r.Data); err != nil {
		return fmt.Errorf("event %d of %s: %w", r.Position, r.Stream, err)
	}
	r.Metadata = eventstore.Metadata{}
	if err := json.Unmarshal(r.Meta, &r.Metadata); err != nil {
		return fmt.Errorf("metadata of event %d: %w", r.Position, err)
	}
	return nil
}

// DecodeAll decodes events in place; the first one that cannot be read is the error.
func DecodeAll(ctx context.Context, codec *eventstore.Codec, events []eventstore.Recorded) ([]eventstore.Recorded, error) {
	for i := range events {
		if err := Decode(ctx, codec, &events[i]); err != nil {
			return nil, err
		}
	}
	return events, nil
}

// DecodeKnown decodes a slice of the log in place as far as this build can read it: it ends
// before an event of an unknown type, so that a reader stands still exactly there. An unknown
// event at the very beginning is the error.
func DecodeKnown(ctx context.Context, codec *eventstore.Codec, events []eventstore.Recorded) ([]eventstore.Recorded, error) {
	for i := range events {
		err := Decode(ctx, codec, &events[i])
		if _, unknown := errors.AsType[*eventstore.UnknownEventError](err); unknown && i > 0 {
			return events[:i], nil
		}
		if err != nil {
			return nil, err
		}
	}
	return events, nil
}

package legacyimport

import (
	"context"
	"fmt"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/migration"
	"holdfast/eventstore"
)

// errTaken is for claims that do not say what to answer.
var errTaken = fault.New(fault.Conflict, "ALREADY_TAKEN", "another object holds this already")

// Would is what a dry run has decided of one document.
type Would struct {
	ObjectID string
	Known    Known
	// Events by stream, without the text about people.
	Events []StreamEvent
	Claims []StreamClaim
}

// StreamEvent is an event that would be appended.
type StreamEvent struct {
	Stream domain.Stream
	Event  domain.Event
}

// StreamClaim is a name that would be taken, or given back.
type StreamClaim struct {
	Stream domain.Stream
	Name   string
	Free   bool
}

// dryRun decides and appends nothing: what it has decided stands in the scratch memory, and is
// laid over the log.
type dryRun struct {
	scratch Scratch
	codec   *eventstore.Codec
}

// names adds what would be known by now.
func (d *dryRun) names(ctx context.Context, ids []string, known map[string]Known) error {
	would, err := d.scratch.WouldKnow(ctx, ids)
	for id, k := range would {
		known[id] = k
	}
	return err
}

// wave decides the documents of a wave one after the other: they share no stream and no claim.
func (d *dryRun) wave(ctx context.Context, e *Engine, t Taker, wave []*item) error {
	var streams []domain.Stream
	for _, x := range wave {
		streams = append(streams, x.step.Streams...)
	}
	over, err := d.scratch.WouldHave(ctx, streams)
	if err != nil {
		return err
	}
	var kept []Would
	for _, x := range wave {
		would, result, err := d.decide(ctx, e, t, x, over)
		if f, refusal := fault.From(err); refusal && f.Kind != fault.Unavailable && f.Kind != fault.Internal {
			x.settled(refused(x.found, migration.Problem{Field: "_id", Found: x.found.ObjectID, Promised: f.Code + ": " + f.Message}))
			continue
		}
		if err != nil {
			return fmt.Errorf("decide %s %s: %w", t.Collection, x.found.ObjectID, err)
		}
		x.settled(Outcome{Result: result, ObjectID: x.found.ObjectID, Notes: x.found.Notes})
		kept = append(kept, would)
	}
	return d.scratch.Would(ctx, kept)
}

func (d *dryRun) decide(ctx context.Context, e *Engine, t Taker, x *item, over map[domain.Stream][]domain.Event) (Would, Result, error) {
	would := Would{ObjectID: x.found.ObjectID, Known: Known{Collection: t.Collection, ID: x.step.name(t, x.found), Imported: true, Hash: x.found.Hash}}
	if x.step.Flow == nil {
		return would, Taken, nil
	}
	unit := domain.NewUnit(overlay{ctx, e.x.Store(), over})
	if _, err := x.step.Flow.Run(unit); err != nil {
		return would, "", err
	}
	if !unit.Writes() {
		return would, Unchanged, nil
	}
	taken := map[string]error{}
	for _, staged := range unit.Staged() {
		aggregate, _ := d.codec.Aggregate(staged.Stream.Type)
		for _, event := range staged.Events {
			silent, err := eventstore.Disclose(event, "")
			if err != nil {
				return would, "", err
			}
			would.Events = append(would.Events, StreamEvent{staged.Stream, silent})
			if aggregate.Claims == nil {
				continue
			}
			for _, c := range aggregate.Claims(staged.Stream, event) {
				would.Claims = append(would.Claims, StreamClaim{staged.Stream, c.Name, c.Free})
				if taken[c.Name] = c.Taken; c.Taken == nil {
					taken[c.Name] = errTaken
				}
			}
		}
	}
	return would, Taken, d.held(ctx, would.Claims, taken)
}

// held refuses a claim that somebody else has.
func (d *dryRun) held(ctx context.Context, claims []StreamClaim, taken map[string]error) error {
	if len(claims) == 0 {
		return nil
	}
	var names []string
	for _, c := range claims {
		if !c.Free {
			names = append(names, c.Name)
		}
	}
	holders, err := d.scratch.Holders(ctx, names)
	if err != nil {
		return err
	}
	for _, c := range claims {
		if by, held := holders[c.Name]; held && !c.Free && by != c.Stream {
			return taken[c.Name]
		}
	}
	return nil
}

// overlay loads streams from the log, and what would have been appended on top.
type overlay struct {
	ctx   context.Context
	store eventstore.Store
	over  map[domain.Stream][]domain.Event
}

// Load implements domain.Loader.
func (o overlay) Load(s domain.Stream, initial any, fold func(any, domain.Event) any) (state any, version int64, err error) {
	events, err := o.store.LoadStream(o.ctx, s, 0)
	if err != nil {
		return nil, 0, err
	}
	state = initial
	for _, r := range events {
		state, version = fold(state, r.Event), r.Version
	}
	for _, e := range o.over[s] {
		state, version = fold(state, e), version+1
	}
	return state, version, nil
}

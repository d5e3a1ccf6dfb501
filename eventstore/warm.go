package eventstore

import (
	"context"
	"fmt"

	"holdfast/domain"
)

// Stored is a stream as a store has it: the newest snapshot, nil when there is none, and the events
// after it.
type Stored struct {
	Snapshot *Snapshot
	Tail     []Recorded
}

// manyLoader is a store that reads many streams of one type in one round trip. Ids of streams
// that do not exist are absent in the answer.
type manyLoader interface {
	LoadMany(ctx context.Context, streamType string, ids []string) (map[string]Stored, error)
}

// warmAtOnce bounds the streams of one read: what it holds in memory, and for how long the
// database is busy with it.
const warmAtOnce = 500

// Warm remembers the states of many streams, those that do not exist included, so that the
// commands that follow need no read each. It decides nothing: a state that has moved on meanwhile
// costs a lost race, like any other that is remembered. A store that cannot read many at once
// leaves the reads to the commands.
func Warm[S any, E domain.Event](ctx context.Context, x *Executor, d domain.Decider[S, E], ids []string) error {
	store, can := x.store.(manyLoader)
	if !can {
		return nil
	}
	var unknown []string
	asked := map[string]bool{}
	for _, id := range ids {
		if id == "" || asked[id] {
			continue
		}
		asked[id] = true
		if _, _, known := x.states.get(domain.Stream{Type: d.Category, ID: id}); !known {
			unknown = append(unknown, id)
		}
	}
	fold := func(state any, e domain.Event) any { return d.Evolve(state.(S), e.(E)) }
	for len(unknown) > 0 {
		part := unknown[:min(warmAtOnce, len(unknown))]
		unknown = unknown[len(part):]
		found, err := store.LoadMany(ctx, d.Category, part)
		if err != nil {
			return fmt.Errorf("read %d streams of %s: %w", len(part), d.Category, err)
		}
		for _, id := range part {
			state, version, fits := found[id].fold(d.Initial, fold)
			if fits {
				x.states.put(domain.Stream{Type: d.Category, ID: id}, state, version)
			}
		}
	}
	return nil
}

// States folds many streams at once, by id, for workers that look before they decide. It may be behind
// what others have just appended: whatever is decided on it is checked when it is appended.
func States[S any, E domain.Event](ctx context.Context, x *Executor, d domain.Decider[S, E], ids []string) (map[string]S, error) {
	if err := Warm(ctx, x, d, ids); err != nil {
		return nil, err
	}
	all := make(map[string]S, len(ids))
	for _, id := range ids {
		if state, _, known := x.states.get(domain.Stream{Type: d.Category, ID: id}); known {
			all[id] = state.(S)
			continue
		}
		state, _, err := State(ctx, x, d, id)
		if err != nil {
			return nil, err
		}
		all[id] = state
	}
	return all, nil
}

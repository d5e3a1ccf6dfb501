package projections

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"holdfast/eventstore"
)

// batchApplier applies slices inside a transaction: what live projection and rebuild share.
type batchApplier struct{ log *logReader }

// apply applies the events of a slice that lie after a position, all at once. An error that is
// not passing comes as *PoisonError; when it is known at which event, Position says so.
func (a *batchApplier) apply(ctx context.Context, tx pgx.Tx, p Projector, s Slice, after int64) error {
	events := make([]eventstore.Recorded, 0, len(s.Events))
	for _, r := range s.Events {
		if r.Position <= after {
			continue
		}
		if err := a.decode(p, &r); err != nil {
			return &PoisonError{Position: r.Position, Type: r.Type, Err: err}
		}
		events = append(events, r)
	}
	if len(events) == 0 {
		return nil
	}
	return applySafely(ctx, tx, p, events)
}

func (a *batchApplier) decode(p Projector, r *eventstore.Recorded) error {
	if _, bare := p.(PositionsOnly); bare || r.Event != nil {
		return nil
	}
	return a.log.decode(r)
}

// applyCarefully applies one event after the other, each under a savepoint, up to the first
// that cannot be applied and that no operator has allowed to skip. It gives the last position
// that counts as applied, and the poison (nil when the slice is through).
func (a *batchApplier) applyCarefully(ctx context.Context, tx pgx.Tx, p Projector, s Slice, after int64) (int64, *PoisonError, error) {
	skips, err := skipsOf(ctx, tx, p.Name(), after, s.To)
	if err != nil {
		return after, nil, err
	}
	for _, r := range s.Events {
		if r.Position <= after {
			continue
		}
		one := Slice{Events: []eventstore.Recorded{r}}
		err := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error { return a.apply(ctx, tx, p, one, after) })
		poison, poisoned := errors.AsType[*PoisonError](err)
		switch {
		case poisoned && !skips[r.Position]:
			return r.Position - 1, poison, nil
		case err != nil && !poisoned:
			return after, nil, err
		}
	}
	return s.To, nil, nil
}

// applySafely calls Apply; a panic is poison like any other bug.
func applySafely(ctx context.Context, tx pgx.Tx, p Projector, events []eventstore.Recorded) (err error) {
	defer func() {
		if said := recover(); said != nil {
			err = fmt.Errorf("panic: %v", said)
		}
		if err != nil && ctx.Err() == nil && !passing(err) {
			err = &PoisonError{Position: events[0].Position, Type: events[0].Type, Err: err}
		}
	}()
	return p.Apply(ctx, tx, events)
}

func skipsOf(ctx context.Context, tx pgx.Tx, name string, after, to int64) (map[int64]bool, error) {
	rows, err := tx.Query(ctx, `SELECT position FROM projection_skips WHERE name = $1 AND position > $2 AND position <= $3`, name, after, to)
	if err != nil {
		return nil, fmt.Errorf("read the skips of %s: %w", name, err)
	}
	skips := map[int64]bool{}
	var position int64
	_, err = pgx.ForEachRow(rows, []any{&position}, func() error { skips[position] = true; return nil })
	return skips, err
}

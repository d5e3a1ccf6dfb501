package legacyimport

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/migration"
	"holdfast/eventstore"
)

// longestChain bounds the documents of one command.
const longestChain = 50

// chains gathers documents that must not be decided at the same time, each chain in the order of the
// source. Chains have nothing to do with each other.
func chains(items []*item) [][]*item {
	var all [][]*item
	of := map[string]int{} // by name: the chain that it belongs to
	for _, x := range items {
		if x.done != nil {
			continue
		}
		alone := append([]string{"_id/" + x.found.ObjectID}, x.step.Alone...)
		chain := -1
		for _, name := range alone {
			c, known := of[name]
			switch {
			case !known || c == chain:
			case chain < 0:
				chain = c
			default: // the document joins two chains
				all[chain], all[c] = append(all[chain], all[c]...), nil
				for n, is := range of {
					if is == c {
						of[n] = chain
					}
				}
			}
		}
		if chain < 0 {
			chain, all = len(all), append(all, nil)
		}
		all[chain] = append(all[chain], x)
		for _, name := range alone {
			of[name] = chain
		}
	}
	return slices.DeleteFunc(all, func(c []*item) bool { return len(c) == 0 })
}

// chain takes the documents of a chain: as one command, and one by one when that is refused.
func (e *Engine) chain(ctx context.Context, t Taker, items []*item, now time.Time) error {
	for part := range slices.Chunk(items, longestChain) {
		err := e.together(ctx, t, part, now)
		if len(part) > 1 && isRefusal(err) {
			for _, x := range part {
				if err = e.alone(ctx, t, x, now); err != nil {
					return err
				}
			}
			continue
		}
		if err == nil {
			continue
		}
		if len(part) > 1 {
			return fmt.Errorf("take %s %s and %d more: %w", t.Collection, part[0].found.ObjectID, len(part)-1, err)
		}
		if err := e.failed(t, part[0], err); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) alone(ctx context.Context, t Taker, x *item, now time.Time) error {
	if err := e.together(ctx, t, []*item{x}, now); err != nil {
		return e.failed(t, x, err)
	}
	return nil
}

// failed settles a document that was refused; another error is given back.
func (e *Engine) failed(t Taker, x *item, err error) error {
	if f, _ := fault.From(err); isRefusal(err) {
		x.settled(refused(x.found, migration.Problem{Field: "_id", Found: x.found.ObjectID, Promised: f.Code + ": " + f.Message}))
		return nil
	}
	return fmt.Errorf("take %s %s: %w", t.Collection, x.found.ObjectID, err)
}

// isRefusal reports an error that the same document would get again.
func isRefusal(err error) bool {
	f, refusal := fault.From(err)
	return refusal && f.Kind != fault.Unavailable && f.Kind != fault.Internal
}

// together takes documents in one commit, or none of them.
func (e *Engine) together(ctx context.Context, t Taker, items []*item, now time.Time) error {
	rows, changed := make([][]eventstore.Row, len(items)), make([]bool, len(items))
	var commands []string
	plain := 0 // without a command
	for i, x := range items {
		var err error
		if rows[i], err = e.rows(ctx, t, x); err != nil {
			return err
		}
		commands = append(commands, x.found.ObjectID+"\x00"+x.found.Hash)
		if x.step.Flow == nil {
			plain++
		}
	}
	gathered := func() (all []eventstore.Row) {
		for i := range rows {
			if changed[i] {
				all = append(all, rows[i]...)
			}
		}
		return all
	}
	position := int64(0)
	if plain == len(items) {
		for i := range changed {
			changed[i] = true
		}
		if err := e.book.Plain(ctx, gathered()); err != nil {
			return err
		}
	} else {
		meta := eventstore.Metadata{
			Actor:     migration.Import(domain.Issue{At: now}).By,
			CommandID: domain.DeriveID(strings.Join(commands, "\x00"), "legacy import\x00"+t.Collection), Source: "import",
		}
		done, err := e.x.ExecuteWith(ctx, meta, nil, gathered, func(u *domain.Unit) (any, error) {
			for i, x := range items {
				before := staged(u)
				if _, err := x.step.Flow.Run(u); err != nil {
					return nil, err
				}
				changed[i] = staged(u) > before
			}
			return nil, nil
		})
		if err != nil {
			return err
		}
		position = done.Position
	}
	for i, x := range items {
		o := Outcome{Result: Unchanged, ObjectID: x.found.ObjectID}
		if changed[i] {
			o = Outcome{Result: Taken, ObjectID: x.found.ObjectID, Notes: x.found.Notes, Position: position}
		}
		x.settled(o)
	}
	return nil
}

// rows are the statements that go with a document.
func (e *Engine) rows(ctx context.Context, t Taker, x *item) ([]eventstore.Row, error) {
	rows := append(slices.Clone(x.step.Rows), e.book.Named(t.Collection, x.step.name(t, x.found), x.found.Legacy))
	for _, r := range x.found.Later {
		rows = append(rows, e.book.Expected(r.Collection, migration.ID(r.Collection, r.ObjectID), r.ObjectID))
	}
	if x.step.Sealed == nil {
		return rows, nil
	}
	sealed, err := x.step.Sealed(ctx)
	if err != nil {
		return nil, fmt.Errorf("seal the text of %s %s: %w", t.Collection, x.found.ObjectID, err)
	}
	return append(rows, sealed...), nil
}

// staged counts the events that a unit has decided.
func staged(u *domain.Unit) (n int) {
	for _, s := range u.Staged() {
		n += len(s.Events)
	}
	return n
}

package legacyimport

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/migration"
)

// item is one document of a batch on its way.
type item struct {
	thing any
	found migration.Found
	step  Step
	done  *Outcome // nil: to be decided
}

// settled notes what became of the document.
func (x *item) settled(o Outcome) { x.done = &o }

// scope is what a batch is judged by beside the book.
type scope struct {
	// seen reports which of the documents are known to stand in the source, for references to
	// collections that come later; nil: they are not looked at.
	seen func(ctx context.Context, refs []migration.Ref) (map[migration.Ref]bool, error)
	// dry decides and appends nothing.
	dry *dryRun
	// patient: a document that names an unknown one of its own collection may be asked again.
	patient bool
	// beside asks for documents that name those of the batch; nil: the engine's own way.
	beside Beside
}

// Batch takes documents of one collection, in the order in which they are given. An error means that
// it is not known of some what became of them: they may be given again.
func (e *Engine) Batch(ctx context.Context, collection string, docs [][]byte) ([]Outcome, error) {
	t, ok := e.taker(collection)
	if !ok {
		return nil, fmt.Errorf("%s is no collection that is imported", collection)
	}
	return e.batch(ctx, t, docs, scope{})
}

func (e *Engine) batch(ctx context.Context, t Taker, docs [][]byte, s scope) ([]Outcome, error) {
	items := make([]*item, len(docs))
	for i, raw := range docs {
		items[i] = &item{}
		items[i].thing, items[i].found = t.decode(raw)
	}
	now, err := e.x.Store().Now(ctx)
	if err != nil {
		return nil, err
	}
	if err := e.judge(ctx, t, items, s, now); err != nil {
		return nil, err
	}
	if s.dry == nil {
		if err := e.prepare(ctx, t, items); err != nil {
			return nil, err
		}
	}
	if s.dry == nil {
		err = e.carryOut(ctx, t, items, now)
	} else {
		err = s.dry.waves(ctx, e, t, items)
	}
	if err != nil {
		return nil, err
	}
	outcomes := make([]Outcome, len(items))
	for i, x := range items {
		outcomes[i] = *x.done
	}
	return outcomes, nil
}

// judge settles what needs no decision, and makes the steps of the others.
func (e *Engine) judge(ctx context.Context, t Taker, items []*item, s scope, now time.Time) error {
	known, err := e.lookUp(ctx, items, s)
	if err != nil {
		return err
	}
	for _, x := range items {
		x.settle(t, known)
	}
	beside, err := e.gather(ctx, t, items, s)
	if err != nil {
		return err
	}
	for _, x := range items {
		if x.done != nil {
			continue
		}
		if missing := known.missing(x.found); len(missing) > 0 {
			x.settled(refused(x.found, missing...))
			if s.patient && slices.ContainsFunc(x.found.Refs, func(r migration.Ref) bool { return r.Collection == t.Collection && known.of(r) == "" }) {
				x.settled(Outcome{Result: later, ObjectID: x.found.ObjectID, Reasons: missing})
			}
			continue
		}
		taking := Taking{Issue: migration.Import(domain.Issue{At: now}), Names: known.name, ID: migration.ID(t.Collection, x.found.ObjectID), Beside: beside.of(x.found.ObjectID)}
		if x.step, err = t.step(ctx, x.thing, taking); err != nil {
			f, refusal := fault.From(err)
			if !refusal {
				return fmt.Errorf("%s %s: %w", t.Collection, x.found.ObjectID, err)
			}
			x.settled(refused(x.found, migration.Problem{Field: "_id", Found: f.Message, Promised: f.Code}))
		}
	}
	return nil
}

// settle judges a document alone.
func (x *item) settle(t Taker, known names) {
	own, there := known.ids[x.found.ObjectID]
	switch {
	case x.found.Ours:
		x.settled(Outcome{Result: Ours, ObjectID: x.found.ObjectID})
	case len(x.found.Problems) > 0:
		x.settled(refused(x.found, x.found.Problems...))
	case there && own.Collection != t.Collection:
		x.settled(refused(x.found, migration.Problem{Field: "_id", Found: x.found.ObjectID, Promised: "an id of its own: " + own.Collection + " has the same one"}))
	case there && !own.Imported:
		x.settled(refused(x.found, migration.Problem{Field: "_id", Found: x.found.ObjectID, Promised: "a document of the old backend: we gave this name to one of ours"}))
	case there && own.Hash == x.found.Hash && len(t.beside) == 0: // what stands beside it may have changed
		x.settled(Outcome{Result: Unchanged, ObjectID: x.found.ObjectID})
	}
}

// prepare reads what the decisions will need, for all documents together.
func (e *Engine) prepare(ctx context.Context, t Taker, items []*item) error {
	var subjects []domain.UserID
	ids := map[string][]string{}
	for _, x := range items {
		if x.done != nil {
			continue
		}
		subjects = append(subjects, x.step.Subjects...)
		for _, s := range x.step.Streams {
			ids[s.Type] = append(ids[s.Type], s.ID)
		}
	}
	if len(subjects) > 0 {
		if err := e.keys.Prepare(ctx, subjects); err != nil {
			return err
		}
	}
	for _, w := range t.warm {
		if err := w.warm(ctx, e.x, ids[w.category]); err != nil {
			return err
		}
	}
	return nil
}

// atOnce bounds the commands that wait for one commit.
const atOnce = 512

// carryOut decides chains of documents at the same time, so that they share commits.
func (e *Engine) carryOut(ctx context.Context, t Taker, items []*item, now time.Time) error {
	all := chains(items)
	var group sync.WaitGroup
	slots, errs := make(chan struct{}, atOnce), make([]error, len(all))
	for i, c := range all {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			errs[i] = e.chain(ctx, t, c, now)
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

package reactors

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/funding"
	"holdfast/domain/network"
	"holdfast/domain/reconciliation"
	"holdfast/projections/breakview"
	"holdfast/projections/watchview"
)

// comparer works on one run.
type comparer struct {
	*Reconciler
	run  *runRow
	pins map[uint64]pin
}

// pin is the block at which a chain is read. It moves on with time, because nodes forget the
// state of old blocks within a minute or two.
type pin struct {
	head  network.Head
	taken time.Time
}

const pinFor = 20 * time.Second

// stage is one part of a run. Its step compares what comes after the cursor, and gives the next
// cursor; more is false when that was all.
type stage struct {
	name string
	step func(c *comparer, ctx context.Context) (next string, more bool, err error)
}

const stageDone = "done"

// stages in their order. What differs in the first is looked at again in "again".
var stages = []stage{
	{"provider", (*comparer).readProvider},
	{"payments", (*comparer).comparePayments},
	{"addresses", (*comparer).compareSpare},
	{"again", (*comparer).compareAgain},
	{"own", (*comparer).compareOwn},
	{"transit", (*comparer).compareTransit},
	{"pending", (*comparer).comparePending},
	{"assets", (*comparer).compareAssets},
	{"close", (*comparer).closeGone},
	{"complete", (*comparer).complete},
}

// step does one page and notes it.
func (c *comparer) step(ctx context.Context) error {
	at := slices.IndexFunc(stages, func(s stage) bool { return s.name == c.run.Stage })
	if at < 0 {
		return fmt.Errorf("the run stands at stage %q, which this build does not know", c.run.Stage)
	}
	if c.run.State.Total == 0 {
		payments, spare, err := c.o.Books.Count(ctx)
		if err != nil {
			return err
		}
		c.run.State.Total = payments + spare + 1
	}
	next, more, err := stages[at].step(c, ctx)
	if err != nil {
		return err
	}
	if c.run.Cursor = next; !more {
		c.run.Cursor, c.run.Stage = "", stageDone
		if at+1 < len(stages) {
			c.run.Stage = stages[at+1].name
		}
	}
	return c.rows.save(ctx, c.run)
}

// caughtUp lets the read models that the books are asked through reach the end of the log.
func (c *comparer) caughtUp(ctx context.Context) error {
	head, err := c.o.Executor.Store().Head(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for _, view := range []string{"payments", "deposits", "destinations", "payouts", "refunds", watchview.Name, breakview.Name} {
		if err := c.o.Positions.WaitFor(ctx, view, head.Position); err != nil {
			return fmt.Errorf("the read model %s does not catch up: %w", view, err)
		}
	}
	return nil
}

// at gives the moment of a comparison on a chain.
func (c *comparer) at(ctx context.Context, chain uint64) (reconciliation.Moment, error) {
	head, err := c.o.Executor.Store().Head(ctx)
	if err != nil {
		return reconciliation.Moment{}, err
	}
	m := reconciliation.Moment{Position: head.Position, Chain: chain, Provider: !c.run.State.Since.IsZero()}
	if chain == 0 {
		return m, nil
	}
	p, ok := c.pins[chain]
	if !ok || time.Since(p.taken) > pinFor {
		statement, known := c.o.Chains()[chain]
		if !known {
			return m, errNotRead
		}
		head, err := statement.Head(ctx)
		if err != nil {
			return m, err
		}
		p = pin{head: head, taken: time.Now()}
		c.pins[chain] = p
	}
	m.Block = p.head.Number
	c.run.State.Heads[chainName(chain)] = m.Block
	return m, nil
}

var errNotRead = fault.New(fault.Unavailable, "CHAIN_NOT_CONFIGURED", "this chain is not configured")

func chainName(id uint64) string { return strconv.FormatUint(id, 10) }

// unread notes that a chain cannot be read, and goes on with the others. Other errors are the
// run's own.
func (c *comparer) unread(ctx context.Context, chain uint64, err error) error {
	f, ok := fault.From(err)
	if !ok || judge(err) != later || ctx.Err() != nil {
		return err
	}
	c.log.ErrorContext(ctx, "chain cannot be reconciled", "chain", chain, "error", err)
	c.run.State.Unread[chainName(chain)] = f.Code
	return nil
}

func (c *comparer) isUnread(chain uint64) bool {
	_, is := c.run.State.Unread[chainName(chain)]
	return is
}

// again makes a comparison as often as a difference must be seen, with fresh books and newer
// blocks, and gives what every one of them has found.
func (c *comparer) again(ctx context.Context, compare func() ([]reconciliation.Finding, error)) ([]reconciliation.Finding, error) {
	var kept []reconciliation.Finding
	for try := range c.o.Tries {
		if try > 0 {
			c.sleep(ctx, c.o.Settle, nil)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			c.pins = map[uint64]pin{}
			if err := c.caughtUp(ctx); err != nil {
				return nil, err
			}
		}
		found, err := compare()
		if err != nil {
			return nil, err
		}
		if try > 0 {
			before := map[string]bool{}
			for _, f := range kept {
				before[f.ID()] = true
			}
			found = slices.DeleteFunc(found, func(f reconciliation.Finding) bool { return !before[f.ID()] })
		}
		if kept = found; len(kept) == 0 {
			break
		}
	}
	return kept, nil
}

// complete ends the run.
func (c *comparer) complete(ctx context.Context) (string, bool, error) {
	head, err := c.o.Executor.Store().Head(ctx)
	if err != nil {
		return "", false, err
	}
	breaks, err := c.rows.marked(ctx, c.run.ID, "break", "", reconciliation.MaxBreaks)
	if err != nil {
		return "", false, err
	}
	now, err := c.o.Executor.Store().Now(ctx)
	if err != nil {
		return "", false, err
	}
	s := &c.run.State
	result := reconciliation.RunCompleted{
		Counts: s.Counts, Breaks: append([]string{}, breaks...), Heads: maps.Clone(s.Heads), Unread: maps.Clone(s.Unread), From: s.From, To: head.Position, At: now,
	}
	if err := c.do(ctx, c.run, "complete", func(i domain.Issue) flow {
		return funding.CompleteReconciliation{Issue: i, ID: c.run.ID, Result: result}
	}); err != nil {
		return "", false, err
	}
	s.Result, s.Done = &result, s.Total
	if result.OK() {
		c.log.InfoContext(ctx, "reconciled", "run", c.run.ID, "payments", s.Counts.Payments, "closed", s.Counts.Closed)
	} else {
		c.log.ErrorContext(ctx, "reconciliation found breaks", "run", c.run.ID, "breaks", s.Counts.Breaks, "unexplained", s.Counts.Open, "unread", s.Unread)
	}
	return "", false, c.rows.forget(ctx, c.run.ID)
}

package reactors

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/funding"
	"holdfast/domain/network"
	"holdfast/domain/reconciliation"
	"holdfast/projections"
	"holdfast/projections/breakview"
	"holdfast/projections/watchview"
)

// comparer works on one run.
type comparer struct {
	*Reconciler
	run   *runRow
	pins  map[uint64]pin
	ahead pageAhead
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
		statement, known := c.o.Chains[chain]
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

// record writes findings as breaks.
func (c *comparer) record(ctx context.Context, all []reconciliation.Finding) error {
	for _, f := range all {
		id := f.ID()
		known, err := c.rows.isMarked(ctx, c.run.ID, "break", []string{id})
		if err != nil {
			return err
		}
		if known[id] {
			continue // another process got as far as this
		}
		if c.run.State.Counts.Breaks++; c.run.State.Counts.Breaks > reconciliation.MaxBreaks {
			c.run.State.Counts.Open++
			continue
		}
		now, err := c.o.Executor.Store().Now(ctx)
		if err != nil {
			return err
		}
		i := domain.Issue{By: domain.Machine(domain.Process, c.name), At: now}
		state := ""
		flow := funding.RecordBreak{Issue: i, ID: c.run.ID, Finding: f}
		_, err = c.o.Executor.Execute(ctx, c.meta(i, "break:"+id), nil, func(u *domain.Unit) (any, error) {
			answer, err := flow.Run(u)
			if a, ok := answer.(funding.BreakAnswer); ok {
				state = a.State
			}
			return answer, err
		})
		if err != nil {
			return fmt.Errorf("record the break %s: %w", id, err)
		}
		if state == reconciliation.Open {
			c.run.State.Counts.Open++
			c.log.WarnContext(ctx, "break", "id", id, "kind", f.Kind, "subject", f.Subject.Type+"/"+f.Subject.ID, "ledger", f.Ledger, "on_chain", f.Chain, "provider", f.Provider)
		}
		if err := c.rows.save(ctx, c.run, mark{"break", id}); err != nil {
			return err
		}
	}
	return nil
}

// closeGone closes breaks that this run has looked for and not found.
func (c *comparer) closeGone(ctx context.Context) (string, bool, error) {
	if c.run.State.Counts.Breaks > reconciliation.MaxBreaks {
		return "", false, nil // not all are known by name
	}
	if err := c.caughtUp(ctx); err != nil {
		return "", false, err
	}
	page, err := c.o.Breaks.List(ctx, breakview.Filter{Standing: true}, projections.Page{Cursor: c.run.Cursor, Limit: 100, Sort: projections.Oldest})
	if err != nil {
		return "", false, err
	}
	ids := make([]string, len(page.Rows))
	for i, row := range page.Rows {
		ids[i] = row.ID
	}
	found, err := c.rows.isMarked(ctx, c.run.ID, "break", ids)
	if err != nil {
		return "", false, err
	}
	for _, row := range page.Rows {
		if found[row.ID] {
			continue
		}
		looked, err := c.looked(ctx, row.Doc.Finding)
		if err != nil {
			return "", false, err
		}
		if !looked {
			continue
		}
		err = c.do(ctx, c.run, "close:"+row.ID, func(i domain.Issue) flow { return funding.CloseBreak{Issue: i, ID: c.run.ID, Break: row.ID} })
		if err != nil {
			return "", false, err
		}
		c.run.State.Counts.Closed++
	}
	return page.Next, page.Next != "", nil
}

// looked reports whether this run would have found a difference, had it still been there.
func (c *comparer) looked(ctx context.Context, f reconciliation.Finding) (bool, error) {
	if f.At.Chain != 0 && c.isUnread(f.At.Chain) {
		return false, nil
	}
	if !providers(f) {
		return true, nil
	}
	if c.run.State.Since.IsZero() {
		return false, nil
	}
	if f.Kind != reconciliation.ChainOnly {
		return true, nil // asked for by its request
	}
	places, err := c.o.Books.SomePayments(ctx, c.run.ID, []string{f.Subject.ID})
	return err == nil && len(places) > 0 && len(places[0].Reports) > 0, err
}

// providers reports whether a finding rests on the provider's word.
func providers(f reconciliation.Finding) bool {
	switch f.Kind {
	case reconciliation.ProviderOnly, reconciliation.ChainOnly, reconciliation.DoubleReport:
		return true
	}
	return strings.HasPrefix(f.Evidence, "provider:")
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

// readProvider reads what the provider has seen lately, and what it says of requests about which
// it was wrong before.
func (c *comparer) readProvider(ctx context.Context) (string, bool, error) {
	if c.o.Provider == nil {
		return "", false, nil
	}
	now, err := c.o.Executor.Store().Now(ctx)
	if err != nil {
		return "", false, err
	}
	s := &c.run.State
	if s.Since.IsZero() {
		s.Since = now.Add(-c.o.Window)
	}
	offset, _ := strconv.Atoi(c.run.Cursor)
	hints, more, err := c.o.Provider.Paid(ctx, s.Since, now, offset)
	if err == nil {
		err = c.keepHints(ctx, int64(offset), hints)
	}
	if err == nil && (!more || len(hints) == 0) {
		err = c.askAgain(ctx)
	}
	if err != nil {
		f, ok := fault.From(err)
		if !ok || ctx.Err() != nil || errors.Is(err, context.Canceled) {
			return "", false, err
		}
		c.log.ErrorContext(ctx, "the provider cannot be reconciled", "error", err)
		s.Unread["provider"], s.Since = f.Code, time.Time{}
		return "", false, nil
	}
	return strconv.Itoa(offset + len(hints)), more && len(hints) > 0, nil
}

func (c *comparer) keepHints(ctx context.Context, offset int64, hints []network.Hint) error {
	paid := slices.DeleteFunc(slices.Clone(hints), func(h network.Hint) bool { return h.Kind != network.Paid || h.Tx == "" || h.RequestID == "" })
	c.run.State.Counts.Reports += int64(len(paid))
	return c.rows.keep(ctx, c.run.ID, offset, paid)
}

// askAgain asks about the requests of standing breaks that rest on the provider's word, whose
// reports are older than the list that was read.
func (c *comparer) askAgain(ctx context.Context) error {
	offset := int64(1) << 40
	for cursor := ""; ; {
		page, err := c.o.Breaks.List(ctx, breakview.Filter{Standing: true}, projections.Page{Cursor: cursor, Limit: 100})
		if err != nil {
			return err
		}
		var ids []string
		for _, row := range page.Rows {
			if f := row.Doc.Finding; providers(f) && f.Subject.Type == "payment" {
				ids = append(ids, f.Subject.ID)
			}
		}
		places, err := c.o.Books.SomePayments(ctx, c.run.ID, ids)
		if err != nil {
			return err
		}
		for _, p := range places {
			if p.Request == "" || len(p.Reports) > 0 {
				continue
			}
			hints, err := c.o.Provider.Hints(ctx, p.Request)
			if err != nil && judge(err) != final {
				return err
			}
			if err := c.keepHints(ctx, offset, hints); err != nil {
				return err
			}
			offset += int64(len(hints))
		}
		if cursor = page.Next; cursor == "" {
			return nil
		}
	}
}

package reactors

import (
	"context"
	"fmt"
	"strings"

	"holdfast/domain"
	"holdfast/domain/funding"
	"holdfast/domain/reconciliation"
	"holdfast/projections"
	"holdfast/projections/breakview"
)

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

package reactors

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"holdfast/domain/fault"
	"holdfast/domain/network"
	"holdfast/projections"
	"holdfast/projections/breakview"
)

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

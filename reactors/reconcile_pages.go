package reactors

import (
	"context"
	"strings"

	"holdfast/domain/reconciliation"
	"holdfast/projections/bookview"
)

func (c *comparer) comparePayments(ctx context.Context) (string, bool, error) {
	if c.run.Cursor == "" {
		if err := c.caughtUp(ctx); err != nil {
			return "", false, err
		}
	}
	places, err := c.paymentsAfter(ctx, c.run.Cursor)()
	if err != nil || len(places) == 0 {
		return "", false, err
	}
	last, more := string(places[len(places)-1].Payment), len(places) == c.o.Page
	if more {
		c.ahead.after, c.ahead.page = last, c.paymentsAfter(ctx, last)
	}
	c.run.State.Counts.Payments += int64(len(places))
	return last, more, c.suspects(ctx, places)
}

// pageAhead is a page of payments that is read while the one before it is compared.
type pageAhead struct {
	after string
	page  func() ([]bookview.Place, error)
}

// paymentsAfter begins to read the page after a payment, if it is not read yet, and gives what
// waits for it. It may be as old as the comparison of one page takes; what differs is looked at
// again anyway.
func (c *comparer) paymentsAfter(ctx context.Context, after string) func() ([]bookview.Place, error) {
	if ahead := c.ahead; ahead.page != nil && ahead.after == after {
		c.ahead = pageAhead{}
		return ahead.page
	}
	type read struct {
		places []bookview.Place
		err    error
	}
	done := make(chan read, 1)
	go func() {
		places, err := c.o.Books.Payments(ctx, c.run.ID, after, c.o.Page)
		done <- read{places, err}
	}()
	return func() ([]bookview.Place, error) {
		r := <-done
		return r.places, r.err
	}
}

func (c *comparer) compareSpare(ctx context.Context) (string, bool, error) {
	places, err := c.o.Books.Spare(ctx, c.run.Cursor, c.o.Page)
	if err != nil || len(places) == 0 {
		return "", false, err
	}
	return string(places[len(places)-1].Destination), len(places) == c.o.Page, c.suspects(ctx, places)
}

// suspects compares a page of places and remembers those that differ.
func (c *comparer) suspects(ctx context.Context, places []bookview.Place) error {
	found, err := c.places(ctx, places, false)
	if err != nil {
		return err
	}
	for _, p := range places {
		c.run.State.Counts.Transfers += int64(len(p.Transfers) + len(p.Deposits))
	}
	c.run.State.Counts.Addresses += int64(len(places))
	c.run.State.Done += int64(len(places))
	seen := map[string]bool{}
	var marks []mark
	for _, f := range found {
		if id := f.Subject.Type + "/" + f.Subject.ID; !seen[id] {
			seen[id] = true
			marks = append(marks, mark{"suspect", id})
		}
	}
	return c.rows.save(ctx, c.run, marks...)
}

// compareAgain looks once more, and more closely, at what differed.
func (c *comparer) compareAgain(ctx context.Context) (string, bool, error) {
	limit := min(c.o.Page, 200)
	ids, err := c.rows.marked(ctx, c.run.ID, "suspect", c.run.Cursor, limit)
	if err != nil || len(ids) == 0 {
		return "", false, err
	}
	c.pins = map[uint64]pin{}
	found, err := c.again(ctx, func() ([]reconciliation.Finding, error) {
		places, err := c.some(ctx, ids)
		if err != nil {
			return nil, err
		}
		return c.places(ctx, places, true)
	})
	if err != nil {
		return "", false, err
	}
	return ids[len(ids)-1], len(ids) == limit, c.record(ctx, found)
}

func (c *comparer) some(ctx context.Context, subjects []string) ([]bookview.Place, error) {
	var payments, spare []string
	for _, s := range subjects {
		if id, ok := strings.CutPrefix(s, "payment/"); ok {
			payments = append(payments, id)
		} else if id, ok := strings.CutPrefix(s, "destination/"); ok {
			spare = append(spare, id)
		}
	}
	one, err := c.o.Books.SomePayments(ctx, c.run.ID, payments)
	if err != nil {
		return nil, err
	}
	two, err := c.o.Books.SomeSpare(ctx, spare)
	return append(one, two...), err
}

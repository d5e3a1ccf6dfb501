package cutover_test

import (
	"testing"
	"time"

	"holdfast/domain"
	"holdfast/domain/cutover"
	"holdfast/domain/fault"
	"holdfast/domain/machine/machinetest"
)

var (
	at       = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	admin    = domain.User("A1", domain.Admin)
	compared = at.Add(-time.Minute)
	toDual   = cutover.Moved{Domain: "payment", From: "mongo", To: "dual", By: admin, Reason: "the first step", Position: 7, Compared: &compared}
	toPG     = cutover.Moved{Domain: "payment", From: "dual", To: "pg", By: admin, Reason: "the second", Position: 9, Compared: &compared}
	back     = cutover.Moved{Domain: "payment", From: "dual", To: "mongo", By: admin, Reason: "back", Position: 9, Compared: &compared}
)

type events = []cutover.Event

func TestTableIsComplete(t *testing.T) {
	t.Parallel()
	states := map[string]cutover.State{
		cutover.Configured: {},
		cutover.Dual:       machinetest.Fold(cutover.Decider, events{toDual}...),
		cutover.Postgres:   machinetest.Fold(cutover.Decider, events{toDual, toPG}...),
		cutover.Mongo:      machinetest.Fold(cutover.Decider, events{toDual, back}...),
	}
	for _, s := range states {
		machinetest.CheckSnapshot(t, s)
	}
	machinetest.CheckComplete(t, cutover.Table(), states)
}

func TestStoredForm(t *testing.T) {
	t.Parallel()
	machinetest.CheckGolden(t, cutover.Aggregate(), toDual)
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	move := func(from, to string, change func(*cutover.Move)) cutover.Move {
		c := cutover.Move{Issue: domain.Issue{By: admin, At: at}, Domain: "payment", From: from, To: to, Reason: "a reason", Compared: &compared, Position: 7, Collections: 2}
		if change != nil {
			change(&c)
		}
		return c
	}
	moved := func(from, to string) cutover.Moved {
		return cutover.Moved{Domain: "payment", From: from, To: to, By: admin, Reason: "a reason", Position: 7, Compared: &compared}
	}
	old := at.Add(-cutover.Fresh - time.Second)
	machinetest.Run(t, cutover.Decider, []machinetest.Case[cutover.Event]{
		{Name: "from where the settings say", When: move("mongo", "dual", nil), Then: events{moved("mongo", "dual")}},
		{Name: "from where the log says", Given: events{toDual}, When: move("mongo", "pg", nil), Then: events{moved("dual", "pg")}},
		{Name: "and back", Given: events{toDual, toPG}, When: move("mongo", "dual", nil), Then: events{moved("pg", "dual")}},
		{Name: "one step at a time", When: move("mongo", "pg", nil), Err: cutover.ErrStep},
		{Name: "back as well", Given: events{toDual, toPG}, When: move("mongo", "mongo", nil), Err: cutover.ErrStep},
		{Name: "where it is already", Given: events{toDual}, When: move("mongo", "dual", nil)},
		{Name: "not while it lags", When: move("mongo", "dual", func(c *cutover.Move) { c.Lag = 1 }), Err: cutover.ErrNotReady},
		{Name: "not with open gaps", When: move("mongo", "dual", func(c *cutover.Move) { c.Gaps = 1 }), Err: cutover.ErrNotReady},
		{Name: "not when it was never compared", When: move("mongo", "dual", func(c *cutover.Move) { c.Compared = nil }), Err: cutover.ErrNotReady},
		{Name: "not when that is long ago", When: move("mongo", "dual", func(c *cutover.Move) { c.Compared = &old }), Err: cutover.ErrNotReady},
		{Name: "the way to pg can be forced", When: move("mongo", "pg", func(c *cutover.Move) { c.Force, c.Lag, c.Compared = true, 99, nil }), Then: events{
			cutover.Moved{Domain: "payment", From: "mongo", To: "pg", By: admin, Reason: "a reason", Position: 7, Forced: true},
		}},
		{Name: "and no other", When: move("mongo", "dual", func(c *cutover.Move) { c.Force = true }), Err: cutover.ErrForce},
		{Name: "nothing to move", When: move("mongo", "dual", func(c *cutover.Move) { c.Collections = 0 }), Err: cutover.ErrEmpty},
		{Name: "not by force either", When: move("mongo", "pg", func(c *cutover.Move) { c.Force, c.Collections = true, 0 }), Err: cutover.ErrEmpty},
		{Name: "nowhere else", When: move("mongo", "postgres", nil), Err: fault.ErrValidation},
		{Name: "a reason is needed", When: move("mongo", "dual", func(c *cutover.Move) { c.Reason = "" }), Err: fault.ErrValidation},
		{Name: "a guard does not", When: move("mongo", "dual", func(c *cutover.Move) { c.By = domain.User("G1", domain.Guard) }), Err: fault.ErrForbidden},
	})
}

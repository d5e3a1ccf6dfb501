package sweepschedule_test

import (
	"testing"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/machine/machinetest"
	"holdfast/domain/money"
	"holdfast/domain/sweepschedule"
)

var (
	admin = domain.User("A1", domain.Admin)
	issue = domain.Issue{By: admin, At: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}
)

func with(change func(*sweepschedule.Settings)) sweepschedule.Settings {
	s := sweepschedule.Standard()
	change(&s)
	return s
}

func TestTableIsComplete(t *testing.T) {
	t.Parallel()
	on := sweepschedule.Changed{By: admin, Settings: with(func(s *sweepschedule.Settings) { s.Enabled = true })}
	states := map[string]sweepschedule.State{
		sweepschedule.Off: sweepschedule.Decider.Initial,
		sweepschedule.On:  machinetest.Fold(sweepschedule.Decider, sweepschedule.Event(on)),
	}
	for _, s := range states {
		machinetest.CheckSnapshot(t, s)
	}
	machinetest.CheckComplete(t, sweepschedule.Table(), states)
	machinetest.CheckGolden(t, sweepschedule.Aggregate(), on)
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	type event = sweepschedule.Event
	change := func(f func(*sweepschedule.Settings)) sweepschedule.Change {
		return sweepschedule.Change{Issue: issue, Settings: with(f)}
	}
	on := change(func(s *sweepschedule.Settings) { s.Enabled = true })
	byGuard := on
	byGuard.By = domain.User("G1", domain.Guard)
	machinetest.Run(t, sweepschedule.Decider, []machinetest.Case[event]{
		{Name: "switched on", When: on, Then: []event{sweepschedule.Changed{Settings: on.Settings, By: admin}}},
		{Name: "a repeat changes nothing", When: change(func(*sweepschedule.Settings) {})},
		{Name: "a guard does not", When: byGuard, Err: fault.ErrForbidden},
		{Name: "too often", When: change(func(s *sweepschedule.Settings) { s.Interval = time.Second }), Err: fault.ErrValidation},
		{Name: "too seldom", When: change(func(s *sweepschedule.Settings) { s.Interval = 8 * 24 * time.Hour }), Err: fault.ErrValidation},
		{Name: "no sweeps", When: change(func(s *sweepschedule.Settings) { s.MaxSweeps = 0 }), Err: fault.ErrValidation},
		{Name: "too many", When: change(func(s *sweepschedule.Settings) { s.MaxSweeps = 201 }), Err: fault.ErrValidation},
		{Name: "gas for nothing", When: change(func(s *sweepschedule.Settings) { s.MaxGasPrice = money.Zero }), Err: fault.ErrValidation},
		{Name: "no gas", When: change(func(s *sweepschedule.Settings) { s.DailyGas = money.Zero }), Err: fault.ErrValidation},
		{Name: "no amount", When: change(func(s *sweepschedule.Settings) { s.MinAmount = "1e3" }), Err: fault.ErrValidation},
	})
}

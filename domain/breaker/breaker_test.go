package breaker_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast/domain"
	"holdfast/domain/breaker"
	"holdfast/domain/fault"
	"holdfast/domain/machine/machinetest"
	"holdfast/domain/money"
)

const usdc money.Asset = "USDC@8453"

var (
	admin = domain.User("A1", domain.Admin)
	guard = domain.User("G1", domain.Guard)
	watch = domain.Machine(domain.Process, "solvency")

	breached = breaker.SolvencyBreached{Asset: usdc, Custody: "99", Liabilities: "100"}
	restored = breaker.SolvencyRestored{Asset: usdc, Custody: "100", Liabilities: "100"}
	paused   = breaker.AssetPaused{Asset: usdc, By: admin, Reason: "a token upgrade"}
	resumed  = breaker.AssetResumed{Asset: usdc, By: admin, Reason: "the upgrade is done"}
)

type events = []breaker.Event

func by(a domain.Actor) domain.Issue {
	return domain.Issue{By: a, At: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}
}

func TestTableIsComplete(t *testing.T) {
	t.Parallel()
	states := map[string]breaker.State{
		breaker.Running:  {},
		breaker.Paused:   machinetest.Fold(breaker.Decider, breaker.Event(paused)),
		breaker.Breached: machinetest.Fold(breaker.Decider, events{paused, breached}...),
	}
	for _, s := range states {
		machinetest.CheckSnapshot(t, s)
	}
	machinetest.CheckComplete(t, breaker.Table(), states)
}

func TestStoredForm(t *testing.T) {
	t.Parallel()
	machinetest.CheckGolden(t, breaker.Aggregate(), breached, restored, paused, resumed)
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	broke := breaker.RecordSolvency{Issue: by(watch), Asset: usdc, Custody: "99", Liabilities: "100"}
	whole := breaker.RecordSolvency{Issue: by(watch), Asset: usdc, Custody: "100", Liabilities: "100", Solvent: true}
	pause := breaker.Pause{Issue: by(admin), Asset: usdc, Reason: paused.Reason}
	resume := breaker.Resume{Issue: by(admin), Asset: usdc, Reason: resumed.Reason}
	byGuard := pause
	byGuard.Issue = by(guard)
	guarded := paused
	guarded.By = guard
	machinetest.Run(t, breaker.Decider, []machinetest.Case[breaker.Event]{
		{Name: "too little in custody stops it", When: broke, Then: events{breached}},
		{Name: "still too little is no news", Given: events{breached}, When: broke},
		{Name: "enough again", Given: events{breached}, When: whole, Then: events{restored}},
		{Name: "enough is no news", When: whole},
		{Name: "an admin pauses", When: pause, Then: events{paused}},
		{Name: "a guard pauses", When: byGuard, Then: events{guarded}},
		{Name: "a pause during a breach is kept", Given: events{breached}, When: pause, Then: events{paused}},
		{Name: "paused twice is once", Given: events{paused}, When: pause},
		{Name: "a reason is needed to pause", When: breaker.Pause{Issue: by(admin), Asset: usdc}, Err: fault.ErrValidation},
		{Name: "a reason is needed to resume", Given: events{paused}, When: breaker.Resume{Issue: by(admin), Asset: usdc}, Err: fault.ErrValidation},
		{Name: "an admin resumes", Given: events{paused}, When: resume, Then: events{resumed}},
		{Name: "a guard may stop money and never start it", Given: events{paused}, When: breaker.Resume{Issue: by(guard), Asset: usdc, Reason: "x"}, Err: fault.ErrForbidden},
		{Name: "a person's word does not end a breach", Given: events{breached}, When: resume},
		{Name: "nothing to resume", When: resume, Err: fault.ErrInvalidState},
		{Name: "a person does not record solvency", When: breaker.RecordSolvency{Issue: by(admin), Asset: usdc}, Err: fault.ErrForbidden},
	})
}

func TestMoneyMovesOnlyWhileNothingStopsIt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, stopped, short := breaker.State{}, false, false
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			var c domain.Command
			switch rapid.IntRange(0, 3).Draw(t, "command") {
			case 0:
				c, short = breaker.RecordSolvency{Issue: by(watch), Asset: usdc}, true
			case 1:
				c, short = breaker.RecordSolvency{Issue: by(watch), Asset: usdc, Solvent: true}, false
			case 2:
				c, stopped = breaker.Pause{Issue: by(guard), Asset: usdc, Reason: "x"}, true
			case 3:
				c, stopped = breaker.Resume{Issue: by(admin), Asset: usdc, Reason: "x"}, false
			}
			got, _ := breaker.Decider.Decide(s, c)
			for _, e := range got {
				s = breaker.Evolve(s, e)
			}
			if free := s.Check() == nil; free != (!stopped && !short) {
				t.Fatalf("paused %t, breached %t, and money may move: %t", stopped, short, free)
			}
		}
	})
}

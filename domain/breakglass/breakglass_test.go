package breakglass_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast/domain"
	"holdfast/domain/breakglass"
	"holdfast/domain/fault"
	"holdfast/domain/machine/machinetest"
)

var (
	at     = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	admin  = domain.User("A1", domain.Admin)
	admin2 = domain.User("A2", domain.Admin)
	guard  = domain.User("G1", domain.Guard)
	timer  = domain.Machine(domain.Timer, "break_glass.expire")

	enabled = breakglass.Enabled{Session: "s1", By: admin, Approver: admin2, Reason: "the chain stands still", Until: at.Add(30 * time.Minute)}
	used    = breakglass.Used{Session: "s1", By: admin, Power: breakglass.LowerThreshold, Object: "56", Reason: "blocks are slow"}
	ended   = breakglass.Ended{Session: "s1", By: admin2}
	expired = breakglass.Expired{Session: "s1"}
)

type events = []breakglass.Event

func by(a domain.Actor, after time.Duration) domain.Issue {
	return domain.Issue{By: a, At: at.Add(after)}
}

func TestTableIsComplete(t *testing.T) {
	t.Parallel()
	states := map[string]breakglass.State{
		breakglass.Whole:  machinetest.Fold(breakglass.Decider, events{enabled, used, expired}...),
		breakglass.Broken: machinetest.Fold(breakglass.Decider, events{enabled, used}...),
	}
	for _, s := range states {
		machinetest.CheckSnapshot(t, s)
	}
	machinetest.CheckComplete(t, breakglass.Table(), states)
}

func TestStoredForm(t *testing.T) {
	t.Parallel()
	machinetest.CheckGolden(t, breakglass.Aggregate(), enabled, used, ended, expired)
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	enable := breakglass.Enable{Issue: by(admin, 0), Session: "s1", Approver: admin2, Reason: enabled.Reason, For: 30 * time.Minute}
	changed := func(f func(*breakglass.Enable)) breakglass.Enable { c := enable; f(&c); return c }
	use := func(after time.Duration) breakglass.Use {
		return breakglass.Use{Issue: by(admin, after), Power: used.Power, Object: used.Object, Reason: used.Reason}
	}
	machinetest.Run(t, breakglass.Decider, []machinetest.Case[breakglass.Event]{
		{Name: "two admins break it", When: enable, Then: events{enabled}},
		{Name: "one alone does not", When: changed(func(c *breakglass.Enable) { c.Approver = admin }), Err: breakglass.ErrSelfApproval},
		{Name: "nobody else does not", When: changed(func(c *breakglass.Enable) { c.Approver = domain.Actor{} }), Err: breakglass.ErrSelfApproval},
		{Name: "a guard is no second admin", When: changed(func(c *breakglass.Enable) { c.Approver = guard }), Err: breakglass.ErrSelfApproval},
		{Name: "a guard does not", When: changed(func(c *breakglass.Enable) { c.By = guard }), Err: fault.ErrForbidden},
		{Name: "an hour is the most", When: changed(func(c *breakglass.Enable) { c.For = time.Hour + time.Second }), Err: breakglass.ErrOutOfRange},
		{Name: "no time is too little", When: changed(func(c *breakglass.Enable) { c.For = 0 }), Err: breakglass.ErrOutOfRange},
		{Name: "a reason is needed", When: changed(func(c *breakglass.Enable) { c.Reason = "" }), Err: fault.ErrValidation},
		{Name: "it is broken once", Given: events{enabled}, When: enable, Err: breakglass.ErrActive},
		{Name: "it can be broken again when its timer is late", Given: events{enabled}, When: changed(func(c *breakglass.Enable) { c.At = at.Add(time.Hour) }), Then: events{
			breakglass.Enabled{Session: "s1", By: admin, Approver: admin2, Reason: enabled.Reason, Until: at.Add(90 * time.Minute)},
		}},
		{Name: "a power is used while it is broken", Given: events{enabled}, When: use(time.Minute), Then: events{used}},
		{Name: "not when its time is over", Given: events{enabled}, When: use(30 * time.Minute), Err: breakglass.ErrNotActive},
		{Name: "not while it is whole", When: use(0), Err: breakglass.ErrNotActive},
		{Name: "an admin ends it", Given: events{enabled}, When: breakglass.End{Issue: by(admin2, time.Minute)}, Then: events{ended}},
		{Name: "ended twice is once", Given: events{enabled, ended}, When: breakglass.End{Issue: by(admin2, time.Minute)}},
		{Name: "it ends by itself", Given: events{enabled}, When: breakglass.Expire{Issue: by(timer, 30*time.Minute)}, Then: events{expired}},
		{Name: "and not before", Given: events{enabled}, When: breakglass.Expire{Issue: by(timer, 29*time.Minute)}, Err: fault.ErrInvalidState},
		{Name: "a person is no timer", Given: events{enabled}, When: breakglass.Expire{Issue: by(admin, time.Hour)}, Err: fault.ErrForbidden},
	})
}

// However it is broken and ended, no use is ever recorded outside an hour after two admins agreed.
func TestNoUseOutsideASession(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, now := breakglass.State{}, at
		var until time.Time
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "minutes")) * time.Minute)
			who := rapid.SampledFrom([]domain.Actor{admin, admin2, guard, timer}).Draw(t, "who")
			i := domain.Issue{By: who, At: now}
			other := rapid.SampledFrom([]domain.Actor{admin, admin2, guard, {}}).Draw(t, "other")
			length := time.Duration(rapid.IntRange(-1, 70).Draw(t, "length")) * time.Minute
			var c domain.Command
			switch rapid.IntRange(0, 3).Draw(t, "command") {
			case 0:
				c = breakglass.Enable{Issue: i, Session: now.String(), Approver: other, Reason: "x", For: length}
			case 1:
				c = breakglass.Use{Issue: i, Power: breakglass.ClearReview, Object: "p"}
			case 2:
				c = breakglass.End{Issue: i}
			case 3:
				c = breakglass.Expire{Issue: i}
			}
			var got events
			s, got, _ = machinetest.Step(t, breakglass.Table(), breakglass.Decider, s, c)
			for _, e := range got {
				switch e := e.(type) {
				case breakglass.Enabled:
					if e.By.ID == e.Approver.ID || e.Until.After(now.Add(breakglass.Longest)) {
						t.Fatalf("enabled by %s and %s until %s", e.By.ID, e.Approver.ID, e.Until)
					}
					until = e.Until
				case breakglass.Used:
					if !now.Before(until) {
						t.Fatalf("used at %s after the end at %s", now, until)
					}
				case breakglass.Ended, breakglass.Expired:
					until = time.Time{}
				}
			}
		}
	})
}

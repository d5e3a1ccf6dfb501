package safety_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/machine/machinetest"
	"holdfast/domain/safety"
)

var t0 = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func finding(source string, o safety.Outcome, score int) safety.Finding {
	return safety.Finding{Source: source, Outcome: o, Score: score, At: t0}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		findings []safety.Finding
		want     safety.Outcome
	}{
		"nobody to ask":            {nil, safety.Unanswered},
		"clean":                    {[]safety.Finding{finding("a", safety.Clean, 0), finding("b", safety.Clean, 10)}, safety.Clean},
		"at the limit":             {[]safety.Finding{finding("a", safety.Clean, 50)}, safety.Clean},
		"above it":                 {[]safety.Finding{finding("a", safety.Clean, 51)}, safety.Flagged},
		"one hit is a hit":         {[]safety.Finding{finding("a", safety.Clean, 0), finding("b", safety.Flagged, 100)}, safety.Flagged},
		"whatever does not answer": {[]safety.Finding{finding("a", safety.Unanswered, 0), finding("b", safety.Flagged, 100)}, safety.Flagged},
		"one that does not":        {[]safety.Finding{finding("a", safety.Clean, 0), finding("b", safety.Unanswered, 0)}, safety.Unanswered},
		"what nobody knows":        {[]safety.Finding{finding("a", "purple", 0)}, safety.Unanswered},
	} {
		if v := safety.Judge(1, "0xA", c.findings, 50, t0); v.Outcome != c.want {
			t.Errorf("%s: %q", name, v.Outcome)
		}
	}
}

// Only an answer of every source, all of them good, makes an address payable; in any order.
func TestOnlyWhatIsSurelyCleanIsPayable(t *testing.T) {
	t.Parallel()
	outcomes := []safety.Outcome{safety.Clean, safety.Flagged, safety.Unanswered, "", "CLEAN"}
	rapid.Check(t, func(t *rapid.T) {
		var all []safety.Finding
		clean := true
		for range rapid.IntRange(0, 6).Draw(t, "sources") {
			f := finding("s", rapid.SampledFrom(outcomes).Draw(t, "outcome"), rapid.IntRange(0, 100).Draw(t, "score"))
			clean = clean && f.Outcome == safety.Clean && f.Score <= 50
			all = append(all, f)
		}
		v := safety.Judge(1, "0xA", all, 50, t0)
		if payable := v.Payable() == nil; payable != (clean && len(all) > 0) {
			t.Fatalf("%v is %q", all, v.Outcome)
		}
		back := make([]safety.Finding, 0, len(all))
		for i := range all {
			back = append(back, all[len(all)-1-i])
		}
		if w := safety.Judge(1, "0xA", back, 50, t0); w.Outcome != v.Outcome || w.Score != v.Score {
			t.Fatalf("%q in one order, %q in the other", v.Outcome, w.Outcome)
		}
	})
}

func TestPolicyOfAnOrder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		platform        safety.Policy
		require, blocks bool
		want            safety.Policy
	}{
		{safety.Policy{}, false, false, safety.Policy{}},
		{safety.Policy{}, false, true, safety.Policy{}},
		{safety.Policy{}, true, false, safety.Policy{Screen: true}},
		{safety.Policy{}, true, true, safety.Policy{Screen: true, Block: true}},
		{safety.Policy{Screen: true, Block: true}, false, false, safety.Policy{Screen: true, Block: true}},
		{safety.Policy{Screen: true, Block: true}, true, false, safety.Policy{Screen: true, Block: true}}, // an offer cannot ask for less
		{safety.Policy{Screen: true}, true, true, safety.Policy{Screen: true, Block: true}},
	} {
		if got := c.platform.For(c.require, c.blocks); got != c.want {
			t.Errorf("%+v: %+v", c, got)
		}
	}
}

func record(o safety.Outcome, at time.Time) safety.Record {
	return safety.Record{Issue: domain.Issue{By: domain.Machine(domain.Process, "screening"), At: at}, For: "payout/1", Verdict: safety.Judge(1, "0xA", []safety.Finding{finding("list", o, 0)}, 50, at)}
}

func TestRecord(t *testing.T) {
	t.Parallel()
	states := map[string]safety.State{"": {}}
	var recorded safety.Recorded
	for _, o := range []safety.Outcome{safety.Clean, safety.Flagged, safety.Unanswered} {
		recorded = safety.Recorded{Verdict: record(o, t0).Verdict, For: "payout/1"}
		states[string(o)] = machinetest.Fold(safety.Decider, safety.Event(recorded))
		machinetest.CheckSnapshot(t, states[string(o)])
	}
	machinetest.CheckComplete(t, safety.Table(), states)
	machinetest.CheckGolden(t, safety.Aggregate(), recorded)
	clean := safety.Recorded{Verdict: record(safety.Clean, t0).Verdict, For: "payout/1"}
	later := safety.Recorded{Verdict: record(safety.Clean, t0.Add(time.Hour)).Verdict, For: "payout/1"}
	by := record(safety.Clean, t0)
	by.By = domain.User("A1", domain.Admin)
	machinetest.Run(t, safety.Decider, []machinetest.Case[safety.Event]{
		{Name: "screened", When: record(safety.Clean, t0), Then: []safety.Event{clean}},
		{Name: "again at once", Given: []safety.Event{clean}, When: record(safety.Clean, t0.Add(time.Minute))},
		{Name: "again in an hour", Given: []safety.Event{clean}, When: record(safety.Clean, t0.Add(time.Hour)), Then: []safety.Event{later}},
		{Name: "another answer at once", Given: []safety.Event{clean}, When: record(safety.Flagged, t0), Then: []safety.Event{safety.Recorded{Verdict: record(safety.Flagged, t0).Verdict, For: "payout/1"}}},
		{Name: "nobody writes one by hand", When: by, Err: fault.ErrForbidden},
	})
	if err := record(safety.Flagged, t0).Verdict.Payable(); !errors.Is(err, safety.ErrAddress) {
		t.Error(err)
	}
	if err := record(safety.Unanswered, t0).Verdict.Payable(); !errors.Is(err, safety.ErrNotScreened) {
		t.Error(err)
	}
	if safety.ID(1, "0xAB") != safety.ID(1, "0xab") {
		t.Error("an address has two spellings and one stream")
	}
	if s := record(safety.Flagged, t0).Verdict.Source(); s != "list" {
		t.Error(s)
	}
}

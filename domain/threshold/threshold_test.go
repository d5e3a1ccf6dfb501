package threshold_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/machine/machinetest"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/payment"
	"holdfast/domain/threshold"
)

var (
	at     = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	admin  = domain.User("A1", domain.Admin)
	admin2 = domain.User("A2", domain.Admin)
	guard  = domain.User("G1", domain.Guard)

	chain = network.Confirmations{Need: 12, Floor: 6, Tag: network.Finalized}
	own   = threshold.Rule{Kind: threshold.Finalized, Min: 12}
	more  = threshold.Rule{Kind: threshold.Finalized, Min: 20, Tiers: []threshold.Tier{{From: 1000, Min: 40}, {From: 10_000, Min: 64}}}
	less  = threshold.Rule{Kind: threshold.Finalized, Min: 6}

	raised  = threshold.Changed{Chain: 56, From: own, To: more, By: admin, Reason: "larger orders"}
	cut     = threshold.Changed{Chain: 56, From: own, To: less, By: admin, Approver: admin2, Reason: "slow blocks"}
	lowered = threshold.Lowered{Chain: 56, From: more, To: less, By: admin, Session: "s1", Until: at.Add(time.Hour), Reason: "an outage"}
	reset   = threshold.Reset{Chain: 56, From: more, By: admin, Approver: admin2, Reason: "as before"}
)

type events = []threshold.Event

func by(a domain.Actor) domain.Issue { return domain.Issue{By: a, At: at} }

func TestTableIsComplete(t *testing.T) {
	t.Parallel()
	states := map[string]threshold.State{
		threshold.Default:     {},
		threshold.Set:         machinetest.Fold(threshold.Decider, events{raised}...),
		threshold.Temporarily: machinetest.Fold(threshold.Decider, events{raised, lowered}...),
	}
	for _, s := range states {
		machinetest.CheckSnapshot(t, s)
	}
	machinetest.CheckComplete(t, threshold.Table(), states)
}

func TestStoredForm(t *testing.T) {
	t.Parallel()
	machinetest.CheckGolden(t, threshold.Aggregate(), imported, cut, lowered, reset)
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	change := func(who domain.Actor, r threshold.Rule, other domain.Actor, why string) threshold.Change {
		return threshold.Change{Issue: by(who), Chain: 56, Rule: r, Default: chain, Approver: other, Reason: why}
	}
	lower := threshold.Lower{Issue: by(admin), Chain: 56, Rule: less, Default: chain, Session: "s1", Until: lowered.Until, Reason: lowered.Reason}
	under := lower
	under.Rule.Min = 5
	back := threshold.ResetRule{Issue: by(admin), Chain: 56, Default: chain, Approver: admin2, Reason: reset.Reason}
	alone := back
	alone.Approver = domain.Actor{}
	nobody := domain.Actor{}
	machinetest.Run(t, threshold.Decider, []machinetest.Case[threshold.Event]{
		{Name: "an admin raises it alone", When: change(admin, more, nobody, raised.Reason), Then: events{raised}},
		{Name: "the same again is no news", Given: events{raised}, When: change(admin, more, nobody, raised.Reason)},
		{Name: "asking for less takes two", When: change(admin, less, nobody, "x"), Err: threshold.ErrApprovalRequired},
		{Name: "two different ones", When: change(admin, less, admin, "x"), Err: threshold.ErrSelfApproval},
		{Name: "and both admins", When: change(admin, less, guard, "x"), Err: threshold.ErrSelfApproval},
		{Name: "two ask for less", When: change(admin, less, admin2, cut.Reason), Then: events{cut}},
		{Name: "a guard changes nothing", When: change(guard, more, nobody, "x"), Err: fault.ErrForbidden},
		{Name: "never below the floor, whoever agrees", When: change(admin, threshold.Rule{Kind: threshold.Depth, Min: 5}, admin2, "x"), Err: payment.ErrBelowFloor},
		{Name: "a reason is needed", When: change(admin, more, nobody, ""), Err: fault.ErrValidation},
		{Name: "safe is less than finalized", When: change(admin, threshold.Rule{Kind: threshold.Safe, Min: 12}, nobody, "x"), Err: threshold.ErrApprovalRequired},
		{Name: "lower while the glass is broken", Given: events{raised}, When: lower, Then: events{lowered}},
		{Name: "once", Given: events{raised, lowered}, When: lower},
		{Name: "but not below the floor", Given: events{raised}, When: under, Err: payment.ErrBelowFloor},
		{Name: "back to the registry's rule takes two when it is less", Given: events{raised}, When: alone, Err: threshold.ErrApprovalRequired},
		{Name: "two go back", Given: events{raised}, When: back, Then: events{reset}},
		{Name: "nothing to go back from", When: alone},
	})
}

func TestRulesThatAreNone(t *testing.T) {
	t.Parallel()
	depth := func(n int64, tiers ...threshold.Tier) threshold.Rule {
		return threshold.Rule{Kind: threshold.Depth, Min: n, Tiers: tiers}
	}
	for name, c := range map[string]struct {
		rule threshold.Rule
		want error
	}{
		"zero":                {depth(0), threshold.ErrInvalid},
		"negative":            {depth(-1), threshold.ErrInvalid},
		"a billion":           {depth(1_000_000_000), threshold.ErrInvalid},
		"beyond 32 bits":      {depth(1 << 31), threshold.ErrOutOfRange},
		"beyond, negative":    {depth(-1 << 40), threshold.ErrOutOfRange},
		"unknown kind":        {threshold.Rule{Kind: "earliest", Min: 12}, threshold.ErrInvalid},
		"below the floor":     {depth(5), payment.ErrBelowFloor},
		"a tier below it":     {depth(12, threshold.Tier{From: 1, Min: 5}), payment.ErrBelowFloor},
		"a tier that is less": {depth(12, threshold.Tier{From: 1, Min: 11}), threshold.ErrInvalid},
		"a tier from nothing": {depth(12, threshold.Tier{From: 0, Min: 12}), threshold.ErrInvalid},
		"tiers out of order":  {depth(12, threshold.Tier{From: 9, Min: 12}, threshold.Tier{From: 8, Min: 20}), threshold.ErrInvalid},
		"too many":            {depth(12, make([]threshold.Tier, 11)...), threshold.ErrInvalid},
		"300 is 300":          {depth(300), nil},
	} {
		if c.want == nil {
			assert.NoError(t, c.rule.Check(6), name)
			continue
		}
		assert.ErrorIs(t, c.rule.Check(6), c.want, name)
	}
	assert.EqualValues(t, 300, depth(300).For(money.FromUint64(1), 6, 6).Need, "and not 44")
}

func TestTiersCountWholeTokens(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		units    string
		decimals uint8
		need     uint64
	}{
		{"999999999", 6, 20},
		{"1000000000", 6, 40},
		{"9999999999", 6, 40},
		{"10000000000", 6, 64},
		{"999999999999999999999", 18, 20},
		{"1000000000000000000000", 18, 40},
		{"999", 0, 20},
		{"1000", 0, 40},
	} {
		assert.Equal(t, c.need, more.For(money.MustUnits(c.units), c.decimals, 6).Need, c.units)
	}
}

func TestTheKindSaysWhatElseCounts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind            threshold.Kind
		depth           uint64
		safe, finalized bool
		want            bool
	}{
		{threshold.Depth, 11, true, true, false},
		{threshold.Depth, 12, false, false, true},
		{threshold.Finalized, 2, true, true, true},
		{threshold.Finalized, 11, true, false, false},
		{threshold.Safe, 6, true, false, true},
		{threshold.Safe, 5, true, false, false},
		{threshold.Safe, 11, false, true, false},
		{threshold.Safe, 12, false, false, true},
	} {
		got := threshold.Rule{Kind: c.kind, Min: 12}.For(money.FromUint64(1), 6, 6).Reached(c.depth, c.safe, c.finalized)
		assert.Equal(t, c.want, got, "%+v", c)
	}
}

// No sequence of changes, by whomever, gives a payment less than the floor.
func TestNoPaymentBelowTheFloor(t *testing.T) {
	t.Parallel()
	actors := []domain.Actor{admin, admin2, guard, {}}
	rapid.Check(t, func(t *rapid.T) {
		floor := uint64(rapid.IntRange(1, 50).Draw(t, "floor"))
		c := network.Confirmations{
			Need: uint64(rapid.IntRange(1, 80).Draw(t, "need")), Floor: floor,
			Tag: rapid.SampledFrom([]network.Tag{network.NoTag, network.Safe, network.Finalized}).Draw(t, "tag"),
		}
		rule := rapid.Custom(func(t *rapid.T) threshold.Rule {
			r := threshold.Rule{
				Kind: rapid.SampledFrom([]threshold.Kind{threshold.Depth, threshold.Safe, threshold.Finalized}).Draw(t, "kind"),
				Min:  rapid.Int64Range(-2, 90).Draw(t, "min"),
			}
			for range rapid.IntRange(0, 3).Draw(t, "tiers") {
				r.Tiers = append(r.Tiers, threshold.Tier{From: rapid.Int64Range(0, 900).Draw(t, "from"), Min: rapid.Int64Range(-2, 90).Draw(t, "tier")})
			}
			return r
		})
		s, session := threshold.State{}, ""
		for range rapid.IntRange(1, 15).Draw(t, "steps") {
			i := by(rapid.SampledFrom(actors).Draw(t, "by"))
			other := rapid.SampledFrom(actors).Draw(t, "other")
			var cmd domain.Command
			switch rapid.IntRange(0, 3).Draw(t, "command") {
			case 0:
				cmd = threshold.Change{Issue: i, Rule: rule.Draw(t, "rule"), Default: c, Approver: other, Reason: "x"}
			case 1:
				cmd = threshold.Lower{Issue: i, Rule: rule.Draw(t, "rule"), Default: c, Session: "s", Reason: "x"}
			case 2:
				cmd = threshold.ResetRule{Issue: i, Default: c, Approver: other, Reason: "x"}
			case 3:
				session = rapid.SampledFrom([]string{"", "s", "t"}).Draw(t, "session")
				continue
			}
			before := s.InForce(c, "")
			var got events
			s, got, _ = machinetest.Step(t, threshold.Table(), threshold.Decider, s, cmd)
			if len(got) > 0 && s.InForce(c, "").WeakerThan(before) && (other.ID == i.By.ID || !other.Has(domain.Admin)) {
				t.Fatalf("%s alone asks for less: %+v after %+v", i.By.ID, s.InForce(c, ""), before)
			}
			amount := money.FromUint64(rapid.Uint64Range(0, 1000).Draw(t, "amount"))
			p := s.InForce(c, session).For(amount, 0, floor)
			if p.Need < floor || p.Floor != floor || p.Reached(floor-1, true, false) {
				t.Fatalf("a payment of %s gets %+v, the floor is %d", amount, p, floor)
			}
		}
	})
}

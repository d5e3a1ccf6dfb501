package points_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/machine/machinetest"
	"holdfast/domain/money"
	"holdfast/domain/points"
)

var (
	t0     = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	admin  = domain.User("A1", domain.Admin)
	policy = domain.Machine(domain.Process, "loyalty")
)

type events = []points.Event

func change(n uint64, a domain.Actor, why string) points.Change {
	return points.Change{User: "B1", Ref: "q1", Amount: money.Of(points.Asset, money.FromUint64(n)), Reason: why, By: a}
}

func move(k points.Kind, n uint64, a domain.Actor, why string) points.Move {
	return points.Move{Issue: domain.Issue{By: a, At: t0}, Kind: k, User: "B1", Ref: "q1", Points: money.FromUint64(n), Reason: why}
}

var (
	earned   = points.Earned{Change: change(100, policy, "")}
	redeemed = points.Redeemed{Change: change(80, policy, "")}
	reversed = points.Reversed{Change: change(100, policy, ""), Owed: money.Of(points.Asset, money.FromUint64(80))}
)

func TestTableIsComplete(t *testing.T) {
	t.Parallel()
	s := machinetest.Fold(points.Decider, events{earned, redeemed, reversed}...)
	machinetest.CheckSnapshot(t, s)
	machinetest.CheckComplete(t, points.Table(), map[string]points.State{"Open": s})
}

func TestStoredForm(t *testing.T) {
	t.Parallel()
	machinetest.CheckGolden(t, points.Aggregate(), earned, redeemed, reversed, points.Granted{Change: change(1, admin, "a gift")},
		points.Expired{Change: change(1, policy, "")}, points.Deducted{Change: change(1, admin, "a mistake")})
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	machinetest.Run(t, points.Decider, []machinetest.Case[points.Event]{
		{Name: "earned", When: move(points.Earn, 100, policy, ""), Then: events{earned}},
		{Name: "redeemed", Given: events{earned}, When: move(points.Redeem, 80, policy, ""), Then: events{redeemed}},
		{Name: "not more than there is", Given: events{earned, redeemed}, When: move(points.Redeem, 21, policy, ""), Err: points.ErrInsufficient},
		{Name: "nor expired", Given: events{earned, redeemed}, When: move(points.Expire, 21, policy, ""), Err: points.ErrInsufficient},
		{Name: "reversed, what is spent is owed", Given: events{earned, redeemed}, When: move(points.Reverse, 100, policy, ""), Then: events{reversed}},
		{Name: "a gift", When: move(points.Grant, 1, admin, "a gift"), Then: events{points.Granted{Change: change(1, admin, "a gift")}}},
		{Name: "by an admin", When: move(points.Grant, 1, policy, "a gift"), Err: fault.ErrForbidden},
		{Name: "with a reason", When: move(points.Deduct, 1, admin, ""), Err: points.ErrReason},
		{Name: "a buyer gives himself none", When: move(points.Earn, 1, domain.User("B1", domain.Buyer), ""), Err: fault.ErrForbidden},
		{Name: "nothing", When: move(points.Earn, 0, policy, ""), Err: fault.ErrValidation},
		{Name: "a kind that is not known", When: move("steal", 1, policy, ""), Err: fault.ErrValidation},
	})
}

func TestPointsOfAnOrderCountOnce(t *testing.T) {
	t.Parallel()
	claim := func(e points.Event) domain.Claim { return points.Aggregate().Claims(domain.Stream{}, e)[0] }
	other := earned
	other.User = "B2"
	if claim(earned) == claim(redeemed) || claim(earned) == claim(other) || claim(earned).Free {
		t.Error("a claim names user, kind and reference")
	}
}

func TestTheBalanceIsWhatTheLedgerSays(t *testing.T) {
	t.Parallel()
	kinds := []points.Kind{points.Earn, points.Grant, points.Redeem, points.Expire, points.Deduct, points.Reverse}
	rapid.Check(t, func(t *rapid.T) {
		s, have, owed := points.State{}, money.Zero, money.Zero
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			c := move(rapid.SampledFrom(kinds).Draw(t, "kind"), rapid.Uint64Range(1, 50).Draw(t, "points"), admin, "test")
			next, got, err := machinetest.Step(t, points.Table(), points.Decider, s, c)
			if err != nil {
				continue
			}
			s = next
			tx, _ := points.Postings(domain.Stream{}, got[0])
			if err := tx.Validate(); err != nil {
				t.Fatal(err)
			}
			for _, l := range tx.Lines {
				switch {
				case l.Credit == "points:user:B1":
					have = have.Plus(l.Amount.Units)
				case l.Debit == "points:user:B1":
					have = have.Minus(l.Amount.Units)
				case l.Debit == "receivable:points:B1":
					owed = owed.Plus(l.Amount.Units)
				}
			}
			if s.Balance != have || s.Owed != owed {
				t.Fatalf("the state says %s and %s, the ledger %s and %s", s.Balance, s.Owed, have, owed)
			}
		}
	})
}

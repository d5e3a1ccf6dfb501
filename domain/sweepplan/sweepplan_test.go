package sweepplan_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast/domain"
	"holdfast/domain/destination"
	"holdfast/domain/fault"
	"holdfast/domain/machine/machinetest"
	"holdfast/domain/money"
	"holdfast/domain/outgoing"
	"holdfast/domain/sweepplan"
)

const usdc, eth money.Asset = "USDC@8453", "ETH@8453"

var (
	t0     = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	admin  = domain.User("A1", domain.Admin)
	guard  = domain.User("G1", domain.Guard)
	sweepI = instruction("0xD1", "0xT", "0xtoken", money.Of(usdc, money.FromUint64(100)), 0)
	topUpI = instruction("0xGAS", "0xD1", "", money.Of(eth, money.FromUint64(5)), 7)

	planned = sweepplan.Planned{
		Plan: "p1", Chain: 8453, Signer: "build-only", By: admin, ExpiresAt: t0.Add(time.Hour),
		Sweeps: []sweepplan.Sweep{{ID: "w1", Destination: "d1", Index: 3, Instruction: sweepI}},
		TopUps: []sweepplan.TopUp{{Destination: "d1", Instruction: topUpI}},
	}
	proposed = sweepplan.Planned{
		Plan: "p1", Chain: 8453, Signer: "safe", By: admin, ExpiresAt: t0.Add(time.Hour),
		Sweeps: []sweepplan.Sweep{{ID: "w1", Destination: "d1", Instruction: sweepI, Proposal: &sweepplan.Proposal{
			Safe: "0xT", Chain: 8453, To: "0xtoken", Value: "0", Data: "0x23b872dd", Nonce: 4, SafeTxHash: "0x55",
		}}},
	}
	signed   = sweepplan.SweepSigned{Sweep: "w1", Destination: "d1", Tx: "0xaa", By: admin}
	ended    = sweepplan.TopUpEnded{Destination: "d1", Tx: "0xbb", Outcome: sweepplan.Arrived}
	over     = sweepplan.Expired{At: planned.ExpiresAt}
	toppedUp = sweepplan.TopUpSigned{Destination: "d1", Transfer: topUpI.Transfer, Tx: "0xbb", By: admin}
)

type events = []sweepplan.Event

func by(a domain.Actor) domain.Issue { return domain.Issue{By: a, At: t0} }

func instruction(from, to, token string, a money.Amount, nonce uint64) outgoing.Signable {
	return outgoing.Signable{
		Transfer: outgoing.Transfer{Chain: 8453, From: from, To: to, Token: token, Amount: a, Nonce: nonce},
		Gas:      outgoing.Gas{Limit: 60_000, MaxFee: money.FromUint64(9), Tip: money.FromUint64(2)}, Unsigned: "0x02", SigningHash: "0x11" + from,
	}
}

// as is what a signer makes of an instruction.
func as(i outgoing.Signable, hash string) outgoing.Signed {
	return outgoing.Signed{Tx: outgoing.Tx{Hash: hash, Signer: i.From, Transfer: i.Transfer}, Gas: i.Gas, SigningHash: i.SigningHash, Raw: "0x02f8"}
}

func TestTableIsComplete(t *testing.T) {
	t.Parallel()
	states := map[string]sweepplan.State{
		"":             {},
		sweepplan.Open: machinetest.Fold(sweepplan.Decider, events{planned, toppedUp}...),
		sweepplan.Over: machinetest.Fold(sweepplan.Decider, events{planned, toppedUp, over}...),
		sweepplan.Used: machinetest.Fold(sweepplan.Decider, events{planned, toppedUp, signed}...),
	}
	for _, s := range states {
		machinetest.CheckSnapshot(t, s)
	}
	machinetest.CheckComplete(t, sweepplan.Table(), states)
}

func TestStoredForm(t *testing.T) {
	t.Parallel()
	machinetest.CheckGolden(t, sweepplan.Aggregate(), planned, signed, toppedUp, ended, over)
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	sign := func(tx outgoing.Signed) sweepplan.Sign { return sweepplan.Sign{Issue: by(admin), Tx: tx} }
	arrive := sweepplan.EndTopUp{Issue: by(domain.Machine(domain.Chain, "8453")), Destination: "d1", Outcome: sweepplan.Arrived}
	late := sign(as(sweepI, "0xAA"))
	late.At = planned.ExpiresAt
	end := sweepplan.Expire{Issue: domain.Issue{By: domain.Machine(domain.Timer, "expiry"), At: planned.ExpiresAt}}
	machinetest.Run(t, sweepplan.Decider, []machinetest.Case[sweepplan.Event]{
		{Name: "a plan", When: sweepplan.Plan{Issue: by(admin), Planned: planned}, Then: events{planned}},
		{Name: "of nothing", When: sweepplan.Plan{Issue: by(admin)}, Err: destination.ErrNothing},
		{Name: "a guard plans nothing", When: sweepplan.Plan{Issue: by(guard), Planned: planned}, Err: fault.ErrForbidden},
		{Name: "a plan is made once", Given: events{planned}, When: sweepplan.Plan{Issue: by(admin), Planned: planned}, Err: fault.ErrInvalidState},
		{Name: "a sweep comes back", Given: events{planned}, When: sign(as(sweepI, "0xAA")), Then: events{signed}},
		{Name: "a top-up comes back", Given: events{planned}, When: sign(as(topUpI, "0xBB")), Then: events{toppedUp}},
		{Name: "the same again is a repeat", Given: events{planned, signed}, When: sign(as(sweepI, "0xaa"))},
		{Name: "also after the end", Given: events{planned, signed}, When: late},
		{Name: "another signature of the same is not", Given: events{planned, signed}, When: sign(as(sweepI, "0xcc")), Err: sweepplan.ErrSigned},
		{Name: "too late", Given: events{planned}, When: late, Err: sweepplan.ErrExpired},
		{Name: "its time is over", Given: events{planned, signed}, When: end, Then: events{over}},
		{Name: "once", Given: events{planned, over}, When: end},
		{Name: "not when all came back", Given: events{planned, signed, toppedUp}, When: end},
		{Name: "too late for the rest", Given: events{planned, signed, over}, When: sweepplan.Sign{Issue: late.Issue, Tx: as(topUpI, "0xBB")}, Err: sweepplan.ErrExpired},
		{Name: "what the chain shows is never too late", Given: events{proposed, over}, When: sweepplan.Execute{Issue: by(admin), Sweep: "w1", Tx: "0xAA"}, Then: events{signed}},
		{Name: "gas that was signed arrives", Given: events{planned, toppedUp, over}, When: arrive, Then: events{ended}},
		{Name: "a top-up arrives", Given: events{planned, toppedUp}, When: arrive, Then: events{ended}},
		{Name: "once", Given: events{planned, toppedUp, ended}, When: arrive},
		{Name: "one that was never signed does not", Given: events{planned}, When: arrive, Err: destination.ErrSweep},
		{Name: "of nobody", Given: events{planned}, When: sign(as(instruction("0xX", "0xT", "", sweepI.Amount, 0), "0xaa")), Err: outgoing.ErrInstructionMismatch},
		{Name: "no plan", When: sign(as(sweepI, "0xaa")), Err: fault.ErrInvalidState},
		{Name: "a proposal is not signed by the address", Given: events{proposed}, When: sign(as(sweepI, "0xaa")), Err: outgoing.ErrInstructionMismatch},
		{Name: "a proposal is executed", Given: events{proposed}, When: sweepplan.Execute{Issue: by(admin), Sweep: "w1", Tx: "0xAA"}, Then: events{signed}},
		{Name: "executed twice by the same is once", Given: events{proposed, signed}, When: sweepplan.Execute{Issue: by(admin), Sweep: "w1", Tx: "0xaa"}},
		{Name: "executed by another is refused", Given: events{proposed, signed}, When: sweepplan.Execute{Issue: by(admin), Sweep: "w1", Tx: "0xcc"}, Err: sweepplan.ErrSigned},
		{Name: "what was no proposal is not executed", Given: events{planned}, When: sweepplan.Execute{Issue: by(admin), Sweep: "w1", Tx: "0xaa"}, Err: destination.ErrSweep},
	})
}

// Every field that a signature covers is compared, whichever of the two is changed.
func TestEveryFieldIsCompared(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*outgoing.Signed){
		"chain":        func(s *outgoing.Signed) { s.Chain = 1 },
		"from":         func(s *outgoing.Signed) { s.From = "0xE" },
		"to":           func(s *outgoing.Signed) { s.To = "0xE" },
		"token":        func(s *outgoing.Signed) { s.Token = "0xE" },
		"amount":       func(s *outgoing.Signed) { s.Amount.Units = s.Amount.Units.Minus(money.FromUint64(1)) },
		"nonce":        func(s *outgoing.Signed) { s.Nonce++ },
		"gas_limit":    func(s *outgoing.Signed) { s.Gas.Limit++ },
		"max_fee":      func(s *outgoing.Signed) { s.Gas.MaxFee = s.Gas.MaxFee.Plus(money.FromUint64(1)) },
		"tip":          func(s *outgoing.Signed) { s.Gas.Tip = money.Zero },
		"signing_hash": func(s *outgoing.Signed) { s.SigningHash = "0x00" },
	} {
		for _, i := range []outgoing.Signable{sweepI, topUpI} {
			tx := as(i, "0xaa")
			change(&tx)
			got, err := sweepplan.Decider.Decide(machinetest.Fold(sweepplan.Decider, events{planned}...), sweepplan.Sign{Issue: by(admin), Tx: tx})
			f, ok := fault.From(err)
			if !ok || f.Code != "INSTRUCTION_MISMATCH" || f.Fields["field"] != name || len(got) > 0 {
				t.Errorf("%s of %s: %v %v", name, i.From, got, err)
			}
		}
	}
}

// However often and in whatever order things come back, each part of a plan is signed once.
func TestEachPartIsSignedOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := machinetest.Fold(sweepplan.Decider, events{planned}...)
		hashes := map[string]string{}
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			i := rapid.SampledFrom([]outgoing.Signable{sweepI, topUpI}).Draw(t, "part")
			c := sweepplan.Sign{Issue: by(admin), Tx: as(i, fmt.Sprint("0x", rapid.IntRange(0, 2).Draw(t, "hash")))}
			c.At = t0.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "minutes")) * time.Minute)
			var err error
			var got []sweepplan.Event
			s, got, err = machinetest.Step(t, sweepplan.Table(), sweepplan.Decider, s, c)
			if len(got) > 0 && (hashes[i.From] != "" || !c.At.Before(planned.ExpiresAt)) {
				t.Fatalf("%s signed again or too late: %v", i.From, got)
			}
			if err == nil && len(got) > 0 {
				hashes[i.From] = c.Tx.Hash
			}
		}
		if len(s.Signed)+len(s.ToppedUp) != len(hashes) {
			t.Fatalf("%v is not %v", s, hashes)
		}
	})
}

func TestATopUpTakesItsNonce(t *testing.T) {
	t.Parallel()
	claims := sweepplan.Aggregate().Claims(domain.Stream{}, toppedUp)
	if len(claims) != 2 || claims[0].Name != "nonce:8453:0xgas/7" || claims[1].Name != "top-up:d1" || !claims[1].Once {
		t.Error(claims)
	}
	if claims := sweepplan.Aggregate().Claims(domain.Stream{}, ended); len(claims) != 1 || claims[0].Name != "top-up:d1" || !claims[0].Free {
		t.Error(claims)
	}
	if claims := sweepplan.Aggregate().Claims(domain.Stream{}, signed); len(claims) != 1 || claims[0].Name != "sweep-tx:0xaa/d1" || !claims[0].Once {
		t.Error(claims)
	}
}

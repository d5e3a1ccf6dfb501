package destination_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast/domain"
	"holdfast/domain/destination"
	"holdfast/domain/fault"
	"holdfast/domain/ledger"
	"holdfast/domain/machine/machinetest"
	"holdfast/domain/money"
)

const usdc, dai money.Asset = "USDC@8453", "DAI@8453"

var (
	t0     = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	admin  = domain.User("A1", domain.Admin)
	guard  = domain.User("G1", domain.Guard)
	chain  = domain.Machine(domain.Chain, "8453")
	policy = domain.Machine(domain.Process, "sweeper")
)

type events = []destination.Event

func amount(n uint64) money.Amount   { return money.Of(usdc, money.FromUint64(n)) }
func by(a domain.Actor) domain.Issue { return domain.Issue{By: a, At: t0} }

var (
	derived   = destination.Derived{Destination: "d1", Fingerprint: "xpub", Chain: 8453, Index: 7, Path: "m/0/7", Address: "0xD1"}
	assigned  = destination.Assigned{Payment: "p1"}
	funded    = destination.Funded{Amount: amount(100)}
	sent      = destination.SweepBroadcast{Sweep: "w1", Destination: "d1", Amount: amount(100), Tx: "0xs1", Nonce: 3, Raw: "0x02", At: t0}
	confirmed = destination.SweepConfirmed{Sweep: "w1", Destination: "d1", Amount: amount(100), Block: 9, BlockHash: "0xb"}
	failed    = destination.SweepFailed{Sweep: "w1", Destination: "d1", Amount: amount(100), Code: "REVERTED"}
	undone    = destination.SweepReorged{Sweep: "w1", Destination: "d1", Amount: amount(100)}
	stopped   = destination.Quarantined{By: guard, Reason: "tainted"}
)

func path(phase string, more ...destination.Event) events {
	all := map[string]events{
		"":                           nil,
		destination.DerivedPhase:     {derived},
		destination.AssignedPhase:    {derived, assigned},
		destination.FundedPhase:      {derived, assigned, funded},
		destination.SweepingPhase:    {derived, assigned, funded, sent},
		destination.SweptPhase:       {derived, assigned, funded, sent, confirmed},
		destination.QuarantinedPhase: {derived, assigned, funded, stopped},
		destination.RetiredPhase:     {derived, destination.Retired{By: admin}},
	}[phase]
	return append(all[:len(all):len(all)], more...)
}

func TestTableIsComplete(t *testing.T) {
	t.Parallel()
	states := map[string]destination.State{}
	for _, p := range destination.Table().Phases {
		states[p] = machinetest.Fold(destination.Decider, path(p)...)
		machinetest.CheckSnapshot(t, states[p])
	}
	machinetest.CheckSnapshot(t, machinetest.Fold(destination.Decider, path(destination.AssignedPhase, destination.Drained{Amount: amount(5)})...))
	machinetest.CheckComplete(t, destination.Table(), states)
}

func TestStoredForm(t *testing.T) {
	t.Parallel()
	machinetest.CheckGolden(t, destination.Aggregate(), imported, stands, derived, assigned, funded, destination.Drained{Amount: amount(100)}, sent, confirmed, failed, undone, destination.SweepLost{Sweep: "w1", Asset: usdc, Code: "REPLACED"}, stopped,
		destination.Released{By: admin, Reason: "clean"}, destination.Retired{By: admin})
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	derive := destination.Derive{Issue: by(policy), Destination: "d1", Fingerprint: "xpub", Chain: 8453, Index: 7, Path: "m/0/7", Address: "0xD1"}
	clash := derive
	clash.Address = "0xD2"
	send := destination.Broadcast{Issue: by(policy), Sweep: "w1", Amount: amount(100), Tx: "0xs1", Nonce: 3, Raw: "0x02"}
	much, next := send, send
	much.Amount = amount(101)
	next.Sweep = "w2"
	sure := destination.Confirm{Issue: by(chain), Sweep: "w1", Block: 9, BlockHash: "0xb"}
	fail := destination.Fail{Issue: by(chain), Sweep: "w1", Code: "REVERTED"}
	undo := destination.Reorg{Issue: by(chain), Sweep: "w1"}
	again := confirmed
	again.Again = true
	machinetest.Run(t, destination.Decider, []machinetest.Case[destination.Event]{
		{Name: "derived", When: derive, Then: events{derived}},
		{Name: "derived twice is once", Given: path(destination.DerivedPhase), When: derive},
		{Name: "another address at this index", Given: path(destination.DerivedPhase), When: clash, Err: destination.ErrIndexUsed},
		{Name: "assigned", Given: path(destination.DerivedPhase), When: destination.Assign{Issue: by(policy), Payment: "p1"}, Then: events{assigned}},
		{Name: "to one payment for ever", Given: path(destination.AssignedPhase), When: destination.Assign{Issue: by(policy), Payment: "p2"}, Err: destination.ErrAssigned},
		{Name: "funded", Given: path(destination.AssignedPhase), When: destination.Fund{Issue: by(chain), Amount: amount(100)}, Then: events{funded}},
		{Name: "drained", Given: path(destination.FundedPhase), When: destination.Drain{Issue: by(chain), Amount: amount(100)}, Then: events{destination.Drained{Amount: amount(100)}}},
		{Name: "a sweep", Given: path(destination.FundedPhase), When: send, Then: events{sent}},
		{Name: "recorded once", Given: path(destination.SweepingPhase), When: send},
		{Name: "one at a time", Given: path(destination.SweepingPhase), When: next, Err: destination.ErrInFlight},
		{Name: "not more than there is", Given: path(destination.FundedPhase), When: much, Err: destination.ErrNothing},
		{Name: "nothing to sweep", Given: path(destination.AssignedPhase), When: send, Err: destination.ErrNothing},
		{Name: "nothing is left of it", Given: path(destination.FundedPhase, destination.Drained{Amount: amount(100)}), When: send, Err: destination.ErrNothing},
		{Name: "not out of quarantine", Given: path(destination.QuarantinedPhase), When: send, Err: destination.ErrQuarantined},
		{Name: "a guard sweeps nothing", Given: path(destination.FundedPhase), When: destination.Broadcast{Issue: by(guard)}, Err: fault.ErrForbidden},
		{Name: "confirmed", Given: path(destination.SweepingPhase), When: sure, Then: events{confirmed}},
		{Name: "once", Given: path(destination.SweptPhase), When: sure},
		{Name: "again after a reorganisation", Given: path(destination.SweptPhase, undone), When: sure, Then: events{again}},
		{Name: "failed", Given: path(destination.SweepingPhase), When: fail, Then: events{failed}},
		{Name: "what was confirmed does not fail", Given: path(destination.SweptPhase), When: fail},
		{Name: "undone", Given: path(destination.SweptPhase), When: undo, Then: events{undone}},
		{Name: "what was undone may never come back", Given: path(destination.SweptPhase, undone), When: fail, Then: events{destination.SweepLost{Sweep: "w1", Asset: usdc, Code: "REVERTED"}}},
		{Name: "and is lost once", Given: path(destination.SweptPhase, undone, destination.SweepLost{Sweep: "w1", Asset: usdc}), When: fail},
		{Name: "lost and found", Given: path(destination.SweptPhase, undone, destination.SweepLost{Sweep: "w1", Asset: usdc}), When: sure, Then: events{again}},
		{Name: "an unknown sweep", Given: path(destination.FundedPhase), When: undo, Err: destination.ErrSweep},
		{Name: "quarantine", Given: path(destination.FundedPhase), When: destination.Quarantine{Issue: by(guard), Reason: "tainted"}, Then: events{stopped}},
		{Name: "with a reason", Given: path(destination.FundedPhase), When: destination.Quarantine{Issue: by(guard)}, Err: fault.ErrValidation},
		{Name: "a guard does not end it", Given: path(destination.QuarantinedPhase), When: destination.Release{Issue: by(guard), Reason: "x"}, Err: fault.ErrForbidden},
		{Name: "money is not retired", Given: path(destination.FundedPhase), When: destination.Retire{Issue: by(admin)}, Err: fault.ErrInvalidState},
	})
}

func TestPostingsAndClaim(t *testing.T) {
	t.Parallel()
	for _, e := range (events{sent, confirmed, failed, undone}) {
		p, ok := destination.Postings(domain.Stream{}, e)
		if err := p.Validate(); !ok || err != nil || !p.Fact {
			t.Errorf("%s: %t, %v, fact %t", e.EventType(), ok, err, p.Fact)
		}
	}
	if c := destination.Aggregate().Claims(domain.Stream{}, derived); len(c) != 1 || c[0].Name != "derivation:xpub/7" {
		t.Errorf("%+v", c)
	}
}

// TestTheBalanceIsWhatStandsOnTheAddress undoes payments and sweeps in any order: what the
// destination believes, less what it is short of, is what its ledger account says.
func TestTheBalanceIsWhatStandsOnTheAddress(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := machinetest.Fold(destination.Decider, path(destination.AssignedPhase)...)
		var came, went money.Units
		for range rapid.IntRange(5, 60).Draw(t, "steps") {
			n := amount(rapid.Uint64Range(1, 60).Draw(t, "amount"))
			id := rapid.SampledFrom([]domain.SweepID{"w1", "w2"}).Draw(t, "sweep")
			c := rapid.SampledFrom([]domain.Command{
				destination.Fund{Issue: by(chain), Amount: n},
				destination.Drain{Issue: by(chain), Amount: n},
				destination.Broadcast{Issue: by(policy), Sweep: id, Amount: n},
				destination.Confirm{Issue: by(chain), Sweep: id},
				destination.Fail{Issue: by(chain), Sweep: id},
				destination.Reorg{Issue: by(chain), Sweep: id},
				destination.Quarantine{Issue: by(guard), Reason: "r"},
				destination.Release{Issue: by(admin), Reason: "r"},
			}).Draw(t, "command")
			next, got, err := machinetest.Step(t, destination.Table(), destination.Decider, s, c)
			if err != nil {
				continue
			}
			s = next
			for _, e := range got {
				switch e := e.(type) {
				case destination.Funded:
					came = came.Plus(e.Amount.Units)
				case destination.Drained:
					went = went.Plus(e.Amount.Units)
				}
				p, _ := destination.Postings(domain.Stream{}, e)
				for _, l := range p.Lines {
					if l.Debit == ledger.Derived("d1") {
						came = came.Plus(l.Amount.Units)
					}
					if l.Credit == ledger.Derived("d1") {
						went = went.Plus(l.Amount.Units)
					}
				}
			}
			if have, short := s.Balance[usdc], s.Short[usdc]; came.Plus(short) != went.Plus(have) || !slices.Contains([]money.Units{have, short}, money.Zero) {
				t.Fatalf("%T: came %s, went %s, have %s, short %s", c, came, went, have, short)
			}
			if s.InFlight(dai) {
				t.Fatal("no sweep of another asset is under way")
			}
		}
	})
}

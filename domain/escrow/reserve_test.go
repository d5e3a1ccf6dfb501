package escrow_test

import (
	"slices"
	"testing"
	"time"

	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/machine/machinetest"
	"holdfast/domain/money"
)

// withReserve are terms under which a tenth of the proceeds is withheld for thirty days.
var withReserve = escrow.Terms{FeeBPS: 500, Inspection: 48 * time.Hour, AutoRelease: 24 * time.Hour, DisputeWindow: time.Hour, ReserveBPS: 1000, ReserveFor: 30 * 24 * time.Hour}

var backed = escrow.ReserveReleased{Hold: "h1", Seller: "S1", Amount: amount(9), Cause: "time"}

func TestAReserve(t *testing.T) {
	t.Parallel()
	open := opened
	open.Terms = withReserve
	due := t0.Add(withReserve.ReserveFor)
	// 100 less 5 of fee; of the 95 a tenth, rounded down.
	paid := released(100, 5)
	paid.Net, paid.Reserve, paid.ReserveUntil = amount(86), amount(9), due
	free := events{open, credited, funded, freed}
	at := func(at time.Time) escrow.ReleaseReserve {
		return escrow.ReleaseReserve{Issue: domain.Issue{By: timer, At: at}, Cause: "time"}
	}
	given := slices.Clip(append(append(events{}, free...), paid))
	part := backed
	part.Amount, part.Cause = amount(4), "clawback"
	rest := backed
	rest.Amount = amount(5)
	take := escrow.ReleaseReserve{Issue: by(policy), Needed: units(4), Cause: "clawback"}
	take.Refund, part.Refund = "r1", "r1"
	clawed := escrow.ClawedBack{Refund: "r1", Amount: amount(4)}
	undo := escrow.ReturnClawback{Issue: by(policy), Refund: "r1", Amount: amount(4)}
	undone := escrow.ClawbackReturned{Refund: "r1", Amount: amount(4), Reserve: amount(4), Lots: []escrow.Lot{{Amount: units(4), Until: due}}}
	all := escrow.ReleaseReserve{Issue: by(policy), Needed: units(400), Cause: "clawback"}
	covered := backed
	covered.Cause = "clawback"
	machinetest.Run(t, escrow.Decider, []machinetest.Case[escrow.Event]{
		{Name: "a release withholds it", Given: free, When: escrow.Release{Issue: by(buyer)}, Then: events{paid}},
		{Name: "not before its time", Given: given, When: at(due.Add(-1)), Err: escrow.ErrReserveNotDue},
		{Name: "in time", Given: given, When: at(due), Then: events{backed}},
		{Name: "once", Given: append(given, backed), When: at(due)},
		{Name: "not while something stops the order", Given: append(given, placed), When: at(due), Err: escrow.ErrReleaseHold},
		{Name: "to cover what is taken back, due or not", Given: append(given, placed), When: take, Then: events{part}},
		{Name: "then the rest in time", Given: append(given, part), When: at(due), Then: events{rest}},
		{Name: "a clawback that is cancelled gives it back to the reserve", Given: append(given, clawed, part), When: undo, Then: events{undone}},
		{Name: "where it waits for its own time", Given: append(given, clawed, part, undone), When: at(due.Add(-1)), Err: escrow.ErrReserveNotDue},
		{Name: "and is whole again", Given: append(given, clawed, part, undone), When: at(due), Then: events{backed}},
		{Name: "no more than there is", Given: given, When: all, Then: events{covered}},
		{Name: "nothing where nothing is withheld", Given: append(append(events{}, path(escrow.ReleasableNow)...), released(100, 5)), When: all},
	})
}

func TestEachReleaseHasItsOwnTime(t *testing.T) {
	t.Parallel()
	open := opened
	open.Terms = withReserve
	s := machinetest.Fold(escrow.Decider, events{open, credited, funded, freed}...)
	for day := range 2 {
		issue := domain.Issue{By: buyer, At: t0.Add(time.Duration(day) * 24 * time.Hour)}
		next, got, err := machinetest.Step(t, escrow.Table(), escrow.Decider, s, escrow.Release{Issue: issue, Amount: units(50)})
		if err != nil {
			t.Fatal(err)
		}
		timers := escrow.Deadlines(domain.Stream{}, got[0])
		if len(timers) != 1 || !timers[0].Due.Equal(issue.At.Add(withReserve.ReserveFor)) {
			t.Fatalf("day %d: %+v", day, timers)
		}
		s = next
	}
	s, got, err := machinetest.Step(t, escrow.Table(), escrow.Decider, s, escrow.ReleaseReserve{Issue: domain.Issue{By: timer, At: t0.Add(withReserve.ReserveFor)}})
	if err != nil || len(got) != 1 || len(s.Reserves) != 1 {
		t.Fatalf("%v %+v: the first is due, the second is not", err, got)
	}
}

// Every event that puts something into the reserve sets the timer that gives it back.
func TestWhatIsWithheldHasATimer(t *testing.T) {
	t.Parallel()
	early, late := t0.Add(time.Hour), t0.Add(2*time.Hour)
	for _, e := range (events{
		escrow.Released{Reserve: amount(9), ReserveUntil: early},
		escrow.DisputeSettled{Reserve: amount(9), ReserveUntil: early},
		escrow.ClawbackReturned{Refund: "r1", Amount: amount(9), Reserve: amount(9), Lots: []escrow.Lot{{Amount: units(4), Until: early}, {Amount: units(5), Until: late}}},
	}) {
		timers := escrow.Deadlines(domain.Stream{}, e)
		if len(timers) == 0 || !timers[0].Due.Equal(early) || timers[0].Command != "funding.release_reserve" {
			t.Errorf("%T: %+v", e, timers)
		}
		if _, back := e.(escrow.ClawbackReturned); back && (len(timers) != 2 || !timers[1].Due.Equal(late) || timers[0].Key == timers[1].Key) {
			t.Errorf("%T: %+v", e, timers)
		}
	}
}

// An outcome of before dispute outcomes withheld anything is no debt to the reserve: what the hold pays
// later is not kept for it.
func TestAnOutcomeOfBeforeWithholdsNothingLater(t *testing.T) {
	t.Parallel()
	open := opened
	open.Terms = withReserve
	state := func(settled escrow.DisputeSettled) (s escrow.State) {
		for _, e := range (events{open, credited, funded, freed, escrow.Frozen{Dispute: "d1", FromHeld: amount(0), FromReleasable: amount(100)}, settled}) {
			s = escrow.Decider.Evolve(s, e)
		}
		return s
	}
	old := escrow.DisputeSettled{Dispute: "d1", Buyer: amount(0), PlatformFee: amount(5), DisputeFee: amount(0), Seller: amount(95), ToHeld: amount(0), ToReleasable: amount(0)}
	if due := state(old).ReserveFor(units(10)); due != units(1) {
		t.Errorf("a tenth of 10 and no more, not %s", due)
	}
	old.Withholds = true
	if due := state(old).ReserveFor(units(10)); due != units(10) {
		t.Errorf("one that should have withheld is caught up on, not %s", due)
	}
}

func TestADisputesOutcomeWithholdsAsAReleaseDoes(t *testing.T) {
	t.Parallel()
	open := opened
	open.Terms = withReserve
	given := events{open, credited, funded, freed, escrow.Frozen{Dispute: "d1", FromHeld: amount(0), FromReleasable: amount(100)}}
	outcome := escrow.Resolve{Issue: by(policy), Dispute: "d1", PlatformFee: units(5), Seller: units(86), Reserve: units(9)}
	settled := escrow.DisputeSettled{
		Dispute: "d1", Buyer: amount(0), PlatformFee: amount(5), DisputeFee: amount(0), Seller: amount(86), ToHeld: amount(0), ToReleasable: amount(0),
		Reserve: amount(9), ReserveUntil: t0.Add(withReserve.ReserveFor), Withholds: true,
	}
	none := outcome
	none.Seller, none.Reserve = units(95), money.Zero
	machinetest.Run(t, escrow.Decider, []machinetest.Case[escrow.Event]{
		{Name: "a tenth", Given: given, When: outcome, Then: events{settled}},
		{Name: "not less", Given: given, When: none, Err: escrow.ErrInvalidSplit},
		{Name: "until its time", Given: append(given, settled), When: escrow.ReleaseReserve{Issue: domain.Issue{By: timer, At: settled.ReserveUntil}, Cause: "time"}, Then: events{backed}},
	})
}

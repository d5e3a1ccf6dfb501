package ingestion_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/ingestion"
	"holdfast/domain/machine/machinetest"
)

var (
	t0       = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	provider = domain.Machine(domain.Provider, "request-network")
	hash     = strings.Repeat("ab", 32)

	received = ingestion.Received{
		Provider: "request-network", Delivery: "01J", SHA256: hash, Type: "payment.confirmed", Request: "01ab", Reference: "0x2c3366941274c34c", Tx: "0xf1", At: t0,
	}
	matched = ingestion.Matched{Payment: "p1", Evidence: "8453:0xf1"}
	parked  = ingestion.Parked{Reason: "no payment of ours"}
)

type events = []ingestion.Event

func by(a domain.Actor) domain.Issue { return domain.Issue{By: a, At: t0} }

func TestTableIsComplete(t *testing.T) {
	t.Parallel()
	states := map[string]ingestion.State{
		"":                      {},
		ingestion.ReceivedPhase: machinetest.Fold(ingestion.Decider, ingestion.Event(received)),
		ingestion.MatchedPhase:  machinetest.Fold(ingestion.Decider, events{received, matched}...),
		ingestion.ParkedPhase:   machinetest.Fold(ingestion.Decider, events{received, parked}...),
	}
	for _, s := range states {
		machinetest.CheckSnapshot(t, s)
	}
	machinetest.CheckComplete(t, ingestion.Table(), states)
}

func TestStoredForm(t *testing.T) {
	t.Parallel()
	machinetest.CheckGolden(t, ingestion.Aggregate(), received, matched, parked)
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	receive := ingestion.Receive{
		Issue: by(provider), Provider: received.Provider, Delivery: received.Delivery, SHA256: hash, Type: received.Type,
		Request: received.Request, Reference: received.Reference, Tx: received.Tx, At: t0,
	}
	again := receive
	again.Delivery = "02J" // a captured body under a new id
	nameless, person := receive, receive
	nameless.SHA256 = "ab"
	person.Issue = by(domain.User("A1", domain.Admin))
	match := ingestion.Match{Issue: by(provider), Payment: "p1", Evidence: matched.Evidence}
	park := ingestion.Park{Issue: by(provider), Reason: parked.Reason}
	machinetest.Run(t, ingestion.Decider, []machinetest.Case[ingestion.Event]{
		{Name: "a report", When: receive, Then: events{received}},
		{Name: "the same bytes under a new id", Given: events{received}, When: again},
		{Name: "not named by a hash", When: nameless, Err: fault.ErrValidation},
		{Name: "nobody but a provider reports", When: person, Err: fault.ErrForbidden},
		{Name: "matched", Given: events{received}, When: match, Then: events{matched}},
		{Name: "matched once", Given: events{received, matched}, When: match},
		{Name: "parked", Given: events{received}, When: park, Then: events{parked}},
		{Name: "parked for the same reason", Given: events{received, parked}, When: park},
		{Name: "parked for no reason", Given: events{received}, When: ingestion.Park{Issue: by(provider)}, Err: fault.ErrValidation},
		{Name: "what is matched stays so", Given: events{received, matched}, When: park},
		{Name: "a replay may match what was parked", Given: events{received, parked}, When: match, Then: events{matched}},
		{Name: "nothing without a report", When: match, Err: fault.ErrInvalidState},
	})
}

// However often and in whatever order a report's copies are worked on, it is received once and
// matched at most once, and never leaves that state.
func TestAReportCountsOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		var s ingestion.State
		seen := map[string]int{}
		for range rapid.IntRange(1, 20).Draw(rt, "steps") {
			c := rapid.SampledFrom([]domain.Command{
				ingestion.Receive{Issue: by(provider), Provider: "p", SHA256: hash, Type: "t"},
				ingestion.Match{Issue: by(provider), Payment: "p1"},
				ingestion.Park{Issue: by(provider), Reason: "x"},
			}).Draw(rt, "command")
			was := s.Phase
			got, _ := ingestion.Decider.Decide(s, c)
			for _, e := range got {
				seen[e.EventType()]++
				s = ingestion.Evolve(s, e)
			}
			if was == ingestion.MatchedPhase && s.Phase != was {
				rt.Fatalf("a matched report became %s", s.Phase)
			}
		}
		if seen["ingestion.received"] > 1 || seen["ingestion.matched"] > 1 {
			rt.Fatalf("%v", seen)
		}
	})
}

package funding_test

import (
	"testing"

	"pgregory.net/rapid"

	"holdfast/domain/funding"
	"holdfast/domain/ledger"
	"holdfast/domain/order"
	"holdfast/domain/payment"
	"holdfast/domain/safety"
	"holdfast/domain/scenariotest"
	"holdfast/eventstore"
	"holdfast/eventstore/memory"
)

// guarded is an order whose payment p1 is screened and waits for 100 units.
func guarded(t *testing.T) *scenariotest.Shop {
	t.Helper()
	codec, err := eventstore.NewCodec(memory.NewKeyRing(), scenariotest.Aggregates()...)
	if err != nil {
		t.Fatal(err)
	}
	s := scenariotest.NewShop(scenariotest.NewWorld(t, memory.New(codec)), usdc)
	s.Publish()
	s.Offer(1, 100)
	s.Do(s.Selection(1, 1))
	p := s.Payment(1)
	p.Safety = safety.Policy{Screen: true, Block: true}
	s.Do(p)
	return s
}

func verdict(s *scenariotest.Shop, tx string, o safety.Outcome) funding.ScreenTransfer {
	return funding.ScreenTransfer{Issue: s.By(policy), Payment: "p1", Evidence: scenariotest.Evidence(tx, 100), Verdict: safety.Verdict{Chain: 8453, Address: "0xbuyer", Outcome: o, At: s.Now()}}
}

func release(s *scenariotest.Shop) funding.ReleaseEscrow {
	return funding.ReleaseEscrow{Issue: s.By(buyer), Hold: "h1", Early: true}
}

func TestACleanPayerIsNotNoticed(t *testing.T) {
	t.Parallel()
	s := guarded(t)
	s.Do(s.See(1, "0xf1", 100))
	if len(hold(s).ReleaseHolds) != 1 {
		t.Error("from the first moment the release is stopped")
	}
	s.Refuse(s.Sure(1, "0xf1"), "PAYMENT_UNDER_REVIEW")
	s.Do(verdict(s, "0xf1", safety.Clean))
	s.Do(s.Sure(1, "0xf1"))
	s.Do(order.MarkShipped{Issue: s.By(seller), Request: "q1", Carrier: "DHL"})
	s.Do(release(s))
	s.Balances(map[ledger.Account]uint64{"seller:S1:available": 95})
}

func TestNoAnswerKeepsTheMoneyInAndTheReleaseShut(t *testing.T) {
	t.Parallel()
	s := guarded(t)
	s.Do(s.See(1, "0xf1", 100))
	s.Do(verdict(s, "0xf1", safety.Unanswered))
	s.Do(s.Sure(1, "0xf1"))
	s.Phases("Processing", "Accepted", "Funded", "Paid")
	s.Refuse(order.MarkShipped{Issue: s.By(seller), Request: "q1", Carrier: "DHL"}, "ESCROW_NOT_FUNDED")
	s.Refuse(release(s), "RELEASE_HOLD_ACTIVE")
	s.Refuse(funding.LiftHold{Issue: s.By(admin), Hold: "h1", ID: funding.ScreeningHold("p1"), Reason: "trust me"}, "SELF_APPROVAL")
	s.Refuse(funding.ClearReview{Issue: s.By(admin), Payment: "p1", Approver: admin}, "SELF_APPROVAL")
	s.Do(verdict(s, "0xf1", safety.Clean)) // asked again
	s.Do(release(s))
}

func TestAFlaggedPayerIsReviewedByTwo(t *testing.T) {
	t.Parallel()
	s := guarded(t)
	s.Do(s.See(1, "0xf1", 100))
	s.Do(verdict(s, "0xf1", safety.Flagged))
	s.Phases("AwaitingPayment", "Accepted", "AwaitingFunds", "UnderReview")
	s.Refuse(s.Sure(1, "0xf1"), "PAYMENT_UNDER_REVIEW")
	s.Do(funding.ClearReview{Issue: s.By(admin), Payment: "p1", Approver: admin2})
	if len(hold(s).ReleaseHolds) != 0 {
		t.Error("two people have cleared it, and it is stopped")
	}
	s.Do(s.Sure(1, "0xf1"))
	s.Do(release(s))
}

func TestARejectedPaymentFreesTheOrder(t *testing.T) {
	t.Parallel()
	s := guarded(t)
	s.Do(s.See(1, "0xf1", 100))
	s.Do(verdict(s, "0xf1", safety.Flagged))
	s.Refuse(funding.RejectReview{Issue: s.By(admin), Payment: "p1"}, "SELF_APPROVAL")
	s.Do(funding.RejectReview{Issue: s.By(admin), Payment: "p1", Approver: admin2})
	s.Balances(map[ledger.Account]uint64{"suspense:unmatched": 100, "escrow:h1:held": 0})
	s.Phases("OffersReceived", "Submitted", "Cancelled", "Rejected")
}

func TestAHitAfterAllWasPaid(t *testing.T) {
	t.Parallel()
	s := guarded(t)
	s.Do(s.See(1, "0xf1", 100))
	s.Do(verdict(s, "0xf1", safety.Clean))
	s.Do(s.Sure(1, "0xf1"))
	s.Do(s.See(1, "0xf2", 30))
	s.Refuse(release(s), "RELEASE_HOLD_ACTIVE")
	s.Do(verdict(s, "0xf2", safety.Flagged))
	s.Balances(map[ledger.Account]uint64{"suspense:unmatched": 30, "escrow:h1:held": 100})
	s.Do(verdict(s, "0xf1", safety.Flagged)) // screened again
	s.Refuse(release(s), "RELEASE_HOLD_ACTIVE")
	s.Do(funding.ClearReview{Issue: s.By(admin), Payment: "p1", Approver: admin2})
	s.Do(release(s))
}

func TestAnOfferMayAskForMore(t *testing.T) {
	t.Parallel()
	s := shop(t)
	s.Publish()
	terms := s.OfferTerms(100)
	terms.RequireAML, terms.AMLBlocks = true, true
	s.Do(order.SubmitOffer{Issue: s.By(seller), Offer: "o1", Request: "q1", Seller: "S1", Terms: terms})
	s.Do(s.Selection(1, 1))
	s.Do(s.Payment(1))
	s.Do(s.See(1, "0xf1", 100))
	s.Refuse(s.Sure(1, "0xf1"), "PAYMENT_UNDER_REVIEW")
	s.Do(verdict(s, "0xf1", safety.Unanswered))
	s.Do(s.Sure(1, "0xf1"))
	s.Refuse(order.MarkShipped{Issue: s.By(seller), Request: "q1", Carrier: "DHL"}, "ESCROW_NOT_FUNDED")
}

// No order of sightings, verdicts, confirmations and single people lets money out while the last
// word on a payer of it is a hit, unless two people have cleared that hit.
func TestNobodyAloneReleasesAFlaggedPayersMoney(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := guarded(t)
		last, cleared := map[string]safety.Outcome{}, map[string]bool{}
		txs := []string{"0xf1", "0xf2"}
		try := func(f scenariotest.Flow) bool { _, err := s.Try(f); return err == nil }
		for range rapid.IntRange(1, 14).Draw(rt, "steps") {
			tx := rapid.SampledFrom(txs).Draw(rt, "tx")
			switch rapid.IntRange(0, 7).Draw(rt, "what") {
			case 0:
				try(s.See(1, tx, rapid.Uint64Range(1, 100).Draw(rt, "units")))
			case 1:
				try(s.Sure(1, tx))
			case 2:
				o := rapid.SampledFrom([]safety.Outcome{safety.Clean, safety.Flagged, safety.Unanswered}).Draw(rt, "outcome")
				_, there := payments(s).Transfers[scenariotest.Evidence(tx, 100).Key()]
				if try(verdict(s, tx, o)) && there {
					if last[tx] != o && o == safety.Flagged {
						cleared[tx] = false
					}
					last[tx] = o
				}
			case 3:
				try(funding.ClearReview{Issue: s.By(admin), Payment: "p1", Approver: admin})
				try(funding.LiftHold{Issue: s.By(admin), Hold: "h1", ID: funding.ScreeningHold("p1"), Reason: "alone"})
			case 4:
				if rapid.Bool().Draw(rt, "two") && try(funding.ClearReview{Issue: s.By(admin), Payment: "p1", Approver: admin2}) {
					for _, one := range txs {
						cleared[one] = cleared[one] || last[one] == safety.Flagged
					}
				}
			case 5:
				try(funding.ObserveReorg{Issue: s.By(chain), Payment: "p1", Evidence: scenariotest.Evidence(tx, 100), Reason: "gone"})
				if _, there := payments(s).Transfers[scenariotest.Evidence(tx, 100).Key()]; !there {
					delete(last, tx)
					delete(cleared, tx)
				}
			default:
				held := hold(s)
				if !try(release(s)) {
					continue
				}
				for _, one := range txs {
					t, there := payments(s).Transfers[scenariotest.Evidence(one, 100).Key()]
					if there && t.Confirmed && last[one] == safety.Flagged && !cleared[one] {
						rt.Fatalf("released %s with a flagged payer: %+v", held.Held, t)
					}
				}
			}
		}
	})
}

func payments(s *scenariotest.Shop) payment.State {
	return scenariotest.StateOf(s.World, payment.Decider, "p1")
}

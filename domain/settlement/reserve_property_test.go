package settlement_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/fault"
	"holdfast/domain/funding"
	"holdfast/domain/money"
	"holdfast/domain/scenariotest"
	"holdfast/domain/settlement"
)

// Releases, a dispute, clawbacks and their ends in any order: what is withheld is never the seller's
// before its time, and none of it is lost.
func TestTheReserveIsNeverAvailableBeforeItIsDue(t *testing.T) {
	t.Parallel()
	returned := 0 // clawbacks that were cancelled after they had drawn on the reserve
	rapid.Check(t, func(rt *rapid.T) {
		w := walk{World: world(t), drawn: map[domain.RefundID]money.Units{}, funded: 1000}
		w.Fund(scenariotest.Order{Hold: "h1", Buyer: "B1", Seller: "S1", Due: amount(w.funded), Terms: escrow.Terms{
			FeeBPS: 500, ReserveBPS: money.BPS(rapid.Uint32Range(1, 10000).Draw(rt, "reserve")), ReserveFor: time.Hour,
		}})
		w.Do(scenariotest.Act(escrow.Decider, "h1", escrow.MarkReleasable{Issue: w.By(buyer), Cause: "test"}))
		for n := range rapid.IntRange(20, 40).Draw(rt, "steps") {
			drew := len(w.drawn)
			cancelled := w.reserveStep(rt, n)
			if cancelled && len(w.drawn) < drew {
				returned++
			}
			w.checkReserve(rt, scenariotest.StateOf(w.World, escrow.Decider, "h1"))
			if err := solvent(w.World); err != nil {
				rt.Fatal(err)
			}
		}
	})
	if returned == 0 {
		t.Error("no walk cancelled a clawback that had drawn on the reserve")
	}
}

// reserveStep draws what happens next; cancelled tells that a clawback was to be taken back.
func (w *walk) reserveStep(rt *rapid.T, n int) (cancelled bool) {
	w.Pass(time.Duration(rapid.IntRange(0, 30).Draw(rt, "minutes")) * time.Minute)
	part := amount(rapid.Uint64Range(1, 300).Draw(rt, "amount"))
	available := func() money.Units { return w.Balance("seller:S1:available", usdc) }
	switch rapid.SampledFrom([]string{"release", "release", "payout", "payout", "clawback", "clawback", "cancel", "cancel", "time", "dispute"}).Draw(rt, "step") {
	case "release":
		w.attempt(rt, scenariotest.Act(escrow.Decider, "h1", escrow.Release{Issue: w.By(admin), Amount: part.Units}))
	case "payout":
		w.attempt(rt, settlement.RequestPayout{
			Issue: w.By(seller), Payout: domain.PayoutID(fmt.Sprint("o", n)), Seller: "S1", Amount: money.Of(usdc, available()), Wallet: "0xw", Available: available(),
		})
	case "clawback":
		id := domain.RefundID(fmt.Sprint("r", n))
		w.refunds = append(w.refunds, id)
		w.attempt(rt, settlement.Clawback{
			Issue: w.By(admin), Refund: id, Hold: "h1", Amount: part, Terms: settlement.RefundTerms{SellerAvailable: available()},
		})
	case "cancel":
		if len(w.refunds) > 0 {
			w.attempt(rt, settlement.CancelRefund{Issue: w.By(admin), Refund: rapid.SampledFrom(w.refunds).Draw(rt, "refund")})
		}
		return true
	case "time":
		w.attempt(rt, funding.ReleaseReserve{Issue: w.By(timer), Hold: "h1"})
	case "dispute":
		d := domain.DisputeID(fmt.Sprint("d", n))
		contest := open(w.World, "h1", 0)
		contest.Dispute, contest.Amount = d, part
		w.attempt(rt, contest)
		w.attempt(rt, settlement.RespondToDispute{Issue: w.By(seller), Dispute: d})
		w.attempt(rt, settlement.ProposeSettlement{Issue: w.By(seller), Dispute: d, Settlement: "s", SellerBPS: 7500})
		w.attempt(rt, settlement.AcceptSettlement{Issue: w.By(buyer), Dispute: d, Settlement: "s"})
	}
	return false
}

// attempt tries a flow, which may be refused, and notes what it did.
func (w *walk) attempt(rt *rapid.T, f scenariotest.Flow) {
	before := w.Position()
	if _, err := w.Try(f); err != nil {
		if _, refused := fault.From(err); !refused {
			rt.Fatalf("%T %+v: %v", f, f, err)
		}
		return
	}
	for _, r := range w.Read(before) {
		w.note(r)
	}
}

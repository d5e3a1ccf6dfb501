package scenariotest

import (
	"fmt"
	"sync"
	"testing"

	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/fault"
	"holdfast/domain/money"
	"holdfast/domain/refund"
	"holdfast/domain/settlement"
	"holdfast/eventstore"
)

// Race runs what must have one winner against a store: many who want the same money at the
// same moment (docs/complaints.md, 6; docs/fault-model.md, 100 and 109).
func Race(t *testing.T, open func(t testing.TB) eventstore.Store) {
	t.Run("twenty refunds of 60 out of 90", func(t *testing.T) {
		t.Parallel()
		w := funded(NewWorld(t, open(t)), 90)
		var flows []Flow
		for n := range 20 {
			id := domain.RefundID(fmt.Sprintf("r%d", n))
			w.Do(settlement.RequestRefund{Issue: w.By(buyer), Refund: id, Hold: "h", Mode: refund.Partial, Amount: usdc(60)})
			flows = append(flows, settlement.ApproveRefund{Issue: w.By(admin), Refund: id})
		}
		won := w.together(flows)
		if won != 1 {
			t.Fatalf("%d refunds were accepted", won)
		}
		w.expect("escrow:h:held", 30)
	})
	t.Run("release, refund and dispute of the same money", func(t *testing.T) {
		t.Parallel()
		w := funded(NewWorld(t, open(t)), 90)
		w.Do(Act(escrow.Decider, "h", escrow.MarkReleasable{Issue: w.By(buyer)}))
		w.Do(settlement.RequestRefund{Issue: w.By(buyer), Refund: "r", Hold: "h", Mode: refund.Full})
		won := w.together([]Flow{
			Act(escrow.Decider, "h", escrow.Release{Issue: w.By(buyer)}),
			settlement.ApproveRefund{Issue: w.By(admin), Refund: "r"},
			OpenAll(w, "d", "h"),
		})
		if won != 1 {
			t.Fatalf("%d of three were accepted", won)
		}
		w.expect("escrow:h:releasable", 0)
	})
	t.Run("ten payouts of all there is", func(t *testing.T) {
		t.Parallel()
		w := funded(NewWorld(t, open(t)), 90)
		w.Do(Act(escrow.Decider, "h", escrow.MarkReleasable{Issue: w.By(buyer)}))
		w.Do(Act(escrow.Decider, "h", escrow.Release{Issue: w.By(buyer)}))
		var flows []Flow
		for n := range 10 {
			flows = append(flows, settlement.RequestPayout{
				Issue: w.By(seller), Payout: domain.PayoutID(fmt.Sprintf("o%d", n)),
				Seller: "S1", Amount: usdc(90), Wallet: "0xw", Available: money.FromUint64(90),
			})
		}
		if won := w.together(flows); won != 1 {
			t.Fatalf("%d payouts were accepted", won)
		}
		w.expect("seller:S1:available", 0)
	})
}

func funded(w *World, n uint64) *World {
	w.Fund(Order{Hold: "h", Buyer: "B1", Seller: "S1", Due: usdc(n)})
	return w
}

func usdc(n uint64) money.Amount { return money.Of("USDC@8453", money.FromUint64(n)) }

// together runs the flows at the same moment and counts the accepted; the others must be
// refused for a reason of the domain.
func (w *World) together(flows []Flow) (won int) {
	w.T.Helper()
	var wait sync.WaitGroup
	start := make(chan struct{})
	errs := make([]error, len(flows))
	for n, f := range flows {
		wait.Go(func() {
			<-start
			_, errs[n] = w.Try(f)
		})
	}
	close(start)
	wait.Wait()
	for n, err := range errs {
		if err == nil {
			won++
		} else if _, refused := fault.From(err); !refused {
			w.T.Errorf("%T: %v", flows[n], err)
		}
	}
	return won
}

package funding_test

import (
	"testing"
	"time"

	"holdfast/domain"
	"holdfast/domain/destination"
	"holdfast/domain/escrow"
	"holdfast/domain/fault"
	"holdfast/domain/funding"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/offer"
	"holdfast/domain/order"
	"holdfast/domain/payment"
	"holdfast/domain/points"
	"holdfast/domain/request"
	"holdfast/domain/scenariotest"
	"holdfast/domain/suspense"
	"holdfast/eventstore"
	"holdfast/eventstore/memory"
)

const usdc money.Asset = "USDC@8453"

var (
	buyer  = scenariotest.Buyer
	seller = scenariotest.SellerOf(1)
	admin  = domain.User("A1", domain.Admin)
	admin2 = domain.User("A2", domain.Admin)
	guard  = domain.User("G1", domain.Guard)
	chain  = scenariotest.Chain
	timer  = scenariotest.Timer
	policy = domain.Machine(domain.Process, "policy")
)

func shop(t *testing.T) *scenariotest.Shop {
	t.Helper()
	codec, err := eventstore.NewCodec(memory.NewKeyRing(), scenariotest.Aggregates()...)
	if err != nil {
		t.Fatal(err)
	}
	return scenariotest.NewShop(scenariotest.NewWorld(t, memory.New(codec)), usdc)
}

func hold(s *scenariotest.Shop) escrow.State {
	return scenariotest.StateOf(s.World, escrow.Decider, "h1")
}

func TestPaid(t *testing.T) {
	t.Parallel()
	s := shop(t)
	s.Checkout()
	s.Refuse(s.Payment(2), "PAYMENT_ALREADY_OPEN")
	s.Do(s.See(1, "0xf1", 100))
	s.Balances(map[ledger.Account]uint64{"escrow:h1:held": 0})
	shallow := s.Sure(1, "0xf1")
	shallow.Depth = 11
	s.Refuse(shallow, "NOT_CONFIRMED")
	s.Refuse(funding.CancelPayment{Issue: s.By(buyer), Payment: "p1"}, "PAYMENT_IN_PROGRESS")
	s.Do(s.Sure(1, "0xf1"))
	s.Phases(request.Processing, offer.AcceptedPhase, escrow.FundedPhase, payment.PaidPhase)
	if o := scenariotest.StateOf(s.World, offer.Decider, "o2"); o.Phase != offer.SupersededPhase {
		t.Errorf("the other offer is %q", o.Phase)
	}
	before := s.Position()
	s.Do(s.Sure(1, "0xF1"))
	s.Do(s.See(1, "0xF1", 100))
	if s.Position() != before {
		t.Error("the same evidence was written twice")
	}
	s.Balances(map[ledger.Account]uint64{"escrow:h1:held": 100, "custody:derived:d1": 100})
}

func TestPartialThenTheRestThenTooMuch(t *testing.T) {
	t.Parallel()
	s := shop(t)
	s.Checkout()
	s.Pay(1, "0xf1", 60)
	s.Phases(request.AwaitingPayment, offer.AcceptedPhase, escrow.AwaitingFunds, payment.PartlyPaid)
	s.Pay(1, "0xf2", 70)
	s.Phases(request.Processing, offer.AcceptedPhase, escrow.FundedPhase, payment.PaidPhase)
	s.Pay(1, "0xf3", 5)
	s.Balances(map[ledger.Account]uint64{"escrow:h1:held": 100, "buyer:B1:available": 35, "custody:derived:d1": 135})
}

func TestPartialExpires(t *testing.T) {
	t.Parallel()
	s := shop(t)
	s.Checkout()
	s.Pay(1, "0xf1", 60)
	s.Refuse(funding.ExpirePayment{Issue: s.By(timer), Payment: "p1"}, "INVALID_STATE")
	s.Pass(time.Hour)
	s.Do(funding.ExpirePayment{Issue: s.By(timer), Payment: "p1"})
	s.Phases(request.OffersReceived, offer.SubmittedPhase, escrow.CancelledPhase, payment.ExpiredPhase)
	s.Balances(map[ledger.Account]uint64{"escrow:h1:held": 60})
	// The order cannot take it any more: what comes now is nobody's.
	s.Do(s.See(1, "0xf2", 40))
	if d := scenariotest.StateOf(s.World, suspense.Decider, "8453:0xf2:1"); d.Phase != suspense.Unmatched {
		t.Errorf("%+v", d)
	}
	s.Balances(map[ledger.Account]uint64{"escrow:h1:held": 60, "suspense:unmatched": 40, "custody:derived:d1": 100})
	before := s.Position()
	s.Do(s.See(1, "0xf2", 40))
	if s.Position() != before {
		t.Error("the deposit was recorded twice")
	}
	again := s.Selection(1, 1)
	again.Hold = "h2"
	s.Do(again)
	s.Do(s.Payment(2))
}

func TestExpiryDuringConfirmationIsAskedAgain(t *testing.T) {
	t.Parallel()
	s := shop(t)
	s.Checkout()
	s.Do(s.See(1, "0xf1", 100))
	s.Pass(time.Hour)
	s.Refuse(funding.ExpirePayment{Issue: s.By(timer), Payment: "p1"}, "INVALID_STATE") // and the timer is spent
	s.Do(funding.ObserveReorg{Issue: s.By(chain), Payment: "p1", Evidence: scenariotest.Evidence("0xf1", 100), Reason: "gone"})
	armed, err := s.Store.(*memory.Store).Deadlines(t.Context(), s.Now().Add(2*time.Hour), 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range armed {
		if d.Command == "funding.expire_payment" && d.Due.After(s.Now()) {
			f, _ := funding.Due(d.Command, domain.Stream{Type: "payment", ID: "p1"}, domain.Issue{By: timer, At: d.Due})
			s.Do(f)
			s.Phases(request.OffersReceived, offer.SubmittedPhase, escrow.CancelledPhase, payment.ExpiredPhase)
			return
		}
	}
	t.Fatalf("the payment would wait for ever: %+v", armed)
}

func TestLateMoneyIsTakenWhileTheOrderWaits(t *testing.T) {
	t.Parallel()
	s := shop(t)
	s.Checkout()
	s.Do(funding.CancelPayment{Issue: s.By(buyer), Payment: "p1", Reason: "another wallet"})
	s.Do(s.Payment(2))
	s.Do(s.See(1, "0xf1", 100)) // the buyer had sent it after all
	s.Do(s.See(2, "0xf2", 100))
	s.Do(s.Sure(1, "0xf1"))
	s.Phases(request.Processing, offer.AcceptedPhase, escrow.FundedPhase, payment.PaidPhase)
	if p := scenariotest.StateOf(s.World, payment.Decider, "p1"); p.Exception != payment.Late {
		t.Errorf("%q", p.Exception)
	}
	// Paid twice by two payments: the second is the buyer's credit, not the seller's gain.
	s.Do(s.Sure(2, "0xf2"))
	s.Balances(map[ledger.Account]uint64{"escrow:h1:held": 100, "buyer:B1:available": 100, "custody:derived:d1": 100, "custody:derived:d2": 100})
}

func TestADiscountThatCameMeanwhile(t *testing.T) {
	t.Parallel()
	s := shop(t)
	s.Checkout()
	s.Do(funding.FundDiscount{Issue: s.By(policy), Hold: "h1", Amount: s.Amount(10), Redemption: "m1"})
	s.Pay(1, "0xf1", 100)
	s.Phases(request.Processing, offer.AcceptedPhase, escrow.FundedPhase, payment.PaidPhase)
	s.Balances(map[ledger.Account]uint64{"escrow:h1:held": 100, "buyer:B1:available": 10, "expense:loyalty_discount": 10})
}

func TestRejectedReviewGoesToSuspense(t *testing.T) {
	t.Parallel()
	s := shop(t)
	s.Checkout()
	s.Do(s.See(1, "0xf1", 100))
	s.Do(funding.HoldForReview{Issue: s.By(policy), Payment: "p1", Kind: "aml", Score: 90})
	s.Refuse(s.Sure(1, "0xf1"), "PAYMENT_UNDER_REVIEW")
	s.Refuse(funding.ClearReview{Issue: s.By(policy), Payment: "p1", Approver: admin}, "FORBIDDEN")
	s.Do(funding.RejectReview{Issue: s.By(admin), Payment: "p1", Approver: admin2})
	s.Balances(map[ledger.Account]uint64{"escrow:h1:held": 0, "suspense:unmatched": 100, "custody:derived:d1": 100})
	before := s.Position()
	s.Do(s.See(1, "0xf1", 100))
	if s.Position() != before {
		t.Error("the rejected transfer was recorded twice")
	}
	s.Do(s.See(1, "0xf2", 7)) // more from the same hand
	s.Balances(map[ledger.Account]uint64{"escrow:h1:held": 0, "suspense:unmatched": 107})
	s.Refuse(funding.AssignUnmatched{Issue: s.By(admin), Firm: true, Deposit: "8453:0xf1:1", Buyer: "B1", Approver: admin}, "SELF_APPROVAL")
	s.Do(funding.AssignUnmatched{Issue: s.By(admin), Firm: true, Deposit: "8453:0xf1:1", Buyer: "B1", Approver: admin2})
	s.Refuse(funding.AssignUnmatched{Issue: s.By(admin), Firm: true, Deposit: "8453:0xf1:1", Buyer: "B1", Approver: admin2}, "ALREADY_ASSIGNED")
	s.Balances(map[ledger.Account]uint64{"suspense:unmatched": 7, "buyer:B1:available": 100})
}

func TestAnUnmatchedDepositFundsAnOrder(t *testing.T) {
	t.Parallel()
	s := shop(t)
	s.Checkout()
	lost := s.See(1, "0xf1", 100)
	lost.Payment = ""
	s.Do(lost)
	s.Do(funding.AssignUnmatched{Issue: s.By(admin), Firm: true, Deposit: "8453:0xf1:1", Hold: "h1", Approver: admin2})
	s.Phases(request.Processing, offer.AcceptedPhase, escrow.FundedPhase, payment.AwaitingPayment)
	s.Pay(1, "0xf2", 100) // and paid besides
	s.Balances(map[ledger.Account]uint64{"escrow:h1:held": 100, "buyer:B1:available": 100, "suspense:unmatched": 0})
}

func TestReorganisations(t *testing.T) {
	t.Parallel()
	s := shop(t)
	s.Checkout()
	gone := func(block uint64) funding.ObserveReorg {
		return funding.ObserveReorg{Issue: s.By(chain), Payment: "p1", Evidence: scenariotest.Evidence("0xf1", block), Reason: "reorg"}
	}
	s.Do(s.See(1, "0xf1", 100))
	s.Do(gone(100)) // before it counted
	s.Phases(request.AwaitingPayment, offer.AcceptedPhase, escrow.AwaitingFunds, payment.AwaitingPayment)
	s.Pay(1, "0xf1", 100)
	s.Do(gone(100)) // after
	s.Phases(request.AwaitingPayment, offer.AcceptedPhase, escrow.AwaitingFunds, payment.ReversedPhase)
	if o := scenariotest.StateOf(s.World, offer.Decider, "o2"); o.Phase != offer.SubmittedPhase {
		t.Errorf("the other offer is %q", o.Phase)
	}
	s.Balances(map[ledger.Account]uint64{"escrow:h1:held": 0, "custody:derived:d1": 0})
	s.Refuse(funding.BroadcastSweep{Issue: s.By(policy), Destination: "d1", Sweep: "w1", Amount: s.Amount(100)}, "NOTHING_TO_SWEEP")
	s.Pay(1, "0xf1", 100) // back again
	s.Deliver()
	s.Do(funding.ReleaseEscrow{Issue: s.By(buyer), Hold: "h1"})
	s.Phases(request.CompletedPhase, offer.FulfilledPhase, escrow.ClosedPhase, payment.PaidPhase)
	spent := gone(100) // after the release: seller and platform give back what they have, the buyer owes the rest
	spent.SellerAvailable = money.FromUint64(40)
	s.Do(spent)
	s.Balances(map[ledger.Account]uint64{"seller:S1:available": 55, "income:platform_fee": 0, "receivable:buyer:B1": 55, "custody:derived:d1": 0})
	if h := hold(s); h.Phase() != escrow.ReopenedPhase {
		t.Errorf("the hold is %q", h.Phase())
	}
}

func TestAutomaticRelease(t *testing.T) {
	t.Parallel()
	s := shop(t)
	s.Checkout()
	s.Pay(1, "0xf1", 100)
	s.Refuse(funding.AutoRelease{Issue: s.By(timer), Hold: "h1"}, "ESCROW_NOT_RELEASABLE")
	s.Deliver()
	s.Pass(71 * time.Hour)
	s.Refuse(funding.AutoRelease{Issue: s.By(timer), Hold: "h1"}, "ESCROW_NOT_RELEASABLE")
	s.Do(funding.ExtendInspection{Issue: s.By(admin), Hold: "h1", EndsAt: s.Now().Add(time.Hour)})
	s.Pass(2 * time.Hour)
	s.Refuse(funding.AutoRelease{Issue: s.By(timer), Hold: "h1"}, "ESCROW_NOT_RELEASABLE")
	s.Pass(24 * time.Hour)
	s.Do(funding.PlaceHold{Issue: s.By(guard), Hold: "h1", ID: "x", Kind: escrow.GuardHold, Reason: "look"})
	s.Refuse(funding.AutoRelease{Issue: s.By(timer), Hold: "h1"}, "RELEASE_HOLD_ACTIVE")
	s.Do(funding.LiftHold{Issue: s.By(guard), Hold: "h1", ID: "x", Reason: "fine"})
	s.Do(funding.PauseAsset{Issue: s.By(guard), Asset: usdc, Reason: "look"})
	s.Refuse(funding.AutoRelease{Issue: s.By(timer), Hold: "h1"}, "ASSET_PAUSED")
	s.Do(funding.ResumeAsset{Issue: s.By(admin), Asset: usdc, Reason: "fine"})
	s.Do(funding.AutoRelease{Issue: s.By(timer), Hold: "h1"})
	s.Phases(request.CompletedPhase, offer.FulfilledPhase, escrow.ClosedPhase, payment.PaidPhase)
	s.Balances(map[ledger.Account]uint64{"seller:S1:available": 95, "income:platform_fee": 5, "escrow:h1:releasable": 0})
	s.Refuse(funding.AutoRelease{Issue: s.By(timer), Hold: "h1"}, "ESCROW_NOT_RELEASABLE")
}

func TestEarlyRelease(t *testing.T) {
	t.Parallel()
	s := shop(t)
	s.Checkout()
	s.Pay(1, "0xf1", 100)
	s.Refuse(funding.ReleaseEscrow{Issue: s.By(buyer), Hold: "h1"}, "ESCROW_NOT_RELEASABLE")
	s.Refuse(funding.ReleaseEscrow{Issue: s.By(seller), Hold: "h1", Early: true}, "ESCROW_NOT_RELEASABLE")
	s.Refuse(funding.ReleaseEscrow{Issue: s.By(admin), Hold: "h1", Early: true}, "ESCROW_NOT_RELEASABLE")
	s.Do(funding.ReleaseEscrow{Issue: s.By(buyer), Hold: "h1", Early: true, Amount: money.FromUint64(30)})
	if h := hold(s); h.Held != money.FromUint64(70) || h.Phase() != escrow.PartlyReleased {
		t.Errorf("%+v", h)
	}
	s.Refuse(funding.ReleaseEscrow{Issue: s.By(buyer), Hold: "h1", Early: true, Amount: money.FromUint64(71)}, "INSUFFICIENT_HELD_FUNDS")
	s.Do(funding.ReleaseEscrow{Issue: s.By(buyer), Hold: "h1", Early: true})
	s.Balances(map[ledger.Account]uint64{"seller:S1:available": 95, "income:platform_fee": 5})
	s.Phases(request.CompletedPhase, offer.FulfilledPhase, escrow.ClosedPhase, payment.PaidPhase)
}

func TestALargeReleaseNeedsTwoPeople(t *testing.T) {
	t.Parallel()
	s := shop(t)
	s.Terms.ApprovalLimit = money.FromUint64(50)
	s.Checkout()
	s.Pay(1, "0xf1", 100)
	s.Deliver()
	s.Pass(72 * time.Hour)
	s.Refuse(funding.AutoRelease{Issue: s.By(timer), Hold: "h1"}, "APPROVAL_REQUIRED")
	agree := func(a domain.Actor, n uint64) {
		t.Helper()
		before := s.Position()
		_, err := s.Try(funding.ReleaseEscrow{Issue: s.By(a), Hold: "h1", Amount: money.FromUint64(n)})
		if f, ok := fault.From(err); !ok || f.Code != "APPROVAL_REQUIRED" || s.Position() != before+1 {
			t.Fatalf("the agreement is recorded, and nothing released: %v, %d events", err, s.Position()-before)
		}
	}
	agree(admin, 60)
	s.Refuse(funding.ReleaseEscrow{Issue: s.By(admin), Hold: "h1", Amount: money.FromUint64(60)}, "APPROVAL_REQUIRED")
	agree(admin2, 100) // the first person did not agree to as much
	s.Balances(map[ledger.Account]uint64{"seller:S1:available": 0})
	s.Do(funding.ReleaseEscrow{Issue: s.By(admin), Hold: "h1", Amount: money.FromUint64(100)})
	s.Balances(map[ledger.Account]uint64{"seller:S1:available": 95})
}

func TestSweeps(t *testing.T) {
	t.Parallel()
	s := shop(t)
	s.Checkout()
	s.Pay(1, "0xf1", 100)
	sweep := func(id domain.SweepID, n uint64) funding.BroadcastSweep {
		return funding.BroadcastSweep{Issue: s.By(policy), Destination: "d1", Sweep: id, Amount: s.Amount(n), Tx: "0xs1", Nonce: 1}
	}
	sure := funding.ConfirmSweep{Issue: s.By(chain), Destination: "d1", Sweep: "w1", Block: 200, BlockHash: "0xb200"}
	s.Refuse(sweep("w1", 101), "NOTHING_TO_SWEEP")
	s.Do(sweep("w1", 100))
	s.Refuse(sweep("w2", 1), "SWEEP_IN_FLIGHT")
	s.Balances(map[ledger.Account]uint64{"custody:derived:d1": 0, "custody:in_transit:w1": 100})
	s.Do(funding.FailSweep{Issue: s.By(chain), Destination: "d1", Sweep: "w1", Code: "REVERTED"})
	s.Balances(map[ledger.Account]uint64{"custody:derived:d1": 100, "custody:in_transit:w1": 0})
	s.Do(sweep("w1", 100))
	s.Do(sure)
	s.Do(funding.ReorgSweep{Issue: s.By(chain), Destination: "d1", Sweep: "w1"})
	s.Balances(map[ledger.Account]uint64{"custody:derived:d1": 100, "custody:treasury": 0})
	s.Do(sure)
	s.Balances(map[ledger.Account]uint64{"custody:derived:d1": 0, "custody:treasury": 100})
	// The chain undoes the payment below the sweep, then the sweep, and mines both again.
	s.Do(funding.ObserveReorg{Issue: s.By(chain), Payment: "p1", Evidence: scenariotest.Evidence("0xf1", 100), Reason: "reorg"})
	s.Do(funding.ReorgSweep{Issue: s.By(chain), Destination: "d1", Sweep: "w1"})
	s.Pay(1, "0xf1", 100)
	s.Do(sure)
	if d := scenariotest.StateOf(s.World, destination.Decider, "d1"); d.Phase() != destination.SweptPhase {
		t.Errorf("%+v", d)
	}
	s.Balances(map[ledger.Account]uint64{"custody:derived:d1": 0, "custody:treasury": 100, "escrow:h1:held": 100})
	s.Refuse(funding.ConfirmSweep{Issue: s.By(chain), Destination: "d9", Sweep: "w1"}, "NOT_FOUND")
}

func TestTheTreasuryBooksAReferenceOnce(t *testing.T) {
	t.Parallel()
	s := shop(t)
	entry := funding.Entry{Issue: s.By(admin), Approver: admin2, Ref: "t1", Amount: s.Amount(1000), Reason: "seed"}
	s.Do(funding.ContributeCapital{Entry: entry, Custody: ledger.Treasury})
	s.Refuse(funding.ContributeCapital{Entry: entry, Custody: ledger.Treasury}, "ALREADY_BOOKED")
	gift := entry
	gift.Amount = s.Amount(5)
	s.Do(funding.GrantGoodwill{Entry: gift, Buyer: "B1"})
	s.Balances(map[ledger.Account]uint64{"custody:treasury": 1000, "equity:platform": 1000, "buyer:B1:available": 5, "expense:goodwill": 5})
	out := entry
	out.Ref, out.Amount = "t2", s.Amount(1001)
	if _, err := s.Try(funding.WithdrawCapital{Entry: out, Custody: ledger.Treasury}); err == nil {
		t.Error("more was taken out than there is")
	}
	earn := funding.MovePoints{Move: points.Move{Issue: s.By(policy), Kind: points.Earn, User: "B1", Ref: "q1", Points: money.FromUint64(95)}}
	s.Do(earn)
	s.Refuse(earn, "POINTS_COUNTED")
}

func TestAReleasedSelectionKeepsWhatCame(t *testing.T) {
	t.Parallel()
	s := shop(t)
	s.Checkout()
	s.Pay(1, "0xf1", 60)
	s.Refuse(order.ReleaseSelection{Issue: s.By(buyer), Request: "q1"}, "PAYMENT_IN_PROGRESS")
	s.Refuse(order.CancelRequest{Issue: s.By(buyer), Request: "q1"}, "REFUND_REQUIRED")
	s.Do(order.CancelRequest{Issue: s.By(buyer), Request: "q1", Reason: "r", Refund: true, RefundID: "r1"})
	s.Balances(map[ledger.Account]uint64{"escrow:h1:held": 0, "clearing:refund:r1": 60})
	s.Pay(1, "0xf2", 40) // too late for the order; it waits in the cancelled hold for its refund
	s.Phases(request.CancelledPhase, offer.VoidedPhase, escrow.CancelledPhase, payment.PaidPhase)
	s.Balances(map[ledger.Account]uint64{"escrow:h1:held": 40})
}

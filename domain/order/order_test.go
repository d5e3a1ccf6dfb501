package order_test

import (
	"sync"
	"testing"
	"time"

	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/fault"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/offer"
	"holdfast/domain/order"
	"holdfast/domain/payment"
	"holdfast/domain/quote"
	"holdfast/domain/refund"
	"holdfast/domain/request"
	"holdfast/domain/scenariotest"
	"holdfast/eventstore"
	"holdfast/eventstore/memory"
)

const usdc money.Asset = "USDC@8453"

var (
	buyer  = scenariotest.Buyer
	seller = scenariotest.SellerOf(1)
	admin  = domain.User("A1", domain.Admin)
	timer  = scenariotest.Timer
	code   = []byte("0123456789abcdef")
)

func shop(t *testing.T) *scenariotest.Shop {
	t.Helper()
	codec, err := eventstore.NewCodec(memory.NewKeyRing(), scenariotest.Aggregates()...)
	if err != nil {
		t.Fatal(err)
	}
	return scenariotest.NewShop(scenariotest.NewWorld(t, memory.New(codec)), usdc)
}

func TestTwoSelectionsAtOnce(t *testing.T) {
	t.Parallel()
	s := shop(t)
	s.Publish()
	s.Offer(1, 100)
	s.Offer(2, 90)
	first, second := s.Selection(1, 1), s.Selection(2, 1)
	second.Hold = "h2"
	var (
		wait sync.WaitGroup
		errs [2]error
	)
	for i, f := range []order.SelectOffer{first, second} {
		wait.Go(func() { _, errs[i] = s.Try(f) })
	}
	wait.Wait()
	won := 0
	for _, err := range errs {
		if f, refused := fault.From(err); err == nil {
			won++
		} else if !refused || f.Code != "ALREADY_SELECTED" {
			t.Errorf("want ALREADY_SELECTED, got %v", err)
		}
	}
	if won != 1 {
		t.Fatalf("%d selections won: %v", won, errs)
	}
	s.Refuse(second, "ALREADY_SELECTED")
}

func TestSelection(t *testing.T) {
	t.Parallel()
	s := shop(t)
	s.Publish()
	s.Offer(1, 100)
	s.Offer(2, 90)
	s.Refuse(order.SubmitOffer{Issue: s.By(seller), Offer: "o9", Request: "q1", Seller: "S1", Terms: s.OfferTerms(1)}, "OFFER_EXISTS")
	s.Refuse(order.SubmitOffer{Issue: s.By(buyer), Offer: "o9", Request: "q1", Seller: "B1", Terms: s.OfferTerms(1)}, "OWN_REQUEST")
	s.Do(order.ReviseOffer{Issue: s.By(seller), Offer: "o1", Terms: s.OfferTerms(150)})
	s.Refuse(s.Selection(1, 1), "OFFER_REVISION_STALE")

	changed := scenariotest.StateOf(s.World, request.Decider, "q1").Details
	changed.Quantity = 2
	s.Do(order.UpdateRequest{Issue: s.By(buyer), Request: "q1", Details: changed})
	s.Refuse(s.Selection(1, 2), "OFFER_REVISION_STALE")
	s.Do(order.ReviseOffer{Issue: s.By(seller), Offer: "o1", Terms: s.OfferTerms(140)})

	lower := offer.Price{Amount: s.Amount(120)}
	s.Do(order.CounterOffer{Issue: s.By(buyer), Offer: "o1", Counter: "c1", Price: &lower, ExpiresAt: s.Now().Add(time.Hour)})
	s.Refuse(s.Selection(1, 3), "COUNTER_OPEN")
	s.Do(order.AcceptCounter{Issue: s.By(seller), Offer: "o1"})
	wrong := s.Selection(1, 4)
	wrong.Request = "q9"
	s.Refuse(wrong, "NOT_FOUND")
	s.Do(s.Selection(1, 4))
	if h := scenariotest.StateOf(s.World, escrow.Decider, "h1"); h.Due != s.Amount(120) || h.Phase() != escrow.AwaitingFunds {
		t.Errorf("%+v", h)
	}
	s.Refuse(order.WithdrawOffer{Issue: s.By(seller), Offer: "o1"}, "OFFER_LOCKED")

	s.Do(order.ReleaseSelection{Issue: s.By(buyer), Request: "q1", Reason: "thought again"})
	if h := scenariotest.StateOf(s.World, escrow.Decider, "h1"); h.Phase() != escrow.CancelledPhase {
		t.Errorf("the hold is %q", h.Phase())
	}
	other := s.Selection(2, 1)
	other.Hold = "h2"
	s.Refuse(other, "OFFER_REVISION_STALE") // made for the request as it was
	s.Pass(31 * 24 * time.Hour)
	late := s.Selection(1, 4)
	late.Hold = "h3"
	s.Refuse(late, "OFFER_EXPIRED")
	s.Do(order.ExpireOffer{Issue: s.By(timer), Offer: "o1"})
	s.Do(order.ExpireOffer{Issue: s.By(timer), Offer: "o2"})
	if r := scenariotest.StateOf(s.World, request.Decider, "q1"); r.Phase != request.Open || len(r.Offers) != 0 {
		t.Errorf("%q with the offers %v", r.Phase, r.Offers)
	}
	s.Do(order.SubmitOffer{Issue: s.By(seller), Offer: "o3", Request: "q1", Seller: "S1", Terms: s.OfferTerms(100)})
}

func TestAWrongCodeIsCountedAndLocks(t *testing.T) {
	t.Parallel()
	s := shop(t)
	s.Checkout()
	s.Refuse(order.MarkShipped{Issue: s.By(seller), Request: "q1"}, "ESCROW_NOT_FUNDED")
	s.Pay(1, "0xf1", 100)
	s.Do(order.MarkShipped{Issue: s.By(seller), Request: "q1", Carrier: "DHL"})
	issue := order.IssueDeliveryCode{Issue: s.By(buyer), Request: "q1", MAC: code, ExpiresAt: s.Now().Add(time.Hour)}
	s.Do(issue)
	for n := 1; n <= request.CodeAttempts; n++ {
		before := s.Position()
		_, err := s.Try(order.VerifyDeliveryCode{Issue: s.By(seller), Request: "q1", MAC: []byte("wrong")})
		if f, ok := fault.From(err); !ok || f.Code != "CODE_INVALID" {
			t.Fatalf("attempt %d: %v", n, err)
		}
		if s.Position() != before+1 {
			t.Fatalf("attempt %d was not counted", n)
		}
	}
	s.Refuse(order.VerifyDeliveryCode{Issue: s.By(seller), Request: "q1", MAC: code}, "CODE_LOCKED")
	s.Phases(request.ShippedPhase, offer.AcceptedPhase, escrow.FundedPhase, payment.PaidPhase)
	issue.Issue = s.By(buyer)
	s.Do(issue)
	s.Do(order.VerifyDeliveryCode{Issue: s.By(seller), Request: "q1", MAC: code})
	s.Phases(request.DeliveredPhase, offer.AcceptedPhase, escrow.ReleasableNow, payment.PaidPhase)
	s.Refuse(order.VerifyDeliveryCode{Issue: s.By(seller), Request: "q1", MAC: code}, "INVALID_STATE")
	s.Balances(map[ledger.Account]uint64{"escrow:h1:held": 0, "escrow:h1:releasable": 100, "seller:S1:available": 0})
}

func TestCancellingAFundedOrderRefundsIt(t *testing.T) {
	t.Parallel()
	s := shop(t)
	s.Checkout()
	s.Pay(1, "0xf1", 100)
	s.Refuse(order.CancelRequest{Issue: s.By(buyer), Request: "q1", Reason: "r"}, "REFUND_REQUIRED")
	s.Refuse(order.CancelRequest{Issue: s.By(buyer), Request: "q1", Reason: "r", Refund: true}, "REFUND_REQUIRED")
	s.Refuse(order.CancelRequest{Issue: s.By(scenariotest.SellerOf(2)), Request: "q1", Refund: true, RefundID: "r1"}, "FORBIDDEN")
	s.Do(order.CancelRequest{Issue: s.By(seller), Request: "q1", Reason: "sold out", Refund: true, RefundID: "r1"})
	s.Phases(request.CancelledPhase, offer.VoidedPhase, escrow.Settling, payment.PaidPhase)
	s.Balances(map[ledger.Account]uint64{"escrow:h1:held": 0, "clearing:refund:r1": 100, "seller:S1:available": 0, "income:platform_fee": 0})
	if r := scenariotest.StateOf(s.World, refund.Decider, "r1"); r.Phase != refund.PhaseAddressPending {
		t.Errorf("the refund is %q", r.Phase)
	}
	s.Refuse(order.MarkShipped{Issue: s.By(seller), Request: "q1"}, "INVALID_STATE")
}

func TestCancellingBeforeMoneyCame(t *testing.T) {
	t.Parallel()
	s := shop(t)
	s.Checkout()
	s.Do(order.CancelRequest{Issue: s.By(buyer), Request: "q1", Reason: "r"})
	s.Phases(request.CancelledPhase, offer.VoidedPhase, escrow.CancelledPhase, payment.AwaitingPayment)
	s.Refuse(order.CancelRequest{Issue: s.By(buyer), Request: "q1", Reason: "r"}, "INVALID_STATE")
}

func TestARevisionBeginsANewInspection(t *testing.T) {
	t.Parallel()
	s := shop(t)
	s.Checkout()
	s.Pay(1, "0xf1", 100)
	s.Deliver()
	first := scenariotest.StateOf(s.World, escrow.Decider, "h1").ReleaseAt
	s.Pass(time.Hour)
	s.Do(order.RequestRevision{Issue: s.By(buyer), Request: "q1", Reason: domain.About("B1", "too dark")})
	s.Phases(request.ShippedPhase, offer.AcceptedPhase, escrow.FundedPhase, payment.PaidPhase)
	if armed := due(t, s, first.Add(time.Hour)); len(armed) != 0 {
		t.Fatalf("nothing is released while the goods are worked over: %v", armed)
	}
	s.Pass(96 * time.Hour) // longer than the first inspection
	s.Do(order.ConfirmDelivery{Issue: s.By(buyer), Request: "q1"})
	again := scenariotest.StateOf(s.World, escrow.Decider, "h1").ReleaseAt
	if again != s.Now().Add(72*time.Hour) {
		t.Errorf("released at %s, now it is %s", again, s.Now())
	}
	if armed := due(t, s, again); len(armed) != 1 {
		t.Errorf("the automatic release is not armed: %v", armed)
	}
	s.Refuse(order.RequestRevision{Issue: domain.Issue{By: buyer, At: s.Now().Add(48 * time.Hour)}, Request: "q1"}, "REVISION_LIMIT")
}

// due lists the automatic releases that are armed until a time.
func due(t *testing.T, s *scenariotest.Shop, until time.Time) (armed []eventstore.StreamDeadline) {
	t.Helper()
	all, err := s.Store.(*memory.Store).Deadlines(t.Context(), until, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		if d.Command == "funding.auto_release" {
			armed = append(armed, d)
		}
	}
	return armed
}

func TestRejectedAndWithdrawn(t *testing.T) {
	t.Parallel()
	s := shop(t)
	s.Publish()
	s.Offer(1, 100)
	s.Offer(2, 90)
	s.Do(order.RejectOffer{Issue: s.By(buyer), Offer: "o1"})
	s.Refuse(s.Selection(1, 1), "OFFER_NOT_SELECTABLE")
	s.Do(order.WithdrawOffer{Issue: s.By(scenariotest.SellerOf(2)), Offer: "o2"})
	if r := scenariotest.StateOf(s.World, request.Decider, "q1"); r.Phase != request.Open {
		t.Errorf("%q", r.Phase)
	}
	s.Do(order.CancelRequest{Issue: s.By(admin), Request: "q1", Reason: "spam"})
	s.Refuse(order.SubmitOffer{Issue: s.By(seller), Offer: "o3", Request: "q1", Seller: "S1", Terms: s.OfferTerms(1)}, "REQUEST_NOT_OPEN")
}

func TestAQuoteEndsByItself(t *testing.T) {
	t.Parallel()
	s := shop(t)
	s.Publish()
	s.Offer(1, 100)
	i := s.By(buyer)
	ask := func(id domain.QuoteID, price uint64) order.IssueQuote {
		return order.IssueQuote{Issue: quote.Issue{Issue: i, Quote: id, Offer: "o1", Buyer: "B1", Price: money.FromUint64(price), Currency: string(usdc), Settle: usdc, ExpiresAt: i.At.Add(time.Minute)}}
	}
	s.Refuse(ask("u0", 99), "PRICE_MISMATCH")
	s.Do(ask("u0", 100))
	s.Do(ask("u1", 100))
	if q := scenariotest.StateOf(s.World, quote.Decider, "u0"); q.Phase != quote.SupersededPhase {
		t.Errorf("the quote before is %q", q.Phase)
	}
	f, ok := order.Due("order.expire_quote", domain.Stream{Type: "payment_quote", ID: "u1"}, s.By(timer))
	if !ok {
		t.Fatal("nobody knows the deadline of a quote")
	}
	s.Do(f)
	s.Refuse(f, "INVALID_STATE")
}

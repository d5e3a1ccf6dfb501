package scenariotest

import (
	"fmt"
	"time"

	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/funding"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/offer"
	"holdfast/domain/order"
	"holdfast/domain/payment"
	"holdfast/domain/request"
)

// Shop plays orders by the flows that the API and the reactors run, from the wish to the
// money: buyer B1, sellers S1, S2 …, request q1, offers o1, o2 …, hold h1, payments p1, p2 ….
type Shop struct {
	*World
	Asset money.Asset
	Terms escrow.Terms
}

// The people of a shop, and the machines that act in it.
var (
	Buyer = domain.User("B1", domain.Buyer)
	Chain = domain.Machine(domain.Chain, "8453")
	Timer = domain.Machine(domain.Timer, "timers")
)

// SellerOf is the n-th seller.
func SellerOf(n int) domain.Actor {
	return domain.User(domain.UserID(fmt.Sprint("S", n)), domain.Seller)
}

// NewShop opens a shop; its orders have a fee of 5 %, an inspection of two days and a day more
// until the automatic release.
func NewShop(w *World, asset money.Asset) *Shop {
	return &Shop{World: w, Asset: asset, Terms: escrow.Terms{FeeBPS: 500, Inspection: 48 * time.Hour, AutoRelease: 24 * time.Hour}}
}

// Amount is a number of the shop's units.
func (s *Shop) Amount(n uint64) money.Amount { return money.Of(s.Asset, money.FromUint64(n)) }

// Publish puts request q1 on the market.
func (s *Shop) Publish() {
	s.T.Helper()
	s.Do(order.CreateRequest{Issue: s.By(Buyer), Request: "q1", Buyer: "B1", Publish: true, Details: request.Details{
		Title: "a lamp", Description: domain.About("B1", "a lamp for reading"), Quantity: 1, DeliveryType: "physical",
	}})
}

// Offer makes seller n's offer.
func (s *Shop) Offer(n int, price uint64) {
	s.T.Helper()
	who := SellerOf(n)
	s.Do(order.SubmitOffer{Issue: s.By(who), Offer: domain.OfferID(fmt.Sprint("o", n)), Request: "q1", Seller: who.User(), Terms: s.OfferTerms(price)})
}

// OfferTerms are terms at a price.
func (s *Shop) OfferTerms(price uint64) offer.Terms {
	return offer.Terms{Title: "a lamp", Price: offer.Price{Amount: s.Amount(price)}, ValidUntil: s.Now().Add(30 * 24 * time.Hour)}
}

// Selection selects offer n at a revision, with hold h1.
func (s *Shop) Selection(n, revision int) order.SelectOffer {
	return order.SelectOffer{Issue: s.By(Buyer), Request: "q1", Offer: domain.OfferID(fmt.Sprint("o", n)), Revision: revision, Hold: "h1", Terms: s.Terms}
}

// Checkout is offer 1 selected at 100 units, beside a second offer, and payment p1 opened for
// an hour.
func (s *Shop) Checkout() {
	s.T.Helper()
	s.Publish()
	s.Offer(1, 100)
	s.Offer(2, 90)
	s.Do(s.Selection(1, 1))
	s.Do(s.Payment(1))
}

// Payment opens payment n of the order, with destination dn.
func (s *Shop) Payment(n int) funding.InitiatePayment {
	return funding.InitiatePayment{
		Issue: s.By(Buyer), Payment: domain.PaymentID(fmt.Sprint("p", n)), Request: "q1", Offer: "o1", Threshold: payment.Threshold{Need: 12, Floor: 10},
		ExpiresAt:   s.Now().Add(time.Hour),
		Destination: funding.Destination{ID: domain.DestinationID(fmt.Sprint("d", n)), Fingerprint: "xpub", Index: uint32(n), Path: fmt.Sprint("m/0/", n), Address: fmt.Sprint("0xd", n), Chain: 8453},
	}
}

// Evidence is the only transfer of a transaction, in a block.
func Evidence(tx string, block uint64) payment.Evidence {
	return payment.Evidence{Chain: 8453, Tx: tx, Log: 1, Block: block, BlockHash: fmt.Sprint("0xb", block)}
}

// See reports a transfer to payment n in block 100.
func (s *Shop) See(n int, tx string, units uint64) funding.RecordTransfer {
	return funding.RecordTransfer{Issue: s.By(Chain), Payment: domain.PaymentID(fmt.Sprint("p", n)), Evidence: Evidence(tx, 100), Amount: s.Amount(units), From: "0xbuyer", Custody: ledger.Treasury}
}

// Sure confirms it.
func (s *Shop) Sure(n int, tx string) funding.ConfirmTransfer {
	return funding.ConfirmTransfer{Issue: s.By(Chain), Payment: domain.PaymentID(fmt.Sprint("p", n)), Evidence: Evidence(tx, 100), Depth: 12}
}

// Pay sees and confirms a transfer to payment n.
func (s *Shop) Pay(n int, tx string, units uint64) {
	s.T.Helper()
	s.Do(s.See(n, tx, units))
	s.Do(s.Sure(n, tx))
}

// Deliver ships the paid order; the buyer confirms the delivery.
func (s *Shop) Deliver() {
	s.T.Helper()
	s.Do(order.MarkShipped{Issue: s.By(SellerOf(1)), Request: "q1", Carrier: "DHL"})
	s.Do(order.ConfirmDelivery{Issue: s.By(Buyer), Request: "q1"})
}

// Balances compares accounts of the shop's asset.
func (s *Shop) Balances(want map[ledger.Account]uint64) {
	s.T.Helper()
	for a, n := range want {
		if got := s.Balance(a, s.Asset); got != money.FromUint64(n) {
			s.T.Errorf("%s is %s, want %d", a, got, n)
		}
	}
}

// Phases compares the phases of the order's request, offer 1, hold and first payment.
func (s *Shop) Phases(req, off, hold, pay string) {
	s.T.Helper()
	got := [4]string{
		StateOf(s.World, request.Decider, "q1").Phase, StateOf(s.World, offer.Decider, "o1").Phase,
		StateOf(s.World, escrow.Decider, "h1").Phase(), StateOf(s.World, payment.Decider, "p1").Phase,
	}
	if want := [4]string{req, off, hold, pay}; got != want {
		s.T.Errorf("request, offer, hold and payment are %q, want %q", got, want)
	}
}

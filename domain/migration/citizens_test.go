package migration_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/domain"
	"holdfast/domain/destination"
	"holdfast/domain/dispute"
	"holdfast/domain/escrow"
	"holdfast/domain/funding"
	"holdfast/domain/ledger"
	"holdfast/domain/migration"
	"holdfast/domain/money"
	"holdfast/domain/offer"
	"holdfast/domain/order"
	"holdfast/domain/outgoing"
	"holdfast/domain/payment"
	"holdfast/domain/refund"
	"holdfast/domain/request"
	"holdfast/domain/scenariotest"
	"holdfast/domain/settlement"
)

// What came from the old backend is a full citizen: every later command of ours works on it, and the
// books agree after each.

// order takes the request of the payment.
func (w *world) order(status string) {
	w.T.Helper()
	w.Do(migration.TakeRequest{Issue: w.By(bridge), Names: name, Document: migration.Request{
		Found: migration.Found{Legacy: domain.Legacy{ObjectID: reqOID, Hash: "hash of " + status}},
		Buyer: "buyer", Seller: "seller", SelectedOffer: "offer", Status: status,
		Details: request.Details{Title: "A lamp", Quantity: 1, DeliveryType: "physical"}, Description: "To read by.",
	}})
	word := "accepted"
	if status == "payment" {
		word = "pending"
	}
	w.Do(migration.TakeOffer{Issue: w.By(bridge), Names: name, Document: migration.Offer{
		Found: migration.Found{Legacy: domain.Legacy{ObjectID: "offer", Hash: "hash of " + word}}, Request: reqOID, Seller: "seller", Status: word, Title: "A lamp",
		Price: offer.Price{Amount: amount(100), Currency: "USDT@56", Display: "100"},
	}})
}

func (w *world) phase() string {
	return scenariotest.StateOf(w.World, request.Decider, string(migration.RequestID(reqOID))).Phase
}

// payOut takes what a seller has to the chain.
func (w *world) payOut(n uint64) {
	w.T.Helper()
	to := outgoing.Transfer{Chain: 56, From: "0xtreasury", To: "0xwallet", Token: "0xusdt", Amount: amount(n), Nonce: 1}
	w.Do(settlement.RequestPayout{Issue: w.By(seller), Payout: "y1", Seller: seller.User(), Amount: amount(n), Wallet: "0xwallet", Approvals: 1, Available: units(n)})
	w.Do(settlement.ApprovePayout{Issue: w.By(admin), Payout: "y1", Revision: 1})
	w.Do(settlement.BuildPayoutInstruction{Issue: w.By(admin), Payout: "y1", Instruction: to})
	w.Do(settlement.RecordPayoutSignature{Issue: w.By(admin), Payout: "y1", Tx: outgoing.Tx{Hash: "0xf1", Transfer: to}})
	w.Do(settlement.BroadcastPayout{Issue: w.By(policy), Payout: "y1"})
	w.Do(settlement.ConfirmPayout{Issue: w.By(chain), Payout: "y1", Evidence: outgoing.Mined{Chain: 56, Tx: "0xf1", Block: 10}})
	w.balances(map[ledger.Account]uint64{ledger.SellerAvailable(seller.User()): 0, ledger.ClearingPayout("y1"): 0})
}

func TestAFundedOrderIsShippedReleasedAndPaidOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.order("processing")
	w.pay(document("completed", "funded"), migration.PaidTo{}, moves("hold", "100")...)
	id := migration.RequestID(reqOID)
	w.Do(order.MarkShipped{Issue: w.By(seller), Request: id, Carrier: "post"})
	w.Do(order.ConfirmDelivery{Issue: w.By(buyer), Request: id})
	assert.Equal(t, request.DeliveredPhase, w.phase())
	if w.hold().Releasable.IsZero() {
		w.Do(funding.MarkReleasable{Issue: w.By(buyer), Hold: hold, Cause: "delivered"})
	}
	w.Do(funding.ReleaseEscrow{Issue: w.By(buyer), Hold: hold})
	assert.Equal(t, request.CompletedPhase, w.phase())
	w.balances(map[ledger.Account]uint64{ledger.SellerAvailable(seller.User()): 95, ledger.PlatformFee: 5, ledger.Held(hold): 0})
	w.payOut(95)
	w.balances(map[ledger.Account]uint64{ledger.Treasury: 5})
}

func TestAReleasableOneIsReleasedByItselfAfterTheInspection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.order("delivered")
	w.pay(document("completed", "releasable"), own, moves("hold", "100", "releasable", "100")...)
	w.Refuse(funding.AutoRelease{Issue: w.By(timer), Hold: hold}, "ESCROW_NOT_RELEASABLE")
	w.Pass(w.policy.Escrow.Inspection)
	w.Do(funding.AutoRelease{Issue: w.By(timer), Hold: hold})
	w.balances(map[ledger.Account]uint64{stands: 100, ledger.SellerAvailable(seller.User()): 95})
}

func TestAFundedOrderIsDisputedSplitAndRefunded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.order("delivery")
	w.pay(document("completed", "funded"), migration.PaidTo{}, moves("hold", "100")...)
	w.Do(settlement.OpenDispute{Issue: w.By(buyer), Dispute: "d1", Hold: hold, Category: "damaged", Reason: domain.About(buyer.User(), "broken"), Terms: dispute.StandardTerms()})
	w.Pass(dispute.StandardTerms().ResponseWindow)
	w.Do(settlement.DefaultRespondent{Issue: w.By(timer), Dispute: "d1"})
	w.decideAndPay("d1")
}

// decideAndPay splits 40:60 and pays the buyer's part back.
func (w *world) decideAndPay(id domain.DisputeID) {
	w.T.Helper()
	share := money.BPS(6000)
	w.balances(map[ledger.Account]uint64{ledger.Disputed(hold): 100})
	w.Do(settlement.DecideDispute{Issue: w.By(admin), Dispute: id, Action: dispute.Split, SellerBPS: &share, FeePayer: dispute.NobodyPays, Reason: domain.About(buyer.User(), "both are right")})
	w.Pass(dispute.StandardTerms().AppealWindow + time.Hour)
	w.Do(settlement.CloseAppealWindow{Issue: w.By(timer), Dispute: id})
	r := settlement.RefundOf(id)
	w.balances(map[ledger.Account]uint64{ledger.ClearingRefund(r): 40, ledger.SellerAvailable(seller.User()): 57, ledger.PlatformFee: 3, ledger.Disputed(hold): 0})
	to := outgoing.Transfer{Chain: 56, From: "0xtreasury", To: "0xbuyer", Token: "0xusdt", Amount: amount(40), Nonce: 7}
	w.Do(settlement.ConfirmRefundAddress{Issue: w.By(buyer), Refund: r, Address: refund.Address{Text: "0xbuyer", Origin: refund.BuyerConfirmed, Screening: "clean"}})
	w.Do(settlement.BroadcastRefund{Issue: w.By(policy), Refund: r, Screening: "clean", Tx: outgoing.Tx{Hash: "0xr1", Transfer: to}})
	w.Do(settlement.ConfirmRefund{Issue: w.By(chain), Refund: r, Evidence: outgoing.Mined{Chain: 56, Tx: "0xr1", Block: 11}})
	w.balances(map[ledger.Account]uint64{ledger.ClearingRefund(r): 0})
	assert.Empty(w.T, w.hold().ReleaseHolds, "the stops of the dispute are lifted with it")
}

func TestAnOpenDisputeIsDecidedHere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.order("delivery")
	w.pay(document("completed", "funded"), migration.PaidTo{}, moves("hold", "100")...)
	w.balances(map[ledger.Account]uint64{ledger.Held(hold): 100, ledger.Disputed(hold): 0})
	stop := func(status, kind string) migration.TakeReleaseHold {
		return migration.TakeReleaseHold{Issue: w.By(bridge), Names: name, Document: migration.ReleaseHold{
			Found:   migration.Found{Legacy: domain.Legacy{ObjectID: "65a0000000000000000000f1", Hash: status + kind}},
			Payment: paidOID, Request: reqOID, Type: kind, Reason: "an argument", Status: status, PlacedBy: "admin",
		}}
	}
	w.Do(stop("active", "dispute"))
	w.argue("in_progress")
	assert.Len(t, w.hold().ReleaseHolds, 1)
	before := w.Position()
	w.argue("in_progress")
	w.Do(stop("active", "dispute"))
	assert.Equal(t, before, w.Position(), "the same documents again are no news")
	w.Refuse(funding.LiftHold{Issue: w.By(admin), Hold: hold, ID: name("releaseholds", "65a0000000000000000000f1"), Reason: "x"}, "HOLD_OWNER")
	w.decideAndPay(domain.DisputeID(name("disputes", argOID)))
}

// While the old backend owns disputes they end there, too: the money goes back where it lay.
func TestADisputeThatEndsInTheOldBackend(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.order("delivery")
	w.pay(document("completed", "releasable"), own, moves("hold", "100", "releasable", "100")...)
	w.argue("pending")
	w.balances(map[ledger.Account]uint64{stands: 100, ledger.Releasable(hold): 0, ledger.Disputed(hold): 100})
	w.argue("closed")
	w.balances(map[ledger.Account]uint64{stands: 100, ledger.Releasable(hold): 100, ledger.Disputed(hold): 0})
	assert.Equal(t, escrow.ReleasableNow, w.hold().Phase())
}

func TestADisputeAboutNothingIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Refuse(migration.TakeDispute{Issue: w.By(bridge), Names: name, Policy: w.policy, Terms: dispute.StandardTerms(), Document: migration.Dispute{
		Found: migration.Found{Legacy: domain.Legacy{ObjectID: argOID, Hash: "x"}}, Payment: paidOID, Request: reqOID, Buyer: "buyer", Seller: "seller", Opener: "buyer", Category: "other", Status: "pending",
	}}, "LEGACY_NO_HOLD")
	w.pay(document("completed", "funded"), own, moves("hold", "100")...)
	w.Refuse(migration.TakeDispute{Issue: w.By(bridge), Names: name, Policy: w.policy, Terms: dispute.StandardTerms(), Document: migration.Dispute{
		Found: migration.Found{Legacy: domain.Legacy{ObjectID: argOID, Hash: "x"}}, Payment: paidOID, Request: reqOID, Buyer: "somebody", Seller: "seller", Opener: "buyer", Category: "other", Status: "pending",
	}}, "LEGACY_CONTRADICTION")
}

// arrive books a transfer to the payment's address as the chain's follower does.
func (w *world) arrive(tx string, n uint64) {
	w.T.Helper()
	e := payment.Evidence{Chain: 56, Tx: tx, Log: 1, Block: 100, BlockHash: "0xb"}
	w.Do(funding.RecordTransfer{Issue: w.By(chain), Payment: paid, Evidence: e, Amount: amount(n), From: "0xbuyer"})
	s := scenariotest.StateOf(w.World, payment.Decider, string(paid))
	if _, known := s.Transfers[e.Key()]; known {
		w.Do(funding.ConfirmTransfer{Issue: w.By(chain), Payment: paid, Evidence: e, Depth: 100})
	}
}

func TestAPaymentThatWaitedIsMadeHere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status, state string
		entries       []migration.Entry
		wait          time.Duration
		came          uint64
	}{
		"pending":              {"pending", "", nil, 0, 100},
		"a part was there":     {"processing", "partial", moves("hold", "40"), 0, 60},
		"it had been given up": {"cancelled", "cancelled", nil, 0, 100},
		"it had failed":        {"failed", "failed", nil, 0, 100},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.order("payment")
			w.derive("assigned")
			w.pay(document(c.status, c.state), own, c.entries...)
			w.arrive("0xAA", c.came)
			assert.Equal(t, request.Processing, w.phase())
			w.balances(map[ledger.Account]uint64{stands: 100, ledger.Held(hold): 100})
			d := scenariotest.StateOf(w.World, destination.Decider, string(where))
			assert.Equal(t, units(100), d.Balance[usdt])
		})
	}
	t.Run("it expires a day after the import at the earliest, and late money is unmatched", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.order("payment")
		w.derive("assigned")
		w.pay(document("pending", ""), own)
		w.Refuse(funding.ExpirePayment{Issue: w.By(timer), Payment: paid}, "INVALID_STATE")
		w.Pass(25 * time.Hour)
		w.Do(funding.ExpirePayment{Issue: w.By(timer), Payment: paid})
		w.arrive("0xAA", 100)
		w.balances(map[ledger.Account]uint64{stands: 100, ledger.Suspense: 100, ledger.Held(hold): 0})
	})
}

// A transaction that the old backend has counted brings nothing twice, whoever tells of it.
func TestWhatWasCountedIsNotCountedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.order("processing")
	w.derive("funded")
	d := document("completed", "funded")
	d.Tx = "0xAB01"
	entries := moves("hold", "60", "hold", "40")
	entries[0].Tx = "0xAB02"
	w.pay(d, own, entries...)
	w.arrive("0xab01", 40)
	w.arrive("0xAB02", 60)
	w.Refuse(funding.ReportTransaction{Issue: w.By(buyer), Payment: paid, Tx: "0xab02"}, "TX_ALREADY_USED")
	w.balances(map[ledger.Account]uint64{stands: 100, ledger.Held(hold): 100, ledger.BuyerAvailable(buyer.User()): 0})
	w.arrive("0xab03", 7)
	w.balances(map[ledger.Account]uint64{stands: 107, ledger.Held(hold): 100, ledger.BuyerAvailable(buyer.User()): 7})
}

func TestWhatTheOldBackendPaysOutIsAskedForHere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.order("completed")
	w.pay(document("completed", "releasing"), migration.PaidTo{}, moves("hold", "100", "releasable", "100")...)
	w.payOut(100)
	w.balances(map[ledger.Account]uint64{ledger.Treasury: 0})
}

func TestAnOpeningIsSweptLikeOtherMoney(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pay(document("completed", "funded"), own, moves("hold", "100")...)
	w.derive("funded")
	w.Do(scenariotest.Act(destination.Decider, string(where), destination.Broadcast{Issue: w.By(policy), Sweep: "s1", Amount: amount(100), Tx: "0xs", Nonce: 1, Raw: "0x02"}))
	w.Do(scenariotest.Act(destination.Decider, string(where), destination.Confirm{Issue: w.By(chain), Sweep: "s1", Block: 9}))
	w.balances(map[ledger.Account]uint64{stands: 0, ledger.Treasury: 100, ledger.Held(hold): 100})
	require.Equal(t, destination.SweptPhase, scenariotest.StateOf(w.World, destination.Decider, string(where)).Phase())
}

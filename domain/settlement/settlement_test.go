package settlement_test

import (
	"testing"
	"time"

	"holdfast/domain"
	"holdfast/domain/breaker"
	"holdfast/domain/dispute"
	"holdfast/domain/escrow"
	"holdfast/domain/funding"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/outgoing"
	"holdfast/domain/payout"
	"holdfast/domain/receivable"
	"holdfast/domain/refund"
	"holdfast/domain/scenariotest"
	"holdfast/domain/settlement"
	"holdfast/eventstore"
	"holdfast/eventstore/memory"
)

const usdc money.Asset = "USDC@8453"

var (
	buyer    = domain.User("B1", domain.Buyer)
	seller   = domain.User("S1", domain.Seller)
	admin    = domain.User("A1", domain.Admin)
	admin2   = domain.User("A2", domain.Admin)
	resolver = domain.User("R1", domain.Resolver)
	second   = domain.User("R2", domain.Resolver)
	timer    = domain.Machine(domain.Timer, "timers")
	chain    = domain.Machine(domain.Chain, "8453")
	policy   = domain.Machine(domain.Process, "policy")
)

func amount(n uint64) money.Amount { return money.Of(usdc, money.FromUint64(n)) }
func units(n uint64) money.Units   { return money.FromUint64(n) }
func bps(n money.BPS) *money.BPS   { return &n }

func world(t *testing.T) *scenariotest.World {
	t.Helper()
	codec, err := eventstore.NewCodec(memory.NewKeyRing(), scenariotest.Aggregates()...)
	if err != nil {
		t.Fatal(err)
	}
	return scenariotest.NewWorld(t, memory.New(codec))
}

// order is a funded hold of 100 units with a fee of 5 %.
func order(w *scenariotest.World, id domain.HoldID, due uint64) {
	w.T.Helper()
	w.Fund(scenariotest.Order{Hold: id, Buyer: "B1", Seller: "S1", Due: amount(due), Terms: escrow.Terms{FeeBPS: 500}})
}

func release(w *scenariotest.World, id domain.HoldID) {
	w.T.Helper()
	w.Do(scenariotest.Act(escrow.Decider, string(id), escrow.MarkReleasable{Issue: w.By(buyer), Cause: "test"}))
	w.Do(scenariotest.Act(escrow.Decider, string(id), escrow.Release{Issue: w.By(buyer)}))
}

func (c check) balances(want map[ledger.Account]uint64) {
	c.T.Helper()
	for a, n := range want {
		if got := c.Balance(a, usdc); got != units(n) {
			c.T.Errorf("%s is %s, want %d", a, got, n)
		}
	}
}

type check struct{ *scenariotest.World }

func transfer(to string, n, nonce uint64) outgoing.Transfer {
	return outgoing.Transfer{Chain: 8453, From: "0xtreasury", To: to, Token: "0xusdc", Amount: amount(n), Nonce: nonce}
}

func mined(hash string) outgoing.Mined { return outgoing.Mined{Chain: 8453, Tx: hash, Block: 10} }

// pay takes a payout from the request to the chain.
func pay(w *scenariotest.World, id domain.PayoutID, n, nonce uint64, hash string) {
	w.T.Helper()
	w.Do(settlement.RequestPayout{Issue: w.By(seller), Payout: id, Seller: "S1", Amount: amount(n), Wallet: "0xwallet", Approvals: 1, Available: units(n)})
	w.Do(settlement.ApprovePayout{Issue: w.By(admin), Payout: id, Revision: 1})
	w.Do(settlement.BuildPayoutInstruction{Issue: w.By(admin), Payout: id, Instruction: transfer("0xwallet", n, nonce)})
	w.Do(settlement.RecordPayoutSignature{Issue: w.By(admin), Payout: id, Tx: outgoing.Tx{Hash: hash, Transfer: transfer("0xwallet", n, nonce)}})
	w.Do(settlement.BroadcastPayout{Issue: w.By(policy), Payout: id})
}

func TestRefundOfAHold(t *testing.T) {
	t.Parallel()
	w := world(t)
	order(w, "h1", 100)
	w.Refuse(settlement.RequestRefund{Issue: w.By(buyer), Refund: "r0", Hold: "h1", Mode: refund.Partial, Amount: amount(101)}, "REFUND_EXCEEDS_AVAILABLE")
	w.Do(settlement.RequestRefund{Issue: w.By(buyer), Refund: "r1", Hold: "h1", Mode: refund.Partial, Amount: amount(60)})
	w.Do(settlement.RequestRefund{Issue: w.By(buyer), Refund: "r2", Hold: "h1", Mode: refund.Partial, Amount: amount(60)})
	w.Do(settlement.ApproveRefund{Issue: w.By(admin), Refund: "r1", RefundTerms: settlement.RefundTerms{NetworkFee: amount(1), NetworkFeeCap: amount(1)}})
	w.Refuse(settlement.ApproveRefund{Issue: w.By(admin), Refund: "r2"}, "REFUND_EXCEEDS_AVAILABLE")
	w.Refuse(settlement.ApproveRefund{Issue: w.By(admin), Refund: "r1"}, "ALREADY_REFUNDED")
	check{w}.balances(map[ledger.Account]uint64{"escrow:h1:held": 40, "clearing:refund:r1": 59, "income:network_fee_recovery": 1})

	w.Refuse(settlement.BroadcastRefund{Issue: w.By(policy), Refund: "r1", Screening: "clean"}, "REFUND_ADDRESS_REQUIRED")
	w.Do(settlement.ConfirmRefundAddress{Issue: w.By(buyer), Refund: "r1", Address: refund.Address{Text: "0xBuyer", Origin: refund.BuyerConfirmed, Screening: "clean"}})
	w.Do(settlement.BroadcastRefund{Issue: w.By(policy), Refund: "r1", Screening: "clean", Tx: outgoing.Tx{Hash: "0xf1", Transfer: transfer("0xbuyer", 59, 1)}})
	w.Do(settlement.FailRefund{Issue: w.By(chain), Refund: "r1", Tx: "0xf1", Code: "REVERTED", NonceUsed: true})
	check{w}.balances(map[ledger.Account]uint64{"clearing:refund:r1": 0, "buyer:B1:available": 59})

	// Failed is final; the credit is refunded anew.
	w.Do(settlement.RequestRefund{Issue: w.By(buyer), Refund: "r3", Buyer: "B1", Source: refund.FromBuyerCredit, Mode: refund.Partial, Amount: amount(59)})
	w.Do(settlement.ApproveRefund{Issue: w.By(admin), Refund: "r3", RefundTerms: settlement.RefundTerms{
		Address: &refund.Address{Text: "0xBuyer", Origin: refund.VerifiedWallet, Screening: "clean"},
	}})
	w.Do(settlement.BroadcastRefund{Issue: w.By(policy), Refund: "r3", Screening: "clean", Tx: outgoing.Tx{Hash: "0xf2", Transfer: transfer("0xbuyer", 59, 2)}})
	w.Do(settlement.ConfirmRefund{Issue: w.By(chain), Refund: "r3", Evidence: mined("0xf2")})
	w.Do(settlement.ReorgRefund{Issue: w.By(chain), Refund: "r3", Evidence: mined("0xf2")})
	check{w}.balances(map[ledger.Account]uint64{"clearing:refund:r3": 59, "custody:treasury": 100})
	w.Do(settlement.ConfirmRefund{Issue: w.By(chain), Refund: "r3", Evidence: mined("0xf2")})
	check{w}.balances(map[ledger.Account]uint64{"clearing:refund:r3": 0, "custody:treasury": 41, "buyer:B1:available": 0})
	w.Refuse(settlement.RequestRefund{
		Issue: w.By(buyer), Refund: "r4", Buyer: "B1", Source: refund.FromBuyerCredit, Mode: refund.Partial, Amount: amount(1),
		Terms: &settlement.RefundTerms{},
	}, "FORBIDDEN")
}

func TestCancelledRefundReturnsToItsSource(t *testing.T) {
	t.Parallel()
	w := world(t)
	order(w, "h1", 100)
	w.Do(settlement.RequestRefund{
		Issue: w.By(admin), Refund: "r1", Hold: "h1", Mode: refund.Full,
		Terms: &settlement.RefundTerms{NetworkFee: amount(2), NetworkFeeCap: amount(2)},
	})
	check{w}.balances(map[ledger.Account]uint64{"escrow:h1:held": 0, "clearing:refund:r1": 98})
	w.Refuse(settlement.RequestRefund{Issue: w.By(admin), Refund: "r2", Hold: "h1", Mode: refund.Full}, "ALREADY_REFUNDED")
	w.Do(settlement.CancelRefund{Issue: w.By(admin), Refund: "r1"})
	check{w}.balances(map[ledger.Account]uint64{"escrow:h1:held": 100, "clearing:refund:r1": 0, "income:network_fee_recovery": 0})
	if h := scenariotest.StateOf(w, escrow.Decider, "h1"); h.Held != units(100) || len(h.OpenRefunds) != 0 {
		t.Fatalf("%+v", h)
	}
}

func TestClawbackNetsBeforeTheNextPayout(t *testing.T) {
	t.Parallel()
	w := world(t)
	order(w, "h1", 100)
	release(w, "h1") // 95 to the seller, 5 fee
	pay(w, "o1", 95, 1, "0xf1")
	w.Do(settlement.ConfirmPayout{Issue: w.By(chain), Payout: "o1", Evidence: mined("0xf1")})
	w.Refuse(settlement.Clawback{Issue: w.By(seller), Refund: "r1", Hold: "h1", Amount: amount(60)}, "FORBIDDEN")
	w.Do(settlement.Clawback{Issue: w.By(admin), Refund: "r1", Hold: "h1", Amount: amount(60)})
	check{w}.balances(map[ledger.Account]uint64{"income:platform_fee": 2, "receivable:seller:S1": 57, "clearing:refund:r1": 60, "seller:S1:available": 0})
	w.Refuse(settlement.Clawback{Issue: w.By(admin), Refund: "r2", Hold: "h1", Amount: amount(41)}, "REFUND_EXCEEDS_AVAILABLE")

	order(w, "h2", 100)
	release(w, "h2") // another 95
	w.Refuse(settlement.RequestPayout{Issue: w.By(seller), Payout: "o2", Seller: "S1", Amount: amount(95), Wallet: "0xwallet", Available: units(95)}, "RECEIVABLE_OUTSTANDING")
	w.Do(settlement.RequestPayout{Issue: w.By(seller), Payout: "o2", Seller: "S1", Amount: amount(38), Wallet: "0xwallet", Available: units(95)})
	check{w}.balances(map[ledger.Account]uint64{"receivable:seller:S1": 0, "seller:S1:available": 0, "clearing:payout:o2": 38})
}

func TestCancelledClawback(t *testing.T) {
	t.Parallel()
	w := world(t)
	order(w, "h1", 100)
	release(w, "h1")
	pay(w, "o1", 55, 1, "0xf1") // 40 left
	w.Do(settlement.Clawback{Issue: w.By(admin), Refund: "r1", Hold: "h1", Amount: amount(100), Terms: settlement.RefundTerms{SellerAvailable: units(40)}})
	check{w}.balances(map[ledger.Account]uint64{"income:platform_fee": 0, "receivable:seller:S1": 55, "seller:S1:available": 0, "clearing:refund:r1": 100})
	w.Do(settlement.WriteOffReceivable{Issue: w.By(admin), Party: receivable.Seller, User: "S1", Amount: amount(5), Expense: receivable.BadDebt, SecondApprover: "A2", Reason: "goodwill"})
	w.Do(settlement.CancelRefund{Issue: w.By(admin), Refund: "r1"})
	check{w}.balances(map[ledger.Account]uint64{"income:platform_fee": 5, "receivable:seller:S1": 0, "seller:S1:available": 45, "clearing:refund:r1": 0, "expense:bad_debt": 5})
}

// What a refund after the release takes from a seller who has nothing left comes out of what the
// order has withheld, before it becomes his debt.
func TestAClawbackTakesTheReserveFirst(t *testing.T) {
	t.Parallel()
	for take, want := range map[uint64]map[ledger.Account]uint64{
		6:  {"seller:S1:reserve": 3, "receivable:seller:S1": 0, "clearing:refund:r1": 6, "seller:S1:available": 0},
		60: {"seller:S1:reserve": 0, "receivable:seller:S1": 48, "clearing:refund:r1": 60, "seller:S1:available": 0},
	} {
		w := world(t)
		w.Fund(scenariotest.Order{Hold: "h1", Buyer: "B1", Seller: "S1", Due: amount(100), Terms: escrow.Terms{FeeBPS: 500, ReserveBPS: 1000, ReserveFor: time.Hour}})
		release(w, "h1") // 86 to the seller, 9 withheld, 5 fee
		pay(w, "o1", 86, 1, "0xf1")
		w.Do(settlement.ConfirmPayout{Issue: w.By(chain), Payout: "o1", Evidence: mined("0xf1")})
		w.Do(settlement.Clawback{Issue: w.By(admin), Refund: "r1", Hold: "h1", Amount: amount(take)})
		check{w}.balances(want)
	}
}

// A clawback that is cancelled gives the reserve back what it drew on it, until the time it had.
func TestACancelledClawbackFillsTheReserveAgain(t *testing.T) {
	t.Parallel()
	w := world(t)
	w.Fund(scenariotest.Order{Hold: "h1", Buyer: "B1", Seller: "S1", Due: amount(100), Terms: escrow.Terms{FeeBPS: 500, ReserveBPS: 1000, ReserveFor: time.Hour}})
	release(w, "h1") // 86 to the seller, 9 withheld, 5 fee
	pay(w, "o1", 86, 1, "0xf1")
	w.Do(settlement.ConfirmPayout{Issue: w.By(chain), Payout: "o1", Evidence: mined("0xf1")})
	w.Do(settlement.Clawback{Issue: w.By(admin), Refund: "r1", Hold: "h1", Amount: amount(60)})
	check{w}.balances(map[ledger.Account]uint64{"seller:S1:reserve": 0, "receivable:seller:S1": 48})
	w.Do(settlement.CancelRefund{Issue: w.By(admin), Refund: "r1"})
	check{w}.balances(map[ledger.Account]uint64{
		"seller:S1:reserve": 9, "seller:S1:available": 0, "receivable:seller:S1": 0, "income:platform_fee": 5, "clearing:refund:r1": 0,
	})
	w.Refuse(funding.ReleaseReserve{Issue: w.By(timer), Hold: "h1"}, "RESERVE_NOT_DUE")
	w.Pass(time.Hour)
	w.Do(funding.ReleaseReserve{Issue: w.By(timer), Hold: "h1"})
	check{w}.balances(map[ledger.Account]uint64{"seller:S1:reserve": 0, "seller:S1:available": 9})
}

// What a dispute's decision gives a seller is withheld like what a release gives him.
func TestADisputesDecisionWithholdsTheReserve(t *testing.T) {
	t.Parallel()
	w := world(t)
	w.Fund(scenariotest.Order{Hold: "h1", Buyer: "B1", Seller: "S1", Due: amount(100), Terms: escrow.Terms{FeeBPS: 500, ReserveBPS: 1000, ReserveFor: time.Hour}})
	w.Do(open(w, "h1", 0))
	w.Do(settlement.RespondToDispute{Issue: w.By(seller), Dispute: "d-h1"})
	w.Do(settlement.ProposeSettlement{Issue: w.By(seller), Dispute: "d-h1", Settlement: "s1", SellerBPS: 8000})
	w.Do(settlement.AcceptSettlement{Issue: w.By(buyer), Dispute: "d-h1", Settlement: "s1"})
	// Of the seller's 80 are 4 the fee; of the 76 a tenth.
	check{w}.balances(map[ledger.Account]uint64{"seller:S1:available": 69, "seller:S1:reserve": 7, "escrow:h1:disputed": 0})
	w.Refuse(funding.ReleaseReserve{Issue: w.By(timer), Hold: "h1"}, "RESERVE_NOT_DUE")
	w.Pass(time.Hour)
	w.Do(funding.ReleaseReserve{Issue: w.By(timer), Hold: "h1"})
	check{w}.balances(map[ledger.Account]uint64{"seller:S1:available": 76, "seller:S1:reserve": 0})
}

func TestPayoutFailsAndIsRetried(t *testing.T) {
	t.Parallel()
	w := world(t)
	order(w, "h1", 100)
	release(w, "h1")
	pay(w, "o1", 95, 1, "0xf1")
	w.Refuse(settlement.RequestPayout{Issue: w.By(seller), Payout: "o2", Seller: "S1", Amount: amount(95), Wallet: "0xother", Available: units(95)}, "INSUFFICIENT_AVAILABLE")
	w.Refuse(settlement.ReplacePayout{Issue: w.By(policy), Payout: "o1", Tx: outgoing.Tx{Hash: "0xf2", Transfer: transfer("0xwallet", 95, 2)}}, "REPLACEMENT_INVALID")
	w.Do(settlement.ReplacePayout{Issue: w.By(policy), Payout: "o1", Tx: outgoing.Tx{Hash: "0xf2", Transfer: transfer("0xwallet", 95, 1)}})
	w.Do(settlement.FailPayout{Issue: w.By(chain), Payout: "o1", Tx: "0xf2", Code: "BLOCKLISTED"})
	check{w}.balances(map[ledger.Account]uint64{"seller:S1:available": 95, "clearing:payout:o1": 0, "custody:treasury": 100})
	pay(w, "o2", 95, 1, "0xf3") // the dropped transaction's nonce is free again
	w.Do(settlement.ConfirmPayout{Issue: w.By(chain), Payout: "o2", Evidence: mined("0xf3")})
	w.Do(settlement.ReorgPayout{Issue: w.By(chain), Payout: "o2", Evidence: mined("0xf3")})
	w.Do(settlement.ConfirmPayout{Issue: w.By(chain), Payout: "o2", Evidence: mined("0xf3")})
	check{w}.balances(map[ledger.Account]uint64{"seller:S1:available": 0, "clearing:payout:o2": 0, "custody:treasury": 5})
}

func TestAPausedAssetStaysWhereItIs(t *testing.T) {
	t.Parallel()
	w := world(t)
	order(w, "h1", 100)
	order(w, "h2", 100)
	release(w, "h1")
	ask := settlement.RequestPayout{Issue: w.By(seller), Payout: "o1", Seller: "S1", Amount: amount(95), Wallet: "0xwallet", Available: units(95)}
	w.Do(settlement.RequestRefund{Issue: w.By(buyer), Refund: "r1", Hold: "h2", Mode: refund.Full})
	w.Do(scenariotest.Act(breaker.Decider, string(usdc), breaker.Pause{Issue: w.By(admin), Asset: usdc, Reason: "look"}))
	w.Refuse(ask, "ASSET_PAUSED")
	w.Refuse(settlement.ApproveRefund{Issue: w.By(admin), Refund: "r1"}, "ASSET_PAUSED")
	w.Do(open(w, "h2", 0)) // freezing and deciding move nothing out
	w.Do(scenariotest.Act(breaker.Decider, string(usdc), breaker.Resume{Issue: w.By(admin), Asset: usdc, Reason: "fine"}))
	w.Do(ask)
	w.Do(scenariotest.Act(breaker.Decider, string(usdc), breaker.RecordSolvency{Issue: w.By(policy), Asset: usdc, Custody: "1", Liabilities: "2"}))
	w.Refuse(settlement.BuildPayoutInstruction{Issue: w.By(admin), Payout: "o1", Instruction: transfer("0xwallet", 95, 1)}, "ASSET_PAUSED")
}

func TestOneTransactionANonce(t *testing.T) {
	t.Parallel()
	w := world(t)
	order(w, "h1", 100)
	release(w, "h1")
	pay(w, "o1", 50, 7, "0xf1")
	w.Do(settlement.RequestPayout{Issue: w.By(seller), Payout: "o2", Seller: "S1", Amount: amount(45), Wallet: "0xwallet", Available: units(45)})
	build := settlement.BuildPayoutInstruction{Issue: w.By(admin), Payout: "o2", Instruction: transfer("0xwallet", 45, 7)}
	w.Refuse(build, "NONCE_IN_USE")
	build.Instruction.Nonce = 8
	w.Do(build)
	w.Do(settlement.CancelPayout{Issue: w.By(seller), Payout: "o2"})
	w.Refuse(settlement.CancelPayout{Issue: w.By(seller), Payout: "o1"}, "PAYOUT_IN_PROGRESS")
	w.Do(settlement.RequestPayout{Issue: w.By(seller), Payout: "o3", Seller: "S1", Amount: amount(45), Wallet: "0xwallet", Available: units(45)})
	w.Do(settlement.BuildPayoutInstruction{Issue: w.By(admin), Payout: "o3", Instruction: transfer("0xwallet", 45, 8)})
}

func TestReleaseHoldStopsAPayoutAtEveryStep(t *testing.T) {
	t.Parallel()
	w := world(t)
	order(w, "h1", 100)
	release(w, "h1")
	place := func(id string) {
		w.Do(scenariotest.Act(escrow.Decider, "h1", escrow.PlaceReleaseHold{Issue: w.By(admin), ID: id, Kind: escrow.AdminHold, Reason: "look"}))
	}
	lift := func(id string) {
		w.Do(scenariotest.Act(escrow.Decider, "h1", escrow.LiftReleaseHold{Issue: w.By(admin2), ID: id, Reason: "fine"}))
	}
	ask := settlement.RequestPayout{Issue: w.By(seller), Payout: "o1", Seller: "S1", Amount: amount(95), Wallet: "0xwallet", Approvals: 1, Available: units(95), Holds: []domain.HoldID{"h1"}}
	steps := []scenariotest.Flow{
		ask,
		settlement.ApprovePayout{Issue: w.By(admin), Payout: "o1", Revision: 1},
		settlement.BuildPayoutInstruction{Issue: w.By(admin), Payout: "o1", Instruction: transfer("0xwallet", 95, 1)},
		settlement.RecordPayoutSignature{Issue: w.By(admin), Payout: "o1", Tx: outgoing.Tx{Hash: "0xf1", Transfer: transfer("0xwallet", 95, 1)}},
		settlement.BroadcastPayout{Issue: w.By(policy), Payout: "o1"},
	}
	for n, step := range steps {
		if n != 3 { // a signature that exists is recorded in any case
			place("x")
			w.Refuse(step, "RELEASE_HOLD_ACTIVE")
			lift("x")
		}
		w.Do(step)
	}
	if s := scenariotest.StateOf(w, payout.Decider, "o1"); s.Phase != payout.PhaseBroadcast {
		t.Fatal(s.Phase)
	}
}

func open(w *scenariotest.World, hold domain.HoldID, n uint64) settlement.OpenDispute {
	terms := dispute.StandardTerms()
	terms.Fee = amount(1)
	f := settlement.OpenDispute{
		Issue: w.By(buyer), Dispute: domain.DisputeID("d-" + hold), Hold: hold, Category: "not_as_described",
		Reason: domain.About("B1", "it is broken"), Terms: terms,
	}
	if n > 0 {
		f.Amount = amount(n)
	}
	return f
}

func TestDisputeFreezesAndSplits(t *testing.T) {
	t.Parallel()
	w := world(t)
	order(w, "h1", 101)
	stranger := open(w, "h1", 0)
	stranger.Issue = w.By(domain.User("X", domain.Buyer))
	w.Refuse(stranger, "NOT_FOUND")
	w.Refuse(open(w, "h1", 102), "NOTHING_TO_DISPUTE")
	w.Do(open(w, "h1", 0))
	again := open(w, "h1", 0)
	again.Dispute = "another"
	w.Refuse(again, "DISPUTE_OPEN")
	w.Refuse(scenariotest.Act(escrow.Decider, "h1", escrow.MarkReleasable{Issue: w.By(buyer)}), "ESCROW_DISPUTED")
	w.Refuse(settlement.RequestRefund{Issue: w.By(buyer), Refund: "r1", Hold: "h1", Mode: refund.Full}, "ESCROW_DISPUTED")
	check{w}.balances(map[ledger.Account]uint64{"escrow:h1:held": 0, "escrow:h1:disputed": 101})

	const d = "d-h1"
	w.Do(settlement.SubmitEvidence{Issue: w.By(buyer), Dispute: d, Evidence: dispute.Evidence{ID: "e1", Kind: "text", Text: domain.About("B1", "look")}})
	w.Do(settlement.RespondToDispute{Issue: w.By(seller), Dispute: d, Text: domain.About("S1", "no")})
	w.Do(settlement.AssignResolver{Issue: w.By(admin), Dispute: d, Resolver: "R1"})
	w.Do(settlement.CloseEvidence{Issue: w.By(resolver), Dispute: d})
	w.Refuse(settlement.DecideDispute{Issue: w.By(second), Dispute: d, Action: dispute.Refund}, "NOT_ASSIGNED")
	w.Do(settlement.DecideDispute{Issue: w.By(resolver), Dispute: d, Action: dispute.Split, SellerBPS: bps(6000), FeePayer: dispute.SellerPays})
	w.Do(settlement.AppealDispute{Issue: w.By(buyer), Dispute: d, Grounds: domain.About("B1", "unfair")})
	w.Refuse(settlement.AssignResolver{Issue: w.By(admin), Dispute: d, Resolver: "R1"}, "RESOLVER_CONFLICT")
	w.Do(settlement.AssignResolver{Issue: w.By(admin), Dispute: d, Resolver: "R2"})
	w.Do(settlement.DecideDispute{Issue: w.By(second), Dispute: d, Action: dispute.Split, SellerBPS: bps(5000), FeePayer: dispute.SellerPays})
	// 101 halved: 50 to the buyer, 51 gross to the seller, of it 2 platform fee and 1 dispute fee.
	r := settlement.RefundOf(d)
	check{w}.balances(map[ledger.Account]uint64{
		"escrow:h1:disputed": 0, ledger.ClearingRefund(r): 50, "income:platform_fee": 2, "income:dispute_fee": 1, "seller:S1:available": 48,
	})
	w.Refuse(settlement.AppealDispute{Issue: w.By(seller), Dispute: d}, "APPEAL_LIMIT")
	w.Refuse(settlement.DecideDispute{Issue: w.By(second), Dispute: d, Action: dispute.Refund}, "ALREADY_RESOLVED")
	if h := scenariotest.StateOf(w, escrow.Decider, "h1"); len(h.ReleaseHolds) != 0 {
		t.Fatal("the dispute's release hold was not lifted")
	}

	// The dispute is closed when the buyer's refund has run its course.
	w.Refuse(settlement.CloseDispute{Issue: w.By(policy), Dispute: d}, "INVALID_STATE")
	w.Do(settlement.ConfirmRefundAddress{Issue: w.By(buyer), Refund: r, Address: refund.Address{Text: "0xb", Origin: refund.BuyerConfirmed, Screening: "clean"}})
	w.Do(settlement.BroadcastRefund{Issue: w.By(policy), Refund: r, Screening: "clean", Tx: outgoing.Tx{Hash: "0xf1", Transfer: transfer("0xb", 50, 1)}})
	w.Do(settlement.ConfirmRefund{Issue: w.By(chain), Refund: r, Evidence: mined("0xf1")})
	w.Do(settlement.CloseDispute{Issue: w.By(policy), Dispute: d})
	w.Do(scenariotest.Act(escrow.Decider, "h1", escrow.Close{Issue: w.By(policy)}))
}

func TestTheWindowForADisputeCloses(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	w := world(t)
	w.Fund(scenariotest.Order{Hold: "h1", Buyer: "B1", Seller: "S1", Due: amount(100), Terms: escrow.Terms{Inspection: 3 * day, DisputeWindow: 7 * day}})
	w.Pass(100 * day) // nothing is delivered: there is no end
	w.Do(open(w, "h1", 0))
	w.Do(settlement.WithdrawDispute{Issue: w.By(buyer), Dispute: "d-h1"})
	w.Do(scenariotest.Act(escrow.Decider, "h1", escrow.StartInspection{Issue: w.By(buyer)}))
	w.Pass(10*day + time.Minute)
	late := open(w, "h1", 0)
	late.Dispute = "late"
	w.Refuse(late, "WINDOW_CLOSED")
}

func TestDisputeOutcomes(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	const d = "d-h1"
	review := func(w *scenariotest.World) {
		w.Do(settlement.RespondToDispute{Issue: w.By(seller), Dispute: d})
		w.Do(settlement.AssignResolver{Issue: w.By(admin), Dispute: d, Resolver: "R1"})
		w.Do(settlement.CloseEvidence{Issue: w.By(resolver), Dispute: d})
	}
	decided := func(a dispute.Action, payer dispute.FeePayer) func(*scenariotest.World) {
		return func(w *scenariotest.World) {
			review(w)
			w.Do(settlement.DecideDispute{Issue: w.By(resolver), Dispute: d, Action: a, FeePayer: payer})
			w.Refuse(settlement.CloseAppealWindow{Issue: w.By(timer), Dispute: d}, "INVALID_STATE")
			w.Pass(4 * day)
			w.Do(settlement.CloseAppealWindow{Issue: w.By(timer), Dispute: d})
		}
	}
	refunded := ledger.ClearingRefund(settlement.RefundOf(d))
	for name, c := range map[string]struct {
		run  func(*scenariotest.World)
		want map[ledger.Account]uint64
	}{
		"refund":                    {decided(dispute.Refund, dispute.BuyerPays), map[ledger.Account]uint64{refunded: 79, "income:dispute_fee": 1, "seller:S1:available": 0}},
		"release":                   {decided(dispute.Release, dispute.NobodyPays), map[ledger.Account]uint64{refunded: 0, "seller:S1:available": 76, "income:platform_fee": 4}},
		"replacement keeps it held": {decided(dispute.Replacement, dispute.SellerPays), map[ledger.Account]uint64{refunded: 0, "escrow:h1:held": 100, "income:dispute_fee": 0}},
		"the goods come back": {func(w *scenariotest.World) {
			decided(dispute.ReturnThenRefund, dispute.NobodyPays)(w)
			check{w}.balances(map[ledger.Account]uint64{"escrow:h1:disputed": 80})
			w.Do(settlement.ConfirmReturn{Issue: w.By(seller), Dispute: d})
		}, map[ledger.Account]uint64{refunded: 80}},
		"the goods never come back": {func(w *scenariotest.World) {
			decided(dispute.ReturnThenRefund, dispute.NobodyPays)(w)
			w.Refuse(settlement.LapseReturn{Issue: w.By(timer), Dispute: d}, "INVALID_STATE")
			w.Pass(15 * day)
			w.Do(settlement.LapseReturn{Issue: w.By(timer), Dispute: d})
		}, map[ledger.Account]uint64{refunded: 0, "seller:S1:available": 76}},
		"settled between the parties": {func(w *scenariotest.World) {
			w.Do(settlement.RespondToDispute{Issue: w.By(seller), Dispute: d})
			w.Do(settlement.ProposeSettlement{Issue: w.By(seller), Dispute: d, Settlement: "s1", SellerBPS: 2500})
			w.Do(settlement.AcceptSettlement{Issue: w.By(buyer), Dispute: d, Settlement: "s1"})
		}, map[ledger.Account]uint64{refunded: 60, "seller:S1:available": 19, "income:platform_fee": 1, "income:dispute_fee": 0}},
		"nobody ever answers": {func(w *scenariotest.World) {
			w.Pass(46 * day)
			w.Do(settlement.DefaultDispute{Issue: w.By(timer), Dispute: d})
		}, map[ledger.Account]uint64{refunded: 40, "seller:S1:available": 38, "income:platform_fee": 2}},
		"withdrawn": {func(w *scenariotest.World) {
			w.Refuse(settlement.WithdrawDispute{Issue: w.By(seller), Dispute: d}, "FORBIDDEN")
			w.Do(settlement.WithdrawDispute{Issue: w.By(buyer), Dispute: d})
		}, map[ledger.Account]uint64{"escrow:h1:held": 100}},
		"rejected": {func(w *scenariotest.World) {
			w.Do(settlement.RejectDispute{Issue: w.By(admin), Dispute: d})
		}, map[ledger.Account]uint64{"escrow:h1:held": 100}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := world(t)
			order(w, "h1", 100)
			w.Do(open(w, "h1", 80))
			c.run(w)
			c.want["escrow:h1:disputed"] = 0
			check{w}.balances(c.want)
			if h := scenariotest.StateOf(w, escrow.Decider, "h1"); len(h.ReleaseHolds) != 0 || !h.Disputed.IsZero() {
				t.Errorf("the hold is not free: %+v", h)
			}
			// The rest of the order goes on.
			if rest := w.Balance("escrow:h1:held", usdc); !rest.IsZero() {
				release(w, "h1")
			}
		})
	}
}

func TestReorgDuringADispute(t *testing.T) {
	t.Parallel()
	const d = "d-h1"
	for name, undone := range map[string]uint64{"a part": 60, "all": 100} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := world(t)
			order(w, "h1", 100)
			w.Do(open(w, "h1", 0))
			w.Do(scenariotest.Seed{Issue: w.By(policy), Lines: []ledger.Line{ledger.Dr(ledger.Disputed("h1"), ledger.Treasury, amount(undone))}})
			w.Do(scenariotest.Act(escrow.Decider, "h1", escrow.Debit{Issue: w.By(chain), Payment: "p", Amount: amount(undone)}))
			w.Pass(46 * 24 * time.Hour)
			w.Do(settlement.DefaultDispute{Issue: w.By(timer), Dispute: d})
			check{w}.balances(map[ledger.Account]uint64{"escrow:h1:disputed": 0, ledger.ClearingRefund(settlement.RefundOf(d)): (100 - undone) / 2})
		})
	}
}

func TestTheApproverOfAPayoutCannotDecide(t *testing.T) {
	t.Parallel()
	w := world(t)
	order(w, "h1", 100)
	w.Do(scenariotest.Act(escrow.Decider, "h1", escrow.MarkReleasable{Issue: w.By(buyer), Amount: units(40)}))
	w.Do(scenariotest.Act(escrow.Decider, "h1", escrow.Release{Issue: w.By(buyer)}))
	pay(w, "o1", 38, 1, "0xf1") // approved by A1
	w.Do(open(w, "h1", 0))
	w.Refuse(settlement.AssignResolver{Issue: w.By(admin2), Dispute: "d-h1", Resolver: "A1", Payouts: []domain.PayoutID{"o1"}}, "RESOLVER_CONFLICT")
	w.Do(settlement.AssignResolver{Issue: w.By(admin2), Dispute: "d-h1", Resolver: "R1", Payouts: []domain.PayoutID{"o1"}})
}

func TestEveryDeadlineHasItsFlow(t *testing.T) {
	t.Parallel()
	for _, command := range []string{
		"settlement.lapse_refund_address", "settlement.default_respondent", "settlement.close_evidence", "settlement.lapse_settlement",
		"settlement.escalate_dispute", "settlement.close_appeal_window", "settlement.lapse_return", "settlement.default_dispute", "settlement.close_dispute",
	} {
		if _, ok := settlement.Due(command, domain.Stream{ID: "x"}, domain.Issue{By: timer}); !ok {
			t.Error(command)
		}
	}
	if _, ok := settlement.Due("order.expire_offer", domain.Stream{}, domain.Issue{}); ok {
		t.Error("a command of another slice")
	}
}

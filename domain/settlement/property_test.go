package settlement_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast/domain"
	"holdfast/domain/dispute"
	"holdfast/domain/escrow"
	"holdfast/domain/fault"
	"holdfast/domain/funding"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/outgoing"
	"holdfast/domain/payout"
	"holdfast/domain/refund"
	"holdfast/domain/scenariotest"
	"holdfast/domain/settlement"
	"holdfast/eventstore"
)

// walk is a random life of one funded order: whatever anybody tries, in any order.
type walk struct {
	*scenariotest.World
	funded   uint64
	refunds  []domain.RefundID
	payouts  []domain.PayoutID
	disputes []domain.DisputeID
	nonce    uint64
	left     money.Units // what the chain has taken out of custody
	lots     []escrow.Lot
	given    money.Units                     // of the reserve, because it was due
	drawn    map[domain.RefundID]money.Units // of the reserve, by clawbacks that were not cancelled
}

// Whatever is tried, a refusal writes nothing (H3), the hold agrees with the ledger, no
// more leaves an order than came in (L3, L10), and no shares are lost or made (L9).
func TestNoSequenceOfCommandsMakesOrLosesMoney(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := walk{World: world(t), drawn: map[domain.RefundID]money.Units{}, funded: rapid.Uint64Range(1, 1000).Draw(rt, "funded")}
		w.Fund(scenariotest.Order{
			Hold: "h1", Buyer: "B1", Seller: "S1", Due: amount(w.funded),
			Terms: escrow.Terms{
				FeeBPS:     money.BPS(rapid.Uint32Range(0, 10000).Draw(rt, "fee")),
				ReserveBPS: money.BPS(rapid.Uint32Range(0, 10000).Draw(rt, "reserve")), ReserveFor: time.Minute,
			},
		})
		for n := range rapid.IntRange(1, 40).Draw(rt, "steps") {
			w.step(rt, n)
			w.check(rt)
		}
	})
}

func (w *walk) step(rt *rapid.T, n int) {
	amountOf := amount(rapid.Uint64Range(0, w.funded+1).Draw(rt, "amount"))
	i := func(as ...domain.Actor) domain.Issue { return w.By(rapid.SampledFrom(as).Draw(rt, "by")) }
	var flows []scenariotest.Flow
	flows = append(flows,
		scenariotest.Act(escrow.Decider, "h1", escrow.MarkReleasable{Issue: i(buyer, admin), Amount: amountOf.Units}),
		scenariotest.Act(escrow.Decider, "h1", escrow.RevokeRelease{Issue: i(admin), Reason: "test"}),
		scenariotest.Act(escrow.Decider, "h1", escrow.Release{Issue: i(buyer, admin), Amount: amountOf.Units}),
		scenariotest.Act(escrow.Decider, "h1", escrow.Close{Issue: i(policy)}),
		funding.ReleaseReserve{Issue: i(timer), Hold: "h1"},
	)
	id := fmt.Sprint(n)
	ask := settlement.RequestRefund{
		Issue: i(buyer, seller, admin), Refund: domain.RefundID("r" + id), Hold: "h1", Amount: amountOf,
		Mode:   rapid.SampledFrom([]refund.Mode{refund.Full, refund.Partial}).Draw(rt, "mode"),
		Source: rapid.SampledFrom([]refund.Source{"", refund.FromHeld, refund.FromReleasable, refund.FromClawback, refund.FromBuyerCredit}).Draw(rt, "source"),
	}
	if rapid.Bool().Draw(rt, "at once") {
		ask.Terms = &settlement.RefundTerms{SellerAvailable: w.Balance("seller:S1:available", usdc)}
	}
	paid := settlement.RequestPayout{
		Issue: i(seller), Payout: domain.PayoutID("o" + id), Seller: "S1", Amount: amountOf, Wallet: "0xw",
		Available: w.Balance("seller:S1:available", usdc),
	}
	contest := open(w.World, "h1", 0)
	contest.Dispute, contest.Issue, contest.Amount = domain.DisputeID("d"+id), i(buyer, seller), amountOf
	flows = append(flows, ask, paid, contest)
	flows = append(flows, w.onRefunds(rt, i)...)
	flows = append(flows, w.onPayouts(rt, i)...)
	flows = append(flows, w.onDisputes(rt, i)...)

	f := flows[rapid.IntRange(0, len(flows)-1).Draw(rt, "flow")]
	before := w.Position()
	_, err := w.Try(f)
	if _, refused := fault.From(err); err != nil && !refused {
		rt.Fatalf("%T %+v: %v", f, f, err)
	}
	if err != nil && w.Position() != before {
		rt.Fatalf("%T was refused with %v and wrote", f, err)
	}
	if err != nil {
		return
	}
	w.refunds, w.payouts, w.disputes = known(w.refunds, f, ask, ask.Refund), known(w.payouts, f, paid, paid.Payout), known(w.disputes, f, contest, contest.Dispute)
	for _, r := range w.Read(before) {
		w.note(r)
	}
}

func known[T comparable, F any](ids []T, ran scenariotest.Flow, made F, id T) []T {
	if _, ok := ran.(F); ok && !slices.Contains(ids, id) {
		return append(ids, id)
	}
	return ids
}

func (w *walk) note(r eventstore.Recorded) {
	switch e := r.Event.(type) {
	case escrow.Released:
		w.lots = append(w.lots, escrow.Lot{Amount: e.Reserve.Units, Until: e.ReserveUntil})
	case escrow.DisputeSettled:
		w.lots = append(w.lots, escrow.Lot{Amount: e.Reserve.Units, Until: e.ReserveUntil})
	case escrow.ReserveReleased:
		if e.Refund == "" {
			w.given = w.given.Plus(e.Amount.Units)
		} else {
			w.drawn[e.Refund] = e.Amount.Units
		}
	case refund.Cancelled:
		delete(w.drawn, e.Refund)
	case dispute.Resolved:
		if e.Refund != "" {
			w.refunds = append(w.refunds, e.Refund)
		}
	case refund.Confirmed:
		w.left = w.left.Plus(e.Net.Units)
	case refund.Reorged:
		w.left = w.left.Minus(e.Net.Units)
	case payout.Confirmed:
		w.left = w.left.Plus(e.Amount.Units)
	case payout.Reorged:
		w.left = w.left.Minus(e.Amount.Units)
	}
}

func (w *walk) onRefunds(rt *rapid.T, i func(...domain.Actor) domain.Issue) []scenariotest.Flow {
	if len(w.refunds) == 0 {
		return nil
	}
	id := rapid.SampledFrom(w.refunds).Draw(rt, "refund")
	s := scenariotest.StateOf(w.World, refund.Decider, string(id))
	w.nonce++
	tx := "0xr" + string(id)
	send := outgoing.Tx{Hash: tx, Transfer: outgoing.Transfer{Chain: 8453, From: "0xt", To: "0xb", Amount: s.Net, Nonce: w.nonce}}
	return []scenariotest.Flow{
		settlement.ApproveRefund{Issue: i(admin, seller, buyer), Refund: id, RefundTerms: settlement.RefundTerms{
			SellerAvailable: w.Balance("seller:S1:available", usdc), NetworkFee: amount(1), NetworkFeeCap: amount(1),
		}},
		settlement.RejectRefund{Issue: i(admin), Refund: id},
		settlement.CancelRefund{Issue: i(admin, buyer), Refund: id},
		settlement.ConfirmRefundAddress{Issue: i(buyer), Refund: id, Address: refund.Address{Text: "0xb", Origin: refund.BuyerConfirmed, Screening: "clean"}},
		settlement.BroadcastRefund{Issue: i(policy), Refund: id, Tx: send, Screening: "clean"},
		settlement.ConfirmRefund{Issue: i(chain), Refund: id, Evidence: mined(tx)},
		settlement.FailRefund{Issue: i(chain), Refund: id, Tx: tx, Code: "REVERTED"},
		settlement.ReorgRefund{Issue: i(chain), Refund: id, Evidence: mined(tx)},
	}
}

func (w *walk) onPayouts(rt *rapid.T, i func(...domain.Actor) domain.Issue) []scenariotest.Flow {
	if len(w.payouts) == 0 {
		return nil
	}
	id := rapid.SampledFrom(w.payouts).Draw(rt, "payout")
	s := scenariotest.StateOf(w.World, payout.Decider, string(id))
	w.nonce++
	in := outgoing.Transfer{Chain: 8453, From: "0xt", To: "0xw", Amount: s.Amount, Nonce: w.nonce}
	if s.Instruction != nil {
		in = *s.Instruction
	}
	tx := "0xo" + string(id)
	return []scenariotest.Flow{
		settlement.BuildPayoutInstruction{Issue: i(admin), Payout: id, Instruction: in},
		settlement.RecordPayoutSignature{Issue: i(admin), Payout: id, Tx: outgoing.Tx{Hash: tx, Transfer: in}},
		settlement.BroadcastPayout{Issue: i(policy), Payout: id},
		settlement.ConfirmPayout{Issue: i(chain), Payout: id, Evidence: mined(tx)},
		settlement.FailPayout{Issue: i(chain), Payout: id, Tx: tx, Code: "DROPPED"},
		settlement.ReorgPayout{Issue: i(chain), Payout: id, Evidence: mined(tx)},
		settlement.CancelPayout{Issue: i(seller), Payout: id},
	}
}

func (w *walk) onDisputes(rt *rapid.T, i func(...domain.Actor) domain.Issue) []scenariotest.Flow {
	if len(w.disputes) == 0 {
		return nil
	}
	id := rapid.SampledFrom(w.disputes).Draw(rt, "dispute")
	share := money.BPS(rapid.Uint32Range(0, 10001).Draw(rt, "share"))
	action := rapid.SampledFrom([]dispute.Action{dispute.Refund, dispute.Release, dispute.Split, dispute.Replacement, dispute.ReturnThenRefund}).Draw(rt, "action")
	decide := settlement.DecideDispute{
		Issue: i(admin, admin2), Dispute: id, Action: action,
		FeePayer: rapid.SampledFrom([]dispute.FeePayer{dispute.SellerPays, dispute.BuyerPays, dispute.NobodyPays}).Draw(rt, "payer"),
	}
	if action == dispute.Split {
		decide.SellerBPS = &share
	}
	old := w.By(timer)
	old.At = old.At.Add(365 * 24 * time.Hour)
	return []scenariotest.Flow{
		settlement.RespondToDispute{Issue: i(seller, buyer), Dispute: id},
		settlement.CloseEvidence{Issue: i(admin), Dispute: id},
		settlement.ProposeSettlement{Issue: i(seller, buyer), Dispute: id, Settlement: "s", SellerBPS: share},
		settlement.AcceptSettlement{Issue: i(seller, buyer), Dispute: id, Settlement: "s"},
		settlement.DeclineSettlement{Issue: i(seller, buyer), Dispute: id, Settlement: "s"},
		decide, decide,
		settlement.AppealDispute{Issue: i(seller, buyer), Dispute: id},
		settlement.CloseAppealWindow{Issue: old, Dispute: id},
		settlement.LapseReturn{Issue: old, Dispute: id},
		settlement.DefaultDispute{Issue: old, Dispute: id},
		settlement.DefaultRespondent{Issue: old, Dispute: id},
		settlement.WithdrawDispute{Issue: i(seller, buyer), Dispute: id},
		settlement.RejectDispute{Issue: i(admin), Dispute: id},
		settlement.CloseDispute{Issue: i(policy), Dispute: id},
	}
}

// check holds the hold against the ledger and the whole against its parts.
func (w *walk) check(rt *rapid.T) {
	h := scenariotest.StateOf(w.World, escrow.Decider, "h1")
	for a, want := range map[ledger.Account]money.Units{
		"escrow:h1:held": h.Held, "escrow:h1:releasable": h.Releasable, "escrow:h1:disputed": h.Disputed,
		"custody:treasury": units(w.funded).Minus(w.left),
	} {
		if got := w.Balance(a, usdc); got != want {
			rt.Fatalf("the ledger has %s on %s, the state says %s", got, a, want)
		}
	}
	if got := h.Left().Plus(h.Released).Plus(h.Refunded); got != units(w.funded) {
		rt.Fatalf("%d came in, %s is accounted for: %+v", w.funded, got, h)
	}
	w.checkReserve(rt, h)
	if h.Released.Less(h.FeesTaken) {
		rt.Fatalf("more fees than released: %+v", h)
	}
	if err := solvent(w.World); err != nil {
		rt.Fatal(err)
	}
}

// checkReserve: what was withheld and neither became due nor pays a clawback that stands is still in
// the reserve; a clawback that was cancelled has not made it the seller's before its time.
func (w *walk) checkReserve(rt *rapid.T, h escrow.State) {
	withheld, due, drawn := money.Zero, money.Zero, money.Zero
	for _, l := range w.lots {
		withheld = withheld.Plus(l.Amount)
		if !l.Until.After(w.Now()) {
			due = due.Plus(l.Amount)
		}
	}
	for _, u := range w.drawn {
		drawn = drawn.Plus(u)
	}
	got := w.Balance("seller:S1:reserve", usdc)
	if got != h.Withheld() || got.Plus(w.given).Plus(drawn) != withheld {
		rt.Fatalf("%s is in reserve, %s by the hold; %s was withheld, %s given, %s drawn", got, h.Withheld(), withheld, w.given, drawn)
	}
	if due.Less(w.given) {
		rt.Fatalf("%s was given of the reserve, and %s was due", w.given, due)
	}
	if want := h.Terms.ReserveBPS.Of(h.Proceeds); h.Reserved != want || withheld != want {
		rt.Fatalf("%s was withheld of %s, which should be %s", withheld, h.Proceeds, want)
	}
}

// solvent checks the accounting identity over all accounts, and that no guarded one is below
// zero: custody + receivables + expenses = liabilities + equity + income.
func solvent(w *scenariotest.World) error {
	all, err := w.Store.Balances(w.T.Context(), "", 0)
	if err != nil {
		return err
	}
	left, right := money.Zero, money.Zero
	for _, b := range all {
		kind, err := ledger.KindOf(b.Account)
		if err != nil {
			return err
		}
		plus, minus := b.CreditsPosted, b.DebitsPosted
		if kind.Debit {
			plus, minus = minus, plus
		}
		if kind.Guarded && plus.Less(minus) {
			return fmt.Errorf("%s is below zero", b.Account)
		}
		left, right = left.Plus(b.DebitsPosted), right.Plus(b.CreditsPosted)
	}
	if left != right {
		return errors.New("the books do not balance")
	}
	return nil
}

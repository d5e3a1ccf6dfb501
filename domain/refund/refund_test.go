package refund_test

import (
	"testing"
	"time"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/ledger"
	"holdfast/domain/machine/machinetest"
	"holdfast/domain/money"
	"holdfast/domain/outgoing"
	"holdfast/domain/refund"
)

const usdc money.Asset = "USDC@8453"

var (
	t0     = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	buyer  = domain.User("B1", domain.Buyer)
	seller = domain.User("S1", domain.Seller)
	admin  = domain.User("A1", domain.Admin)
	chain  = domain.Machine(domain.Chain, "8453")
	timer  = domain.Machine(domain.Timer, "timers")
	policy = domain.Machine(domain.Process, "refunds")
)

func amount(n uint64) money.Amount   { return money.Of(usdc, money.FromUint64(n)) }
func by(a domain.Actor) domain.Issue { return domain.Issue{By: a, At: t0} }
func clean(a string) *refund.Address {
	return &refund.Address{Text: a, Origin: refund.VerifiedWallet, Screening: "clean"}
}

func sent(hash string) refund.SentTx {
	return refund.SentTx{Hash: hash, Chain: 8453, From: "0xtreasury", Nonce: 7}
}

func mined(hash string) outgoing.Mined {
	return outgoing.Mined{Chain: 8453, Tx: hash, Block: 100, BlockHash: "0xb"}
}

func tx(hash, to string, n uint64, nonce uint64) outgoing.Tx {
	return outgoing.Tx{Hash: hash, Transfer: outgoing.Transfer{
		Chain: 8453, From: "0xtreasury", To: to, Token: "0xusdc", Amount: amount(n), Nonce: nonce,
	}}
}

var (
	asked = refund.Requested{
		Refund: "r1", Hold: "h1", Buyer: "B1", Seller: "S1", Source: refund.FromHeld,
		Mode: refund.Partial, Amount: amount(60), Reason: domain.About("B1", "does not fit"), By: buyer,
	}
	approved = refund.Approved{
		Refund: "r1", Hold: "h1", Buyer: "B1", Source: refund.FromHeld, Amount: amount(60),
		Net: amount(59), NetworkFee: amount(1), By: admin, AddressBy: t0.Add(time.Hour),
	}
	addressed = refund.AddressConfirmed{
		Refund: "r1", Address: domain.About("B1", "0xAbC"),
		Digest: refund.DigestOf("0xabc"), Origin: refund.BuyerConfirmed,
	}
	broadcast = refund.Broadcast{Refund: "r1", Net: amount(59), Tx: sent("0xf1")}
	confirmed = refund.Confirmed{Refund: "r1", Hold: "h1", Net: amount(59), Evidence: mined("0xf1"), Pending: "refund:r1:0xf1"}
	reorged   = refund.Reorged{Refund: "r1", Hold: "h1", Net: amount(59), Evidence: mined("0xf1")}
	surfaced  = refund.Surfaced{Refund: "r1", Hold: "h1", Buyer: "B1", Net: amount(59), Owed: amount(9), Evidence: mined("0xf1")}
	failed    = refund.Failed{
		Refund: "r1", Hold: "h1", Buyer: "B1", Source: refund.FromHeld, Net: amount(59),
		Code: "REVERTED", Pending: "refund:r1:0xf1",
	}
	rejected  = refund.Rejected{Refund: "r1", By: admin, Reason: domain.About("B1", "used goods")}
	cancelled = refund.Cancelled{
		Refund: "r1", Hold: "h1", Buyer: "B1", Seller: "S1", Source: refund.FromHeld,
		Amount: amount(60), Net: amount(59), NetworkFee: amount(1), Moved: true, By: admin,
	}
)

type events = []refund.Event

// path gives the events up to and including a phase.
func path(phase string) events {
	return map[string]events{
		"":                         nil,
		refund.PhaseRequested:      {asked},
		refund.PhaseAddressPending: {asked, approved},
		refund.PhaseApproved:       {asked, approved, addressed},
		refund.PhaseBroadcast:      {asked, approved, addressed, broadcast},
		refund.PhaseConfirmed:      {asked, approved, addressed, broadcast, confirmed},
		refund.PhaseFailed:         {asked, approved, addressed, broadcast, failed},
		refund.PhaseRejected:       {asked, rejected},
		refund.PhaseCancelled:      {asked, approved, cancelled},
	}[phase]
}

func TestTableIsComplete(t *testing.T) {
	t.Parallel()
	states := map[string]refund.State{}
	for _, p := range refund.Table().Phases {
		states[p] = machinetest.Fold(refund.Decider, path(p)...)
		machinetest.CheckSnapshot(t, states[p])
	}
	machinetest.CheckComplete(t, refund.Table(), states)
}

func TestStoredForm(t *testing.T) {
	t.Parallel()
	dropped := failed
	dropped.Tx = &refund.SentTx{Hash: "0xf1", Chain: 8453, From: "0xtreasury", Nonce: 7}
	machinetest.CheckGolden(t, refund.Aggregate(), asked, approved, addressed, broadcast, confirmed, reorged, surfaced, dropped, rejected, cancelled,
		refund.Replaced{Refund: "r1", Old: "0xf1", New: "0xf2"},
		refund.SellerClawbackRecorded{
			Refund: "r1", Hold: "h1", Seller: "S1", Amount: amount(60),
			FeePart: amount(2), AvailablePart: amount(10), ReceivablePart: amount(48),
		})
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	ask := refund.Request{
		Issue: by(buyer), Refund: "r1", Hold: "h1", Buyer: "B1", Seller: "S1", Source: refund.FromHeld,
		Mode: refund.Partial, Amount: amount(60), Reason: domain.About("B1", "does not fit"),
	}
	stranger := ask
	stranger.Issue = by(domain.User("X", domain.Buyer))
	wrongMode := ask
	wrongMode.Mode = refund.OverpaidAmount
	noAmount := ask
	noAmount.Amount = money.Amount{}
	ok := refund.Approve{Issue: by(admin), Amount: amount(60), NetworkFee: amount(1), NetworkFeeCap: amount(2), AddressWindow: time.Hour}
	withAddress := ok
	withAddress.Address = clean("0xAbC")
	flagged := ok
	flagged.Address = &refund.Address{Text: "0xAbC", Origin: refund.VerifiedWallet, Screening: "flagged"}
	exchange := ok
	exchange.Address = &refund.Address{Text: "0xexchange", Origin: refund.SenderCustodial, Screening: "clean"}
	more := ok
	more.Amount = amount(61)
	self := ok
	self.Issue = by(domain.User("B1", domain.Admin))
	bySeller := ok
	bySeller.Issue = by(seller)
	overCap := ok
	overCap.NetworkFee = amount(3)
	withAddressEvents := events{approved, addressed}
	withAddressEvents[1] = refund.AddressConfirmed{Refund: "r1", Address: domain.About("B1", "0xAbC"), Digest: refund.DigestOf("0xABC"), Origin: refund.VerifiedWallet}

	machinetest.Run(t, refund.Decider, []machinetest.Case[refund.Event]{
		{Name: "the buyer asks", When: ask, Then: events{asked}},
		{Name: "a stranger may not ask", When: stranger, Err: fault.ErrForbidden},
		{Name: "an overpaid amount comes from credit", When: wrongMode, Err: fault.ErrValidation},
		{Name: "nothing is no amount", When: noAmount, Err: fault.ErrValidation},
		{Name: "approved without an address waits for one", Given: path(refund.PhaseRequested), When: ok, Then: events{approved}},
		{Name: "approved with a verified wallet", Given: path(refund.PhaseRequested), When: withAddress, Then: withAddressEvents},
		{Name: "an exchange's address is not used by default", Given: path(refund.PhaseRequested), When: exchange, Then: events{approved}},
		{Name: "a flagged address refuses", Given: path(refund.PhaseRequested), When: flagged, Err: refund.ErrAddressScreened},
		{Name: "not more than asked", Given: path(refund.PhaseRequested), When: more, Err: refund.ErrExceedsAvailable},
		{Name: "nobody approves his own money", Given: path(refund.PhaseRequested), When: self, Err: refund.ErrSelfApproval},
		{Name: "a seller gives back only the whole", Given: path(refund.PhaseRequested), When: bySeller, Err: fault.ErrForbidden},
		{Name: "the fee has a cap", Given: path(refund.PhaseRequested), When: overCap, Err: refund.ErrFeeOverCap},
		{Name: "twice is once", Given: path(refund.PhaseConfirmed), When: ok, Err: refund.ErrAlreadyRefunded},
		{Name: "the buyer may not approve", Given: path(refund.PhaseRequested), When: refund.Approve{Issue: by(buyer)}, Err: fault.ErrForbidden},
		{Name: "rejected", Given: path(refund.PhaseRequested), When: refund.Reject{Issue: by(admin), Reason: rejected.Reason}, Then: events{rejected}},
		{
			Name: "the buyer confirms an address", Given: path(refund.PhaseAddressPending),
			When: refund.ConfirmAddress{Issue: by(buyer), Address: refund.Address{Text: "0xAbC", Origin: refund.BuyerConfirmed, Screening: "clean"}},
			Then: events{addressed},
		},
		{
			Name: "the same address again changes nothing", Given: path(refund.PhaseApproved),
			When: refund.ConfirmAddress{Issue: by(buyer), Address: refund.Address{Text: "0xABC", Origin: refund.BuyerConfirmed, Screening: "clean"}},
		},
		{
			Name: "the seller confirms no address", Given: path(refund.PhaseAddressPending),
			When: refund.ConfirmAddress{Issue: by(seller)}, Err: fault.ErrForbidden,
		},
		{
			Name: "nothing is sent without an address", Given: path(refund.PhaseAddressPending),
			When: refund.BroadcastTx{Issue: by(policy), Tx: tx("0xf1", "0xabc", 59, 7), Screening: "clean"}, Err: refund.ErrAddressRequired,
		},
		{
			Name: "recorded before it is sent", Given: path(refund.PhaseApproved),
			When: refund.BroadcastTx{Issue: by(policy), Tx: tx("0xF1", "0xABC", 59, 7), Screening: "clean"}, Then: events{broadcast},
		},
		{
			Name: "another recipient", Given: path(refund.PhaseApproved),
			When: refund.BroadcastTx{Issue: by(policy), Tx: tx("0xf1", "0xdef", 59, 7), Screening: "clean"}, Err: outgoing.ErrInstructionMismatch,
		},
		{
			Name: "another amount", Given: path(refund.PhaseApproved),
			When: refund.BroadcastTx{Issue: by(policy), Tx: tx("0xf1", "0xabc", 60, 7), Screening: "clean"}, Err: outgoing.ErrInstructionMismatch,
		},
		{
			Name: "a recipient that was flagged meanwhile", Given: path(refund.PhaseApproved),
			When: refund.BroadcastTx{Issue: by(policy), Tx: tx("0xf1", "0xabc", 59, 7), Screening: "flagged"}, Err: refund.ErrAddressScreened,
		},
		{
			Name: "a replacement has the same nonce", Given: path(refund.PhaseBroadcast),
			When: refund.Replace{Issue: by(policy), Tx: tx("0xf2", "0xabc", 59, 8)}, Err: outgoing.ErrReplacement,
		},
		{
			Name: "replaced", Given: path(refund.PhaseBroadcast),
			When: refund.Replace{Issue: by(policy), Tx: tx("0xf2", "0xabc", 59, 7)},
			Then: events{refund.Replaced{Refund: "r1", Old: "0xf1", New: "0xf2"}},
		},
		{Name: "confirmed", Given: path(refund.PhaseBroadcast), When: refund.Confirm{Issue: by(chain), Evidence: mined("0xf1")}, Then: events{confirmed}},
		{Name: "confirmed twice is once", Given: path(refund.PhaseConfirmed), When: refund.Confirm{Issue: by(chain), Evidence: mined("0xF1")}},
		{Name: "a foreign transaction", Given: path(refund.PhaseBroadcast), When: refund.Confirm{Issue: by(chain), Evidence: mined("0xee")}, Err: outgoing.ErrUnknownTx},
		{Name: "failed", Given: path(refund.PhaseBroadcast), When: refund.Fail{Issue: by(chain), Tx: "0xf1", Code: "REVERTED", NonceUsed: true}, Then: events{failed}},
		{Name: "mined after all", Given: path(refund.PhaseFailed), When: refund.Surface{Issue: by(chain), Evidence: mined("0xf1"), Available: money.FromUint64(50)}, Then: events{surfaced}},
		{Name: "and told twice", Given: append(path(refund.PhaseFailed), surfaced), When: refund.Surface{Issue: by(chain), Evidence: mined("0xf1")}},
		{Name: "reorged", Given: path(refund.PhaseConfirmed), When: refund.Reorg{Issue: by(chain), Evidence: mined("0xf1")}, Then: events{reorged}},
		{
			Name: "confirmed again after a reorg posts by itself", Given: append(path(refund.PhaseConfirmed), reorged),
			When: refund.Confirm{Issue: by(chain), Evidence: mined("0xf1")},
			Then: events{refund.Confirmed{Refund: "r1", Hold: "h1", Net: amount(59), Evidence: mined("0xf1")}},
		},
		{Name: "cancelled before it is sent", Given: path(refund.PhaseAddressPending), When: refund.Cancel{Issue: by(admin)}, Then: events{cancelled}},
		{Name: "an approved refund is not the buyer's to cancel", Given: path(refund.PhaseApproved), When: refund.Cancel{Issue: by(buyer)}, Err: fault.ErrForbidden},
		{Name: "not once it is sent", Given: path(refund.PhaseBroadcast), When: refund.Cancel{Issue: by(admin)}, Err: refund.ErrInProgress},
		{Name: "too early to give the address up", Given: path(refund.PhaseAddressPending), When: refund.LapseAddress{Issue: by(timer)}, Err: fault.ErrInvalidState},
		{
			Name: "an address that never came", Given: path(refund.PhaseAddressPending),
			When: refund.LapseAddress{Issue: domain.Issue{By: timer, At: t0.Add(time.Hour)}},
			Then: events{refund.Failed{Refund: "r1", Hold: "h1", Buyer: "B1", Source: refund.FromHeld, Net: amount(59), Code: "ADDRESS_NOT_CONFIRMED"}},
		},
	})
}

func TestFiatEquivalentIsRecomputed(t *testing.T) {
	t.Parallel()
	given := events{refund.Requested{Refund: "r1", Hold: "h1", Buyer: "B1", Source: refund.FromHeld, Mode: refund.FiatEquivalent, Amount: amount(1000), By: buyer}}
	// 4.99 at 100 units a cent, one third off: floor(499 × 100 / 3).
	rate := &refund.Fiat{Currency: "EUR", Minor: 4, Num: money.FromUint64(100), Den: money.FromUint64(3), Source: "test"}
	c := refund.Approve{Issue: by(admin), Amount: amount(133), Fiat: rate}
	if _, err := refund.Decider.Decide(machinetest.Fold(refund.Decider, given...), c); err != nil {
		t.Fatal(err)
	}
	c.Amount = amount(134)
	if _, err := refund.Decider.Decide(machinetest.Fold(refund.Decider, given...), c); err == nil {
		t.Fatal("an amount that the rate does not give was approved")
	}
}

func TestPostingsOfEverySource(t *testing.T) {
	t.Parallel()
	for source, from := range map[refund.Source]ledger.Account{
		refund.FromHeld: "escrow:h1:held", refund.FromReleasable: "escrow:h1:releasable",
		refund.FromBuyerCredit: "buyer:B1:available", refund.FromSuspense: "suspense:unmatched",
	} {
		e := approved
		e.Source = source
		post, _ := refund.Postings(e)
		want := []ledger.Line{{Debit: from, Credit: "clearing:refund:r1", Amount: amount(59)}, {Debit: from, Credit: "income:network_fee_recovery", Amount: amount(1)}}
		if len(post.Lines) != 2 || post.Lines[0] != want[0] || post.Lines[1] != want[1] {
			t.Errorf("%s: %v", source, post.Lines)
		}
		undo := cancelled
		undo.Source = source
		void, _ := refund.Postings(undo)
		for _, l := range void.Lines {
			if l.Credit != from {
				t.Errorf("%s goes back to %s", source, l.Credit)
			}
		}
	}
	for _, source := range []refund.Source{refund.FromDispute, refund.FromClawback} {
		e := approved
		e.Source, e.Net, e.NetworkFee = source, amount(60), money.Amount{}
		if _, posts := refund.Postings(e); posts {
			t.Errorf("%s was moved to clearing by another event", source)
		}
	}
}

func TestEveryPostingIsValid(t *testing.T) {
	t.Parallel()
	for _, phase := range refund.Table().Phases {
		for _, e := range append(path(phase), reorged, surfaced) {
			if p, ok := refund.Postings(e); ok {
				if err := p.Validate(); err != nil {
					t.Errorf("%s: %v", e.EventType(), err)
				}
			}
		}
	}
}

func TestCancelledClawbackGoesBackPartByPart(t *testing.T) {
	t.Parallel()
	parts := &refund.Clawback{FeePart: amount(2), AvailablePart: amount(10), ReceivablePart: amount(48)}
	s := machinetest.Fold(refund.Decider, refund.Event(refund.Requested{Refund: "r1", Hold: "h1", Buyer: "B1", Seller: "S1", Source: refund.FromClawback, Mode: refund.Partial, Amount: amount(60), By: buyer}))
	got, err := refund.Decider.Decide(s, refund.Approve{Issue: by(admin), Amount: amount(60), Clawback: parts})
	if err != nil || len(got) != 2 {
		t.Fatal(got, err)
	}
	for _, e := range got {
		s = refund.Evolve(s, e)
	}
	// 40 of the 48 owed were netted meanwhile.
	got, err = refund.Decider.Decide(s, refund.Cancel{Issue: by(admin), ToReceivable: amount(8)})
	if err != nil {
		t.Fatal(err)
	}
	post, _ := refund.Postings(got[0])
	want := map[ledger.Account]uint64{"income:platform_fee": 2, "receivable:seller:S1": 8, "seller:S1:available": 50}
	for _, l := range post.Lines {
		if l.Amount != amount(want[l.Credit]) {
			t.Errorf("%s gets %s", l.Credit, l.Amount)
		}
	}
	got, err = refund.Decider.Decide(s, refund.Cancel{Issue: by(admin), ToReceivable: amount(48), ToReserve: amount(7)})
	if err != nil {
		t.Fatal(err)
	}
	post, _ = refund.Postings(got[0])
	want = map[ledger.Account]uint64{"income:platform_fee": 2, "receivable:seller:S1": 48, "seller:S1:available": 3, "seller:S1:reserve": 7}
	for _, l := range post.Lines {
		if l.Amount != amount(want[l.Credit]) {
			t.Errorf("%s gets %s", l.Credit, l.Amount)
		}
	}
	if _, err := refund.Decider.Decide(s, refund.Cancel{Issue: by(admin), ToReserve: amount(11)}); err == nil {
		t.Error("more went back into the reserve than was taken from the seller")
	}
	parts.FeePart = amount(3)
	if _, err := refund.Decider.Decide(machinetest.Fold(refund.Decider, refund.Event(refund.Requested{Refund: "r1", Hold: "h1", Buyer: "B1", Source: refund.FromClawback, Mode: refund.Partial, Amount: amount(60)})), refund.Approve{Issue: by(admin), Amount: amount(60), Clawback: parts}); err == nil {
		t.Error("parts that do not sum to the amount were accepted")
	}
}

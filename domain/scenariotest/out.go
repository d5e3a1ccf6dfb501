package scenariotest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"holdfast/domain"
	"holdfast/domain/dispute"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/outgoing"
	"holdfast/domain/receivable"
	"holdfast/domain/refund"
	"holdfast/domain/settlement"
)

// The commands of money on its way out.

const (
	hotWallet   = "0x00000000000000000000000000000000000071e5"
	buyerWallet = "0x0000000000000000000000000000000000000b01"
	chainID     = 8453
)

func (p *player) amount(row Row) money.Amount {
	sum := money.Zero
	for _, l := range row.Lines {
		sum = sum.Plus(l.Amount)
	}
	return money.Of(row.Lines[0].Asset, sum)
}

// mined is where the chain has the latest transaction of a payout or refund.
func mined(tx string) outgoing.Mined {
	return outgoing.Mined{Chain: chainID, Tx: tx, Block: 1000, BlockHash: "0xb10c"}
}

// refunds: the source is the account that pays, the fee the line to the recovery.
func (p *player) approveRefund(row Row) {
	r := domain.RefundID(id(row.Lines[0].Cr))
	f := settlement.RequestRefund{Issue: p.By(buyer), Refund: r, Mode: refund.Partial, Amount: p.amount(row)}
	terms := settlement.RefundTerms{}
	for _, l := range row.Lines {
		if l.Cr == ledger.NetworkFeeRecovery {
			terms.NetworkFee, terms.NetworkFeeCap = money.Of(l.Asset, l.Amount), money.Of(l.Asset, l.Amount)
		}
	}
	switch from := row.Lines[0].Dr; {
	case is(from, "escrow", ":held"):
		f.Hold, f.Source = domain.HoldID(id(from)), refund.FromHeld
	case is(from, "escrow", ":releasable"):
		f.Hold, f.Source = domain.HoldID(id(from)), refund.FromReleasable
	case is(from, "buyer", ":available"):
		f.Buyer, f.Source = domain.UserID(id(from)), refund.FromBuyerCredit
	case from == ledger.Suspense:
		f.Source, f.Deposit = refund.FromSuspense, p.deposit(row.Lines[0])
	}
	if f.Source == refund.FromSuspense {
		f.Issue = p.By(admin)
	}
	p.Do(f)
	p.Do(settlement.ApproveRefund{Issue: p.By(admin), Refund: r, RefundTerms: terms})
}

func (p *player) clawback(row Row) {
	r := domain.RefundID(id(row.Lines[0].Cr))
	asset := row.Lines[0].Asset
	p.Do(settlement.Clawback{
		Issue: p.By(admin), Refund: r, Hold: p.releasedHold(), Amount: p.amount(row),
		Terms: settlement.RefundTerms{SellerAvailable: p.Balance(ledger.SellerAvailable(p.order(string(p.releasedHold())).seller), asset)},
	})
}

// releasedHold is the hold whose seller was paid; a clawback's row names only the seller.
func (p *player) releasedHold() domain.HoldID {
	for _, row := range p.scenario.Events[:p.n] {
		if row.Event == "EscrowReleased" {
			return domain.HoldID(id(row.Lines[0].Dr))
		}
	}
	p.T.Fatalf("row %d: nothing was released", p.n+1)
	return ""
}

// refundOf is the real id of the refund that a row's clearing account names.
func (p *player) refundOf(row Row) domain.RefundID {
	for _, l := range row.Lines {
		for _, a := range []ledger.Account{p.real(l.Dr), p.real(l.Cr)} {
			if is(a, "clearing:refund", "") {
				return domain.RefundID(id(a))
			}
		}
	}
	p.T.Fatalf("row %d: %s names no refund", p.n+1, row.Event)
	return ""
}

func (p *player) broadcastRefund(row Row) {
	r := p.refundOf(row)
	if s := StateOf(p.World, refund.Decider, string(r)); s.Phase == refund.PhaseAddressPending {
		by := domain.User(s.Buyer, domain.Buyer)
		if s.Buyer == "" {
			by = admin // nobody known deposited it: support found the address
		}
		p.Do(settlement.ConfirmRefundAddress{Issue: p.By(by), Refund: r, Address: refund.Address{
			Text: buyerWallet, Origin: refund.BuyerConfirmed, Screening: "clean"}})
	}
	p.Do(settlement.BroadcastRefund{
		Issue: p.By(system), Refund: r, Screening: "clean", Custody: custodyOf(row),
		Tx: outgoing.Tx{Hash: "0x" + string(r), Transfer: p.transfer(buyerWallet, p.amount(row))},
	})
}

// custodyOf is the pocket that a broadcast leaves.
func custodyOf(row Row) outgoing.Custody {
	if from := row.Lines[0].Cr; is(from, "custody:derived", "") {
		return outgoing.Custody{Destination: domain.DestinationID(id(from))}
	}
	return outgoing.Custody{}
}

func (p *player) transfer(to string, amount money.Amount) outgoing.Transfer {
	p.sent["nonce"]++
	return outgoing.Transfer{Chain: chainID, From: hotWallet, To: to, Amount: amount, Nonce: uint64(p.sent["nonce"])}
}

func (p *player) refundFact(name string, row Row) {
	r := p.refundOf(row)
	tx := "0x" + string(r)
	switch name {
	case "RefundConfirmed":
		p.Do(settlement.ConfirmRefund{Issue: p.By(chain), Refund: r, Evidence: mined(tx)})
	case "RefundFailed":
		p.Do(settlement.FailRefund{Issue: p.By(chain), Refund: r, Tx: tx, Code: "REVERTED", NonceUsed: true})
	case "RefundReorged":
		p.Do(settlement.ReorgRefund{Issue: p.By(chain), Refund: r, Evidence: mined(tx)})
	case "RefundCancelled":
		p.Do(settlement.CancelRefund{Issue: p.By(admin), Refund: r})
	}
}

func (p *player) requestPayout(o domain.PayoutID, s domain.UserID, amount money.Amount) settlement.RequestPayout {
	return settlement.RequestPayout{
		Issue: p.By(domain.User(s, domain.Seller)), Payout: o, Seller: s, Amount: amount, Wallet: "0x" + string(o), Approvals: 1,
		Available: p.Balance(ledger.SellerAvailable(s), amount.Asset),
	}
}

func (p *player) payoutOf(row Row) domain.PayoutID {
	for _, l := range row.Lines {
		for _, a := range []ledger.Account{l.Dr, l.Cr} {
			if is(a, "clearing:payout", "") {
				return domain.PayoutID(id(a))
			}
		}
	}
	p.T.Fatalf("row %d: %s names no payout", p.n+1, row.Event)
	return ""
}

func (p *player) payouts(name string, row Row) {
	if name == "PayoutApproved" || name == "PayoutApprovalRecorded" {
		return // with the broadcast
	}
	o := p.payoutOf(row)
	tx := "0x" + string(o)
	switch name {
	case "PayoutRequested":
		p.Do(p.requestPayout(o, domain.UserID(id(row.Lines[0].Dr)), p.amount(row)))
	case "PayoutBroadcast":
		in := p.transfer("0x"+string(o), p.amount(row))
		p.Do(settlement.ApprovePayout{Issue: p.By(admin), Payout: o, Revision: 1})
		p.Do(settlement.BuildPayoutInstruction{Issue: p.By(admin), Payout: o, Instruction: in})
		p.Do(settlement.RecordPayoutSignature{Issue: p.By(system), Payout: o, Tx: outgoing.Tx{Hash: tx, Signer: "trezor", Transfer: in}})
		p.Do(settlement.BroadcastPayout{Issue: p.By(system), Payout: o, Custody: custodyOf(row)})
	case "PayoutConfirmed":
		p.Do(settlement.ConfirmPayout{Issue: p.By(chain), Payout: o, Evidence: mined(tx)})
	case "PayoutFailed":
		p.Do(settlement.FailPayout{Issue: p.By(chain), Payout: o, Tx: tx, Code: row.Note, NonceUsed: true})
	case "PayoutReorged":
		p.Do(settlement.ReorgPayout{Issue: p.By(chain), Payout: o, Evidence: mined(tx)})
	case "PayoutCancelled":
		p.Do(settlement.CancelPayout{Issue: p.By(seller), Payout: o})
	case "PayoutRejected":
		p.Do(settlement.RejectPayout{Issue: p.By(admin), Payout: o, Reason: "scenario"})
	}
}

func (p *player) debts(name string, row Row) {
	l := row.Lines[0]
	party := receivable.Seller
	if is(l.Cr, "receivable:buyer", "") {
		party = receivable.Buyer
	}
	who := domain.UserID(id(l.Cr))
	if name == "ReceivableRecovered" {
		p.Do(settlement.RecoverReceivable{Issue: p.By(system), Party: party, User: who, Asset: l.Asset, Available: p.Balance(l.Dr, l.Asset)})
		return
	}
	expense := receivable.BadDebt
	if l.Dr == ledger.ChainLoss {
		expense = receivable.ChainLoss
	}
	p.Do(settlement.WriteOffReceivable{Issue: p.By(admin), Party: party, User: who, Amount: money.Of(l.Asset, l.Amount),
		Expense: expense, SecondApprover: "A2", Reason: "scenario"})
}

// theDispute is the scenario's dispute, opened about its hold.
const theDispute domain.DisputeID = "dispute"

func (p *player) openDispute(row Row) {
	hold := id(row.Lines[0].Cr)
	o := p.order(hold)
	f := OpenAll(p.World, theDispute, o.hold)
	f.Issue, f.Amount, f.Terms.Fee = p.By(domain.User(o.buyer, domain.Buyer)), p.amount(row), o.disputeFee
	p.Do(f)
	p.aliasRefund()
}

// aliasRefund: the id of a dispute's refund is derived; the scenario names it as it likes.
func (p *player) aliasRefund() {
	for _, row := range p.scenario.Events {
		for _, l := range row.Lines {
			if row.Event == "DisputeResolved" && is(l.Cr, "clearing:refund", "") {
				p.alias[string(l.Cr)] = string(ledger.ClearingRefund(settlement.RefundOf(theDispute)))
			}
		}
	}
}

func (p *player) disputes(name string, row Row) {
	s := func() dispute.State { return StateOf(p.World, dispute.Decider, string(theDispute)) }
	party := func() domain.Actor {
		if strings.Contains(row.Note, "seller") {
			return domain.User(s().Seller, domain.Seller)
		}
		return domain.User(s().Buyer, domain.Buyer)
	}
	switch name {
	case "EvidenceSubmitted":
		who := party()
		p.Do(settlement.SubmitEvidence{Issue: p.By(who), Dispute: theDispute, Evidence: dispute.Evidence{
			ID: fmt.Sprint("e", p.n), Kind: "text", Text: domain.About(who.User(), "look")}})
	case "DisputeResponded":
		p.Do(settlement.RespondToDispute{Issue: p.By(domain.User(s().Seller, domain.Seller)), Dispute: theDispute})
	case "DisputeDecided":
		p.decideDispute(row, s())
	case "DisputeAppealed":
		p.Do(settlement.AppealDispute{Issue: p.By(party()), Dispute: theDispute, Grounds: domain.About(party().User(), "unfair")})
	case "AppealWindowClosed", "DisputeResolved":
		p.Pass(s().Terms.AppealWindow + time.Hour)
		p.Do(settlement.CloseAppealWindow{Issue: p.By(timer), Dispute: theDispute})
	case "DisputeDefaulted":
		p.Pass(s().Terms.MaxAge)
		p.Do(settlement.DefaultDispute{Issue: p.By(timer), Dispute: theDispute})
	case "SettlementProposed":
		p.respond(s())
		p.Do(settlement.ProposeSettlement{Issue: p.By(party()), Dispute: theDispute, Settlement: "s1", SellerBPS: p.sellerShare(row)})
	case "SettlementAccepted":
		p.Do(settlement.AcceptSettlement{Issue: p.By(party()), Dispute: theDispute, Settlement: "s1"})
	case "DisputeWithdrawn":
		p.Do(settlement.WithdrawDispute{Issue: p.By(domain.User(s().Opener)), Dispute: theDispute})
	case "DisputeRejected":
		p.Do(settlement.RejectDispute{Issue: p.By(admin), Dispute: theDispute})
	case "DisputeClosed":
		p.Do(settlement.CloseDispute{Issue: p.By(system), Dispute: theDispute})
	}
}

func (p *player) respond(s dispute.State) {
	if s.Phase == dispute.PhaseAwaitingResponse {
		p.Do(settlement.RespondToDispute{Issue: p.By(domain.User(s.Seller, domain.Seller)), Dispute: theDispute})
	}
}

// decideDispute takes the dispute to its review, and lets the round's resolver decide.
func (p *player) decideDispute(row Row, s dispute.State) {
	who := resolvers[s.Round-1]
	p.respond(s)
	p.Do(settlement.AssignResolver{Issue: p.By(admin), Dispute: theDispute, Resolver: who.User()})
	if StateOf(p.World, dispute.Decider, string(theDispute)).Phase == dispute.PhaseEvidence {
		p.Do(settlement.CloseEvidence{Issue: p.By(who), Dispute: theDispute})
	}
	share := p.sellerShare(row)
	payer := dispute.SellerPays
	p.Do(settlement.DecideDispute{Issue: p.By(who), Dispute: theDispute, Action: dispute.Split, SellerBPS: &share, FeePayer: payer})
}

// sellerShare reads "seller 6000 bps / buyer 4000 bps" or "5000/5000" out of a remark.
func (p *player) sellerShare(row Row) money.BPS {
	m := splitPattern.FindStringSubmatch(row.Note)
	if m == nil {
		p.T.Fatalf("row %d: no split in %q", p.n+1, row.Note)
	}
	n, err := strconv.ParseUint(m[1], 10, 32)
	if err != nil {
		p.T.Fatal(err)
	}
	return money.BPS(n)
}

// refused builds the command of a row that must be refused, and its code. Which object it is
// about follows from the account whose guard the remark names.
func (p *player) refused(row Row) (Flow, string) {
	p.T.Helper()
	code := codePattern.FindString(row.Note)
	guard := guardPattern.FindStringSubmatch(row.Note)
	if code == "" || guard == nil {
		p.T.Fatalf("row %d: no code or account in %q", p.n+1, row.Note)
	}
	account := ledger.Account(guard[1])
	words := strings.Fields(strings.TrimPrefix(row.Event, "✗ "))
	text := strings.Join(words[1:], " ")
	switch words[0] {
	case "RequestPayout":
		asset := p.assetOf(account)
		return p.requestPayout(domain.PayoutID(fmt.Sprint("refused", p.n)), domain.UserID(id(account)), money.Of(asset, human(text, asset))), code
	case "ApproveRefund":
		return p.refusedRefund(account, text), code
	case "OpenDispute":
		f := OpenAll(p.World, "another", domain.HoldID(id(account)))
		return f, code
	case "ReleaseEscrow":
		return p.release(id(account), human(text, p.assetOf(account))), code
	case "MarkReleasable":
		return p.markReleasable(id(account), money.Zero), code
	}
	p.T.Fatalf("row %d: no command for %q", p.n+1, row.Event)
	return nil, ""
}

// refusedRefund is a refund that was asked for already and is now approved.
func (p *player) refusedRefund(account ledger.Account, text string) Flow {
	asset := p.assetOf(account)
	r := domain.RefundID(fmt.Sprint("refused", p.n))
	mode := refund.Partial
	amount := money.Of(asset, human(text, asset))
	if amount.IsZero() {
		mode = refund.Full
	}
	hold := domain.HoldID(id(account))
	o := p.order(string(hold))
	p.Do(Act(refund.Decider, string(r), refund.Request{
		Issue: p.By(domain.User(o.buyer, domain.Buyer)), Refund: r, Hold: hold, Buyer: o.buyer, Seller: o.seller,
		Source: refund.FromHeld, Mode: mode, Amount: amount,
	}))
	return settlement.ApproveRefund{Issue: p.By(admin), Refund: r}
}

// assetOf is the asset in which the scenario uses an account.
func (p *player) assetOf(a ledger.Account) money.Asset {
	for _, row := range p.scenario.Events {
		for _, l := range row.Lines {
			if l.Dr == a || l.Cr == a || id(l.Dr) == id(a) || id(l.Cr) == id(a) {
				return l.Asset
			}
		}
	}
	return ""
}

package scenariotest

import (
	"holdfast/domain"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/outgoing"
	"holdfast/domain/receivable"
	"holdfast/domain/settlement"
)

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
	p.Do(settlement.WriteOffReceivable{
		Issue: p.By(admin), Party: party, User: who, Amount: money.Of(l.Asset, l.Amount),
		Expense: expense, SecondApprover: "A2", Reason: "scenario",
	})
}

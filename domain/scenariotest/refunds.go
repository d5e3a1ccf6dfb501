package scenariotest

import (
	"holdfast/domain"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/outgoing"
	"holdfast/domain/refund"
	"holdfast/domain/settlement"
)

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
			Text: buyerWallet, Origin: refund.BuyerConfirmed, Screening: "clean",
		}})
	}
	p.Do(settlement.BroadcastRefund{
		Issue: p.By(system), Refund: r, Screening: "clean", Custody: custodyOf(row),
		Tx: outgoing.Tx{Hash: "0x" + string(r), Transfer: p.transfer(buyerWallet, p.amount(row))},
	})
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

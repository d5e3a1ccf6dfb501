package scenariotest

import (
	"strings"

	"holdfast/domain"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
)

// orderInfo is what a scenario implies of one hold: who, how much, at which fee. It is read
// out of the rows, because the terms of an order are fixed before its first event.
type orderInfo struct {
	hold        domain.HoldID
	buyer       domain.UserID
	seller      domain.UserID
	due         money.Amount
	fee         money.BPS
	destination domain.DestinationID
	payment     domain.PaymentID
	disputeFee  money.Amount
	reserve     money.BPS
}

// order reads a hold's terms from the whole scenario, once.
func (p *player) order(hold string) *orderInfo {
	if o, ok := p.orders[hold]; ok {
		return o
	}
	o := &orderInfo{hold: domain.HoldID(hold), buyer: "B1", seller: "S1", payment: domain.PaymentID("p-" + hold)}
	p.orders[hold] = o
	held := ledger.Held(o.hold)
	var in money.Units
	counting := true
	for _, row := range p.scenario.Events {
		for _, l := range row.Lines {
			switch {
			case l.Dr == held && !is(l.Cr, "buyer", ":available"), l.Dr == ledger.Disputed(o.hold):
				counting = false // money leaves: everything due had come in
				o.parties(row, l)
			case l.Dr == held:
				in = in.Minus(l.Amount)
				o.buyer = domain.UserID(id(l.Cr))
			case l.Cr == held && is(l.Dr, "custody:derived", ""):
				o.destination = domain.DestinationID(id(l.Dr))
			}
			if l.Cr == held && row.Mode != "pending" && counting {
				in = in.Plus(l.Amount)
			}
			if l.Dr == ledger.Releasable(o.hold) {
				o.parties(row, l)
			}
			if l.Cr == held || l.Dr == held {
				o.due.Asset = l.Asset
			}
		}
		p.stated(o, row)
	}
	if o.due.IsZero() {
		o.due.Units = in
	}
	return o
}

// stated reads "due 100 USDT" out of the remark of the hold's opening. The rows of a
// scenario with several holds name none, so it counts only where there is one.
func (p *player) stated(o *orderInfo, row Row) {
	if row.Event != "EscrowOpened" || len(p.holds()) > 1 {
		return
	}
	_, due, _ := strings.Cut(row.Note, "due ")
	for _, r := range p.scenario.Events {
		for _, l := range r.Lines {
			symbol, _, _ := strings.Cut(string(l.Asset), "@")
			if strings.Contains(due, symbol) && o.due.IsZero() {
				o.due = money.Of(l.Asset, human(due, l.Asset))
			}
			if is(l.Dr, "custody:derived", "") && o.destination == "" {
				o.destination = domain.DestinationID(id(l.Dr))
			}
		}
	}
}

// holds lists the scenario's holds in the order in which they appear.
func (p *player) holds() []string {
	var all []string
	seen := map[string]bool{}
	for _, row := range p.scenario.Events {
		for _, l := range row.Lines {
			for _, a := range []ledger.Account{l.Dr, l.Cr} {
				if is(a, "escrow", "") && !seen[id(a)] {
					seen[id(a)] = true
					all = append(all, id(a))
				}
			}
		}
	}
	return all
}

// parties finds the seller and the fee in a row that pays him: the smallest whole number of
// basis points whose floor is the fee of the gross. A fee of a dispute's outcome comes out of
// the seller's part.
func (o *orderInfo) parties(row Row, l Line) {
	if row.Event != "EscrowReleased" && row.Event != "DisputeResolved" {
		return
	}
	if is(l.Cr, "seller", ":available") {
		o.seller = domain.UserID(id(l.Cr))
	}
	if is(l.Cr, "seller", ":reserve") && o.reserve == 0 {
		proceeds := money.Zero
		for _, other := range row.Lines {
			if is(other.Cr, "seller", "") {
				proceeds = proceeds.Plus(other.Amount)
			}
		}
		for o.reserve = 1; o.reserve < money.All && o.reserve.Of(proceeds).Less(l.Amount); {
			o.reserve++
		}
	}
	if l.Cr == ledger.DisputeFee {
		o.disputeFee = money.Of(l.Asset, l.Amount)
	}
	if l.Cr != ledger.PlatformFee || o.fee != 0 {
		return
	}
	gross := money.Zero
	for _, other := range row.Lines {
		if !is(other.Cr, "clearing:refund", "") {
			gross = gross.Plus(other.Amount)
		}
	}
	for o.fee = 1; o.fee < money.All && o.fee.Of(gross).Less(l.Amount); {
		o.fee++
	}
}

package scenariotest

import (
	"fmt"
	"strings"
	"time"

	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/funding"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/offer"
	"holdfast/domain/order"
	"holdfast/domain/request"
)

// The commands of money on its way in, and of the hold.

// issue runs the command that leads to an event.
func (p *player) issue(name string, row Row) {
	p.T.Helper()
	for _, l := range row.Lines {
		for _, a := range []ledger.Account{l.Dr, l.Cr} {
			if is(a, "escrow", "") {
				p.open(id(a))
			}
		}
	}
	switch {
	case strings.Contains(name, "(seed)"):
		p.seed(row)
	case name == "RefundApproved":
		p.approveRefund(row)
	case name == "RefundBroadcast":
		p.broadcastRefund(row)
	case name == "SellerClawbackRecorded":
		p.clawback(row)
	case strings.HasPrefix(name, "Refund"):
		p.refundFact(name, row)
	case strings.HasPrefix(name, "Payout"):
		p.payouts(name, row)
	case strings.HasPrefix(name, "Receivable"):
		p.debts(name, row)
	case name == "DisputeOpened":
		p.openDispute(row)
	case strings.HasPrefix(name, "Dispute"), strings.HasPrefix(name, "Settlement"), name == "EvidenceSubmitted", name == "AppealWindowClosed":
		p.disputes(name, row)
	case strings.HasPrefix(name, "Points"):
		p.points(name, row)
	case strings.HasPrefix(name, "Sweep"):
		p.sweeps(name, row)
	case strings.HasPrefix(name, "Solvency"), strings.HasPrefix(name, "Asset"):
		p.solvency(name)
	case strings.HasPrefix(typeOf(name), "treasury."):
		p.treasury(name, row)
	case strings.HasPrefix(name, "Payment"), strings.HasPrefix(name, "Unmatched"), name == "LatePaymentAccepted":
		p.payments(name, row)
	default:
		p.hold(name, row)
	}
}

func (p *player) seed(row Row) {
	var lines []ledger.Line
	for _, l := range row.Lines {
		lines = append(lines, ledger.Dr(l.Dr, l.Cr, money.Of(l.Asset, l.Amount)))
	}
	p.Do(Seed{Issue: p.By(system), Lines: lines})
}

// open makes the order of a hold: a request, an offer, and its selection.
func (p *player) open(hold string) {
	o := p.order(hold)
	if StateOf(p.World, escrow.Decider, hold).ID != "" {
		return
	}
	r, of := domain.RequestID("q-"+hold), domain.OfferID("of-"+hold)
	by := domain.User(o.buyer, domain.Buyer)
	p.Do(order.CreateRequest{Issue: p.By(by), Request: r, Buyer: o.buyer, Publish: true, Details: request.Details{
		Title: "goods", Description: domain.About(o.buyer, "something worth its price"), CategoryID: "c", ProductType: "physical",
		Quantity: 1, DeliveryType: "physical",
	}})
	p.Do(order.SubmitOffer{Issue: p.By(domain.User(o.seller, domain.Seller)), Offer: of, Request: r, Seller: o.seller, Terms: offer.Terms{
		Title: "goods", Price: offer.Price{Amount: o.due}, ValidUntil: p.Now().Add(365 * 24 * time.Hour),
	}})
	terms := escrow.Terms{FeeBPS: o.fee, Inspection: 72 * time.Hour, DisputeWindow: 30 * 24 * time.Hour, ReserveBPS: o.reserve}
	if o.reserve > 0 {
		terms.ReserveFor = reserveFor
	}
	p.Do(order.SelectOffer{Issue: p.By(by), Request: r, Offer: of, Revision: 1, Hold: o.hold, Terms: terms})
}

// holdOf is the hold that a payment's row is about: named by a line, or the only one.
func (p *player) holdOf(row Row) string {
	for _, l := range row.Lines {
		for _, a := range []ledger.Account{l.Dr, l.Cr} {
			if is(a, "escrow", "") {
				return id(a)
			}
		}
	}
	for _, hold := range p.holds() {
		for _, l := range row.Lines {
			if ledger.Derived(p.order(hold).destination) == l.Dr || ledger.Derived(p.order(hold).destination) == l.Cr {
				return hold
			}
		}
	}
	if holds := p.holds(); len(holds) > 0 {
		return holds[0]
	}
	return "h" // an order whose money never reaches its hold
}

// reserveFor is how long a scenario's reserve is withheld.
const reserveFor = 30 * 24 * time.Hour

// hold runs the commands of an order's hold.
func (p *player) hold(name string, row Row) {
	p.T.Helper()
	hold := p.holdOf(row)
	o := p.order(hold)
	on := func(c domain.Command) { p.Do(Act(escrow.Decider, hold, c)) }
	switch name {
	case "EscrowOpened":
		p.open(hold)
	case "DeliveryConfirmed":
		p.Do(order.ConfirmDelivery{Issue: p.By(domain.User(o.buyer, domain.Buyer)), Request: domain.RequestID("q-" + hold)})
	case "EscrowMadeReleasable":
		p.Do(p.markReleasable(hold, p.amount(row).Units))
	case "EscrowReleased":
		p.Do(p.release(hold, p.amount(row).Units))
	case "ReserveReleased":
		p.Pass(reserveFor)
		p.Do(funding.ReleaseReserve{Issue: p.By(Timer), Hold: o.hold})
	case "EscrowReleaseRevoked":
		on(escrow.RevokeRelease{Issue: p.By(admin), Reason: "scenario"})
	case "ProviderFeeAbsorbed":
		p.Do(funding.AbsorbFee{Issue: p.By(admin), Hold: o.hold, Amount: p.amount(row)})
	case "DiscountFunded":
		p.Do(funding.FundDiscount{Issue: p.By(system), Hold: o.hold, Amount: p.amount(row), Redemption: fmt.Sprint("row ", p.n)})
	case "ReleaseHoldPlaced":
		p.Do(funding.PlaceHold{Issue: p.By(admin), Hold: o.hold, ID: "hold", Kind: escrow.AdminHold, Reason: "scenario"})
	case "ReleaseHoldLifted":
		p.Do(funding.LiftHold{Issue: p.By(admin2), Hold: o.hold, ID: "hold", Reason: "scenario"})
	case "EscrowCancelled":
		on(escrow.Cancel{Issue: p.By(admin), Reason: "scenario"})
	case "EscrowClosed":
		p.Do(funding.CloseEscrow{Issue: p.By(system), Hold: o.hold})
	default:
		p.T.Fatalf("row %d: no command leads to %s", p.n+1, name)
	}
}

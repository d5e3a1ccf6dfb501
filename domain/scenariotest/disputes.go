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
	"holdfast/domain/settlement"
)

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
			ID: fmt.Sprint("e", p.n), Kind: "text", Text: domain.About(who.User(), "look"),
		}})
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

package scenariotest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"holdfast/domain"
	"holdfast/domain/funding"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/payment"
	"holdfast/domain/suspense"
)

// transferInfo is a transfer of a payment as a scenario's rows tell it.
type transferInfo struct {
	evidence payment.Evidence
	amount   money.Amount
	gone     bool // its block was orphaned before it was confirmed
}

var pendingPattern = regexp.MustCompile(`^(\d+):(0x[0-9a-f]+):(\d+)@(\d+)$`)

// evidence of the next transfer to a hold. A scenario that voids a pending entry names the
// transfer; one that was dropped is mined again in the next block.
func (p *player) evidence(hold string, asset money.Asset) payment.Evidence {
	p.seen[hold]++
	if last, ok := p.last[hold]; ok && last.gone {
		e := last.evidence
		e.Block, e.BlockHash = e.Block+1, fmt.Sprintf("0xb%d", e.Block+1)
		return e
	}
	_, chain, _ := strings.Cut(string(asset), "@")
	n, _ := strconv.ParseUint(chain, 10, 64)
	e := payment.Evidence{Chain: n, Tx: fmt.Sprintf("0xa%x%d", hold, p.seen[hold]), Log: 2, Block: uint64(100 + p.n)}
	for _, row := range p.scenario.Events {
		for _, key := range row.Voids {
			if m := pendingPattern.FindStringSubmatch(key); m != nil && p.seen[hold] == 1 {
				e.Chain, _ = strconv.ParseUint(m[1], 10, 64)
				log, _ := strconv.ParseUint(m[3], 10, 32)
				e.Tx, e.Log = m[2], uint(log)
				e.Block, _ = strconv.ParseUint(m[4], 10, 64)
			}
		}
	}
	e.BlockHash = fmt.Sprintf("0xb%d", e.Block)
	return e
}

func (p *player) payments(name string, row Row) {
	p.T.Helper()
	hold := p.holdOf(row)
	o := p.order(hold)
	last := p.last[hold]
	switch name {
	case "PaymentDetected", "LatePaymentAccepted":
		p.detect(name, row, o)
	case "PaymentConfirmed":
		p.Do(funding.ConfirmTransfer{Issue: p.By(chain), Payment: o.payment, Evidence: last.evidence, Depth: 1000, Finalized: true})
	case "PaymentDropped", "PaymentReorged":
		p.Do(funding.ObserveReorg{
			Issue: p.By(chain), Payment: o.payment, Evidence: last.evidence, Reason: row.Note + "orphaned",
			SellerAvailable: p.Balance(ledger.SellerAvailable(o.seller), o.due.Asset),
		})
		last.gone = name == "PaymentDropped"
		p.last[hold] = last
	case "PaymentExpired":
		p.pay(o)
		p.Pass(2 * time.Hour)
		p.Do(funding.ExpirePayment{Issue: p.By(timer), Payment: o.payment})
	case "PaymentCancelled":
		p.pay(o)
		p.Do(funding.CancelPayment{Issue: p.By(domain.User(o.buyer)), Payment: o.payment, Reason: "scenario"})
	case "UnmatchedDepositRecorded":
		p.deposited(row, o)
	case "UnmatchedDepositAssigned":
		p.assign(row)
	default:
		p.T.Fatalf("row %d: no command leads to %s", p.n+1, name)
	}
}

// pay opens the order's payment at its first transfer: a discount may lower what is due.
func (p *player) pay(o *orderInfo) {
	if StateOf(p.World, payment.Decider, string(o.payment)).ID != "" {
		return
	}
	d := o.destination
	if d == "" {
		d = domain.DestinationID("d-" + string(o.hold))
	}
	p.sent["index"]++
	p.Do(funding.InitiatePayment{
		Issue: p.By(domain.User(o.buyer, domain.Buyer)), Payment: o.payment, Request: domain.RequestID("q-" + string(o.hold)),
		Offer: domain.OfferID("of-" + string(o.hold)), Asset: o.due.Asset, Threshold: payment.Threshold{Need: 12, Floor: 3},
		ExpiresAt: p.Now().Add(time.Hour), Destination: funding.Destination{
			ID: d, Fingerprint: "xpub", Index: uint32(p.sent["index"]), Path: fmt.Sprint("m/", p.sent["index"]), Address: "0x" + string(d), Token: "0xtoken",
		},
	})
}

func (p *player) detect(name string, row Row, o *orderInfo) {
	p.pay(o)
	if row.Mode == "duplicate" {
		t := p.last[string(o.hold)]
		p.Do(funding.RecordTransfer{Issue: p.By(chain), Payment: o.payment, Evidence: t.evidence, Amount: t.amount, From: "0xbuyer"})
		return
	}
	for n := p.n; name == "LatePaymentAccepted" && len(row.Lines) == 0 && n < len(p.scenario.Events); n++ {
		row = p.scenario.Events[n] // the transfer follows in the next rows
	}
	t := transferInfo{evidence: p.evidence(string(o.hold), row.Lines[0].Asset), amount: p.amount(row)}
	p.last[string(o.hold)] = t
	p.Do(funding.RecordTransfer{Issue: p.By(chain), Payment: o.payment, Evidence: t.evidence, Amount: t.amount, From: "0xbuyer"})
}

// deposited is a transfer that is nobody's: to a payment's address too late or in another
// asset, or to an address nobody asked to pay to.
func (p *player) deposited(row Row, o *orderInfo) {
	l := row.Lines[0]
	f := funding.RecordTransfer{Issue: p.By(chain), Custody: l.Dr, Evidence: p.evidence("deposit", l.Asset), Amount: p.amount(row), From: "0xsomebody"}
	if l.Dr == ledger.Derived(o.destination) {
		p.pay(o)
		f.Payment = o.payment
		switch {
		case strings.Contains(row.Note, "late") || StateOf(p.World, payment.Decider, string(o.payment)).IsExpired:
		case l.Asset == o.due.Asset:
			f.Mismatch = suspense.Unknown
		}
	}
	p.last["deposit"] = transferInfo{evidence: f.Evidence, amount: f.Amount}
	p.Do(f)
}

// deposit is the unmatched deposit that a refund from suspense goes back to.
func (p *player) deposit(Line) string { return p.last["deposit"].evidence.Key() }

func (p *player) assign(row Row) {
	f := funding.AssignUnmatched{Issue: p.By(admin), Firm: true, Approver: admin2, Deposit: p.last["deposit"].evidence.Key()}
	if to := row.Lines[0].Cr; is(to, "escrow", ":held") {
		f.Hold = domain.HoldID(id(to))
	} else {
		f.Buyer = domain.UserID(id(to))
	}
	p.Do(f)
}

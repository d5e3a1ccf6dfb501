package scenariotest

import (
	"fmt"
	"strings"

	"holdfast/domain"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/refund"
	"holdfast/domain/settlement"
)

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

package scenariotest

import (
	"holdfast/domain"
	"holdfast/domain/funding"
	"holdfast/domain/money"
)

func (p *player) markReleasable(hold string, amount money.Units) Flow {
	o := p.order(hold)
	return funding.MarkReleasable{Issue: p.By(domain.User(o.buyer)), Hold: o.hold, Amount: amount, Cause: "scenario"}
}

func (p *player) release(hold string, amount money.Units) Flow {
	o := p.order(hold)
	return funding.ReleaseEscrow{Issue: p.By(domain.User(o.buyer)), Hold: o.hold, Amount: amount}
}

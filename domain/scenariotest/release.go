package scenariotest

import (
	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/money"
)

func (p *player) markReleasable(hold string, amount money.Units) Flow {
	return Act(escrow.Decider, hold, escrow.MarkReleasable{Issue: p.By(domain.User(p.order(hold).buyer)), Amount: amount, Cause: "scenario"})
}

func (p *player) release(hold string, amount money.Units) Flow {
	return Act(escrow.Decider, hold, escrow.Release{Issue: p.By(domain.User(p.order(hold).buyer)), Amount: amount})
}

func (p *player) closeHold(hold string) {
	p.Do(Act(escrow.Decider, hold, escrow.Close{Issue: p.By(system)}))
}

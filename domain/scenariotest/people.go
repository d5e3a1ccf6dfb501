package scenariotest

import (
	"holdfast/domain"
	"holdfast/domain/dispute"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/settlement"
)

// The people of the scenarios.
var (
	buyer     = domain.User("B1", domain.Buyer)
	seller    = domain.User("S1", domain.Seller)
	admin     = domain.User("A1", domain.Admin)
	admin2    = domain.User("A2", domain.Admin)
	resolvers = []domain.Actor{domain.User("R1", domain.Resolver), domain.User("R2", domain.Resolver)}
	timer     = domain.Machine(domain.Timer, "timers")
	system    = domain.Machine(domain.Process, "scenario")
	chain     = domain.Machine(domain.Chain, "chain")
)

// expect compares a balance in USDC@8453.
func (w *World) expect(a ledger.Account, n uint64) {
	w.T.Helper()
	if got := w.Balance(a, "USDC@8453"); got != money.FromUint64(n) {
		w.T.Errorf("%s is %s, want %d", a, got, n)
	}
}

// OpenAll opens a dispute about all that a hold has.
func OpenAll(w *World, d domain.DisputeID, hold domain.HoldID) settlement.OpenDispute {
	return settlement.OpenDispute{
		Issue: w.By(buyer), Dispute: d, Hold: hold, Category: "not_as_described",
		Reason: domain.About("B1", "not what was agreed"), Terms: dispute.StandardTerms(),
	}
}

// Package settlement holds the flows of money on its way out: refunds, payouts, debts and
// disputes. A flow is one command over several streams; what must be true together is
// decided in one unit and appended in one transaction.
//
// Every flow that moves an order's money goes through the order's hold, whose expected
// version is one of the guards against spending it twice; the ledger's balance is another.
package settlement

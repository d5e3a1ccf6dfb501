package scenariotest

import (
	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
)

// Order is a hold whose money was seeded, for tests of what comes after the payment.
type Order struct {
	Hold   domain.HoldID
	Buyer  domain.UserID
	Seller domain.UserID
	Due    money.Amount
	Terms  escrow.Terms
}

// Fund opens the order's hold and puts the amount due into it and into custody.
func (w *World) Fund(o Order) {
	w.T.Helper()
	w.Do(Seed{Issue: w.By(system), Lines: []ledger.Line{ledger.Dr(ledger.Treasury, ledger.Held(o.Hold), o.Due)}})
	w.Do(fund{Issue: w.By(system), order: o})
}

type fund struct {
	domain.Issue
	order Order
}

// Run decides.
func (f fund) Run(u *domain.Unit) (any, error) {
	o := f.order
	_, err := domain.Do(u, escrow.Decider, string(o.Hold), escrow.Open{
		Issue: f.Issue, Hold: o.Hold, Buyer: o.Buyer, Seller: o.Seller, Due: o.Due, Terms: o.Terms,
	})
	if err != nil {
		return nil, err
	}
	_, err = domain.Do(u, escrow.Decider, string(o.Hold), escrow.Credit{
		Issue: f.Issue, Payment: domain.PaymentID("pay-" + string(o.Hold)), Amount: o.Due,
	})
	return nil, err
}

// Act is one command on one stream, as a flow.
func Act[S any, E domain.Event](d domain.Decider[S, E], id string, c domain.Command) Flow {
	return act(func(u *domain.Unit) (any, error) { return domain.Do(u, d, id, c) })
}

type act func(u *domain.Unit) (any, error)

// Run decides.
func (f act) Run(u *domain.Unit) (any, error) { return f(u) }

package scenariotest

import (
	"sync/atomic"
	"testing"
	"time"

	"holdfast/domain"
	"holdfast/domain/breaker"
	"holdfast/domain/destination"
	"holdfast/domain/dispute"
	"holdfast/domain/escrow"
	"holdfast/domain/fault"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/offer"
	"holdfast/domain/payment"
	"holdfast/domain/payout"
	"holdfast/domain/points"
	"holdfast/domain/quote"
	"holdfast/domain/receivable"
	"holdfast/domain/refund"
	"holdfast/domain/request"
	"holdfast/domain/settlement"
	"holdfast/domain/suspense"
	"holdfast/domain/treasury"
	"holdfast/eventstore"
)

// Aggregates lists what the scenarios need of the log.
func Aggregates() []domain.Aggregate {
	return []domain.Aggregate{
		escrow.Aggregate(), refund.Aggregate(), payout.Aggregate(), receivable.Aggregate(), dispute.Aggregate(),
		breaker.Aggregate(), payment.Aggregate(), suspense.Aggregate(), destination.Aggregate(), treasury.Aggregate(),
		points.Aggregate(), request.Aggregate(), offer.Aggregate(), quote.Aggregate(), seedAggregate(),
	}
}

// Flow is one command over one or several streams.
type Flow interface {
	Run(u *domain.Unit) (any, error)
}

// World is a log of its own with an executor and a clock that a test moves. Do is safe for
// concurrent use.
type World struct {
	T     testing.TB
	Store eventstore.Store
	X     *eventstore.Executor
	clock atomic.Int64
}

// Start is the first instant of a world's clock.
var Start = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// NewWorld begins on an empty log.
func NewWorld(t testing.TB, s eventstore.Store) *World {
	return &World{T: t, Store: s, X: eventstore.NewExecutor(s)}
}

// Now is the world's time; it goes on a second with every command.
func (w *World) Now() time.Time { return Start.Add(time.Duration(w.clock.Load())) }

// Pass lets time go by.
func (w *World) Pass(d time.Duration) { w.clock.Add(int64(d)) }

// By is an actor's issue now.
func (w *World) By(a domain.Actor) domain.Issue {
	return domain.Issue{By: a, At: Start.Add(time.Duration(w.clock.Add(int64(time.Second))))}
}

// Try runs a flow and gives its answer or refusal.
func (w *World) Try(f Flow) (eventstore.Result, error) {
	return w.X.Execute(w.T.Context(), eventstore.Metadata{Source: "test"}, nil, f.Run)
}

// Do runs a flow that must be accepted.
func (w *World) Do(f Flow) eventstore.Result {
	w.T.Helper()
	r, err := w.Try(f)
	if err != nil {
		w.T.Fatalf("%T: %v", f, err)
	}
	return r
}

// Refuse runs a flow that must be refused with this code, and must write nothing.
func (w *World) Refuse(f Flow, code string) {
	w.T.Helper()
	before := w.Position()
	_, err := w.Try(f)
	refusal, ok := fault.From(err)
	if !ok || refusal.Code != code {
		w.T.Fatalf("%T: want %s, got %v", f, code, err)
	}
	if after := w.Position(); after != before {
		w.T.Fatalf("%T was refused and wrote %d events all the same", f, after-before)
	}
}

// Position is the log's last position.
func (w *World) Position() int64 {
	w.T.Helper()
	head, err := w.Store.Head(w.T.Context())
	if err != nil {
		w.T.Fatal(err)
	}
	return head.Position
}

// Read gives the events after a position.
func (w *World) Read(after int64) []eventstore.Recorded {
	w.T.Helper()
	var all []eventstore.Recorded
	for {
		slice, err := w.Store.Read(w.T.Context(), after, 500)
		if err != nil {
			w.T.Fatal(err)
		}
		if len(slice) == 0 {
			return all
		}
		all = append(all, slice...)
		after = slice[len(slice)-1].Position
	}
}

// Balance is an account's balance on its normal side; a negative one fails the test.
func (w *World) Balance(a ledger.Account, asset money.Asset) money.Units {
	w.T.Helper()
	t, err := w.Store.Balance(w.T.Context(), a, asset)
	if err != nil {
		w.T.Fatal(err)
	}
	units, negative := normal(w.T, t)
	if negative {
		w.T.Fatalf("%s is %s below zero", a, units)
	}
	return units
}

// normal is the balance on the account's normal side.
func normal(t testing.TB, b eventstore.Totals) (units money.Units, negative bool) {
	t.Helper()
	kind, err := ledger.KindOf(b.Account)
	if err != nil {
		t.Fatal(err)
	}
	plus, minus := b.CreditsPosted, b.DebitsPosted
	if kind.Debit {
		plus, minus = minus, plus
	}
	if units, ok := plus.Sub(minus); ok {
		return units, false
	}
	return minus.Minus(plus), true
}

// StateOf folds one stream.
func StateOf[S any, E domain.Event](w *World, d domain.Decider[S, E], id string) S {
	w.T.Helper()
	s, _, err := eventstore.State(w.T.Context(), w.X, d, id)
	if err != nil {
		w.T.Fatal(err)
	}
	return s
}

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

var system = domain.Machine(domain.Process, "scenario")

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

// The people of the scenarios.
var (
	buyer     = domain.User("B1", domain.Buyer)
	seller    = domain.User("S1", domain.Seller)
	admin     = domain.User("A1", domain.Admin)
	admin2    = domain.User("A2", domain.Admin)
	resolvers = []domain.Actor{domain.User("R1", domain.Resolver), domain.User("R2", domain.Resolver)}
	timer     = domain.Machine(domain.Timer, "timers")
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

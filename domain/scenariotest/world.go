package scenariotest

import (
	"sync/atomic"
	"testing"
	"time"

	"holdfast/domain"
	"holdfast/domain/account"
	"holdfast/domain/apikey"
	"holdfast/domain/breaker"
	"holdfast/domain/breakglass"
	"holdfast/domain/cutover"
	"holdfast/domain/destination"
	"holdfast/domain/dispute"
	"holdfast/domain/escrow"
	"holdfast/domain/fault"
	"holdfast/domain/ingestion"
	"holdfast/domain/ledger"
	"holdfast/domain/legacyentry"
	"holdfast/domain/listing"
	"holdfast/domain/money"
	"holdfast/domain/offer"
	"holdfast/domain/payment"
	"holdfast/domain/payout"
	"holdfast/domain/points"
	"holdfast/domain/quote"
	"holdfast/domain/receivable"
	"holdfast/domain/reconciliation"
	"holdfast/domain/refund"
	"holdfast/domain/request"
	"holdfast/domain/safety"
	"holdfast/domain/suspense"
	"holdfast/domain/sweepplan"
	"holdfast/domain/sweepschedule"
	"holdfast/domain/threshold"
	"holdfast/domain/treasury"
	"holdfast/eventstore"
)

// Aggregates lists what the scenarios need of the log.
func Aggregates() []domain.Aggregate {
	return []domain.Aggregate{
		escrow.Aggregate(), refund.Aggregate(), payout.Aggregate(), receivable.Aggregate(), dispute.Aggregate(),
		breaker.Aggregate(), payment.Aggregate(), suspense.Aggregate(), destination.Aggregate(), treasury.Aggregate(),
		points.Aggregate(), request.Aggregate(), offer.Aggregate(), quote.Aggregate(), safety.Aggregate(), seedAggregate(), ingestion.Aggregate(),
		reconciliation.Aggregate(), reconciliation.RunAggregate(),
		listing.Aggregate(), threshold.Aggregate(), breakglass.Aggregate(), cutover.Aggregate(),
		sweepplan.Aggregate(), sweepschedule.Aggregate(),
		account.Aggregate(),
		apikey.Aggregate(),
		legacyentry.Aggregate(),
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

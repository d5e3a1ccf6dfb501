package quote_test

import (
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/machine/machinetest"
	"holdfast/domain/money"
	"holdfast/domain/quote"
)

const usdc money.Asset = "USDC@8453"

var (
	t0    = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	buyer = domain.User("B1", domain.Buyer)
	timer = domain.Machine(domain.Timer, "timers")
	proc  = domain.Machine(domain.Process, "funding")
	rule  = quote.Rule{MaxAge: time.Minute, MaxSpread: 100, MaxDepeg: 300, Rounding: "up", Median: "upper"}
)

type events = []quote.Event

func eur(n uint64) money.Amount      { return money.Of("EUR", units(n)) }
func units(n uint64) money.Units     { return money.FromUint64(n) }
func by(a domain.Actor) domain.Issue { return domain.Issue{By: a, At: t0} }
func rate(source string, num, den uint64, age time.Duration) quote.Rate {
	return quote.Rate{Source: source, Num: units(num), Den: units(den), ObservedAt: t0.Add(-age)}
}

// ask is for a price of 997 cents.
func ask(rates ...quote.Rate) quote.Issue {
	return quote.Issue{Issue: by(buyer), Quote: "u1", Offer: "o1", Buyer: "B1", Price: units(997), Currency: "EUR", Settle: usdc, Rates: rates, Rule: rule, ExpiresAt: t0.Add(time.Minute)}
}

func answer(c quote.Issue, due uint64) quote.Issued {
	return quote.Issued{Quote: "u1", Offer: "o1", Buyer: "B1", Price: c.Price.String(), Currency: c.Currency, AmountDue: money.Of(usdc, units(due)), Rates: c.Rates, Rule: rule, ExpiresAt: c.ExpiresAt}
}

var (
	good   = ask(rate("a", 10801, 1, 0), rate("b", 10800, 1, time.Second))
	issued = answer(good, 997*10801)
	locked = quote.Locked{Payment: "p1"}
)

func TestTableIsComplete(t *testing.T) {
	t.Parallel()
	states := map[string]quote.State{
		"": {}, quote.IssuedPhase: machinetest.Fold(quote.Decider, events{issued}...), quote.LockedPhase: machinetest.Fold(quote.Decider, events{issued, locked}...),
		quote.ConsumedPhase: machinetest.Fold(quote.Decider, events{issued, locked, quote.Consumed{}}...),
		quote.ExpiredPhase:  machinetest.Fold(quote.Decider, events{issued, quote.Expired{}}...), quote.SupersededPhase: machinetest.Fold(quote.Decider, events{issued, quote.Superseded{By: "u2"}}...),
	}
	for _, s := range states {
		machinetest.CheckSnapshot(t, s)
	}
	machinetest.CheckComplete(t, quote.Table(), states)
}

func TestStoredForm(t *testing.T) {
	t.Parallel()
	first := issued // as the first ones were written
	first.Rule.MaxDepeg, first.Rule.Median = 0, ""
	machinetest.CheckGolden(t, quote.Aggregate(), first, locked, quote.Consumed{}, quote.Expired{}, quote.Superseded{By: "u2"})
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	fixed := ask()
	fixed.Currency = string(usdc)
	free, over := good, good
	free.Price = money.Zero
	over.ExpiresAt = t0
	third := ask(rate("a", 1, 3, 0), rate("b", 1, 3, 0))
	lock := quote.Lock{Issue: by(proc), Payment: "p1", Buyer: "B1", Offer: "o1", Price: eur(997), Settle: usdc}
	late, other, raised, elsewhere, coin, second := lock, lock, lock, lock, lock, lock
	late.At, other.Buyer, raised.Price, elsewhere.Offer, coin.Settle, second.Payment = t0.Add(time.Minute), "X", eur(998), "o2", "USDT@56", "p2"
	machinetest.Run(t, quote.Decider, []machinetest.Case[quote.Event]{
		{Name: "issued", When: good, Then: events{issued}},
		{Name: "a fixed price is its own quote", When: fixed, Then: events{answer(fixed, 997)}},
		{Name: "rounded up", When: third, Then: events{answer(third, 333)}},
		{Name: "one source is none", When: ask(rate("a", 1, 1, 0)), Err: quote.ErrUnavailable},
		{Name: "a stale one is none", When: ask(rate("a", 1, 1, 0), rate("b", 1, 1, time.Minute+1)), Err: quote.ErrUnavailable},
		{Name: "one of the future is none", When: ask(rate("a", 1, 1, 0), rate("b", 1, 1, -1)), Err: quote.ErrUnavailable},
		{Name: "nor is zero", When: ask(rate("a", 1, 1, 0), rate("b", 0, 1, 0), rate("c", 1, 0, 0)), Err: quote.ErrUnavailable},
		{Name: "sources that contradict each other", When: ask(rate("a", 100, 1, 0), rate("b", 102, 1, 0)), Err: quote.ErrDivergence},
		{Name: "nothing is free", When: free, Err: fault.ErrValidation},
		{Name: "it ends later than now", When: over, Err: fault.ErrValidation},
		{Name: "locked", Given: events{issued}, When: lock, Then: events{locked}},
		{Name: "the same payment again", Given: events{issued, locked}, When: lock},
		{Name: "another payment", Given: events{issued, locked}, When: second, Err: quote.ErrUsed},
		{Name: "too late", Given: events{issued}, When: late, Err: quote.ErrExpired},
		{Name: "expired", Given: events{issued, quote.Expired{}}, When: lock, Err: quote.ErrExpired},
		{Name: "superseded", Given: events{issued, quote.Superseded{By: "u2"}}, When: lock, Err: quote.ErrExpired},
		{Name: "of nobody", When: lock, Err: quote.ErrMismatch},
		{Name: "not another's quote", Given: events{issued}, When: other, Err: quote.ErrMismatch},
		{Name: "not even when it is over", Given: events{issued, quote.Expired{}}, When: other, Err: quote.ErrMismatch},
		{Name: "not of another offer", Given: events{issued}, When: elsewhere, Err: quote.ErrMismatch},
		{Name: "not after the price was changed", Given: events{issued}, When: raised, Err: quote.ErrMismatch},
		{Name: "not in another asset", Given: events{issued}, When: coin, Err: quote.ErrMismatch},
		{Name: "its time is over", Given: events{issued}, When: quote.Expire{Issue: by(timer)}, Then: events{quote.Expired{}}},
	})
}

func TestTheBuyerNeverUnderpaysByOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		price, num, den := rapid.Uint64Range(1, 1<<62).Draw(t, "price"), rapid.Uint64Range(1, 1<<40).Draw(t, "num"), rapid.Uint64Range(1, 1<<40).Draw(t, "den")
		c := ask(rate("a", num, den, 0), rate("b", num, den, 0))
		c.Price = units(price)
		got, err := quote.Decider.Decide(quote.State{}, c)
		if err != nil {
			t.Fatal(err)
		}
		product := new(big.Int).Mul(new(big.Int).SetUint64(price), new(big.Int).SetUint64(num))
		want, rest := new(big.Int).QuoRem(product, new(big.Int).SetUint64(den), new(big.Int))
		if rest.Sign() > 0 {
			want.Add(want, big.NewInt(1))
		}
		if due := got[0].(quote.Issued).AmountDue.Units; due.String() != want.String() {
			t.Fatalf("%d × %d / %d is %s, rounded up %s", price, num, den, due, want)
		}
	})
}

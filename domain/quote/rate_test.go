package quote_test

import (
	"errors"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast/domain/machine/machinetest"
	"holdfast/domain/money"
	"holdfast/domain/quote"
)

// reading says that one of a pair is worth answer / 10^8.
func reading(source, pair string, answer uint64, age time.Duration) quote.Reading {
	return quote.Reading{Pair: pair, Source: source, Answer: units(answer), Decimals: 8, ObservedAt: t0.Add(-age), FreshFor: time.Hour, Pegged: pair == "USDC/USD"}
}

func rated(t interface{ Fatal(...any) }, asset quote.Reading, cross *quote.Reading) quote.Rate {
	r, err := quote.RateOf(6, 2, asset, cross)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// dollars asks what 100 dollars are in USDC.
func dollars(t interface{ Fatal(...any) }, readings ...quote.Reading) quote.Issue {
	c := ask()
	c.Price, c.Currency = units(10_000), "iso4217:USD"
	for _, r := range readings {
		c.Rates = append(c.Rates, rated(t, r, nil))
	}
	return c
}

func TestRules(t *testing.T) {
	t.Parallel()
	usdcUSD := func(source string, answer uint64) quote.Reading { return reading(source, "USDC/USD", answer, 0) }
	due := func(c quote.Issue, n uint64) []quote.Event { return events{answer(c, n)} }
	cases := []machinetest.Case[quote.Event]{}
	for _, c := range []struct {
		name     string
		readings []quote.Reading
		due      uint64
		err      error
	}{
		{"at par", []quote.Reading{usdcUSD("a", 1e8), usdcUSD("b", 1e8)}, 100_000_000, nil},
		{"a cheap dollar needs more", []quote.Reading{usdcUSD("a", 99_800_000), usdcUSD("b", 99_800_000)}, 100_200_401, nil},
		{"of two, the one that is more", []quote.Reading{usdcUSD("a", 1e8), usdcUSD("b", 99_900_000)}, 100_100_101, nil},
		{"of three, the one between", []quote.Reading{usdcUSD("a", 1e8), usdcUSD("b", 99_900_000), usdcUSD("c", 100_100_000)}, 100_000_000, nil},
		{"the same source twice is one", []quote.Reading{usdcUSD("a", 1e8), usdcUSD("a", 1e8)}, 0, quote.ErrUnavailable},
		{"older than its heartbeat", []quote.Reading{usdcUSD("a", 1e8), reading("b", "USDC/USD", 1e8, time.Hour+1)}, 0, quote.ErrUnavailable},
		{"of the future", []quote.Reading{usdcUSD("a", 1e8), reading("b", "USDC/USD", 1e8, -3*time.Minute)}, 0, quote.ErrUnavailable},
		{"a clock that runs a little ahead", []quote.Reading{usdcUSD("a", 1e8), reading("b", "USDC/USD", 1e8, -time.Minute)}, 100_000_000, nil},
		{"a contradiction", []quote.Reading{usdcUSD("a", 1e8), usdcUSD("b", 98_000_000)}, 0, quote.ErrDivergence},
		{"at the limit of the peg", []quote.Reading{usdcUSD("a", 97_000_000), usdcUSD("b", 97_000_000)}, 103_092_784, nil},
		{"beyond it", []quote.Reading{usdcUSD("a", 97_000_000), usdcUSD("b", 96_999_999)}, 0, quote.ErrDepeg},
		{"above it", []quote.Reading{usdcUSD("a", 103_000_001), usdcUSD("b", 103_000_000)}, 0, quote.ErrDepeg},
	} {
		ask := dollars(t, c.readings...)
		one := machinetest.Case[quote.Event]{Name: c.name, When: ask, Err: c.err}
		if c.err == nil {
			one.Then = due(ask, c.due)
		}
		cases = append(cases, one)
	}
	machinetest.Run(t, quote.Decider, cases)
}

func TestAPriceInAnotherCurrencyCrossesTheDollar(t *testing.T) {
	t.Parallel()
	c := ask()
	c.Price, c.Currency = units(10_000), "iso4217:EUR" // 100.00 €
	for _, source := range []string{"a", "b"} {
		cross := reading(source, "EUR/USD", 108_000_000, time.Minute)
		r := rated(t, reading(source, "USDC/USD", 99_900_000, 0), &cross)
		if !r.ObservedAt.Equal(t0.Add(-time.Minute)) || len(r.Readings) != 2 {
			t.Fatalf("%+v", r)
		}
		c.Rates = append(c.Rates, r)
	}
	machinetest.Run(t, quote.Decider, []machinetest.Case[quote.Event]{
		{Name: "100 € are 108 dollars are 108.108109 USDC", When: c, Then: events{answer(c, 108_108_109)}},
	})
}

func TestWhatIsNoPrice(t *testing.T) {
	t.Parallel()
	good := reading("a", "USDC/USD", 1e8, 0)
	zero, long, deep, timeless := good, good, good, good
	zero.Answer, long.Answer, deep.Decimals, timeless.ObservedAt = money.Zero, money.MustUnits("1"+strings.Repeat("0", 30)), 19, time.Time{}
	for name, r := range map[string]quote.Reading{"zero": zero, "long": long, "deep": deep, "timeless": timeless} {
		if _, err := quote.RateOf(6, 2, r, nil); !errors.Is(err, quote.ErrReading) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := quote.RateOf(6, 2, good, &r); !errors.Is(err, quote.ErrReading) {
			t.Errorf("cross %s: %v", name, err)
		}
	}
	if _, err := quote.RateOf(19, 2, good, nil); !errors.Is(err, quote.ErrReading) {
		t.Error(err)
	}
}

func TestAPriceThatIsTooLargeIsRefused(t *testing.T) {
	t.Parallel()
	c := dollars(t, reading("a", "USDC/USD", 1, 0), reading("b", "USDC/USD", 1, 0))
	c.Price = money.MustUnits("115792089237316195423570985008687907853269984665640564039457584007913129639935")
	if _, err := quote.Decider.Decide(quote.State{}, c); !errors.Is(err, money.ErrTooLarge) {
		t.Fatal(err)
	}
}

// What is due is worth the price by every rule: at the median's own rate never less, and less than
// one unit more; and the median lies between the sources.
func TestTheDueIsWorthThePrice(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		price := rapid.Uint64Range(1, 1<<50).Draw(t, "price")
		decimals := uint8(rapid.IntRange(0, 18).Draw(t, "asset decimals"))
		n := rapid.IntRange(2, 7).Draw(t, "sources")
		base := rapid.Uint64Range(50_000_000, 1<<40).Draw(t, "answer")
		c := ask()
		c.Price, c.Currency, c.Rule.MaxDepeg, c.Rule.MaxSpread = units(price), "iso4217:USD", 0, money.All
		low, high := new(big.Rat), new(big.Rat)
		for i := range n {
			answer := base + rapid.Uint64Range(0, base/20).Draw(t, "apart")
			r, err := quote.RateOf(decimals, 2, reading(strconv.Itoa(i), "ETH/USD", answer, 0), nil)
			if err != nil {
				t.Fatal(err)
			}
			c.Rates = append(c.Rates, r)
			exact := new(big.Rat).SetFrac(new(big.Int).Mul(new(big.Int).SetUint64(price), whole(r.Num)), whole(r.Den))
			if i == 0 || exact.Cmp(low) < 0 {
				low.Set(exact)
			}
			if i == 0 || exact.Cmp(high) > 0 {
				high.Set(exact)
			}
		}
		got, err := quote.Decider.Decide(quote.State{}, c)
		if err != nil {
			t.Fatal(err)
		}
		due := new(big.Rat).SetInt(whole(got[0].(quote.Issued).AmountDue.Units))
		if due.Cmp(low) < 0 || new(big.Rat).Sub(due, big.NewRat(1, 1)).Cmp(high) >= 0 {
			t.Fatalf("%s is not between %s and %s, rounded up", due, low, high)
		}
		worth := false // by one of the sources it is the price, rounded up by less than a unit
		for _, r := range c.Rates {
			exact := new(big.Rat).SetFrac(new(big.Int).Mul(new(big.Int).SetUint64(price), whole(r.Num)), whole(r.Den))
			above := new(big.Rat).Sub(due, exact)
			worth = worth || above.Sign() >= 0 && above.Cmp(big.NewRat(1, 1)) < 0
		}
		if !worth {
			t.Fatalf("%s is no source's due", due)
		}
		fewer := 0
		for _, r := range c.Rates {
			if new(big.Rat).SetFrac(new(big.Int).Mul(new(big.Int).SetUint64(price), whole(r.Num)), whole(r.Den)).Cmp(due) <= 0 {
				fewer++
			}
		}
		if 2*fewer < n {
			t.Fatalf("only %d of %d sources ask no more", fewer, n)
		}
	})
}

func whole(u money.Units) *big.Int { return u.Uint256().ToBig() }

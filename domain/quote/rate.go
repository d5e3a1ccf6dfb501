package quote

import (
	"slices"
	"strings"
	"time"

	"holdfast/domain/fault"
	"holdfast/domain/money"
)

// Reading is what one source says of one pair at one moment: Answer / 10^Decimals of the second
// currency for one of the first ("USDC/USD", "EUR/USD"). It is stored whole, so that anybody can
// ask the source again and compute the quote again.
type Reading struct {
	Pair       string        `json:"pair"`
	Source     string        `json:"source"`
	Answer     money.Units   `json:"answer"`
	Decimals   uint8         `json:"decimals"`
	ObservedAt time.Time     `json:"observed_at"`
	FreshFor   time.Duration `json:"fresh_for"`       // after ObservedAt; the heartbeat of a feed, and some
	Round      string        `json:"round,omitempty"` // the feed's round, or the source's own id of the price
	Feed       string        `json:"feed,omitempty"`  // contract or host
	Chain      uint64        `json:"chain,omitempty"`
	Pegged     bool          `json:"pegged,omitempty"` // it should be one to one; DEPEG_LIMIT beyond the rule's limit
}

// Rate is what one source says: base units of the settlement asset per minor unit of the
// price, as the ratio Num/Den of whole numbers, and the readings that it follows from.
type Rate struct {
	Source     string      `json:"source"`
	Num        money.Units `json:"num"`
	Den        money.Units `json:"den"`
	ObservedAt time.Time   `json:"observed_at"` // of its oldest reading
	Readings   []Reading   `json:"readings,omitempty"`
}

// Rule is the policy of a quote.
type Rule struct {
	MaxAge    time.Duration `json:"max_age"` // of a rate without readings of its own
	MaxSpread money.BPS     `json:"max_spread"`
	MaxDepeg  money.BPS     `json:"max_depeg,omitempty"` // 0 = no limit
	Rounding  string        `json:"rounding"`
	Median    string        `json:"median,omitempty"` // "upper": of two, the one that is more
}

// StandardRounding and StandardMedian name what Issue does; a quote stores them.
const (
	StandardRounding = "up"
	StandardMedian   = "upper"
)

// The bounds of a reading keep every product of RateOf below 2^256.
const (
	maxDecimals = 18
	maxDigits   = 30
)

// ErrReading: a source's words cannot be a price.
var ErrReading = fault.New(fault.Upstream, "ORACLE_READING_INVALID", "the price source's answer is no price")

// Usable reports why a reading cannot be a price: zero, too long, or not of this world.
func (r Reading) Usable() error {
	switch {
	case r.Answer.IsZero():
		return ErrReading.Because("the price is zero")
	case r.Decimals > maxDecimals || len(r.Answer.String()) > maxDigits:
		return ErrReading.Because("the price has too many digits")
	case r.ObservedAt.IsZero():
		return ErrReading.Because("the price has no time")
	}
	return nil
}

// RateOf makes one source's rate: the price is in a currency with priceDecimals, asset is the
// settlement asset's price in dollars. In another currency than dollars, cross is that
// currency's price in dollars by the same source; nil otherwise.
func RateOf(assetDecimals, priceDecimals uint8, asset Reading, cross *Reading) (Rate, error) {
	r := Rate{Source: asset.Source, ObservedAt: asset.ObservedAt, Readings: []Reading{asset}}
	if err := asset.Usable(); err != nil {
		return Rate{}, err
	}
	if assetDecimals > maxDecimals || priceDecimals > maxDecimals {
		return Rate{}, ErrReading.Because("the asset has too many decimals")
	}
	// price/10^priceDecimals ÷ asset.Answer/10^asset.Decimals × 10^assetDecimals
	r.Num = times(tenTo(assetDecimals), tenTo(asset.Decimals))
	r.Den = times(tenTo(priceDecimals), asset.Answer)
	if cross != nil {
		if err := cross.Usable(); err != nil {
			return Rate{}, err
		}
		r.Num, r.Den = times(r.Num, cross.Answer), times(r.Den, tenTo(cross.Decimals))
		r.Readings = append(r.Readings, *cross)
		if cross.ObservedAt.Before(r.ObservedAt) {
			r.ObservedAt = cross.ObservedAt
		}
	}
	return r, nil
}

func tenTo(n uint8) money.Units { return money.MustUnits("1" + strings.Repeat("0", int(n))) }

func times(a, b money.Units) money.Units { return a.MulDivFloor(b, money.FromUint64(1)) }

// skew is how far ahead a source's clock, or a chain's, may run.
const skew = 2 * time.Minute

// fresh: none of the readings is too old, and none is of the future.
func (r Rate) fresh(now time.Time, rule Rule) bool {
	if len(r.Readings) == 0 {
		return now.Sub(r.ObservedAt) <= rule.MaxAge && !r.ObservedAt.After(now)
	}
	return !slices.ContainsFunc(r.Readings, func(one Reading) bool {
		return now.Sub(one.ObservedAt) > one.FreshFor || one.ObservedAt.After(now.Add(skew))
	})
}

// offPeg: a reading that should be one to one is further away from it than the limit.
func (r Rate) offPeg(limit money.BPS) (Reading, bool) {
	if limit == 0 {
		return Reading{}, false
	}
	for _, one := range r.Readings {
		par := tenTo(one.Decimals)
		far, above := one.Answer.Sub(par)
		if !above {
			far = par.Minus(one.Answer)
		}
		// far / par > limit / 10000, without a division that rounds.
		if one.Pegged && times(par, money.FromUint64(uint64(limit))).Less(times(far, money.FromUint64(uint64(money.All)))) {
			return one, true
		}
	}
	return Reading{}, false
}

// convert takes the median of the fresh sources, rounded up.
func convert(c Issue) (money.Units, error) {
	var dues []money.Units
	var used []Rate
	for _, r := range c.Rates {
		if r.Num.IsZero() || r.Den.IsZero() || !r.fresh(c.At, c.Rule) {
			continue
		}
		due, err := ceil(c.Price, r.Num, r.Den)
		if err != nil {
			return money.Zero, err
		}
		dues, used = append(dues, due), append(used, r)
	}
	if n := sources(used); n < 2 {
		return money.Zero, ErrUnavailable.With("fresh_sources", n)
	}
	slices.SortFunc(dues, money.Units.Cmp)
	low, high := dues[0], dues[len(dues)-1]
	// Of a tiny amount a unit is more than any share, and is the rounding, not a contradiction.
	if c.Rule.MaxSpread.Of(low).Plus(money.FromUint64(1)).Less(high.Minus(low)) {
		return money.Zero, ErrDivergence
	}
	for _, r := range used {
		if at, far := r.offPeg(c.Rule.MaxDepeg); far {
			return money.Zero, ErrDepeg.With("pair", at.Pair).With("price", at.Answer.Decimal(at.Decimals)).With("source", at.Source)
		}
	}
	return dues[len(dues)/2], nil
}

// sources counts the different ones: the same asked twice is one.
func sources(rates []Rate) int {
	names := map[string]bool{}
	for _, r := range rates {
		names[r.Source] = true
	}
	return len(names)
}

// ceil gives price × num / den, rounded up to the unit.
func ceil(price, num, den money.Units) (money.Units, error) {
	if len(price.String())+len(num.String())-len(den.String()) > 75 {
		return money.Zero, money.ErrTooLarge
	}
	due := price.MulDivFloor(num, den)
	if back := due.MulDivFloor(den, num); back.Less(price) {
		return due.Add(money.FromUint64(1))
	}
	return due, nil
}

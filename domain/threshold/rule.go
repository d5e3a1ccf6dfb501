package threshold

import (
	"holdfast/domain/fault"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/payment"
)

// Refusals of a rule.
var (
	ErrInvalid    = fault.New(fault.Malformed, "INVALID_THRESHOLD", "this is no confirmation threshold")
	ErrOutOfRange = fault.New(fault.Malformed, "OUT_OF_RANGE", "the number is out of its range")
)

// Kind says what counts beside depth.
type Kind string

// The kinds. Depth counts blocks only. Finalized takes a block that the chain holds to be
// final as well; Safe one that it holds to be safe, once it is as deep as the floor.
const (
	Depth     Kind = "depth"
	Safe      Kind = "safe"
	Finalized Kind = "finalized"
)

// Rule is how deep a transfer must stand.
type Rule struct {
	Kind Kind  `json:"kind"`
	Min  int64 `json:"min"` // blocks
	// Tiers raise it for larger amounts, in rising order.
	Tiers []Tier `json:"tiers,omitempty"`
}

// Tier asks for more from an amount on.
type Tier struct {
	From int64 `json:"from"` // whole tokens, of whatever token is paid
	Min  int64 `json:"min"`  // blocks
}

// Bounds. Depths are counted in 32 bits here and everywhere: eight were too few for others.
const (
	widest  = 1<<31 - 1
	deepest = 100_000
	most    = 10
	largest = 1_000_000_000_000_000
)

// Basis is what the registry says of a chain and a token.
type Basis struct {
	Default  network.Confirmations `json:"default"`
	Decimals uint8                 `json:"decimals"`
}

// DefaultRule is the registry's own rule.
func DefaultRule(c network.Confirmations) Rule {
	r := Rule{Kind: Depth, Min: int64(max(c.Need, c.Floor, 1))}
	switch c.Tag {
	case network.Finalized:
		r.Kind = Finalized
	case network.Safe:
		r.Kind = Safe
	}
	return r
}

// Check refuses a rule that makes no sense or asks for less than the floor anywhere. Errors:
// INVALID_THRESHOLD, OUT_OF_RANGE, BELOW_FLOOR.
func (r Rule) Check(floor uint64) error {
	if r.Kind != Depth && r.Kind != Safe && r.Kind != Finalized {
		return ErrInvalid.At("kind", "depth, safe or finalized")
	}
	if len(r.Tiers) > most {
		return ErrInvalid.At("amountTiers", "ten at most")
	}
	if err := checkMin(r.Min, floor, "min"); err != nil {
		return err
	}
	from, least := int64(0), r.Min
	for _, t := range r.Tiers {
		if err := checkMin(t.Min, floor, "amountTiers.min"); err != nil {
			return err
		}
		switch {
		case t.From <= from || t.From > largest:
			return ErrInvalid.At("amountTiers.from", "more than nothing, and rising")
		case t.Min < least:
			return ErrInvalid.At("amountTiers.min", "a larger amount never needs less")
		}
		from, least = t.From, t.Min
	}
	return nil
}

func checkMin(n int64, floor uint64, where string) error {
	switch {
	case n > widest || n < -widest:
		return ErrOutOfRange.At(where, "a number of blocks in 32 bits")
	case n < 1 || n > deepest:
		return ErrInvalid.At(where, "1 … 100000 blocks")
	case uint64(n) < floor:
		return payment.ErrBelowFloor.With("floor", floor).With("found", n).At(where, "below the floor")
	}
	return nil
}

// Need is how many blocks an amount needs by this rule alone.
func (r Rule) Need(amount money.Units, decimals uint8) uint64 {
	need := r.Min
	for _, t := range r.Tiers {
		if amount.Less(tokens(t.From, decimals)) {
			break
		}
		need = t.Min
	}
	return uint64(max(need, 1))
}

// tokens is a number of whole tokens in base units.
func tokens(n int64, decimals uint8) money.Units {
	u, one, ten := money.FromUint64(uint64(n)), money.FromUint64(1), money.FromUint64(10)
	for range decimals {
		u = u.MulDivFloor(ten, one)
	}
	return u
}

// For is the rule as it is copied into a payment: never below the floor.
func (r Rule) For(amount money.Units, decimals uint8, floor uint64) payment.Threshold {
	return payment.Threshold{
		Need: max(r.Need(amount, decimals), floor, 1), Floor: floor, Finalized: r.Kind == Finalized, Safe: r.Kind == Safe,
	}
}

// WeakerThan reports whether some amount would need less by r than by o.
func (r Rule) WeakerThan(o Rule) bool {
	if r.Kind == Safe && o.Kind != Safe {
		return true
	}
	at := []int64{0}
	for _, t := range append(append([]Tier(nil), r.Tiers...), o.Tiers...) {
		at = append(at, t.From)
	}
	for _, n := range at {
		u := money.FromUint64(uint64(n))
		if r.Need(u, 0) < o.Need(u, 0) {
			return true
		}
	}
	return false
}

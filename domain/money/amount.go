package money

import (
	"regexp"
	"strings"

	"holdfast/domain/fault"
)

// Asset identifies what is counted, CAIP-19 style: "eip155:56/erc20:0x55d3…",
// "eip155:56/slip44:60" for a chain's native coin, "POINTS". The domain treats it as an
// opaque name: decimals and aliases ("USDT@56") live in the registry, keyed by chain and
// token, because the same symbol has other decimals on other chains.
type Asset string

// Amount is a number of base units of one asset.
type Amount struct {
	Asset Asset `json:"asset"`
	Units Units `json:"amount"`
}

// Of makes an amount.
func Of(asset Asset, units Units) Amount { return Amount{Asset: asset, Units: units} }

// IsZero reports whether there is nothing.
func (a Amount) IsZero() bool { return a.Units.IsZero() }

func (a Amount) String() string { return a.Units.String() + " " + string(a.Asset) }

// ErrAssetMismatch: an amount of another asset was given.
var ErrAssetMismatch = fault.New(fault.Rule, "ASSET_MISMATCH", "the amount is in another asset")

// decimalGrammar is checked before anything parses the text: "1e30000000" stalls
// arbitrary-precision parsers for seconds (docs/fault-model.md, input 79).
var decimalGrammar = regexp.MustCompile(`^(0|[1-9]\d{0,77})(\.\d{1,78})?$`)

// ParseDecimal turns a human decimal ("97.5") into base units of an asset with the given
// number of decimals. More decimals than the asset has are refused with ErrPrecision
// unless they are zeros; nothing is ever rounded.
func ParseDecimal(s string, decimals uint8) (Units, error) {
	if !decimalGrammar.MatchString(s) {
		return Units{}, ErrInvalid.With("found", clip(s))
	}
	whole, frac, _ := strings.Cut(s, ".")
	frac = strings.TrimRight(frac, "0")
	if len(frac) > int(decimals) {
		return Units{}, ErrPrecision.With("decimals", decimals).With("found", clip(s))
	}
	digits := strings.TrimLeft(whole+frac+strings.Repeat("0", int(decimals)-len(frac)), "0")
	if digits == "" {
		return Units{}, nil
	}
	if len(digits) > 78 {
		return Units{}, ErrTooLarge.With("found", clip(s))
	}
	return ParseUnits(digits)
}

// Decimal writes base units as a human decimal without trailing zeros.
func (u Units) Decimal(decimals uint8) string {
	s := u.String()
	d := int(decimals)
	if d == 0 {
		return s
	}
	if len(s) <= d {
		s = strings.Repeat("0", d-len(s)+1) + s
	}
	whole, frac := s[:len(s)-d], strings.TrimRight(s[len(s)-d:], "0")
	if frac == "" {
		return whole
	}
	return whole + "." + frac
}

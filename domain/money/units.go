// Package money holds exact amounts: unsigned integers in the base units of one asset.
//
// There is no float here and no rounding that is not named: a human decimal that does not
// fit the asset's decimals is refused (ErrPrecision), never rounded.
package money

import (
	"database/sql/driver"
	"fmt"

	"github.com/holiman/uint256"

	"holdfast/domain/fault"
)

// Refusals of the amount grammar.
var (
	ErrInvalid   = fault.New(fault.Malformed, "INVALID_AMOUNT", "an amount is a decimal string without sign, exponent or leading zeros")
	ErrPrecision = fault.New(fault.Rule, "PRECISION_EXCEEDED", "the amount has more decimals than the asset")
	ErrTooLarge  = fault.New(fault.Rule, "AMOUNT_TOO_LARGE", "the amount is larger than 2^256-1 base units")
)

// Units is a number of base units, 0 … 2^256−1. The zero value is 0. It is a value type:
// no operation changes its operands.
type Units struct{ v uint256.Int }

// Zero is no base units at all.
var Zero Units

// FromUint64 makes an amount of n base units.
func FromUint64(n uint64) Units { return Units{v: *uint256.NewInt(n)} }

// ParseUnits reads base units: digits only, no sign, no leading zero, at most 2^256−1.
func ParseUnits(s string) (Units, error) {
	if !digitsOnly(s) {
		return Units{}, ErrInvalid.With("found", clip(s))
	}
	var u Units
	if err := u.v.SetFromDecimal(s); err != nil {
		return Units{}, ErrTooLarge.With("found", clip(s))
	}
	return u, nil
}

// MustUnits is ParseUnits for literals in tests and tables; it panics on a bad literal.
func MustUnits(s string) Units {
	u, err := ParseUnits(s)
	if err != nil {
		panic(err)
	}
	return u
}

func digitsOnly(s string) bool {
	if s == "" || len(s) > 78 || (len(s) > 1 && s[0] == '0') {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

// String gives the base units in decimal.
func (u Units) String() string { return u.v.Dec() }

// IsZero reports whether u is 0.
func (u Units) IsZero() bool { return u.v.IsZero() }

// Cmp compares: −1, 0, 1.
func (u Units) Cmp(o Units) int { return u.v.Cmp(&o.v) }

// Less reports u < o.
func (u Units) Less(o Units) bool { return u.v.Lt(&o.v) }

// Add gives u+o, or ErrTooLarge when the sum does not fit in 256 bits.
func (u Units) Add(o Units) (Units, error) {
	var r Units
	if _, over := r.v.AddOverflow(&u.v, &o.v); over {
		return Units{}, ErrTooLarge
	}
	return r, nil
}

// Plus is Add where an overflow would be a bug in the caller (sums of amounts that were
// already booked together); it panics on overflow instead of wrapping silently.
func (u Units) Plus(o Units) Units {
	r, err := u.Add(o)
	if err != nil {
		panic(fmt.Sprintf("money: %s + %s overflows", u, o))
	}
	return r
}

// Sub gives u−o and true, or 0 and false when o is larger.
func (u Units) Sub(o Units) (Units, bool) {
	var r Units
	if _, under := r.v.SubOverflow(&u.v, &o.v); under {
		return Units{}, false
	}
	return r, true
}

// Minus is Sub where o > u would be a bug in the caller; it panics then.
func (u Units) Minus(o Units) Units {
	r, ok := u.Sub(o)
	if !ok {
		panic(fmt.Sprintf("money: %s - %s is negative", u, o))
	}
	return r
}

// Min gives the smaller of the two.
func (u Units) Min(o Units) Units {
	if o.Less(u) {
		return o
	}
	return u
}

// MulDivFloor gives floor(u × num / den) through a 512-bit intermediate, so it never
// overflows when the result fits. It panics on den = 0 and on a result over 256 bits,
// which no rule of this system can produce (all ratios are ≤ 1).
func (u Units) MulDivFloor(num, den Units) Units {
	var r Units
	if den.IsZero() {
		panic("money: division by zero")
	}
	if _, over := r.v.MulDivOverflow(&u.v, &num.v, &den.v); over {
		panic(fmt.Sprintf("money: %s × %s / %s overflows", u, num, den))
	}
	return r
}

// BPS is a share in basis points, 0 … 10000.
type BPS uint32

// All is the whole: 100 %.
const All BPS = 10000

// Of gives floor(u × bps / 10000).
func (b BPS) Of(u Units) Units { return u.MulDivFloor(FromUint64(uint64(b)), FromUint64(uint64(All))) }

// Uint256 gives a copy for libraries that want the raw number.
func (u Units) Uint256() *uint256.Int { v := u.v; return &v }

// FromUint256 copies a raw number.
func FromUint256(v *uint256.Int) Units { return Units{v: *v} }

// MarshalJSON writes a JSON string: numbers lose digits beyond 2^53 in most clients.
func (u Units) MarshalJSON() ([]byte, error) { return []byte(`"` + u.v.Dec() + `"`), nil }

// UnmarshalJSON accepts a string only.
func (u *Units) UnmarshalJSON(b []byte) error {
	if len(b) < 2 || b[0] != '"' || b[len(b)-1] != '"' {
		return ErrInvalid.With("found", clip(string(b)))
	}
	v, err := ParseUnits(string(b[1 : len(b)-1]))
	if err != nil {
		return err
	}
	*u = v
	return nil
}

// Value writes a numeric(78,0) for database/sql and pgx.
func (u Units) Value() (driver.Value, error) { return u.v.Dec(), nil }

// Scan reads a numeric(78,0) that was selected as text.
func (u *Units) Scan(src any) error {
	switch s := src.(type) {
	case string:
		v, err := ParseUnits(s)
		*u = v
		return err
	case []byte:
		return u.Scan(string(s))
	case nil:
		*u = Units{}
		return nil
	}
	return fmt.Errorf("money: cannot scan %T", src)
}

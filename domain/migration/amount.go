package migration

import (
	"math"
	"strconv"
	"strings"

	"holdfast/domain/money"
)

// Exact turns a number of the old backend, as text, into base units. Trailing zeros may be too many
// and an exponent is understood; a number that is not a whole count of base units, or below zero,
// is refused. Nothing is ever rounded.
func Exact(text string, decimals uint8) (money.Units, error) {
	plain, ok := Plain(text)
	if !ok {
		return money.Units{}, money.ErrInvalid
	}
	return money.ParseDecimal(plain, decimals)
}

// Shortest is the shortest decimal text that reads back as the same double: what the old backend
// showed for it. ok is false for what is no number.
func Shortest(f float64) (text string, ok bool) { //nolint:forbidigo // the old backend's numbers are doubles; here they become exact text
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "", false
	}
	return strconv.FormatFloat(f, 'f', -1, 64), true
}

// longest is how many digits a number may have before or behind its point.
const longest = 78

// Plain writes a decimal without sign, exponent, leading zeros or zeros behind the last digit that
// counts; ok is false for what is no number of at least nothing, or has too many digits.
func Plain(text string) (plain string, ok bool) {
	text = strings.TrimSpace(text)
	mantissa, exponent := text, 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		n, err := strconv.Atoi(text[i+1:])
		if err != nil || n < -longest || n > longest {
			return "", false
		}
		mantissa, exponent = text[:i], n
	}
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(mantissa, "+"), ".")
	digits := whole + fraction
	if digits == "" || len(digits) > 2*longest || strings.Trim(digits, "0123456789") != "" {
		return "", false
	}
	point := len(whole) + exponent
	if point < 0 {
		digits, point = strings.Repeat("0", -point)+digits, 0
	}
	if point > len(digits) {
		digits += strings.Repeat("0", point-len(digits))
	}
	whole, fraction = strings.TrimLeft(digits[:point], "0"), strings.TrimRight(digits[point:], "0")
	if whole == "" {
		whole = "0"
	}
	if len(whole) > longest || len(fraction) > longest {
		return "", false
	}
	if fraction == "" {
		return whole, true
	}
	return whole + "." + fraction, true
}

package migration_test

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"holdfast/domain/migration"
)

// An amount that is taken is exactly what the text says, and one that is refused is not a whole
// count of base units, or too large.
func TestAmountsAreNeverRounded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		decimals := uint8(rapid.IntRange(0, 36).Draw(t, "decimals"))
		text := rapid.OneOf(
			rapid.StringMatching(`[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?`),
			rapid.Custom(func(t *rapid.T) string {
				s, ok := migration.Shortest(rapid.Float64Range(0, 1e30).Draw(t, "float"))
				if !ok {
					t.Fatal("a finite double has a text")
				}
				return s
			}),
		).Draw(t, "text")
		want, ok := new(big.Rat).SetString(text)
		if !ok {
			t.Fatalf("%q is a number", text)
		}
		want.Mul(want, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil)))
		got, err := migration.Exact(text, decimals)
		whole := want.IsInt() && want.Num().BitLen() <= 256
		if whole != (err == nil) {
			t.Fatalf("%q with %d decimals: %v, although it is %s", text, decimals, err, want.RatString())
		}
		if err == nil && got.String() != want.Num().String() {
			t.Fatalf("%q with %d decimals became %s, not %s", text, decimals, got, want.Num())
		}
	})
}

// The text of a double reads back as the same double.
func TestShortestReadsBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.Float64().Draw(t, "float")
		text, ok := migration.Shortest(f)
		if back, err := strconv.ParseFloat(text, 64); !ok || err != nil || back != f {
			t.Fatalf("%v became %q", f, text)
		}
	})
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if text, ok := migration.Shortest(f); ok {
			t.Errorf("%v is no number, not %q", f, text)
		}
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"5": "5", " 5 ": "5", "05.50": "5.5", "1e3": "1000", "1E-3": "0.001", "+2": "2", "0": "0", "0.000": "0", ".5": "0.5", "5.": "5", "12.5E1": "125",
		"": "", "-1": "", "1,5": "", "1e99": "", "NaN": "", "Infinity": "", "0x1": "", "1e": "", ".": "", "1.2.3": "", strings.Repeat("9", 79): "", "٣": "",
	} {
		got, ok := migration.Plain(text)
		if got != want || ok != (want != "") {
			t.Errorf("%q: %q %v", text, got, ok)
		}
	}
}

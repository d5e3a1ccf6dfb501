package money_test

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"holdfast/domain/money"
)

const maxUint256 = "115792089237316195423570985008687907853269984665640564039457584007913129639935"

// units draws amounts of every size, often near the ends.
func units(t *rapid.T, label string) money.Units {
	b := rapid.SliceOfN(rapid.Byte(), 0, 32).Draw(t, label)
	u, err := money.ParseUnits(new(big.Int).SetBytes(b).String())
	require.NoError(t, err)
	return u
}

func bigOf(u money.Units) *big.Int { n, _ := new(big.Int).SetString(u.String(), 10); return n }

func TestArithmeticAgreesWithBigIntegers(t *testing.T) {
	t.Parallel()
	top := new(big.Int).Lsh(big.NewInt(1), 256)
	rapid.Check(t, func(t *rapid.T) {
		a, b := units(t, "a"), units(t, "b")
		sum, err := a.Add(b)
		want := new(big.Int).Add(bigOf(a), bigOf(b))
		if want.Cmp(top) >= 0 {
			assert.ErrorIs(t, err, money.ErrTooLarge, "a sum that does not fit must not wrap")
		} else {
			assert.Equal(t, want.String(), sum.String())
		}
		diff, ok := a.Sub(b)
		assert.Equal(t, a.Cmp(b) >= 0, ok)
		if ok {
			assert.Equal(t, new(big.Int).Sub(bigOf(a), bigOf(b)).String(), diff.String())
		}
		bps := money.BPS(rapid.Uint32Range(0, 10000).Draw(t, "bps"))
		part := bps.Of(a)
		floor := new(big.Int).Div(new(big.Int).Mul(bigOf(a), big.NewInt(int64(bps))), big.NewInt(10000))
		assert.Equal(t, floor.String(), part.String())
		assert.Equal(t, a, part.Plus(a.Minus(part)), "the parts of a split are the whole")
	})
}

func TestUnitsGrammar(t *testing.T) {
	t.Parallel()
	for _, ok := range []string{"0", "1", maxUint256} {
		_, err := money.ParseUnits(ok)
		assert.NoError(t, err, ok)
	}
	for _, bad := range []string{"", "-1", "+1", "01", "1.0", "1e9", " 1", "1 ", "0x1", "١", strings.Repeat("9", 79), "NaN"} {
		_, err := money.ParseUnits(bad)
		assert.ErrorIs(t, err, money.ErrInvalid, bad)
	}
	_, err := money.ParseUnits("115792089237316195423570985008687907853269984665640564039457584007913129639936")
	assert.ErrorIs(t, err, money.ErrTooLarge)
}

func TestJSONIsAStringOnly(t *testing.T) {
	t.Parallel()
	var u money.Units
	for _, bad := range []string{`1`, `0.1`, `1e400`, `9007199254740993`, `null`, `"1e9"`, `"-1"`, `[]`} {
		assert.Error(t, json.Unmarshal([]byte(bad), &u), bad)
	}
	rapid.Check(t, func(t *rapid.T) {
		a := units(t, "a")
		b, err := json.Marshal(a)
		require.NoError(t, err)
		var back money.Units
		require.NoError(t, json.Unmarshal(b, &back))
		assert.Equal(t, a, back)
	})
}

func TestDecimalsAreExactOrRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in       string
		decimals uint8
		want     string
		err      error
	}{
		{"97.5", 18, "97500000000000000000", nil},
		{"250.000001", 6, "250000001", nil},
		{"1.2300000000", 2, "123", nil},
		{"0", 6, "0", nil},
		{"0.0", 6, "0", nil},
		{"0.0000001", 6, "", money.ErrPrecision},
		{"1.5", 0, "", money.ErrPrecision},
		{"1e9", 18, "", money.ErrInvalid},
		{"1e30000000", 18, "", money.ErrInvalid},
		{".5", 18, "", money.ErrInvalid},
		{"5.", 18, "", money.ErrInvalid},
		{"-5", 18, "", money.ErrInvalid},
		{"1,5", 18, "", money.ErrInvalid},
		{maxUint256, 18, "", money.ErrTooLarge},
	} {
		start := time.Now()
		got, err := money.ParseDecimal(c.in, c.decimals)
		assert.Less(t, time.Since(start), 10*time.Second, "no input may stall the parser: %s", c.in)
		if c.err != nil {
			assert.ErrorIs(t, err, c.err, c.in)
			continue
		}
		require.NoError(t, err, c.in)
		assert.Equal(t, c.want, got.String(), c.in)
	}
	rapid.Check(t, func(t *rapid.T) {
		a, d := units(t, "a"), rapid.Uint8Range(0, 30).Draw(t, "decimals")
		back, err := money.ParseDecimal(a.Decimal(d), d)
		require.NoError(t, err)
		assert.Equal(t, a, back, "out and in again is exact")
	})
}

func FuzzParseDecimal(f *testing.F) {
	for _, s := range []string{"1", "1.5", "1e9", "0x", "٣", "999999999999999999999.1"} {
		f.Add(s, uint8(18))
	}
	f.Fuzz(func(t *testing.T, s string, d uint8) {
		u, err := money.ParseDecimal(s, d)
		if err != nil {
			return
		}
		if back, err := money.ParseDecimal(u.Decimal(d), d); err != nil || back != u {
			t.Fatalf("%q with %d decimals came back as %s", s, d, back)
		}
	})
}

package requestnetwork_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"holdfast/adapters/devchain"
	"holdfast/adapters/requestnetwork"
	"holdfast/domain/money"
	"holdfast/domain/network"
)

const (
	payee     = "0x6923831ACf5c327260D7ac7C9DfF5b1c3cB3C7D7"
	reference = "0x2c3366941274c34c"
)

func hex64(n uint64) string {
	b := money.FromUint64(n).Uint256().Bytes32()
	return word(b[:])
}
func word(b []byte) string { return strings.Repeat("0", 64-2*len(b)) + hexOf(b) }

func hexOf(b []byte) string {
	const digits = "0123456789abcdef"
	var s strings.Builder
	for _, c := range b {
		s.WriteByte(digits[c>>4])
		s.WriteByte(digits[c&15])
	}
	return s.String()
}

func addressWord(a string) string { return strings.Repeat("0", 24) + strings.ToLower(a[2:]) }

// pay is what an honest provider answers for 7 units of the development chain's USDC.
func pay() []requestnetwork.Transaction {
	return []requestnetwork.Transaction{
		{To: devchain.USDC, Data: "0x095ea7b3" + addressWord(devchain.Proxy) + hex64(7)},
		{To: devchain.Proxy, Data: "0xc219a14d" + addressWord(devchain.USDC) + addressWord(payee) + hex64(7) + hex64(192) + hex64(0) + addressWord(zero) + hex64(8) + reference[2:] + strings.Repeat("0", 48)},
	}
}

const zero = "0x0000000000000000000000000000000000000000"

func wanted() requestnetwork.Wanted {
	return requestnetwork.Wanted{Chain: devchain.Network(), Token: devchain.USDC, Payee: payee, Amount: money.FromUint64(7), Reference: reference}
}

func TestCallDataIsReadFieldByField(t *testing.T) {
	t.Parallel()
	proxy, err := requestnetwork.Check(pay(), wanted())
	require.NoError(t, err)
	assert.Equal(t, devchain.Proxy, proxy)
	_, err = requestnetwork.Check(pay()[1:], wanted())
	require.NoError(t, err, "an allowance may be there already")

	for name, change := range map[string]func(all []requestnetwork.Transaction) []requestnetwork.Transaction{
		"nothing":            func([]requestnetwork.Transaction) []requestnetwork.Transaction { return nil },
		"only an approval":   func(a []requestnetwork.Transaction) []requestnetwork.Transaction { return a[:1] },
		"two payments":       func(a []requestnetwork.Transaction) []requestnetwork.Transaction { return append(a, a[1]) },
		"another proxy":      func(a []requestnetwork.Transaction) []requestnetwork.Transaction { a[1].To = payee; return a },
		"another token":      replaceIn(1, addressWord(devchain.USDC), addressWord(devchain.USDT)),
		"another recipient":  replaceIn(1, addressWord(payee), addressWord(devchain.Treasury)),
		"another amount":     replaceIn(1, hex64(7)+hex64(192), hex64(8)+hex64(192)),
		"another reference":  replaceIn(1, reference[2:], "2c3366941274c34d"),
		"a fee":              replaceIn(1, hex64(192)+hex64(0), hex64(192)+hex64(1)),
		"a moved offset":     replaceIn(1, hex64(192), hex64(224)),
		"something after":    func(a []requestnetwork.Transaction) []requestnetwork.Transaction { a[1].Data += hex64(0); return a },
		"a longer reference": replaceIn(1, hex64(8)+reference[2:]+"00", hex64(9)+reference[2:]+"01"),
		"dirty padding":      replaceIn(1, reference[2:]+"00", reference[2:]+"01"),
		"a dirty address":    replaceIn(1, addressWord(payee), "01"+addressWord(payee)[2:]),
		"coins with it": func(a []requestnetwork.Transaction) []requestnetwork.Transaction {
			a[1].Value = money.FromUint64(1)
			return a
		},
		"approves a thief":    replaceIn(0, addressWord(devchain.Proxy), addressWord(payee)),
		"approves too little": replaceIn(0, hex64(7), hex64(6)),
		"approves elsewhere":  func(a []requestnetwork.Transaction) []requestnetwork.Transaction { a[0].To = devchain.USDT; return a },
		"an unknown call":     replaceIn(1, "c219a14d", "a9059cbb"),
		"no call":             func(a []requestnetwork.Transaction) []requestnetwork.Transaction { a[1].Data = "0x"; return a },
		"no hex":              func(a []requestnetwork.Transaction) []requestnetwork.Transaction { a[1].Data = "zz"; return a },
	} {
		_, err := requestnetwork.Check(change(pay()), wanted())
		assert.ErrorIs(t, err, requestnetwork.ErrMismatch, name)
	}
}

func replaceIn(i int, was, is string) func([]requestnetwork.Transaction) []requestnetwork.Transaction {
	return func(all []requestnetwork.Transaction) []requestnetwork.Transaction {
		all[i].Data = strings.Replace(all[i].Data, was, is, 1)
		return all
	}
}

// No single changed byte of the call data passes, wherever it is.
func TestNoChangedByteOfCallDataPasses(t *testing.T) {
	t.Parallel()
	const amountAt = len("0x") + 8 + 64 // in approve(spender, amount)
	rapid.Check(t, func(rt *rapid.T) {
		all := pay()
		i := rapid.IntRange(0, 1).Draw(rt, "transaction")
		at := rapid.IntRange(2, len(all[i].Data)-1).Draw(rt, "digit")
		digit := rapid.SampledFrom([]byte("0123456789abcdef")).Draw(rt, "is")
		if i == 1 && at >= 2+8+5*64 && at < 2+8+6*64 {
			return // who gets a fee of nothing does not matter
		}
		b := []byte(all[i].Data)
		if b[at] == digit {
			return
		}
		if i == 0 && at >= amountAt && digit > b[at] {
			return // a larger allowance for the right proxy is none of our business
		}
		b[at] = digit
		all[i].Data = string(b)
		if _, err := requestnetwork.Check(all, wanted()); err == nil {
			rt.Fatalf("digit %d of transaction %d may be %c", at, i, digit)
		}
	})
}

func TestNativeCoinCallData(t *testing.T) {
	t.Parallel()
	want := wanted()
	want.Token = ""
	coin := ""
	for _, p := range want.Chain.Proxies {
		if p.Kind == network.EthereumFeeProxy {
			coin = p.Address
		}
	}
	if coin == "" {
		coin = "0x11BF2fDA23bF0A98365e1A4e04A87C9339e8687A"
		want.Chain.Proxies = append(want.Chain.Proxies, network.Proxy{Kind: network.EthereumFeeProxy, Address: coin})
	}
	good := requestnetwork.Transaction{To: coin, Value: money.FromUint64(7), Data: "0xb868980b" + addressWord(payee) + hex64(128) + hex64(0) + addressWord(zero) + hex64(8) + reference[2:] + strings.Repeat("0", 48)}
	proxy, err := requestnetwork.Check([]requestnetwork.Transaction{good}, want)
	require.NoError(t, err)
	assert.Equal(t, coin, proxy)
	less := good
	less.Value = money.FromUint64(6)
	_, err = requestnetwork.Check([]requestnetwork.Transaction{less}, want)
	assert.ErrorIs(t, err, requestnetwork.ErrMismatch)
	_, err = requestnetwork.Check([]requestnetwork.Transaction{good}, wanted())
	assert.ErrorIs(t, err, requestnetwork.ErrMismatch, "coins for a token")
	_, err = requestnetwork.Check(pay(), want)
	assert.ErrorIs(t, err, requestnetwork.ErrMismatch, "a token for coins")
}

func TestValuesComeInThreeShapes(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]uint64{
		`0`: 0, `"0x0"`: 0, `{"type":"BigNumber","hex":"0x038d7ea4c68000"}`: 1_000_000_000_000_000, `"12"`: 12, `null`: 0, ``: 0, `7`: 7,
	} {
		got, err := requestnetwork.Value(raw)
		require.NoError(t, err, raw)
		assert.Equal(t, money.FromUint64(want), got, raw)
	}
	for _, raw := range []string{`-1`, `1.5`, `"0xzz"`, `{"type":"BigNumber"}`, `[1]`, `"0x` + strings.Repeat("f", 66) + `"`, `true`} {
		_, err := requestnetwork.Value(raw)
		assert.Error(t, err, raw)
	}
}

func TestTheOldSecretEnds(t *testing.T) {
	t.Parallel()
	body := []byte(`{"event":"x"}`)
	end := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	now := end.Add(-time.Second)
	v := requestnetwork.At(requestnetwork.NewVerifier("new").Until("old", end), func() time.Time { return now })
	assert.True(t, v.Verify(requestnetwork.Sign("old", body), body))
	assert.True(t, v.Verify(requestnetwork.Sign("new", body), body))
	now = end
	assert.False(t, v.Verify(requestnetwork.Sign("old", body), body), "the declared time is over")
	assert.True(t, v.Verify(requestnetwork.Sign("new", body), body))
}

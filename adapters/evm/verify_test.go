package evm_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/domain/fault"
	"holdfast/domain/money"
	"holdfast/domain/network"
)

func TestWhatATransactionHoldsOfAPayment(t *testing.T) {
	t.Parallel()
	chain, client := setup(t)
	ether := money.MustUnits("1000000000000000000")
	usdcToShop := network.Expected{Asset: usdc, To: shop, Reference: reference}
	pay := func(p devchain.Payment) devchain.Payment {
		p.Payer, p.Reference = max(p.Payer, 1), orDefault(p.Reference, reference)
		p.To, p.Amount = orDefault(p.To, shop), orUnits(p.Amount, n(100_000_000))
		return p
	}
	for name, c := range map[string]struct {
		pay    devchain.Payment
		want   network.Expected
		arrive []string // measured amounts that are the payment's
		others []*fault.Error
		state  network.TxState
	}{
		"exact":       {pay: pay(devchain.Payment{Token: devchain.USDC}), want: usdcToShop, arrive: []string{"100000000"}},
		"with a fee":  {pay: pay(devchain.Payment{Token: devchain.USDC, Fee: n(3), FeeTo: elsewhere}), want: usdcToShop, arrive: []string{"100000000"}},
		"fee to us":   {pay: pay(devchain.Payment{Token: devchain.USDC, Fee: n(3), FeeTo: shop}), want: usdcToShop, arrive: []string{"100000000"}, others: []*fault.Error{network.ErrWrongReference}},
		"18 decimals": {pay: pay(devchain.Payment{Token: devchain.USDT, Amount: ether}), want: network.Expected{Asset: usdt, To: shop, Reference: reference}, arrive: []string{ether.String()}},
		"native coin": {pay: pay(devchain.Payment{Amount: n(777)}), want: network.Expected{Asset: coin, To: shop, Reference: reference}, arrive: []string{"777"}},
		"by address":  {pay: pay(devchain.Payment{Token: devchain.USDC}), want: network.Expected{Asset: usdc, To: strings.ToLower(shop)}, arrive: []string{"100000000"}},
		"no return":   {pay: pay(devchain.Payment{Token: devchain.NoReturn}), want: network.Expected{Asset: network.TokenAsset(devchain.ChainID, devchain.NoReturn), To: shop, Reference: reference}, arrive: []string{"100000000"}},
		"fee on transfer": {
			pay: pay(devchain.Payment{Token: devchain.FeeToken, Amount: n(100)}), arrive: []string{"90"},
			want: network.Expected{Asset: network.TokenAsset(devchain.ChainID, devchain.FeeToken), To: shop, Reference: reference},
		},
		"fake token": {pay: pay(devchain.Payment{Token: devchain.FakeUSDC}), want: usdcToShop, others: []*fault.Error{network.ErrWrongToken}},
		"even if the fake is asked for": {
			pay: pay(devchain.Payment{Token: devchain.FakeUSDC}), others: []*fault.Error{network.ErrWrongToken},
			want: network.Expected{Asset: network.TokenAsset(devchain.ChainID, devchain.FakeUSDC), To: shop, Reference: reference},
		},
		"another listed token": {pay: pay(devchain.Payment{Token: devchain.USDT, Amount: n(5)}), want: usdcToShop, others: []*fault.Error{network.ErrWrongToken}},
		"another recipient":    {pay: pay(devchain.Payment{Token: devchain.USDC, To: elsewhere}), want: usdcToShop, others: []*fault.Error{network.ErrWrongRecipient}},
		"another reference":    {pay: pay(devchain.Payment{Token: devchain.USDC, Reference: other}), want: usdcToShop, others: []*fault.Error{network.ErrWrongReference}},
		"another's payment":    {pay: pay(devchain.Payment{Token: devchain.USDC, Reference: other, To: elsewhere}), want: usdcToShop},
		"look-alike contract":  {pay: pay(devchain.Payment{Token: devchain.USDC, Proxy: devchain.LookAlike}), want: usdcToShop, others: []*fault.Error{network.ErrWrongReference}},
		"nothing":              {pay: devchain.Payment{Payer: 1, Reference: reference, To: shop, Token: devchain.USDC}, want: usdcToShop, others: []*fault.Error{network.ErrNothingArrived}},
		"failed":               {pay: pay(devchain.Payment{Token: devchain.USDC, Amount: money.MustUnits("999999999999999999")}), want: usdcToShop, state: network.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			sent, err := chain.Pay(t.Context(), c.pay)
			require.NoError(t, err)
			v, err := client.VerifyPayment(t.Context(), strings.ToUpper(sent.Tx[2:]), c.want)
			require.NoError(t, err)
			if c.state != "" {
				assert.Equal(t, c.state, v.State)
				assert.Empty(t, append(v.Deposits, deposits(v.Others)...), "a failed transaction moved nothing")
				return
			}
			assert.Equal(t, network.Mined, v.State)
			assert.Equal(t, c.arrive, amounts(v.Deposits))
			var reasons []*fault.Error
			for _, o := range v.Others {
				reasons = append(reasons, o.Reason)
			}
			require.Len(t, reasons, len(c.others))
			for i := range reasons {
				assert.ErrorIs(t, reasons[i], c.others[i])
			}
			for _, d := range v.Deposits {
				assert.Equal(t, sent.Tx, d.Tx)
				assert.Equal(t, sent.Block, d.Block)
				assert.Equal(t, c.pay.Amount, d.Stated)
				hash, err := client.BlockHash(t.Context(), d.Block)
				require.NoError(t, err)
				assert.Equal(t, hash, d.BlockHash)
			}
		})
	}
}

func TestSeveralPaymentsInOneTransaction(t *testing.T) {
	t.Parallel()
	chain, client := setup(t)
	one := devchain.Payment{Payer: 2, Token: devchain.USDC, To: shop, Amount: n(40), Reference: reference}
	two, third := one, one
	two.Amount = n(60)
	third.Reference, third.Amount = other, n(7)
	sent, err := chain.PayMany(t.Context(), one, two, third, one)
	require.NoError(t, err)
	require.False(t, sent.Failed)
	v, err := client.VerifyPayment(t.Context(), sent.Tx, network.Expected{Asset: usdc, To: shop, Reference: reference})
	require.NoError(t, err)
	assert.Equal(t, []string{"40", "60", "40"}, amounts(v.Deposits), "even two with the same reference and amount")
	logs := map[uint]bool{}
	for _, d := range v.Deposits {
		logs[d.Log] = true
	}
	assert.Len(t, logs, 3, "each has its own evidence")
	require.Len(t, v.Others, 1)
	assert.ErrorIs(t, v.Others[0].Reason, network.ErrWrongReference)
}

func TestATransactionThatIsNotThere(t *testing.T) {
	t.Parallel()
	_, client := setup(t)
	want := network.Expected{Asset: usdc, To: shop}
	v, err := client.VerifyPayment(t.Context(), "0x"+strings.Repeat("ab", 32), want)
	require.NoError(t, err)
	assert.Equal(t, network.Unknown, v.State)
	_, err = client.VerifyPayment(t.Context(), "SIM_"+strings.Repeat("ab", 30), want)
	assert.ErrorIs(t, err, network.ErrInvalidTx)
	_, err = client.VerifyPayment(t.Context(), "0x"+strings.Repeat("ab", 32), network.Expected{Asset: usdc, To: shop, Reference: "0x12"})
	assert.ErrorIs(t, err, network.ErrWrongReference)
}

func TestAScanFindsWhatNobodyTold(t *testing.T) {
	t.Parallel()
	chain, client := setup(t)
	begin := chain.Head() + 1
	pay := func(p devchain.Payment) string {
		sent, err := chain.Pay(t.Context(), p)
		require.NoError(t, err)
		return sent.Tx
	}
	first := pay(devchain.Payment{Payer: 1, Token: devchain.USDC, To: shop, Amount: n(11), Reference: reference})
	pay(devchain.Payment{Payer: 1, Token: devchain.USDC, To: shop, Amount: n(12), Reference: other})
	coinTx := pay(devchain.Payment{Payer: 1, To: shop, Amount: n(13), Reference: reference})
	pay(devchain.Payment{Payer: 1, Token: devchain.FakeUSDC, To: elsewhere, Amount: n(14), Reference: reference})
	pay(devchain.Payment{Payer: 1, Token: devchain.USDC, To: shop, Amount: n(15), Reference: reference, Proxy: devchain.LookAlike})
	direct, err := chain.Transfer(t.Context(), 1, devchain.USDC, elsewhere, n(16))
	require.NoError(t, err)
	both := pay(devchain.Payment{Payer: 1, Token: devchain.USDC, To: elsewhere, Amount: n(17), Reference: reference})
	unknownRef := pay(devchain.Payment{Payer: 1, Token: devchain.USDC, To: elsewhere, Amount: n(18), Reference: other})

	found, err := client.Scan(t.Context(), begin, 1<<30, network.Watch{References: []string{reference}, Destinations: []string{strings.ToLower(elsewhere)}})
	require.NoError(t, err)
	assert.Equal(t, chain.Head(), found.To)
	var txs []string
	for _, d := range found.Deposits {
		txs = append(txs, d.Tx)
	}
	assert.Equal(t, []string{first, coinTx, direct.Tx, both, unknownRef}, txs)
	assert.Equal(t, []string{"11", "13", "16", "17", "18"}, amounts(found.Deposits))
	v, err := client.VerifyPayment(t.Context(), first, network.Expected{Asset: usdc, To: shop, Reference: reference})
	require.NoError(t, err)
	assert.Equal(t, found.Deposits[0], v.Deposits[0], "webhook and scanner must come to the same evidence")

	nothing, err := client.Scan(t.Context(), chain.Head()+1, chain.Head()+10, network.Watch{References: []string{reference}})
	require.NoError(t, err)
	assert.Equal(t, chain.Head(), nothing.To)
	assert.Empty(t, nothing.Deposits)
	part, err := client.Scan(t.Context(), begin, begin, network.Watch{References: []string{reference}})
	require.NoError(t, err)
	assert.Equal(t, begin, part.To)
	assert.Len(t, part.Deposits, 1)
}

func amounts(ds []network.Deposit) (all []string) {
	for _, d := range ds {
		all = append(all, d.Amount.String())
	}
	return all
}

func deposits(ms []network.Mismatch) (all []network.Deposit) {
	for _, m := range ms {
		all = append(all, m.Deposit)
	}
	return all
}

func orDefault(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func orUnits(u, otherwise money.Units) money.Units {
	if u.IsZero() {
		return otherwise
	}
	return u
}

package evm_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/outgoing"
)

func signer(t *testing.T) *evm.LocalSigner {
	t.Helper()
	s, err := evm.NewLocalSigner(devchain.Mnemonic)
	require.NoError(t, err)
	return s
}

// instruction of a token transfer from an address, with the next nonce.
func instruction(t *testing.T, c *evm.Client, from, to string, amount money.Units) outgoing.Transfer {
	t.Helper()
	nonce, err := c.NextNonce(t.Context(), from)
	require.NoError(t, err)
	return outgoing.Transfer{Chain: devchain.ChainID, From: from, To: to, Token: devchain.USDC, Amount: money.Of(usdc, amount), Nonce: nonce}
}

// mined sends a signed transaction and mines until it has an outcome.
func mined(t *testing.T, chain *devchain.Chain, c *evm.Client, raw string) network.Outcome {
	t.Helper()
	tx, err := evm.Decode(raw)
	require.NoError(t, err)
	for range 2 { // the second time it is known already
		hash, err := c.Send(t.Context(), raw)
		require.NoError(t, err)
		require.Equal(t, tx.Hash, hash)
	}
	for range 200 {
		chain.Mine(1)
		out, err := c.Outcome(t.Context(), tx)
		require.NoError(t, err)
		if out.State != network.Waiting && out.State != network.Unknown {
			return out
		}
	}
	t.Fatal("never mined")
	return network.Outcome{}
}

// A destination is paid, gets gas from the treasury, is swept there, and a payout leaves:
// the whole way of money through custody, each step checked against its instruction.
func TestSweepAndPayout(t *testing.T) {
	t.Parallel()
	chain, client := setup(t)
	s := signer(t)
	deriver, err := evm.NewDeriver(devchain.DestinationXPub)
	require.NoError(t, err)
	destination, path, err := deriver.Address(7)
	require.NoError(t, err)
	assert.Equal(t, "0/7", path)
	own, err := s.Address(evm.DestinationPath(7))
	require.NoError(t, err)
	require.Equal(t, destination, own, "the signer's key belongs to the derived address")
	treasury, err := s.Address(evm.TreasuryPath)
	require.NoError(t, err)
	require.Equal(t, devchain.Treasury, treasury)
	_, err = chain.Pay(t.Context(), devchain.Payment{Payer: 1, Token: devchain.USDC, To: destination, Amount: n(1000), Reference: reference})
	require.NoError(t, err)

	sweep := instruction(t, client, destination, treasury, n(1000))
	u, err := client.Build(t.Context(), sweep)
	require.NoError(t, err)
	missing, err := client.Shortfall(t.Context(), u)
	require.NoError(t, err)
	assert.Equal(t, u.Cost(), missing, "a derived address has no gas")
	raw, err := s.Sign(evm.DestinationPath(7), u)
	require.NoError(t, err)
	_, err = client.Send(t.Context(), raw)
	assert.ErrorIs(t, err, evm.ErrNoGas)

	gas := instruction(t, client, treasury, destination, missing)
	gas.Token, gas.Amount = "", money.Of(coin, missing)
	built, err := client.Build(t.Context(), gas)
	require.NoError(t, err)
	signedGas, err := s.Sign(evm.TreasuryPath, built)
	require.NoError(t, err)
	assert.Equal(t, network.Mined, mined(t, chain, client, signedGas).State)

	tx, err := evm.Decode(raw)
	require.NoError(t, err)
	assert.NoError(t, sweep.Check(tx.Transfer))
	assert.Equal(t, destination, tx.Signer)
	out := mined(t, chain, client, raw)
	assert.Equal(t, network.Mined, out.State)
	assert.Equal(t, "1000", out.Moved.String())
	assert.False(t, out.Fee.IsZero())
	assert.False(t, u.Cost().Less(out.Fee))
	balance, err := client.Balance(t.Context(), usdc, treasury)
	require.NoError(t, err)
	assert.Equal(t, "1000", balance.String())
	rest, err := client.Balance(t.Context(), usdc, destination)
	require.NoError(t, err)
	assert.True(t, rest.IsZero())

	payout := instruction(t, client, treasury, elsewhere, n(600))
	u, err = client.Build(t.Context(), payout)
	require.NoError(t, err)
	raw, err = s.Sign(evm.TreasuryPath, u)
	require.NoError(t, err)
	assert.Equal(t, "600", mined(t, chain, client, raw).Moved.String())
	_, err = client.Build(t.Context(), instruction(t, client, treasury, elsewhere, n(401)))
	assert.ErrorIs(t, err, evm.ErrWouldFail, "more than the treasury holds")
}

func TestAReplacedTransactionCanNeverBeMined(t *testing.T) {
	t.Parallel()
	chain, client := setup(t)
	s := signer(t)
	_, err := chain.Transfer(t.Context(), 1, devchain.USDC, devchain.Treasury, n(100))
	require.NoError(t, err)
	sign := func(u network.Unsigned) (string, outgoing.Tx) {
		raw, err := s.Sign(evm.TreasuryPath, u)
		require.NoError(t, err)
		tx, err := evm.Decode(raw)
		require.NoError(t, err)
		return raw, tx
	}
	payout := instruction(t, client, devchain.Treasury, elsewhere, n(10))
	u, err := client.Build(t.Context(), payout)
	require.NoError(t, err)
	first, firstTx := sign(u)
	faster := u
	faster.Tip, faster.MaxFee = u.Tip.Plus(u.Tip), u.MaxFee.Plus(u.MaxFee)
	second, secondTx := sign(faster)
	require.NotEqual(t, firstTx.Hash, secondTx.Hash)

	_, err = client.Send(t.Context(), first)
	require.NoError(t, err)
	out, err := client.Outcome(t.Context(), firstTx)
	require.NoError(t, err)
	assert.Equal(t, network.Waiting, out.State)
	assert.Equal(t, network.Mined, mined(t, chain, client, second).State)
	out, err = client.Outcome(t.Context(), firstTx)
	require.NoError(t, err)
	assert.Equal(t, network.Replaced, out.State)
	_, err = client.Send(t.Context(), first)
	assert.ErrorIs(t, err, evm.ErrNonceUsed)
	_, err = client.Send(t.Context(), second)
	assert.NoError(t, err, "a repeat of the one that was mined is no error")
	nobody := outgoing.Tx{Hash: "0x" + strings.Repeat("ab", 32), Transfer: outgoing.Transfer{From: devchain.Treasury, Nonce: 99}}
	out, err = client.Outcome(t.Context(), nobody)
	require.NoError(t, err)
	assert.Equal(t, network.Unknown, out.State)
}

func TestATransferThatFailsOnTheChain(t *testing.T) {
	t.Parallel()
	chain, client := setup(t)
	sent, err := chain.Transfer(t.Context(), 1, devchain.USDC, shop, money.MustUnits("999999999999999999"))
	require.NoError(t, err)
	out, err := client.Outcome(t.Context(), outgoing.Tx{Hash: sent.Tx, Transfer: outgoing.Transfer{To: shop, Token: devchain.USDC, Amount: money.Of(usdc, n(1))}})
	require.NoError(t, err)
	assert.Equal(t, network.Failed, out.State)
	assert.False(t, out.Fee.IsZero(), "a failed transaction costs gas all the same")
	other, err := chain.Transfer(t.Context(), 1, devchain.USDC, shop, n(3))
	require.NoError(t, err)
	out, err = client.Outcome(t.Context(), outgoing.Tx{Hash: other.Tx, Transfer: outgoing.Transfer{To: elsewhere, Token: devchain.USDC, Amount: money.Of(usdc, n(1))}})
	require.NoError(t, err)
	assert.Equal(t, network.Failed, out.State, "mined, but nothing moved to the recipient")
}

func TestGasBeyondTheLimit(t *testing.T) {
	t.Parallel()
	chain, _ := setup(t)
	_, err := chain.Transfer(t.Context(), 1, devchain.USDC, devchain.Treasury, n(100))
	require.NoError(t, err)
	stingy, err := evm.New(evm.Options{Chain: devchain.Network(), URLs: []string{chain.URL()}, MaxFeePerGas: n(1)})
	require.NoError(t, err)
	defer stingy.Close()
	_, err = stingy.Build(t.Context(), instruction(t, stingy, devchain.Treasury, elsewhere, n(1)))
	assert.ErrorIs(t, err, evm.ErrGasTooHigh)
}

// What a wallet gives back is not always what it was given.
func TestOnlyTheInstructedTransferPasses(t *testing.T) {
	t.Parallel()
	s := signer(t)
	given := outgoing.Transfer{Chain: devchain.ChainID, From: devchain.Treasury, To: elsewhere, Token: devchain.USDC, Amount: money.Of(usdc, n(5)), Nonce: 3}
	fields := network.Unsigned{
		Chain: given.Chain, From: given.From, To: given.Token, Nonce: given.Nonce, Gas: 90_000, MaxFee: n(2), Tip: n(1),
		Data: "0xa9059cbb" + strings.Repeat("0", 24) + strings.ToLower(elsewhere[2:]) + strings.Repeat("0", 63) + "5",
	}
	signed := func(change func(*network.Unsigned)) string {
		u := fields
		change(&u)
		raw, err := s.Sign(evm.TreasuryPath, u)
		require.NoError(t, err)
		return raw
	}
	tx, err := evm.Decode(signed(func(*network.Unsigned) {}))
	require.NoError(t, err)
	require.NoError(t, given.Check(tx.Transfer))
	for name, change := range map[string]func(*network.Unsigned){
		"chain":     func(u *network.Unsigned) { u.Chain = 1 },
		"nonce":     func(u *network.Unsigned) { u.Nonce++ },
		"token":     func(u *network.Unsigned) { u.To = devchain.USDT },
		"amount":    func(u *network.Unsigned) { u.Data = u.Data[:len(u.Data)-1] + "6" },
		"recipient": func(u *network.Unsigned) { u.Data = strings.Replace(u.Data, "b0b", "b0c", 1) },
		"coin":      func(u *network.Unsigned) { u.To, u.Data, u.Value = elsewhere, "0x", n(5) },
	} {
		tx, err := evm.Decode(signed(change))
		require.NoError(t, err, name)
		assert.ErrorIs(t, given.Check(tx.Transfer), outgoing.ErrInstructionMismatch, name)
	}
	for name, raw := range map[string]string{
		"coin with the call": signed(func(u *network.Unsigned) { u.Value = n(1) }),
		"another call":       signed(func(u *network.Unsigned) { u.Data = "0x095ea7b3" + u.Data[10:] }),
		"a longer call":      signed(func(u *network.Unsigned) { u.Data += "00" }),
		"dirty padding":      signed(func(u *network.Unsigned) { u.Data = u.Data[:10] + "1" + u.Data[11:] }),
		"trailing bytes":     signed(func(*network.Unsigned) {}) + "00",
		"unsigned":           "0x02", "no hex": "zz", "empty": "", "not a transaction": "0xdeadbeef",
	} {
		_, err := evm.Decode(raw)
		assert.ErrorIs(t, err, evm.ErrNotTransfer, name)
	}
	_, err = s.Sign(evm.DestinationPath(1), fields)
	assert.ErrorContains(t, err, "not "+devchain.Treasury, "a key signs for its own address only")
	_, err = evm.Assemble(fields, "0x12")
	assert.ErrorIs(t, err, evm.ErrNotTransfer)
}

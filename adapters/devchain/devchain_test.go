package devchain_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/devchain"
	"holdfast/domain/money"
)

const (
	reference = "0x8a60fb2742425e9e"
	shop      = "0x90F79bf6EB2c4f870365E785982E1f101E93b906"
	stranger  = "0x00000000000000000000000000000000000A11cE"
)

// TestMain lets the test binary be the process that the kill test kills.
func TestMain(m *testing.M) {
	if dir := os.Getenv("DEVCHAIN_TEST_DIR"); dir != "" {
		c, err := devchain.Start(context.Background(), devchain.Options{DataDir: dir, Interval: 10 * time.Millisecond})
		if err != nil {
			panic(err)
		}
		os.Stdout.WriteString(c.URL() + "\n")
		select {}
	}
	os.Exit(m.Run())
}

func start(t *testing.T, o devchain.Options) *devchain.Chain {
	t.Helper()
	c, err := devchain.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	return c
}

func balance(t *testing.T, w *devchain.Wallet, token, owner string) string {
	t.Helper()
	b, err := w.Balance(t.Context(), token, owner)
	require.NoError(t, err)
	return b.String()
}

func TestAPaymentIsMinedByItself(t *testing.T) {
	t.Parallel()
	c := start(t, devchain.Options{Interval: 20 * time.Millisecond})
	w, err := devchain.Dial(t.Context(), c.URL()) // as the demo: another process, over HTTP
	require.NoError(t, err)
	defer w.Close()
	for _, p := range []devchain.Payment{
		{Payer: 1, Token: devchain.USDC, To: stranger, Amount: money.FromUint64(100_000_000), Reference: reference},
		{Payer: 2, Token: devchain.USDT, To: stranger, Amount: money.MustUnits("5000000000000000000"), Reference: reference, Fee: money.FromUint64(7), FeeTo: shop},
		{Payer: 3, To: stranger, Amount: money.FromUint64(12345), Reference: reference},
	} {
		sent, err := w.Pay(t.Context(), p)
		require.NoError(t, err)
		assert.False(t, sent.Failed)
		assert.Equal(t, p.Amount.String(), balance(t, w, p.Token, stranger))
	}
	head := c.Head()
	require.Eventually(t, func() bool { return c.Head() >= head+5 }, 10*time.Second, 10*time.Millisecond, "confirmations must arrive without further transactions")
	sent, err := w.Pay(t.Context(), devchain.Payment{Payer: 1, Token: devchain.USDC, To: stranger, Amount: money.MustUnits("999999999999999999"), Reference: reference})
	require.NoError(t, err)
	assert.True(t, sent.Failed, "a payment that cannot be paid is mined and failed")
}

func TestAReorgTakesBlocksBackOrLosesTheirTransactions(t *testing.T) {
	t.Parallel()
	c := start(t, devchain.Options{Manual: true})
	for round := range 10 {
		drop := round%2 == 0
		before := balance(t, c.Wallet, devchain.USDC, stranger)
		_, err := c.Transfer(t.Context(), 1, devchain.USDC, stranger, money.FromUint64(5))
		require.NoError(t, err)
		after := balance(t, c.Wallet, devchain.USDC, stranger)
		require.NotEqual(t, before, after)
		head := c.Head()
		require.NoError(t, c.Reorg(1, drop))
		assert.Greater(t, c.Head(), head)
		if drop {
			assert.Equal(t, before, balance(t, c.Wallet, devchain.USDC, stranger), "round %d: the transfer must be gone", round)
			continue
		}
		require.Eventually(t, func() bool {
			c.Mine(1)
			return balance(t, c.Wallet, devchain.USDC, stranger) == after
		}, 5*time.Second, time.Millisecond, "round %d: the transfer must be mined again", round)
	}
}

// Who asks over the wire names a block, because more may be mined before the answer.
func TestABlockAndEveryLaterOneAreReplaced(t *testing.T) {
	t.Parallel()
	c := start(t, devchain.Options{Manual: true})
	before := balance(t, c.Wallet, devchain.USDC, stranger)
	_, err := c.Transfer(t.Context(), 1, devchain.USDC, stranger, money.FromUint64(5))
	require.NoError(t, err)
	block := c.Head()
	c.Mine(3)
	require.NoError(t, c.Wallet.ReplaceSince(t.Context(), block, true))
	assert.Equal(t, before, balance(t, c.Wallet, devchain.USDC, stranger))
	assert.Greater(t, c.Head(), block+3)
	for _, wrong := range []uint64{0, c.Head() + 1} {
		assert.Error(t, c.Wallet.ReplaceSince(t.Context(), wrong, true))
	}
}

// The ledger survives a kill, so the chain it stands on must.
func TestTheChainSurvivesAKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	paid := "0"
	for round := range 3 {
		url, kill := inAnotherProcess(t, dir)
		w, err := devchain.Dial(t.Context(), url)
		require.NoError(t, err)
		assert.Equal(t, paid, balance(t, w, devchain.USDC, stranger), "round %d: acknowledged payments are lost", round)
		for range 3 {
			sent, err := w.Transfer(t.Context(), 1, devchain.USDC, stranger, money.FromUint64(7))
			require.NoError(t, err)
			require.False(t, sent.Failed)
		}
		paid = balance(t, w, devchain.USDC, stranger)
		w.Close()
		kill()
	}
	c := start(t, devchain.Options{DataDir: dir, Manual: true})
	assert.Equal(t, paid, balance(t, c.Wallet, devchain.USDC, stranger))
	assert.Equal(t, "63", paid)
}

func inAnotherProcess(t *testing.T, dir string) (url string, kill func()) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "DEVCHAIN_TEST_DIR="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err, "the other process did not come up")
	return strings.TrimSpace(line), func() {
		require.NoError(t, cmd.Process.Signal(syscall.SIGKILL))
		_ = cmd.Wait()
	}
}
